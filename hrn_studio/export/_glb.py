"""A GLB file under construction: one buffer, its views and accessors, and the container."""

from __future__ import annotations

import json
import struct
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from hrn_studio.export import meshopt
from hrn_studio.records import Floats

EXTENSION = "EXT_meshopt_compression"
ARRAY_BUFFER = 34962
ELEMENT_ARRAY_BUFFER = 34963
_FLOAT = 5126
_UINT8, _UINT16, _UINT32 = 5121, 5123, 5125
_KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Buffer:
    """Collects binary data and the JSON that describes it."""

    def __init__(self, compressed: bool = False) -> None:
        """``compressed`` packs vertices, shapes and indices by ``EXT_meshopt_compression``."""
        self.compressed = compressed
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._unpacked = 0
        """Size of what readers of the extension unpack to."""

    def view(self, data: bytes, target: int | None = None) -> int:
        """Add bytes, aligned to four; the view's index."""
        view = {"buffer": 0, "byteOffset": self._add(data), "byteLength": len(data)}
        return self._view(view, target)

    def _add(self, data: bytes) -> int:
        start = self._size
        padded = data + bytes(-len(data) % 4)
        self._parts.append(padded)
        self._size += len(padded)
        return start

    def _view(self, view: dict[str, Any], target: int | None) -> int:
        if target is not None:
            view["target"] = target
        self.views.append(view)
        return len(self.views) - 1

    def _table(
        self, values: NDArray[Any], target: int | None = None, exponent: int | None = None
    ) -> int:
        """Add rows (N, C) or indices (N,); the view's index.

        What is compressed with an ``exponent`` was rounded to multiples of ``2 ** exponent``.
        """
        if not self.compressed or not len(values):
            return self.view(values.tobytes(), target)
        how: dict[str, Any] = {"mode": "INDICES" if values.ndim == 1 else "ATTRIBUTES"}
        if values.ndim == 1:
            packed = meshopt.indices(values)
        else:
            codes = values if exponent is None else meshopt.exponential(values, exponent)
            packed = meshopt.attributes(codes.view(np.uint8).reshape(len(values), -1))
            if exponent is not None:
                how["filter"] = "EXPONENTIAL"
        how |= {"buffer": 0, "byteOffset": self._add(packed), "byteLength": len(packed)}
        how |= {"byteStride": values.nbytes // len(values), "count": len(values)}
        view: dict[str, Any] = {"buffer": 1, "byteOffset": self._unpacked}
        view |= {"byteLength": values.nbytes, "extensions": {EXTENSION: how}}
        self._unpacked += values.nbytes + -values.nbytes % 4
        return self._view(view, target)

    def _rounded(self, values: Floats, exponent: int | None) -> Floats:
        values = np.ascontiguousarray(values, np.float32)
        return meshopt.rounded(values, exponent) if self._rounds(exponent) else values

    def _rounds(self, exponent: int | None) -> TypeGuard[int]:
        return self.compressed and exponent is not None

    def vertices(self, values: Floats, bounds: bool = False, exponent: int | None = None) -> int:
        """Add a vertex attribute (S, C); the accessor's index.

        Compressed, it is rounded to multiples of ``2 ** exponent`` where that is given.
        """
        values = self._rounded(values, exponent)
        accessor = {
            "bufferView": self._table(values, ARRAY_BUFFER, exponent),
            "componentType": _FLOAT,
            "count": len(values),
            "type": _KINDS[values.shape[1]],
        }
        return self._accessor(accessor | (_bounds(values) if bounds else {}))

    def values(self, values: Floats, bounds: bool = False) -> int:
        """Add numbers (N, C) that are no vertex attribute (keys, matrices); the accessor's
        index."""
        values = np.ascontiguousarray(values, np.float32)
        accessor = {
            "bufferView": self.view(values.tobytes()),
            "componentType": _FLOAT,
            "count": len(values),
            "type": _KINDS[values.shape[1]],
        }
        return self._accessor(accessor | (_bounds(values) if bounds else {}))

    def joints(self, numbers: NDArray[np.uint8]) -> int:
        """Add four joints' numbers (S, 4) for each vertex; the accessor's index."""
        return self._accessor(
            {
                "bufferView": self._table(numbers, ARRAY_BUFFER),
                "componentType": _UINT8,
                "count": len(numbers),
                "type": "VEC4",
            }
        )

    def indices(self, triangles: NDArray[Any], count: int) -> int:
        """Add a triangle list (T, 3) over ``count`` vertices; the accessor's index."""
        kind, dtype = _index_type(count)
        data = triangles.astype(dtype).ravel()
        return self._accessor(
            {
                "bufferView": self._table(data, ELEMENT_ARRAY_BUFFER),
                "componentType": kind,
                "count": len(data),
                "type": "SCALAR",
            }
        )

    def deltas(self, tables: list[Floats], bounds: bool, exponent: int | None = None) -> list[int]:
        """Add morph attributes (S, 3) each; their accessors' indices.

        Only the rows that are not zero are stored, unless nearly all are.  A table of zeros
        keeps one row, since some readers take no accessor without data; equal tables of zeros
        share an accessor.  Compressed, they are rounded to multiples of ``2 ** exponent``.
        """
        tables = [self._rounded(table, exponent) for table in tables]
        count = len(tables[0])
        kind, dtype = _index_type(count)
        rows = [np.flatnonzero(table.any(1)) for table in tables]
        rows = [moving if len(moving) else np.zeros(1, np.int64) for moving in rows]
        sparse = [len(r) * (12 + dtype().itemsize) < 12 * count for r in rows]
        kept = [r for r, thin in zip(rows, sparse, strict=True) if thin]
        padded = [_even(r.astype(dtype)) for r in kept]
        if kept:
            index_view = self._table(np.concatenate(padded))
            values = [t[r] for t, r, thin in zip(tables, rows, sparse, strict=True) if thin]
            value_view = self._table(np.concatenate(values).astype(np.float32), None, exponent)
        result: list[int] = []
        index_at = value_at = 0
        still: int | None = None
        places = iter(padded)
        for table, moving, thin in zip(tables, rows, sparse, strict=True):
            if not thin:
                result.append(self.vertices(table, bounds, exponent))
                continue
            accessor = {
                "componentType": _FLOAT,
                "count": count,
                "type": "VEC3",
                "sparse": {
                    "count": len(moving),
                    "indices": _at(index_view, index_at) | {"componentType": kind},
                    "values": _at(value_view, value_at),
                },
            }
            index_at += next(places).nbytes
            value_at += 12 * len(moving)
            if table.any():
                result.append(self._accessor(accessor | (_bounds(table) if bounds else {})))
                continue
            if still is None:
                still = self._accessor(accessor | (_bounds(table) if bounds else {}))
            result.append(still)
        return result

    def glb(self, document: dict[str, Any]) -> bytes:
        """The whole file: ``document`` with this buffer, its views and accessors."""
        buffers: list[dict[str, Any]] = [{"byteLength": self._size}]
        document = document | {
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": buffers,
        }
        if self._unpacked:
            note = {EXTENSION: {"fallback": True}}
            buffers.append({"byteLength": self._unpacked, "extensions": note})
            document |= {"extensionsUsed": [EXTENSION], "extensionsRequired": [EXTENSION]}
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        text += b" " * (-len(text) % 4)
        head = struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + self._size)
        chunk = struct.pack("<I4s", len(text), b"JSON")
        return b"".join(
            [head, chunk, text, struct.pack("<I4s", self._size, b"BIN\0"), *self._parts]
        )

    def _accessor(self, accessor: dict[str, Any]) -> int:
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def _index_type(count: int) -> tuple[int, type[np.uint16] | type[np.uint32]]:
    """The smallest index type; the highest value of each is reserved."""
    return (_UINT16, np.uint16) if count <= 65535 else (_UINT32, np.uint32)


def _even(indices: NDArray[Any]) -> NDArray[Any]:
    """Padded so that the next ones begin on a multiple of four bytes."""
    extra = (-indices.nbytes % 4) // indices.itemsize
    return np.concatenate([indices, np.zeros(extra, indices.dtype)])


def _at(view: int, offset: int) -> dict[str, int]:
    return {"bufferView": view, "byteOffset": offset}


def _bounds(values: Floats) -> dict[str, list[float]]:
    return {
        "min": values.min(0).astype(np.float64).tolist(),
        "max": values.max(0).astype(np.float64).tolist(),
    }
