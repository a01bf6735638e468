"""Tracks to bytes and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hrn_studio.errors import NoFaceError, SourceError
from hrn_studio.live.recorded import RecordedTracker, decoded_tracks, encoded_tracks
from hrn_studio.records import Frame, Track


def track(index: int) -> Track:
    rng = np.random.default_rng(index)
    return Track(
        points_px=rng.uniform(0, 100, (478, 2)),
        depth_px=rng.normal(size=478),
        frame_index=index,
        time_s=index / 30,
        confidence=0.5,
        faces=2,
        scores={"jawOpen": 0.25},
        notes=("the largest of 2 faces was taken",),
        scatter_px=rng.uniform(0, 1, 478),
    )


def frame(index: int) -> Frame:
    return Frame(np.zeros((64, 64, 3), np.uint8), index=index)


def test_tracks_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tracks.npz"
    path.write_bytes(encoded_tracks([track(0), track(2)]))
    with RecordedTracker.load(path) as tracker:
        back = tracker.track(frame(2))
        with pytest.raises(NoFaceError, match="frame 1"):
            tracker.track(frame(1))
    wanted = track(2)
    for name in ("points_px", "depth_px", "scatter_px"):
        assert np.array_equal(getattr(back, name), getattr(wanted, name))
    for name in ("frame_index", "time_s", "confidence", "faces", "scores", "notes"):
        assert getattr(back, name) == getattr(wanted, name)


def test_no_tracks_are_a_file_too() -> None:
    assert decoded_tracks(encoded_tracks([])) == []


@pytest.mark.parametrize("content", [b"", b"nonsense", encoded_tracks([track(0)])[:400]])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tracks.npz"
    path.write_bytes(content)
    with pytest.raises(SourceError, match="not a recording"):
        RecordedTracker.load(path)
    with pytest.raises(SourceError, match="not a recording"):
        RecordedTracker.load(tmp_path / "none.npz")
