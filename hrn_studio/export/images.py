"""Pictures to PNG and JPEG bytes: 8 and 16 bits, grey and colour, and how values are coded.

Convention
----------
A map of signed lengths becomes 16-bit integers ``code`` with the middle at zero:
``value = (code / 65535 - 0.5) * scale``.  With a scale of 0.004 m, code 65535 is +2 mm, 0 is
-2 mm.  Blender's and Maya's displacement take the same two numbers (mid level 0.5, scale).
"""

from __future__ import annotations

import math
import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hrn_studio.records import AnyFloats, Bytes

MID_LEVEL = 0.5
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2
_PAETH = 4
_STRIP = 64
"""Rows filtered at a time, to keep the temporary arrays small."""


def png(image: NDArray[Any], srgb: bool = False, level: int = 2) -> bytes:
    """A PNG file.

    Parameters
    ----------
    image
        (H, W) grey or (H, W, 3) RGB, uint8 or uint16.
    srgb
        Says in the file that colours are sRGB-encoded; leave out for data.
    level
        zlib's effort, 1..9.

    The same pixels give the same bytes (with the same zlib).
    """
    if image.dtype not in (np.uint8, np.uint16) or not (
        image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    ):
        raise ValueError(f"no PNG of shape {image.shape}, {image.dtype}")
    height, width = image.shape[:2]
    depth, kind = image.dtype.itemsize * 8, 0 if image.ndim == 2 else 2
    parts = [
        _SIGNATURE,
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)),
    ]
    if srgb:
        parts.append(_chunk(b"sRGB", b"\0"))
    parts += [_chunk(b"IDAT", _deflated(image, level)), _chunk(b"IEND", b"")]
    return b"".join(parts)


def jpeg(image: Bytes, quality: int = 95) -> bytes:
    """A JPEG file of an (H, W, 3) sRGB picture, colours at full resolution."""
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


def normals_to_8bit(normal: AnyFloats, flip_green: bool = False) -> Bytes:
    """Unit vectors (..., 3) as colours: ``code = round((n + 1) / 2 * 255)``; (0, 0, 1) is
    (128, 128, 255).

    ``flip_green`` gives DirectX's flavour, whose second axis runs down the picture.
    """
    sign = np.array([1, -1 if flip_green else 1, 1], np.float32)
    codes = np.asarray(normal, np.float32) * (127.5 * sign)
    codes += 127.5
    np.rint(codes, out=codes)
    np.clip(codes, 0, 255, out=codes)
    return np.asarray(codes, np.uint8)


def unit_to_8bit(values: AnyFloats) -> Bytes:
    """0..1 as 0..255."""
    return np.asarray(np.rint(np.clip(values, 0, 1) * np.float32(255)), np.uint8)


def signed_scale(values: AnyFloats, step: float = 0.0005) -> float:
    """The range for :func:`signed_to_16bit`: twice the largest magnitude, rounded up to ``step``.

    At least one step, so that a flat map is a flat grey picture.
    """
    largest = max(-float(values.min(initial=0)), float(values.max(initial=0)))
    steps = max(1, math.ceil(2 * largest / step - 1e-6))
    return round(steps * step, 9)


def signed_to_16bit(values: AnyFloats, scale: float) -> NDArray[np.uint16]:
    """Lengths as 16-bit codes with zero in the middle; see this module's convention."""
    codes = np.asarray(values, np.float32) * np.float32(65535 / scale)
    codes += np.float32(65535 * MID_LEVEL)
    np.rint(codes, out=codes)
    return np.clip(codes, 0, 65535, out=codes).astype(np.uint16)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def _deflated(image: NDArray[Any], level: int) -> bytes:
    """Filtered rows, compressed.  One filter for the whole picture, chosen on a sample."""
    height = image.shape[0]
    pixel = image.dtype.itemsize * (1 if image.ndim == 2 else 3)
    rows = image.astype(image.dtype.newbyteorder(">"), copy=False)
    raw = np.ascontiguousarray(rows).view(np.uint8).reshape(height, -1)
    sample = raw[: min(height, 4 * _STRIP) : 1]
    filters = (_UP, _PAETH)
    chosen = min(filters, key=lambda f: len(zlib.compress(_filtered(sample, None, pixel, f), 1)))
    packer = zlib.compressobj(level, zlib.DEFLATED, 15, 9, zlib.Z_FILTERED)
    out = []
    for start in range(0, height, _STRIP):
        above = raw[start - 1] if start else None
        out.append(packer.compress(_filtered(raw[start : start + _STRIP], above, pixel, chosen)))
    out.append(packer.flush())
    return b"".join(out)


def _filtered(raw: Bytes, above: Bytes | None, pixel: int, kind: int) -> bytes:
    """Rows (R, N) with PNG's filter byte in front of each."""
    up = np.zeros_like(raw)
    up[1:] = raw[:-1]
    if above is not None:
        up[0] = above
    out = np.full((raw.shape[0], raw.shape[1] + 1), kind, np.uint8)
    if kind == _UP:
        np.subtract(raw, up, out=out[:, 1:])
        return out.tobytes()
    left, corner = np.zeros_like(raw), np.zeros_like(raw)
    left[:, pixel:] = raw[:, :-pixel]
    corner[:, pixel:] = up[:, :-pixel]
    a, b, c = left.astype(np.int16), up.astype(np.int16), corner.astype(np.int16)
    to_left, to_up = np.abs(b - c), np.abs(a - c)
    to_corner = np.abs(a + b - 2 * c)
    guess = np.where(to_up <= to_corner, up, corner)
    guess = np.where((to_left <= to_up) & (to_left <= to_corner), left, guess)
    np.subtract(raw, guess, out=out[:, 1:])
    return out.tobytes()
