"""USDZ packages: a ZIP file without compression whose files begin on multiples of 64 bytes.

As "USDZ File Format Specification" (openusd.org) has it; the first file is the one that is opened.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping
from io import BytesIO

_ALIGN = 64
_LOCAL = 30
"""Bytes of a local header before the file's name."""
_FILLER = 0x1986
"""The kind of extra field the specification's own tool fills up with."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def packaged(files: Mapping[str, bytes]) -> bytes:
    """The package of ``files`` in their order; the same files give the same bytes."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 0
            start = stream.tell() + _LOCAL + len(name.encode()) + 4
            gap = -start % _ALIGN
            entry.extra = struct.pack("<HH", _FILLER, gap) + bytes(gap)
            archive.writestr(entry, content)
    return stream.getvalue()
