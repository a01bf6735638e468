"""STL for 3D printing: one closed body in millimetres, standing on the base of its neck."""

from __future__ import annotations

import struct

import numpy as np

from hrn_studio.export.asset import Asset
from hrn_studio.export.options import PLAIN, ExportOptions, Space
from hrn_studio.export.printing import Body, printable
from hrn_studio.geometry.mesh import triangle_normals

_MM = 0.001


def write_stl(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME.stl``: the neutral head, solid or with a wall of ``options.wall_m``.

    STL has no units, and all programs for printers read millimetres: so they are, whatever
    ``options.space`` says of units.  Of its axes, ``up`` is kept.

    Raises
    ------
    ExportError
        No closed body can be made, for example because the wall is too thick.
    """
    millimetres = asset.vertices.astype(np.float64) / _MM
    surfaces = [(millimetres, part.triangles) for part in asset.parts]
    return {f"{asset.name}.stl": stl(printable(surfaces, options.wall_m / _MM), options.space)}


def stl(body: Body, space: Space = PLAIN.space) -> bytes:
    """A binary STL file of a body; only the axes of ``space`` count."""
    vertices = space.directions(body.vertices)
    rows = np.zeros(
        len(body.triangles), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("more", "<u2")]
    )
    rows["normal"] = triangle_normals(vertices, body.triangles)
    rows["corners"] = vertices[body.triangles]
    head = b"HRN Studio; millimetres".ljust(80)
    return b"".join([head, struct.pack("<I", len(rows)), rows.tobytes()])
