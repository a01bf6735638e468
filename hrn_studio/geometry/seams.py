"""What graphics cards need: one vertex for each pair of position and texture coordinate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.records import Ints, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A mesh cut along its texture seams, with S vertices."""

    vertex: Ints
    """(S,) which position each one has."""
    uv: Ints
    """(S,) which texture vertex each one has."""
    triangles: Ints
    """(T, 3) into the S vertices, in the order of the mesh's own."""

    def __post_init__(self) -> None:
        for name in ("vertex", "uv", "triangles"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.int32))


def split_at_seams(triangles: Ints, uv_triangles: Ints) -> Split:
    """Number each pair of vertex and texture vertex in use once, sorted by vertex.

    Parameters
    ----------
    triangles, uv_triangles
        (T, 3) parallel.  What no triangle uses is left out.
    """
    stride = int(uv_triangles.max(initial=0)) + 1
    pairs = triangles.astype(np.int64).ravel() * stride + uv_triangles.ravel()
    used, corners = np.unique(pairs, return_inverse=True)
    return Split(used // stride, used % stride, corners.reshape(triangles.shape))
