"""Heads of other makers as one file, and what their files do not say: eyes and symmetry."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from hrn_studio.errors import ModelDataError
from hrn_studio.face.arrays import opened
from hrn_studio.face.model import Eye, HeadModel
from hrn_studio.records import AnyFloats, Ints

VERSION = 1
AGAIN = "add it anew with 'hrn-studio models add PATH'"
_ARRAYS = (
    *("mean", "identity", "expression", "triangles", "uv", "uv_triangles", "triangle_part"),
    "symmetry",
)


def save(head: HeadModel, path: Path) -> None:
    """Write a head for :func:`load`."""
    meta = {
        "version": VERSION,
        "name": head.name,
        "licence": head.licence,
        "expression_names": head.expression_names,
        "part_names": head.part_names,
        "region_names": list(head.regions),
        "iris_diameter_m": head.iris_diameter,
        "eyes": [
            [eye.side, eye.vertices.start, eye.vertices.stop, eye.radius] for eye in head.eyes
        ],
    }
    arrays = {name: getattr(head, name) for name in _ARRAYS}
    arrays |= {f"region_{name}": mask for name, mask in head.regions.items()}
    for eye in head.eyes:
        arrays[f"center_{eye.side}"] = eye.center
        arrays[f"center_identity_{eye.side}"] = eye.center_identity
    text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez(path, meta=text, **arrays)


def load(path: Path) -> HeadModel:
    """A head :func:`save` wrote.

    Raises
    ------
    ModelDataError
        The file is missing, damaged, or of another version.
    """
    with opened(path, "the head model", AGAIN) as arrays:
        meta = json.loads(arrays["meta"].tobytes())
        if meta["version"] != VERSION:
            raise ModelDataError(f"the head model '{path}' is of another version; {AGAIN}")
        return HeadModel(
            name=meta["name"],
            licence=meta["licence"],
            expression_names=tuple(meta["expression_names"]),
            part_names=tuple(meta["part_names"]),
            regions={name: arrays[f"region_{name}"] for name in meta["region_names"]},
            eyes=tuple(
                Eye(
                    side,
                    slice(start, stop),
                    arrays[f"center_{side}"],
                    arrays[f"center_identity_{side}"],
                    radius,
                )
                for side, start, stop, radius in meta["eyes"]
            ),
            iris_diameter=meta["iris_diameter_m"],
            **{name: arrays[name] for name in _ARRAYS},
        )


def eye_of(side: str, vertices: slice, mean: AnyFloats, identity: AnyFloats) -> Eye:
    """An eyeball from its vertices: the sphere that fits them best, moved with their mean.

    Parameters
    ----------
    side
        ``Left`` or ``Right``, as the file says.
    mean, identity
        (V, 3) and (I, V, 3).
    """
    points = np.asarray(mean[vertices], np.float64)
    # |p - c|^2 = r^2 is linear in c and r^2 - c.c
    system = np.c_[2 * points, np.ones(len(points))]
    solution = np.linalg.lstsq(system, (points**2).sum(1), rcond=None)[0]
    center = solution[:3]
    radius = float(np.sqrt(max(solution[3] + center @ center, 0.0)))
    return Eye(side, vertices, center, np.asarray(identity)[:, vertices].mean(1), radius)


def mirror_of(mean: AnyFloats) -> Ints:
    """(V,) the vertex nearest to the mirror image of each."""
    from scipy.spatial import cKDTree

    points = np.asarray(mean, np.float64)
    _, nearest = cKDTree(points).query(points * [-1, 1, 1])
    return np.asarray(nearest, np.int32)
