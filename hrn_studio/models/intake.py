"""Recognise the user's files, and hand each to whoever can read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.models.catalogue import (
    FAMILIES,
    FLAME,
    HEAD_MARK,
    HRN,
    HRN_HEAD,
    Family,
    Item,
)

_DEPTH = 6
"""How many folders deep files are looked for."""
_CHECKPOINT_KEYS = {"net_recon": "checkpoint", "generator": "retouch", "state_dict": "landmarks"}


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the catalogue on the user's disk."""

    family: Family
    item: Item
    path: Path


def look(path: Path) -> tuple[Found, ...]:
    """What of the catalogue a file or folder holds; where there are two of one, the first found.

    Raises
    ------
    UsageError
        There is no such path, or nothing in it is known.
    ModelDataError
        A single file could not be read to see what it is.
    """
    if path.is_dir():
        found = _in_folder(path)
        if not found:
            raise UsageError(
                f"nothing in '{path}' is a model the studio knows; give the folder that was "
                "downloaded (see 'hrn-studio models list' for the names of the files)"
            )
        return found
    if not path.is_file():
        raise UsageError(f"'{path}' does not exist; give a file or folder you downloaded")
    for family, item in _all_items():
        if any(is_called(path, name) for name in item.names):
            return (Found(family, item, _root(item, path)),)
    return (_by_content(path),)


def _all_items() -> Iterator[tuple[Family, Item]]:
    for family in FAMILIES:
        for item in family.items:
            yield family, item


def _in_folder(folder: Path) -> tuple[Found, ...]:
    files = sorted(_walk(folder, _DEPTH), key=lambda file: (len(file.parts), str(file)))
    homes = [_head_home(file) for file in files if is_called(file, HEAD_MARK)]
    result = []
    for family, item in _all_items():
        own = family is HRN_HEAD
        ranked = [
            (rank, file)
            for rank, name in enumerate(item.names)
            for file in files
            if is_called(file, name) and own == any(file.is_relative_to(h) for h in homes)
        ]
        if ranked:
            best = min(ranked, key=lambda pair: pair[0])
            result.append(Found(family, item, _root(item, best[1])))
    return tuple(result)


def _head_home(mark: Path) -> Path:
    """The folder of a download of HRN's head variant, in ModelScope's layout or all in one."""
    above = mark.parents
    return above[3] if len(above) > 3 and above[2].name == "assets" else above[0]


def _walk(folder: Path, depth: int) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(
            f"'{folder}' cannot be read ({error.strerror}); check its rights"
        ) from error
    for entry in entries:
        if entry.is_file():
            yield entry
        elif depth > 0 and entry.is_dir() and not entry.name.startswith("."):
            yield from _walk(entry, depth - 1)


def is_called(path: Path, name: str) -> bool:
    """Whether a path ends in a published name; capitals do not matter."""
    wanted = name.lower().split("/")
    return [part.lower() for part in path.parts[-len(wanted) :]] == wanted


def _root(item: Item, file: Path) -> Path:
    """What to read: ICT-FaceKit is a folder, everything else a file."""
    return file.parent if item.kind == "ict" else file


def _by_content(path: Path) -> Found:
    """A file under a name of the user's own."""
    kind = _kind(path)
    for family, item in _all_items():
        if item.kind == kind:
            return Found(family, item, path)
    known = ", ".join(family.name for family in FAMILIES)
    raise UsageError(
        f"'{path.name}' is not a file the studio knows (it knows those of {known}); "
        "see 'hrn-studio models list' for their names"
    )


def _kind(path: Path) -> str | None:
    suffix = path.suffix.lower()
    if suffix in (".pth", ".pt", ".tar", ".ckpt"):
        from hrn_studio.detail.hrn.checkpoint import read_pickle

        content = read_pickle(path)
        named = [kind for key, kind in _CHECKPOINT_KEYS.items() if key in content]
        bare = any(str(key).lower().endswith("fpn.output1.0.weight") for key in content)
        return named[0] if named else "detector" if bare else None
    if suffix == ".mat":
        from scipy.io import whosmat

        try:
            names = {name for name, _, _ in whosmat(path)}
        except Exception as error:  # whatever scipy's parser stumbles upon
            raise ModelDataError(
                f"'{path.name}' cannot be read as a MATLAB file; download it again"
            ) from error
        return "face" if "idBase" in names else "standard" if "lm" in names else None
    if suffix in (".pkl", ".npz"):
        return FLAME.items[0].kind
    return None


def take(found: Found, folder: Path, *, link: bool = False) -> tuple[str, ...]:
    """Check a file and put what is needed of it into a folder.

    Parameters
    ----------
    folder
        A temporary one.
    link
        Make a hard link instead of a copy where the file is kept as it is.

    Returns
    -------
    Names of the files written.

    Raises
    ------
    ModelDataError
        The file is not what it should be.
    """
    if found.family is HRN_HEAD:
        from hrn_studio.detail.hrn import headstore

        return headstore.take(found.item.kind, found.path, folder, link=link)
    if found.family is HRN:
        from hrn_studio.detail.hrn import store

        return store.take(found.item.kind, found.path, folder, link=link)
    from hrn_studio.models import heads

    return heads.prepare(found.family.name, found.path, folder)


def check(family: Family, file: Path) -> None:
    """Read one kept file as strictly as when it came in.

    Raises
    ------
    ModelDataError
        It is damaged.
    """
    if family is HRN:
        from hrn_studio.detail.hrn import store

        store.verify(file)
    elif family is HRN_HEAD:
        from hrn_studio.detail.hrn import headstore

        headstore.verify(file)
    elif file.name == f"{family.name}.npz":
        from hrn_studio.models import heads

        heads.load_chosen(family.name)


def read_manifest(file: Path) -> dict[str, Any]:
    """The shelf's own list of what it keeps; empty where there is none or it is damaged."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
