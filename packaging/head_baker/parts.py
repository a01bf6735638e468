"""The head's parts, each with its shape, its bases and its texture island, and how they join."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Part:
    """One part with n vertices, its own numbering everywhere."""

    name: str
    mean: Array
    """(n, 3) metres, head frame."""
    identity: Array
    """(I, n, 3)"""
    expression: Array
    """(E, n, 3)"""
    triangles: Array
    """(t, 3) outward."""
    uv: Array
    """(m, 2) in the square."""
    uv_triangles: Array
    """(t, 3)"""
    mirror: Array
    """(n,) the mirrored vertex, in this part or in the one named by ``twin``."""
    twin: str
    regions: dict[str, Array] = field(default_factory=dict)
    """Masks (n,) by name."""


def join(parts: list[Part]) -> dict[str, Array]:
    """Arrays of the whole head, by the names they have in the file."""
    sizes = np.array([len(p.mean) for p in parts])
    start = np.concatenate([[0], np.cumsum(sizes)])
    uv_start = np.concatenate([[0], np.cumsum([len(p.uv) for p in parts])])
    at = {p.name: int(s) for p, s in zip(parts, start[:-1], strict=True)}
    names = list(dict.fromkeys(name for p in parts for name in p.regions))
    masks = [
        np.concatenate([p.regions.get(n, np.zeros(len(p.mean))) for p in parts]) for n in names
    ]
    return {
        "mean": np.concatenate([p.mean for p in parts]),
        "identity": np.concatenate([p.identity for p in parts], 1),
        "expression": np.concatenate([p.expression for p in parts], 1),
        "triangles": np.concatenate(
            [p.triangles + s for p, s in zip(parts, start[:-1], strict=True)]
        ),
        "triangle_part": np.repeat(np.arange(len(parts)), [len(p.triangles) for p in parts]),
        "uv": np.concatenate([p.uv for p in parts]),
        "uv_triangles": np.concatenate(
            [p.uv_triangles + s for p, s in zip(parts, uv_start[:-1], strict=True)]
        ),
        "symmetry": np.concatenate([p.mirror + at[p.twin] for p in parts]),
        "regions": np.stack(masks),
        "part_vertices": start,
        "region_names": np.array(names),
    }
