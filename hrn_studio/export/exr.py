"""Maps of lengths as 32-bit OpenEXR: metres as they are, nothing to decode.

A 16-bit PNG needs its mid level and scale to be typed in; here they are 0 and 1, in the header too
(``midLevel``, ``scale``).  Scan lines, ZIP compression, as in "OpenEXR File Layout" (openexr.com).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from hrn_studio.export.asset import Asset
from hrn_studio.export.options import PLAIN, ExportOptions
from hrn_studio.export.textures import Texture
from hrn_studio.records import AnyFloats, Floats

_MAGIC, _VERSION = 20000630, 2
_FLOAT, _ZIP, _BLOCK = 2, 3, 16


def write_exr(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME_displacement.exr`` (channel Y) and ``NAME_deformation.exr`` (R, G, B are x, y, z)."""
    return {
        f"{asset.name}_{role}.exr": exr(
            metres(texture),
            {
                "comments": f"{texture.coding['values']}; metres",
                "midLevel": 0.0,
                "scale": 1.0,
                "software": "HRN Studio",
            },
        )
        for role, texture in asset.textures.items()
        if "scale_m" in texture.coding
    }


def metres(texture: Texture) -> Floats:
    """The lengths a 16-bit texture stands for, (S, S) or (S, S, 3)."""
    middle, scale = texture.coding["mid_level"], texture.coding["scale_m"]
    return np.asarray((texture.pixels / 65535.0 - middle) * scale, np.float32)


def exr(values: AnyFloats, attributes: Mapping[str, float | str] | None = None) -> bytes:
    """An EXR file.

    Parameters
    ----------
    values
        (H, W) for the channel Y or (H, W, 3) for R, G, B; row 0 at the top.
    attributes
        Texts and numbers for the header, by name.
    """
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] != 3):
        raise ValueError(f"no EXR of shape {values.shape}")
    height, width = values.shape[:2]
    planes = {"Y": values} if values.ndim == 2 else {c: values[..., k] for k, c in enumerate("RGB")}
    names = sorted(planes)
    # Of each line, all of one channel and then the next.
    lines = np.stack([planes[name] for name in names], 1).astype("<f4")
    head = _header(names, width, height, attributes or {})
    chunks = [_chunk(lines[y : y + _BLOCK], y) for y in range(0, height, _BLOCK)]
    starts = np.cumsum([len(head) + 8 * len(chunks)] + [len(c) for c in chunks[:-1]])
    return b"".join([head, starts.astype("<u8").tobytes(), *chunks])


def _header(
    names: list[str], width: int, height: int, attributes: Mapping[str, float | str]
) -> bytes:
    channels = b"".join(
        name.encode() + b"\0" + struct.pack("<iBxxxii", _FLOAT, 0, 1, 1) for name in names
    )
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    parts = {
        "channels": ("chlist", channels + b"\0"),
        "compression": ("compression", bytes([_ZIP])),
        "dataWindow": ("box2i", window),
        "displayWindow": ("box2i", window),
        "lineOrder": ("lineOrder", b"\0"),
        "pixelAspectRatio": ("float", struct.pack("<f", 1)),
        "screenWindowCenter": ("v2f", struct.pack("<2f", 0, 0)),
        "screenWindowWidth": ("float", struct.pack("<f", 1)),
    }
    for name, value in attributes.items():
        text = isinstance(value, str)
        parts[name] = (
            ("string", str(value).encode()) if text else ("float", struct.pack("<f", value))
        )
    body = b"".join(
        name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(data)) + data
        for name, (kind, data) in parts.items()
    )
    return struct.pack("<ii", _MAGIC, _VERSION) + body + b"\0"


def _chunk(lines: Any, y: int) -> bytes:
    """Up to 16 lines: bytes of each number taken apart, differences, deflate."""
    raw = np.frombuffer(lines.tobytes(), np.uint8)
    apart = np.concatenate([raw[::2], raw[1::2]]).astype(np.int16)
    apart[1:] = np.diff(apart) + 128
    packed = zlib.compress((apart & 255).astype(np.uint8).tobytes(), 4)
    data = packed if len(packed) < len(raw) else raw.tobytes()
    return struct.pack("<ii", y, len(data)) + data
