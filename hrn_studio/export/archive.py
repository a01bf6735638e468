"""A finished head kept whole, so that it can be looked at and exported again at any time.

``NAME.head.npz`` lies beside the manifest.  It holds the
:class:`~hrn_studio.records.Reconstruction` with everything that it was made from, the pictures
too: a JSON text that says what is where, and arrays as in :mod:`hrn_studio.export._codes`,
pictures as PNG.  Nothing in it is ever executed when it is read.
Numbers come back exactly, but for maps and masks, which come back as
:func:`~hrn_studio.export._codes.settled_result` rounds them.
"""

from __future__ import annotations

import json
import typing
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hrn_studio.errors import ArchiveError
from hrn_studio.export._codes import Coded, coded, decoded, packed, unpacked
from hrn_studio.export.images import png
from hrn_studio.records import Bytes, Reconstruction, View

VERSION = 1
SUFFIX = ".head.npz"
_FORMAT = "hrn-studio head"
_AGAIN = "make it again with 'hrn-studio reconstruct'"
_HEADS = {"MakeHuman": "default", "ICT": "ict", "FLAME": "flame"}
_PICTURES = ("image", "albedo_srgb")
_BROKEN = (
    *(OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, IndexError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, Image.DecompressionBombError),
)


@dataclass(frozen=True, slots=True, eq=False)
class KeptHead:
    """A head read from disk."""

    result: Reconstruction
    head: str
    """The model that was fitted, as :func:`hrn_studio.models.heads.load_chosen` knows it:
    ``default``, ``ict`` or ``flame``; any other model's own name."""
    name: str
    """What its files are called."""
    created: str
    """ISO 8601 time it was made."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the user asked for when it was made."""


def file_name(name: str) -> str:
    """``NAME.head.npz``."""
    return f"{name}{SUFFIX}"


def archive_bytes(
    result: Reconstruction,
    model: str,
    name: str,
    created: str,
    options: Mapping[str, Any] | None = None,
) -> bytes:
    """The whole file; the same input gives the same bytes.

    Parameters
    ----------
    model
        ``HeadModel.name`` of the head that was fitted.
    """
    arrays: dict[str, NDArray[Any]] = {}
    meta = {
        "format": _FORMAT,
        "version": VERSION,
        "name": name,
        "head": _HEADS.get(model, model),
        "created": created,
        "options": dict(options or {}),
        "result": _plain(result, "result", arrays),
    }
    text = np.frombuffer(json.dumps(meta, ensure_ascii=False).encode(), np.uint8)
    file = BytesIO()
    np.savez(file, meta=text, **arrays)
    return file.getvalue()


def read(source: str | Path, name: str | None = None) -> KeptHead:
    """The head kept in a result folder, or in one file.

    Parameters
    ----------
    name
        Which, when the folder holds several.

    Raises
    ------
    ArchiveError
        There is none, there are several and none was named, or the file is damaged, foreign or
        of a newer version; says which and what to do.
    """
    path = find(source, name)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if "meta" not in archive.files:
                raise _foreign(path)
            meta = json.loads(archive["meta"].tobytes())
            _check(path, meta)
            result = _record(Reconstruction, meta["result"], archive)
            _check_sizes(result)
            return KeptHead(
                result,
                str(meta["head"]),
                str(meta["name"]),
                str(meta["created"]),
                MappingProxyType(dict(meta["options"])),
            )
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ArchiveError(f"'{path}' cannot be read: {error.strerror}") from error
        if not zipfile.is_zipfile(path):
            raise _foreign(path) from error
        raise ArchiveError(f"the kept head '{path}' is damaged; {_AGAIN}") from error


def find(source: str | Path, name: str | None = None) -> Path:
    """The file :func:`read` would open; raises like it."""
    path = Path(source).expanduser().absolute()
    if path.is_file():
        return path
    if not path.is_dir():
        raise ArchiveError(f"there is no '{source}'; give a folder that holds a finished head")
    found = names(path)
    if not found:
        raise ArchiveError(
            f"the folder '{source}' holds no finished head (NAME{SUFFIX}); give the folder that "
            "'hrn-studio reconstruct' wrote"
        )
    if name is None and len(found) > 1:
        raise ArchiveError(
            f"the folder '{source}' holds several heads ({', '.join(found)}); say which with its "
            "name"
        )
    if name is not None and name not in found:
        raise ArchiveError(
            f"the folder '{source}' holds no head called '{name}'; there is {', '.join(found)}"
        )
    return path / file_name(found[0] if name is None else name)


def names(folder: Path) -> tuple[str, ...]:
    """The heads kept in a folder, sorted."""
    return tuple(sorted(p.name.removesuffix(SUFFIX) for p in folder.glob(f"*{SUFFIX}")))


def _plain(value: Any, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """``value`` as JSON; its arrays go into ``arrays``, and a note on each stays in its place."""
    if isinstance(value, np.ndarray):
        return _kept(value, path, arrays)
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name), f"{path}.{f.name}", arrays)
                for f in fields(value)}  # fmt: skip
    if isinstance(value, Mapping):
        return {str(k): _plain(v, f"{path}.{k}", arrays) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v, f"{path}.{i}", arrays) for i, v in enumerate(value)]
    return value.item() if isinstance(value, np.generic) else value


def _kept(array: NDArray[Any], path: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Any]:
    last = path.rpartition(".")[2]
    if last in _PICTURES:
        arrays[path] = np.frombuffer(png(array), np.uint8)
        return {"array": path, "kind": "picture"}
    kept = coded(last, array)
    arrays[path] = packed(kept.codes)
    note: dict[str, Any] = {"array": path, "kind": kept.kind, "shape": list(kept.codes.shape)}
    note["dtype"] = kept.codes.dtype.newbyteorder("<").str
    if kept.kind == "length":
        note["largest"] = kept.largest
    return note


def _record(kind: Any, plain: Mapping[str, Any], archive: Mapping[str, Any]) -> Any:
    """A record of the class ``kind`` from what :func:`_plain` made of it.

    What a record of today has and an older file has not takes its default; what has none is
    missing (``KeyError``).
    """
    hints = typing.get_type_hints(kind)
    known = [f for f in fields(kind) if f.name in plain or not _has_default(f)]
    return kind(**{f.name: _value(hints[f.name], plain[f.name], archive) for f in known})


def _has_default(one: Field[Any]) -> bool:
    return one.default is not MISSING or one.default_factory is not MISSING


def _value(hint: Any, plain: Any, archive: Mapping[str, Any]) -> Any:
    if isinstance(plain, dict) and "array" in plain:
        return _array(plain, archive)
    if is_dataclass(hint):
        return _record(hint, plain, archive)
    if isinstance(plain, dict):
        return {key: _value(Any, value, archive) for key, value in plain.items()}
    if isinstance(plain, list):
        (item, *_) = typing.get_args(hint) or (Any,)
        return tuple(_value(item, value, archive) for value in plain)
    return plain


def _array(note: Mapping[str, Any], archive: Mapping[str, Any]) -> NDArray[Any]:
    data: Bytes = archive[note["array"]]
    if note["kind"] == "picture":
        with Image.open(BytesIO(data.tobytes()), formats=["PNG"]) as picture:
            return np.asarray(picture.convert("RGB"))
    dtype = np.dtype(note["dtype"])
    if dtype.kind not in "biuf":
        raise ValueError(f"no numbers: {dtype}")
    codes = unpacked(data, tuple(int(n) for n in note["shape"]), dtype)
    return decoded(Coded(codes, note["kind"], float(note.get("largest", 0.0))))


def _check(path: Path, meta: Any) -> None:
    if not isinstance(meta, dict) or meta.get("format") != _FORMAT:
        raise _foreign(path)
    if meta["version"] > VERSION:
        raise ArchiveError(
            f"the kept head '{path}' was written by a newer HRN Studio; update the program"
        )


def _foreign(path: Path) -> ArchiveError:
    return ArchiveError(
        f"'{path}' is not a kept head; give a result folder of 'hrn-studio reconstruct' or the "
        f"NAME{SUFFIX} in it"
    )


def _check_sizes(result: Reconstruction) -> None:
    """Raise ``ValueError`` unless the arrays can belong together."""
    shape = (len(result.neutral), 3)
    heads = [result.neutral, *result.stages.values(), *(view.vertices for view in result.views)]
    size = len(result.maps.albedo_srgb)
    maps = (result.maps.albedo_srgb, result.maps.normal, result.maps.displacement)
    if (
        not result.views
        or any(head.shape != shape for head in heads)
        or result.spread_mm.shape != shape[:1]
        or any(each.shape[:2] != (size, size) for each in (*maps, result.maps.confidence))
        or any(not _view_fits(view) for view in result.views)
    ):
        raise ValueError("arrays of different sizes")


def _view_fits(view: View) -> bool:
    return view.mask.shape == view.frame.image.shape[:2] and view.light.shape == (9, 3)
