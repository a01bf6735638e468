"""Videos, pictures and lists of frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hrn_studio.errors import ImageError, SourceError
from hrn_studio.live._cv import cv2
from hrn_studio.live.sources import Frames, FrameSource, Stills, VideoFile
from hrn_studio.records import Frame


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames, ever redder, 25 a second."""
    path = tmp_path_factory.mktemp("video") / "red.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (160, 120))
    for i in range(10):
        frame = np.zeros((120, 160, 3), np.uint8)
        frame[:, :, 2] = 20 * i + 20
        writer.write(frame)
    writer.release()
    return path


def test_a_video_gives_its_frames_in_time(video: Path) -> None:
    with VideoFile(video) as source:
        assert (source.name, source.fps, source.count) == ("red.mp4", 25, 10)
        frames = list(source)
        assert list(source) == []
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time_s for frame in frames] == pytest.approx([i / 25 for i in range(10)])
    reds = [int(frame.image[60, 80, 0]) for frame in frames]
    assert np.abs(np.array(reds) - [20 * i + 20 for i in range(10)]).max() < 12
    assert frames[9].image[60, 80, 2] < 12
    source.close()


def test_closing_ends_the_frames(video: Path) -> None:
    source = VideoFile(video)
    frames = iter(source)
    next(frames)
    source.close()
    assert list(frames) == []
    assert source.count == 0


def test_what_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        VideoFile(tmp_path / "none.mp4")
    with pytest.raises(SourceError, match="is a folder"):
        VideoFile(tmp_path)
    for content in (b"", b"no video, just words" * 50):
        path = tmp_path / "a.mp4"
        path.write_bytes(content)
        with pytest.raises(SourceError, match="not a video"):
            VideoFile(path)


def test_stills(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for i, path in enumerate(paths):
        Image.new("RGB", (80, 70), (i, i, i)).save(path)
    with Stills(paths) as source:
        frames = list(source)
    assert [(frame.index, frame.name) for frame in frames] == [(0, "0.png"), (1, "1.png")]
    assert source.name == "2 pictures"
    with pytest.raises(ImageError, match="does not exist"):
        list(Stills([tmp_path / "none.png"]))


def test_frames() -> None:
    frame = Frame(np.zeros((64, 64, 3), np.uint8))
    source: FrameSource = Frames([frame], fps=10, name="test")
    with source:
        assert list(source) == [frame]
        assert list(source) == [frame]
