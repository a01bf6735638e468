"""Photos and videos without ground truth, as refinement wants them: crops and tracked landmarks.

A sub-folder holds pictures of one person, and so does a video; each picture that lies in the folder
itself is taken to show somebody else.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from hrn_studio.errors import NoFaceError, StudioError, UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.facecrop import cut, place
from hrn_studio.live.images import read_image
from hrn_studio.live.sources import VideoFile
from hrn_studio.live.spec import VIDEOS
from hrn_studio.live.tracker import LandmarkTracker
from hrn_studio.records import Bytes, Doubles, Floats, Frame, FrameReport, Ints, Progress, frozen
from hrn_studio.training.pool import stored

FROM_VIDEO = 40
"""Frames taken from a video, spread over all of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """N pictures of faces, with no word about what is true of them."""

    crops: Bytes
    """(N, STORED_PX, STORED_PX) grey."""
    landmarks: Floats
    """(N, L, 2) the tracker's, in units of the network's crop."""
    person: Ints
    """(N,) the number of the person, from 0."""
    names: tuple[str, ...]
    """Of the files."""
    refused: tuple[FrameReport, ...] = ()
    """Files that cannot be read or show no usable face, and why."""

    def __post_init__(self) -> None:
        for name, dtype in (("crops", np.uint8), ("landmarks", np.float32), ("person", np.int32)):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    def __len__(self) -> int:
        return len(self.crops)

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(np.unique(self.person))

    def part(self, rows: Ints) -> Photos:
        """The pictures in some rows."""
        return Photos(
            self.crops[rows],
            self.landmarks[rows],
            self.person[rows],
            tuple(self.names[int(k)] for k in rows),
        )


def read_photos(
    folder: Path, head: HeadModel, embedding: LandmarkEmbedding, tracker: LandmarkTracker
) -> Generator[Progress, None, Photos]:
    """Read and track everything in a folder.

    Parameters
    ----------
    tracker
        Gives the embedding's landmarks; each picture it sees has a number of its own.

    Raises
    ------
    UsageError
        The folder is missing or holds no file.
    NoFaceError
        No file in it shows a face that can be used; the first file's reason is given.
    """
    files = _files(folder)
    reference = embedding.points(head.mean).astype(np.float64)
    crops: list[Bytes] = []
    landmarks: list[Doubles] = []
    people: dict[str, int] = {}
    person: list[int] = []
    names: list[str] = []
    refused: list[FrameReport] = []
    for number, (file, owner) in enumerate(files):
        name = str(file.relative_to(folder))
        yield Progress("photos", number / len(files), name)
        first: StudioError | None = None
        found = 0
        try:
            for frame in _frames(file, len(crops)):
                try:
                    track = tracker.track(replace(frame, name=name, index=len(crops)))
                except NoFaceError as error:
                    first = first or error
                    continue
                placement = place(track.points_px, reference)
                crops.append(cut(frame.image, stored(placement)))
                landmarks.append(placement.to_crop(track.points_px))
                person.append(people.setdefault(owner, len(people)))
                names.append(name)
                found += 1
        except StudioError as error:
            first = error
        if first is not None and not found:
            refused.append(FrameReport(name, False, str(first)))
    if not crops:
        raise NoFaceError(
            f"'{folder}' holds no picture or video with a usable face ({len(files)} files, the "
            f"first one: {refused[0].reason}); give a folder of photos of faces"
        )
    return Photos(
        np.array(crops), np.array(landmarks), np.array(person), tuple(names), tuple(refused)
    )


def _files(folder: Path) -> list[tuple[Path, str]]:
    """Each file that is not hidden, and whose pictures it goes with."""
    if not folder.is_dir():
        raise UsageError(f"'{folder}' is not a folder; give one with photos or videos of faces")
    files = []
    for file in sorted(folder.rglob("*")):
        inside = file.relative_to(folder).parts
        if file.is_file() and not any(part.startswith(".") for part in inside):
            files.append((file, inside[0] if len(inside) > 1 else str(file)))
    if not files:
        raise UsageError(f"'{folder}' is empty; put photos or videos of faces into it")
    return files


def _frames(file: Path, index: int) -> Iterator[Frame]:
    """The picture, or frames spread over the video."""
    if file.suffix.lower() not in VIDEOS:
        yield read_image(file, index)
        return
    with VideoFile(file) as video:
        step = max(1, video.count // FROM_VIDEO)
        for frame in video:
            if frame.index % step == 0:
                yield frame


def held_back(photos: Photos) -> tuple[Photos, Photos]:
    """Those to learn from and those to look at: every tenth of 40 and more, else all for both."""
    rows = np.arange(len(photos), dtype=np.int32)
    if len(photos) < 40:
        return photos, photos
    return photos.part(rows[rows % 10 != 9]), photos.part(rows[rows % 10 == 9])


def drawn_rows(person: Sequence[int] | Ints, count: int, rng: np.random.Generator) -> Ints:
    """Rows (count,) of a batch: half at random, each with another picture of the same person where
    there is one, else with any other."""
    of = np.asarray(person)
    first = rng.integers(0, len(of), (count + 1) // 2)
    second = []
    for row in first:
        others = np.flatnonzero((of == of[row]) & (np.arange(len(of)) != row))
        second.append(int(rng.choice(others)) if len(others) else int(rng.integers(0, len(of))))
    return np.concatenate([first, second])[:count].astype(np.int32)
