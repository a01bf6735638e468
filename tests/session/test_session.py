"""A session: pure changes, and a folder that loses nothing."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest

from hrn_studio.records import Frame, Track
from hrn_studio.session import store as store_module
from hrn_studio.session.state import (
    Session,
    Shot,
    kind_of,
    next_name,
    rejected,
    renamed_shot,
    selecting,
    to_step,
    with_shot,
    with_shots_back,
    without_shots,
)
from hrn_studio.session.store import Store, StoreError, session_name, sessions

NOW = datetime(2026, 11, 20, 14, 32, 8)


def shot(number=1, **changes):
    values = {"name": f"Front 0{number}", "kind": "front", "score": 94, "state": "ok"}
    return Shot(f"front-0{number}", **(values | {"taken": f"2026-11-20T14:32:0{number}"} | changes))


def frame(value=7):
    image = np.random.default_rng(value).integers(0, 255, (90, 120, 3), np.uint8)
    return Frame(image)


def track():
    return Track(np.arange(956, dtype=np.float32).reshape(478, 2), np.zeros(478))


def test_steps_open_when_something_is_there():
    session = Session()
    assert to_step(session, "fit") is session
    assert session.missing("review") == "Fit a frame first"
    session = with_shot(session, shot())
    assert to_step(session, "fit").step == "fit"
    assert session.selected == {"front-01"}


def test_frames_can_be_set_aside_and_brought_back():
    session = with_shot(with_shot(Session(), shot(1)), shot(2))
    session = selecting(session, ["front-01", "front-02", "nobody"])
    session = rejected(session, ["front-01"], "shut")
    assert [s.id for s in session.chosen] == ["front-02"]
    gone = [s for s in session.shots if s.id == "front-01"]
    fewer = without_shots(session, ["front-01"])
    assert [s.id for s in fewer.shots] == ["front-02"]
    assert [s.id for s in with_shots_back(fewer, gone).shots] == ["front-01", "front-02"]
    assert renamed_shot(session, "front-02", " Best ").shot("front-02").name == "Best"
    assert renamed_shot(session, "front-02", "  ") is session


def test_names_go_on_counting():
    session = with_shot(Session(), shot(7))
    assert next_name(session, "front") == ("front-08", "Front 08")
    assert next_name(session, "left") == ("left-01", "Left 01")
    assert [kind_of(p) for p in ((2, 1, 0), (28, 3, 0), (-35, 0, 0), (0, 14, 0), None)] == [
        *("front", "left", "right", "up", "photo")
    ]


def test_a_kept_frame_is_on_disk_without_loss(tmp_path):
    store = Store.create(tmp_path, session_name(NOW), NOW)
    picture = frame()
    store.keep(shot(), picture, track())
    again, session = Store.open(store.folder)
    assert session.name == "20 Nov, afternoon"
    assert session.shots == (shot(),)
    from PIL import Image

    assert np.array_equal(np.asarray(Image.open(again.picture("front-01"))), picture.image)
    assert np.allclose(again.track("front-01").points_px, track().points_px)
    assert again.thumb("front-01").shape[2] == 3
    assert again.thumb("front-09") is None


def test_rejecting_renaming_and_deleting_last(tmp_path):
    store = Store.create(tmp_path, "A", NOW)
    for number in (1, 2):
        store.keep(shot(number), frame(number), track())
    store.update(shot(1, rejected="shut", name="Odd"))
    store.delete("front-02")
    assert [s.id for s in Store.open(store.folder)[1].shots] == ["front-01"]
    store.keep(shot(2), frame(2), track())
    store.delete("front-02")
    store.restore("front-02")
    _, session = Store.open(store.folder)
    assert [(s.id, s.rejected, s.name) for s in session.shots] == [
        ("front-01", "shut", "Odd"),
        ("front-02", "", "Front 02"),
    ]
    assert store.track("front-01") is not None
    store.rename("B")
    assert sessions(tmp_path)[0].name == "B"


def test_an_open_session_ended_early(tmp_path):
    store = Store.create(tmp_path, "A", NOW)
    store.keep(shot(), frame(), None)
    (store.folder / "frames" / "front-02.png.tmp").write_bytes(b"half")
    assert sessions(tmp_path)[0].ended_early
    again, session = Store.open(store.folder)
    assert len(session.shots) == 1
    assert not list(store.folder.rglob("*.tmp"))
    again.close()
    assert not sessions(tmp_path)[0].ended_early
    empty = Store.create(tmp_path, "B", NOW)
    empty.close()
    assert not empty.folder.exists()


def test_a_picture_without_its_measures_is_still_a_frame(tmp_path):
    store = Store.create(tmp_path, "A", NOW)
    store.keep(shot(), frame(), None)
    (store.folder / "frames" / "front-01.json").write_text("{broken")
    only = Store.open(store.folder)[1].shots[0]
    assert (only.id, only.name, only.state) == ("front-01", "Front 01", "none")


def test_a_full_disk_leaves_nothing_half(tmp_path, monkeypatch):
    store = Store.create(tmp_path, "A", NOW)
    store.keep(shot(1), frame(), track())

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store_module.os, "fsync", full)
    with pytest.raises(StoreError, match="is full; free some space"):
        store.keep(shot(2), frame(), track())
    monkeypatch.undo()
    assert [s.id for s in Store.open(store.folder)[1].shots] == ["front-01"]
    assert not list(store.folder.rglob("*.tmp"))


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_program_loses_no_finished_frame(tmp_path):
    """kill -9 in the middle of capturing: what was reported as kept is there, whole."""
    code = f"""
import sys
from pathlib import Path
from datetime import datetime
import numpy as np
from hrn_studio.records import Frame
from hrn_studio.session.state import Shot
from hrn_studio.session.store import Store
store = Store.create(Path({str(tmp_path)!r}), "A", datetime(2026, 11, 20))
print(store.folder, flush=True)
image = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
for i in range(1, 1000):
    store.keep(Shot(f"front-{{i:03d}}", "F", "front", 1, "ok"), Frame(image), None)
    print(i, flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    folder = child.stdout.readline().strip()
    kept = 0
    while kept < 5:
        kept = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    kept = int((child.stdout.read().split() or [kept])[-1])
    child.stdout.close()
    assert sessions(tmp_path)[0].ended_early
    from pathlib import Path

    store, session = Store.open(Path(folder))
    assert len(session.shots) >= kept
    assert all(store.thumb(s.id) is not None for s in session.shots)
