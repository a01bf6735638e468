"""A session's folder: every kept frame is on disk before it is shown.

Finished heads are in ``results/``, each with everything it was made from
(:mod:`hrn_studio.export.archive`).

A frame is a PNG (lossless, full size) and a JSON file with its track and measures.  Each is
written under another name, flushed to the disk and renamed, the picture first; so whatever
happens, a frame is there whole or not at all, and a picture without its JSON is a frame whose
measures were lost.  Deleted frames lie in ``deleted/`` until the session is opened again.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from hrn_studio.errors import StudioError
from hrn_studio.export import archive
from hrn_studio.records import Bytes, Frame, Reconstruction, Track
from hrn_studio.session.resident import Memory, Resident
from hrn_studio.session.state import Result, Session, Shot

VERSION = 1
_OPEN = "open"
_NUMBERED = re.compile(r"head-\d+$")
_THUMB_PX = 236
"""Twice the tray's."""


class StoreError(StudioError):
    """A session's folder cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A session on this computer."""

    folder: Path
    name: str
    frames: int
    ended_early: bool
    """Still marked open: the program did not close it."""


def session_name(now: datetime) -> str:
    """``20 Nov, afternoon``"""
    hours = ((5, "night"), (12, "morning"), (18, "afternoon"), (24, "evening"))
    part = next(word for end, word in hours if now.hour < end)
    return f"{now.day} {now:%b}, {part}"


def sessions(root: Path) -> tuple[Kept, ...]:
    """The sessions in ``root``, newest first; damaged ones are left out."""
    found = []
    for folder in sorted(root.iterdir(), reverse=True) if root.is_dir() else []:
        if not (folder / "session.json").is_file():
            continue
        name = _json(folder / "session.json").get("name", folder.name)
        frames = len(list((folder / "frames").glob("*.png")))
        found.append(Kept(folder, str(name), frames, (folder / _OPEN).exists()))
    return tuple(found)


class Store:
    """The folder of one session, open for writing; close it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, root: Path, name: str, now: datetime) -> Store:
        """A new folder in ``root``.  Raises ``StoreError``."""
        try:
            folder = root / f"{now:%Y-%m-%d %H-%M-%S}"
            number = 1
            while folder.exists():
                number += 1
                folder = root / f"{now:%Y-%m-%d %H-%M-%S} {number}"
            (folder / "frames").mkdir(parents=True)
            store = cls(folder)
            store._write("session.json", _bytes({"version": VERSION, "name": name}))
            (folder / _OPEN).touch()
        except OSError as error:
            raise _refused(root, error) from error
        return store

    @classmethod
    def open(cls, folder: Path) -> tuple[Store, Session]:
        """A session from disk: every whole frame, and nothing that was half written."""
        if not (folder / "session.json").is_file():
            raise StoreError(f"'{folder}' is not a session; choose another folder")
        try:
            for left in folder.rglob("*.tmp"):
                left.unlink(missing_ok=True)
            shutil.rmtree(folder / "deleted", ignore_errors=True)
            (folder / _OPEN).touch()
        except OSError as error:
            raise _refused(folder, error) from error
        name = str(_json(folder / "session.json").get("name", folder.name))
        shots = [_shot(png) for png in sorted((folder / "frames").glob("*.png"))]
        shots.sort(key=lambda s: (s.taken, s.id))
        return cls(folder), Session(name=name, folder=str(folder), shots=tuple(shots))

    def close(self) -> None:
        """Nothing is left to save; an empty session leaves no folder behind."""
        (self.folder / _OPEN).unlink(missing_ok=True)
        kept = (*(self.folder / "frames").glob("*.png"), *(self.folder / "results").glob("*"))
        if not kept:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- frames ---

    def picture(self, shot_id: str) -> Path:
        return self.folder / "frames" / f"{shot_id}.png"

    def keep(self, shot: Shot, frame: Frame, track: Track | None) -> None:
        """Write a frame whole: picture, then track and measures.

        Raises
        ------
        StoreError
            The disk is full or refuses; nothing of this frame is left behind.
        """
        data = BytesIO()
        Image.fromarray(frame.image).save(data, "PNG", compress_level=1)
        try:
            self._write(f"frames/{shot.id}.png", data.getvalue())
            self._write(f"frames/{shot.id}.json", _bytes(_record(shot, track)))
        except OSError as error:
            self.picture(shot.id).unlink(missing_ok=True)
            raise _refused(self.folder, error) from error

    def update(self, shot: Shot) -> None:
        """Write what is known of a frame again: its name, or that it was rejected."""
        old = _json(self.folder / "frames" / f"{shot.id}.json")
        try:
            self._write(f"frames/{shot.id}.json", _bytes(_record(shot, None) | _track_of(old)))
        except OSError as error:
            raise _refused(self.folder, error) from error

    def delete(self, shot_id: str) -> None:
        """Put a frame aside; :meth:`restore` brings it back."""
        self._move("frames", "deleted", shot_id)

    def restore(self, shot_id: str) -> None:
        self._move("deleted", "frames", shot_id)

    def rename(self, name: str) -> None:
        try:
            self._write("session.json", _bytes({"version": VERSION, "name": name}))
        except OSError as error:
            raise _refused(self.folder, error) from error

    def track(self, shot_id: str) -> Track | None:
        """The landmarks kept with a frame."""
        values = _json(self.folder / "frames" / f"{shot_id}.json").get("track")
        if not isinstance(values, dict):
            return None
        points, depth = np.array(values["points_px"]), np.array(values["depth_px"])
        return Track(points, depth, faces=int(values.get("faces", 1)))

    def thumb(self, shot_id: str, height: int = _THUMB_PX) -> Bytes | None:
        """A small picture of a frame (h, w, 3); None when the file cannot be read."""
        try:
            with Image.open(self.picture(shot_id)) as image:
                image.thumbnail((height * 2, height))
                return np.array(image.convert("RGB"))
        except (OSError, ValueError, SyntaxError):
            return None

    # --- results ---

    def keep_result(self, result: Result, head: Reconstruction, model: str) -> Path:
        """Write a finished head whole, and what it is called.

        Parameters
        ----------
        model
            ``HeadModel.name`` of the head that was fitted.

        Raises
        ------
        StoreError
            The disk is full or refuses; nothing of it is left behind.
        """
        name = archive.file_name(result.id)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        data = archive.archive_bytes(head, model, result.id, created)
        about = {"name": result.name, "shots": list(result.shots), "seconds": result.seconds}
        try:
            (self.folder / "results").mkdir(exist_ok=True)
            self._write(f"results/{name}", data)
            self._write(f"results/{result.id}.json", _bytes({"version": VERSION} | about))
        except OSError as error:
            (self.folder / "results" / name).unlink(missing_ok=True)
            raise _refused(self.folder, error) from error
        return self.folder / "results" / name

    def results(self, memory: Memory) -> tuple[Result, ...]:
        """The heads that were finished; none is read yet."""
        folder = self.folder / "results"
        found = []
        for stem in archive.names(folder) if folder.is_dir() else ():
            about = _json(folder / f"{stem}.json")
            shots = about.get("shots")
            found.append(
                Result(
                    stem,
                    str(about.get("name", stem)),
                    tuple(str(s) for s in shots) if isinstance(shots, list) else (),
                    Resident(memory, file=folder / archive.file_name(stem)),
                    float(about.get("seconds", 0.0)),
                )
            )
        return tuple(r for r in found if _NUMBERED.match(r.id))

    def delete_result(self, result_id: str) -> None:
        """A result's files go for good."""
        try:
            for name in (archive.file_name(result_id), f"{result_id}.json"):
                (self.folder / "results" / name).unlink(missing_ok=True)
        except OSError as error:
            raise _refused(self.folder, error) from error

    def _move(self, source: str, target: str, shot_id: str) -> None:
        try:
            (self.folder / target).mkdir(exist_ok=True)
            for suffix in ("json", "png"):
                file = self.folder / source / f"{shot_id}.{suffix}"
                if file.exists():
                    file.replace(self.folder / target / file.name)
        except OSError as error:
            raise _refused(self.folder, error) from error

    def _write(self, name: str, data: bytes) -> None:
        """All of ``data`` or nothing, on the disk when this returns."""
        file = self.folder / name
        new = file.with_name(file.name + ".tmp")
        try:
            with new.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            new.replace(file)
        finally:
            new.unlink(missing_ok=True)
        if os.name == "posix":
            handle = os.open(file.parent, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def free_bytes(folder: Path) -> int:
    """Free space where ``folder`` is or will be; 0 when it cannot be told."""
    for place in (folder, *folder.parents):
        if place.is_dir():
            try:
                return shutil.disk_usage(place).free
            except OSError:
                return 0
    return 0


def _record(shot: Shot, track: Track | None) -> dict[str, Any]:
    values: dict[str, Any] = {"version": VERSION, "shot": dataclasses.asdict(shot)}
    if track is not None:
        values["track"] = {
            "points_px": np.round(track.points_px, 3).tolist(),
            "depth_px": np.round(track.depth_px, 3).tolist(),
            "faces": track.faces,
        }
    return values


def _track_of(values: dict[str, Any]) -> dict[str, Any]:
    return {"track": values["track"]} if "track" in values else {}


def _shot(png: Path) -> Shot:
    """The frame of a picture; with its measures, when its JSON can be read."""
    values = _json(png.with_suffix(".json")).get("shot")
    if isinstance(values, dict):
        known = {f.name for f in dataclasses.fields(Shot)}
        taken = {k: v for k, v in values.items() if k in known}
        for name in ("pose_deg", "size"):
            if isinstance(taken.get(name), list):
                taken[name] = tuple(taken[name])
        try:
            return Shot(**taken)
        except TypeError:
            pass
    name = png.stem.replace("-", " ").capitalize()
    return Shot(png.stem, name, png.stem.rsplit("-", 1)[0], 0, "none")


def _json(file: Path) -> dict[str, Any]:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _bytes(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False) + "\n").encode()


def _refused(folder: Path, error: OSError) -> StoreError:
    if error.errno == 28:  # ENOSPC
        return StoreError(
            f"the disk with '{folder}' is full; free some space. Kept frames are safe"
        )
    return StoreError(f"'{folder}' cannot be written ({error.strerror}); choose another folder")


__all__ = ["Kept", "Store", "StoreError", "free_bytes", "session_name", "sessions"]
