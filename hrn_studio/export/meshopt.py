"""Vertex data and indices packed as ``EXT_meshopt_compression`` wants them.

Written from the extension's own description of the bit stream (Khronos registry, appendices A and
B): attributes in blocks, each byte of an element as differences to the element before, in groups of
sixteen with as many bits as they need; indices as differences of variable length.  Every reader of
the extension (three.js, Babylon.js, glTFast, gltfpack) takes them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio.geometry.raster import compiled, read_only
from hrn_studio.records import Bytes, Floats

_ATTRIBUTES, _INDICES = 0xA0, 0xD1
_BLOCK_BYTES, _BLOCK = 8192, 256
_GROUP = 16
_TAIL = 32
_MANTISSA = 24
_LARGEST = (1 << (_MANTISSA - 1)) - 1


def rounded(values: Floats, exponent: int) -> Floats:
    """Values as they come back from :func:`exponential`: multiples of ``2 ** exponent``."""
    return np.ldexp(_steps(values, exponent).astype(np.float32), exponent).astype(np.float32)


def exponential(values: Floats, exponent: int) -> NDArray[np.uint32]:
    """The filter ``EXPONENTIAL``: multiples of ``2 ** exponent`` as 24 bits and 8 of exponent.

    Parameters
    ----------
    values
        (N, C), magnitudes below ``2 ** (exponent + 23)``.
    """
    low = _steps(values, exponent).astype(np.int64) & ((1 << _MANTISSA) - 1)
    return np.asarray(low | (exponent & 0xFF) << _MANTISSA, np.uint32)


def _steps(values: Floats, exponent: int) -> NDArray[np.int32]:
    steps = np.rint(np.ldexp(np.asarray(values, np.float64), -exponent))
    if len(steps) and np.abs(steps).max() > _LARGEST:
        raise ValueError(f"values up to {np.abs(values).max():g} do not fit 2 ** {exponent}")
    return np.asarray(steps, np.int32)


def attributes(elements: Bytes) -> bytes:
    """Elements (N, S) of S bytes each, S a multiple of 4 and no more than 256."""
    count, size = elements.shape
    if not count or size % 4 or size > _BLOCK:
        raise ValueError(f"no attributes of {count} x {size} bytes")
    block = min(_BLOCK_BYTES // size & ~(_GROUP - 1), _BLOCK)
    before = np.concatenate([elements[:1], elements[:-1]])
    change = (elements - before).view(np.int8)
    folded = (change.astype(np.int16) << 1 ^ change.astype(np.int16) >> 7).astype(np.uint8)
    out = [bytes([_ATTRIBUTES])]
    for start in range(0, count, block):
        rows = folded[start : start + block]
        padded = np.zeros((-(-len(rows) // _GROUP) * _GROUP, size), np.uint8)
        padded[: len(rows)] = rows
        room = np.empty(padded.size + size * (len(padded) // _GROUP + 4), np.uint8)
        used = compiled(_packed)(read_only(padded, np.uint8), room)
        out.append(room[:used].tobytes())
    out.append(bytes(max(0, _TAIL - size)) + elements[0].tobytes())
    return b"".join(out)


def indices(values: NDArray[Any]) -> bytes:
    """A list of indices (N,), of any order."""
    room = np.empty(6 * len(values) + 1, np.uint8)
    used = compiled(_sequence)(read_only(np.asarray(values, np.int64), np.int64), room)
    return bytes([_INDICES]) + room[:used].tobytes() + bytes(4)


def _packed(rows: Any, out: Any) -> int:
    """One block: for each byte of the elements two bits a group, then the groups."""
    at = 0
    groups = len(rows) // 16
    for k in range(rows.shape[1]):
        head = at
        at += (groups + 3) // 4
        for i in range(head, at):
            out[i] = 0
        for g in range(groups):
            most, over2, over4 = 0, 0, 0
            for i in range(16):
                v = rows[16 * g + i, k]
                most = max(most, v)
                over2 += v >= 3
                over4 += v >= 15
            mode, bits = 3, 8
            if most == 0:
                mode, bits = 0, 0
            elif 4 + over2 <= min(8 + over4, 16):
                mode, bits = 1, 2
            elif 8 + over4 <= 16:
                mode, bits = 2, 4
            out[head + g // 4] |= mode << (2 * (g % 4))
            if mode == 0:
                continue
            each, largest = 8 // bits, (1 << bits) - 1
            for i in range(0, 16, each):
                byte = 0
                for j in range(each):
                    v = rows[16 * g + i + j, k]
                    byte = byte << bits | (v if mode == 3 else min(v, largest))
                out[at] = byte
                at += 1
            if mode < 3:
                for i in range(16):
                    v = rows[16 * g + i, k]
                    if v >= largest:
                        out[at] = v
                        at += 1
    return at


def _sequence(values: Any, out: Any) -> int:
    """Differences to one of the last two lines of thought, seven bits a byte."""
    last = np.zeros(2, np.int64)
    at, current = 0, 0
    for value in values:
        if abs(value - last[current]) >= 30:
            current ^= 1
        change = value - last[current]
        code = ((change << 1) ^ (change >> 63)) << 1 | current
        while code > 127:
            out[at] = code & 127 | 128
            code >>= 7
            at += 1
        out[at] = code
        at += 1
        last[current] = value
    return at
