"""FBX 7.4 in its binary form: a tree of named records with typed values.

Each record begins with the file offset of its end, the number and total size of its values, and
its name; children follow the values and end with an empty record.  Arrays are compressed (zlib).
The layout is documented by the Blender Foundation ("FBX binary file format specification",
2013); the fixed identifiers stand in every file whose time of creation is not told.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 7400
CREATED = "1970-01-01 10:00:00:000"
FILE_ID = bytes.fromhex("28b32aebb624ccc2bfc8b02aa92bfcf1")
"""Goes with :data:`CREATED` and the footer: readers that check find them in agreement."""
_FOOTER = bytes.fromhex("fabcab09d0c8d466b176fb831cf7267e")
_END = bytes.fromhex("f85a8c6adef5d97eece90ce3758f290b")
_MAGIC = b"Kaydara FBX Binary  \x00\x1a\x00"
_EMPTY = bytes(13)
_ARRAYS = {"float64": b"d", "float32": b"f", "int64": b"l", "int32": b"i"}
_SMALL = 128
"""Arrays of fewer bytes are stored as they are."""


@dataclass(slots=True)
class Node:
    """A record: ``bool``, ``int`` (32 bits), ``np.int64``, ``float``, ``str``, ``bytes`` and
    arrays as values, and other records inside."""

    name: str
    values: tuple[Any, ...] = ()
    children: list[Node] = field(default_factory=list)

    def add(self, name: str, *values: Any) -> Node:
        """A new child."""
        child = Node(name, values)
        self.children.append(child)
        return child


def properties(node: Node) -> Node:
    """A new ``Properties70`` in a record; fill it with :func:`put`."""
    return node.add("Properties70")


def put(table: Node, name: str, kind: str, label: str, flags: str, *values: Any) -> None:
    """A line of ``Properties70``."""
    table.add("P", name, kind, label, flags, *values)


def document(nodes: Iterable[Node]) -> bytes:
    """The whole file; the same tree gives the same bytes."""
    parts = [_MAGIC, struct.pack("<I", VERSION)]
    position = len(_MAGIC) + 4
    for node in nodes:
        data = _encoded(node, position)
        parts.append(data)
        position += len(data)
    parts += [_EMPTY, _FOOTER, bytes(4)]
    position += len(_EMPTY) + len(_FOOTER) + 4
    parts.append(bytes(16 - position % 16))
    parts += [struct.pack("<I", VERSION), bytes(120), _END]
    return b"".join(parts)


def _encoded(node: Node, start: int) -> bytes:
    name = node.name.encode()
    values = b"".join(_value(value) for value in node.values)
    position = start + 13 + len(name) + len(values)
    inner = []
    for child in node.children:
        data = _encoded(child, position)
        inner.append(data)
        position += len(data)
    if node.children or not node.values or node.name in ("AnimationStack", "AnimationLayer"):
        inner.append(_EMPTY)
        position += len(_EMPTY)
    head = struct.pack("<IIIB", position, len(node.values), len(values), len(name))
    return b"".join([head, name, values, *inner])


def _value(value: Any) -> bytes:
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, bool):
        return b"C" + struct.pack("<?", value)
    if isinstance(value, np.int64):
        return b"L" + struct.pack("<q", value)
    if isinstance(value, int):
        return b"I" + struct.pack("<i", value)
    if isinstance(value, float):
        return b"D" + struct.pack("<d", value)
    if isinstance(value, str | bytes):
        data = value.encode() if isinstance(value, str) else value
        return (b"S" if isinstance(value, str) else b"R") + struct.pack("<I", len(data)) + data
    raise TypeError(f"no value of an FBX record: {type(value)}")


def _array(values: NDArray[Any]) -> bytes:
    data = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    packed = zlib.compress(data, 1) if len(data) >= _SMALL else data
    packing = len(data) >= _SMALL
    head = struct.pack("<III", values.size, int(packing), len(packed))
    return _ARRAYS[values.dtype.name] + head + packed
