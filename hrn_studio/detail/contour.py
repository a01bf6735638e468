"""The face's outline: which points of the surface are seen edge-on, and where the picture has them.

The tracker's face oval runs along the visible edge of cheeks, jaw and chin.  Which point of the
head that is depends on pose and shape, so it is looked up anew for each pose (a sliding contour).
"""

from __future__ import annotations

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.transforms import apply, project
from hrn_studio.records import AnyFloats, Bools, Camera, Doubles, Ints, Track

OUTLINE = (
    *(127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148),
    *(152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356),
)
"""FaceMesh points from the right temple over the chin (at 11) to the left temple."""
_HALF_MM = (0.0, 0.2, -0.6, -0.9, -0.2, 1.3, 1.4, 2.8, 3.0, 3.1, 3.0)
OUTLINE_OFFSET_M = np.array([*_HALF_MM, 3.1, *_HALF_MM[::-1]]) / 1000
"""How far outside the tracker's oval the head's outline lies, measured on renders (median)."""
SIGMA_M = 0.0023
"""Standard deviation of the rest."""
_EDGE_ON = (-0.25, 0.4)
"""Range of the cosine between normal and direction to the camera that counts as edge-on."""
_REACH = 0.12
"""How far, in face widths, the outline may lie from the head's."""


def outline_vertices(head: HeadModel) -> Bools:
    """(V,) vertices that may form the outline of the face: no ears, scalp, neck or inner mouth."""
    skin = np.zeros(head.vertex_count, bool)
    skin[head.part_vertices("skin")] = True
    for name in ("ears", "neck", "scalp", "inner_mouth", "lips", "nose", "nostrils", "eye_sockets"):
        if name in head.regions:
            skin &= head.regions[name] < 0.5
    for name in head.regions:
        if name.startswith("lid_"):
            skin &= head.regions[name] < 0.3
    return skin


def outline_matches(
    head: HeadModel,
    candidates: Bools,
    vertices: AnyFloats,
    T_camera_head: Doubles,
    camera: Camera,
    track: Track,
) -> tuple[Ints, Doubles, Doubles]:
    """Vertices on the head's outline, and where and across which direction the picture has it.

    Parameters
    ----------
    vertices
        (V, 3) posed head, head frame, metres.

    Returns
    -------
    vertices (n,), points_px (n, 2), direction_px (n, 2)
        Only what the tracker sees on the outline; the far side of a turned face is guessed by it
        and left out.
    """
    p = apply(T_camera_head, vertices)
    normals = vertex_normals(vertices, head.triangles) @ T_camera_head[:3, :3].T
    cosine = -(normals * p).sum(1) / np.linalg.norm(p, axis=1)
    edge = np.flatnonzero(candidates & (cosine > _EDGE_ON[0]) & (cosine < _EDGE_ON[1]))
    if len(edge) == 0:
        return np.zeros(0, np.int32), np.zeros((0, 2)), np.zeros((0, 2))
    pixels = project(p[edge], camera)
    oval = track.points_px[list(OUTLINE)].astype(np.float64)
    width = float(np.linalg.norm(oval[0] - oval[-1]))
    along = np.gradient(oval, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-9
    outward = np.stack([-along[:, 1], along[:, 0]], 1)
    middle = oval.mean(0)
    outward *= np.sign(((oval - middle) * outward).sum(1))[:, None]
    px_per_m = camera.focal_px / float(p[edge, 2].mean())
    found, points, directions = [], [], []
    for k in range(len(oval)):
        off = pixels - oval[k]
        side = np.abs(off @ along[k])
        across = off @ outward[k]
        near = (side < 0.03 * width) & (np.abs(across) < _REACH * width)
        if not near.any():
            continue
        best = np.flatnonzero(near)[across[near].argmax()]  # the outermost is the outline
        found.append(edge[best])
        outside = OUTLINE_OFFSET_M[k] * px_per_m * outward[k]
        points.append(oval[k] + outside + (off[best] @ along[k]) * along[k])
        directions.append(outward[k])
    return (
        np.array(found, np.int32),
        np.array(points).reshape(-1, 2),
        np.array(directions).reshape(-1, 2),
    )
