"""Tracks kept in a file, and the tracker that replays them: tests need no network.

The file is a numpy ``.npz`` with one row per frame; frames without a face are left out.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from hrn_studio.errors import NoFaceError, SourceError
from hrn_studio.records import Frame, Track

_VERSION = 1


class RecordedTracker:
    """Gives back the track recorded for a frame's index, whatever the frame shows."""

    def __init__(self, tracks: Iterable[Track]) -> None:
        self._tracks = {track.frame_index: track for track in tracks}

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """From a file of :func:`encoded_tracks`.  Raises ``SourceError``."""
        path = Path(path)
        try:
            return cls(decoded_tracks(path.read_bytes()))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise SourceError(f"'{path}' is not a recording of tracks; record it again") from error

    def track(self, frame: Frame) -> Track:
        """The track of ``frame.index``.  Raises ``NoFaceError`` when none was recorded."""
        try:
            return self._tracks[frame.index]
        except KeyError:
            raise NoFaceError(
                f"no face was recorded for frame {frame.index}; use a frame that has one"
            ) from None

    def close(self) -> None:
        """Nothing to free."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def encoded_tracks(tracks: Iterable[Track]) -> bytes:
    """The tracks as the bytes of an ``.npz`` file.  All must have the same landmarks."""
    tracks = list(tracks)
    words = [
        {
            "faces": track.faces,
            "confidence": track.confidence,
            "scores": dict(track.scores),
            "notes": track.notes,
        }
        for track in tracks
    ]
    file = BytesIO()
    np.savez_compressed(
        file,
        version=_VERSION,
        points_px=np.array([track.points_px for track in tracks]),
        depth_px=np.array([track.depth_px for track in tracks]),
        scatter_px=np.array([track.scatter_px for track in tracks]),
        frame_index=np.array([track.frame_index for track in tracks]),
        time_s=np.array([track.time_s for track in tracks]),
        words=np.array([json.dumps(entry) for entry in words]),
    )
    return file.getvalue()


def decoded_tracks(data: bytes) -> list[Track]:
    """The tracks in the bytes of an ``.npz`` file; the inverse of :func:`encoded_tracks`."""
    with np.load(BytesIO(data), allow_pickle=False) as file:
        if int(file["version"]) != _VERSION:
            raise ValueError("another version")
        columns = {name: file[name] for name in file.files}
    tracks = []
    for i, text in enumerate(columns["words"]):
        entry = json.loads(str(text))
        tracks.append(
            Track(
                points_px=columns["points_px"][i],
                depth_px=columns["depth_px"][i],
                frame_index=int(columns["frame_index"][i]),
                time_s=float(columns["time_s"][i]),
                confidence=entry["confidence"],
                faces=entry["faces"],
                scores=entry["scores"],
                notes=tuple(entry["notes"]),
                scatter_px=columns["scatter_px"][i],
            )
        )
    return tracks
