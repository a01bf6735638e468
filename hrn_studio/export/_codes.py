"""A reconstruction's pictures and maps as the compact arrays they are kept in.

Convention
----------
Maps are kept a hundred times finer than any file that is written from them: normals as x and y in
steps of 1/32767, lengths in 1/32767 of the largest one, confidence and masks in 1/255.
:func:`settled` rounds a map to those steps.  What is exported is always rounded so first, and so
a head that was kept exports the same bytes as on the day it was made.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio.records import Bytes, Floats, Maps, Reconstruction

_STEPS = 32767
_LENGTHS = ("displacement", "deformation")
_SHARES = ("confidence", "mask")


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """An array as it is kept."""

    codes: NDArray[Any]
    kind: str
    """``normal``, ``length``, ``share`` or ``plain``."""
    largest: float = 0.0
    """Of lengths: the value of the highest code."""


def coded(name: str, values: NDArray[Any]) -> Coded:
    """The codes of the array called ``name`` in its record."""
    if name == "normal":
        return Coded(np.rint(values[..., :2] * np.float32(_STEPS)).astype(np.int16), "normal")
    if name in _LENGTHS:
        largest = float(np.abs(values).max(initial=0))
        steps = _STEPS / largest if largest else 0.0
        return Coded(np.rint(values.astype(np.float64) * steps).astype(np.int16), "length", largest)
    if name in _SHARES:
        shares = np.rint(np.clip(values, 0, 1) * np.float32(255))
        return Coded(shares.astype(np.uint8), "share")
    return Coded(values, "plain")


def decoded(kept: Coded) -> NDArray[Any]:
    """The values that codes stand for.  Raises ``ValueError`` for an unknown kind."""
    codes = kept.codes
    if kept.kind == "normal":
        return _upright(codes)
    if kept.kind == "length":
        return np.asarray(codes * (kept.largest / _STEPS), np.float32)
    if kept.kind == "share":
        return codes.astype(np.float32) / np.float32(255)
    if kept.kind == "plain":
        return codes
    raise ValueError(f"unknown kind of array: {kept.kind!r}")


def settled(maps: Maps) -> Maps:
    """Maps rounded to the steps they are kept in; rounding twice changes nothing more."""
    names = ("normal", "confidence", *_LENGTHS)
    return replace(maps, **{name: _rounded(name, getattr(maps, name)) for name in names})


def settled_result(result: Reconstruction) -> Reconstruction:
    """What a kept reconstruction will be when it is read: its maps and masks rounded."""
    views = tuple(replace(view, mask=_rounded("mask", view.mask)) for view in result.views)
    return replace(result, maps=settled(result.maps), views=views)


def packed(array: NDArray[Any]) -> Bytes:
    """An array's bytes, all first ones before all second ones, compressed (zlib)."""
    planes = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    turned = planes.reshape(-1, array.dtype.itemsize).T
    return np.frombuffer(zlib.compress(np.ascontiguousarray(turned).tobytes(), 2), np.uint8)


def unpacked(data: Bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """What :func:`packed` was given.  Raises ``ValueError`` when the data does not fit."""
    count = int(np.prod(shape, dtype=np.int64))
    size = count * dtype.itemsize
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(data.tobytes(), size) if size else b""
    if len(raw) != size or (size and unpacker.decompress(unpacker.unconsumed_tail, 1)):
        raise ValueError("an array is longer or shorter than it should be")
    planes = np.frombuffer(raw, np.uint8).reshape(dtype.itemsize, count)
    return np.ascontiguousarray(planes.T).reshape(-1).view(dtype).reshape(shape)


def _rounded(name: str, values: NDArray[Any]) -> NDArray[Any]:
    return decoded(coded(name, values))


def _upright(codes: NDArray[Any]) -> Floats:
    """Unit normals from their first two coordinates; none points inwards."""
    result = np.empty((*codes.shape[:-1], 3), np.float32)
    np.divide(codes, np.float32(_STEPS), out=result[..., :2], dtype=np.float32)
    flat = result[..., 0] ** 2 + result[..., 1] ** 2
    result[..., 2] = np.sqrt(np.maximum(1 - flat, 0))
    return result
