"""Finished heads on disk, and in memory only while they are looked at."""

from __future__ import annotations

import importlib.util
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from hrn_studio.errors import ArchiveError
from hrn_studio.face.model import load_head
from hrn_studio.records import Frame
from hrn_studio.session.resident import Memory, Resident
from hrn_studio.session.state import Result, Session, next_result, with_result, without_result
from hrn_studio.session.store import Store

NOW = datetime(2026, 11, 20, 14, 32, 8)


@pytest.fixture(scope="module")
def made():
    file = Path(__file__).parents[1] / "ui" / "doubles.py"
    spec = importlib.util.spec_from_file_location("ui_doubles", file)
    doubles = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(doubles)
    head = load_head()
    return doubles.reconstruction(head, [Frame(doubles.picture(), name="Front 01")]), head.name


def result(made, memory, number=1):
    kept = Resident(memory, made[0])
    return Result(f"head-{number:02d}", f"Head {number}", ("front-01",), kept, 12.5)


def test_a_head_is_read_back_in_another_run(tmp_path, made):
    store = Store.create(tmp_path, "night", NOW)
    first = result(made, Memory())
    store.keep_result(first, made[0], made[1])
    again, session = Store.open(store.folder)
    (found,) = again.results(Memory())
    assert (found.id, found.name, found.shots, found.seconds) == (
        first.id,
        first.name,
        first.shots,
        12.5,
    )
    assert not found.kept.here
    assert np.array_equal(found.head.neutral, made[0].neutral)
    assert found.kept.here
    assert session.results == ()  # the window loads them when it has drawn the frames


def test_half_a_head_is_none(tmp_path, made):
    store = Store.create(tmp_path, "night", NOW)
    file = store.keep_result(result(made, Memory()), made[0], made[1])
    file.write_bytes(file.read_bytes()[:1000])
    (found,) = store.results(Memory())
    with pytest.raises(ArchiveError, match="head-01"):
        _ = found.head


def test_a_deleted_head_is_gone(tmp_path, made):
    store = Store.create(tmp_path, "night", NOW)
    file = store.keep_result(result(made, Memory()), made[0], made[1])
    store.delete_result("head-01")
    assert not file.exists()
    assert store.results(Memory()) == ()


def test_a_session_with_heads_only_is_kept(tmp_path, made):
    store = Store.create(tmp_path, "night", NOW)
    store.keep_result(result(made, Memory()), made[0], made[1])
    store.close()
    assert store.folder.exists()


def test_only_the_last_heads_stay_in_memory(tmp_path, made):
    store = Store.create(tmp_path, "night", NOW)
    memory = Memory(most=2)
    heads = [result(made, memory, n) for n in (1, 2, 3)]
    assert all(h.kept.here for h in heads)  # none is saved yet
    for head in heads:
        head.kept.save_to(store.keep_result(head, made[0], made[1]))
    assert heads[2].head is made[0]
    assert [h.kept.here for h in heads] == [False, True, True]
    assert np.array_equal(heads[0].head.neutral, made[0].neutral)
    assert [h.kept.here for h in heads] == [True, False, True]


def test_ids_go_on_counting(made):
    session = with_result(Session(), result(made, Memory(), 4))
    assert next_result(session) == "head-05"
    session = with_result(session, result(made, Memory(), 5))
    session = without_result(session, "head-05")
    assert session.result == ""
    assert next_result(session) == "head-05"
