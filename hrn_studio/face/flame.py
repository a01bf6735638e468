"""FLAME as a head: read from the user's file without chumpy and without running anything in it.

Li et al., "Learning a model of facial shape and expression from 4D scans", SIGGRAPH Asia 2017.
5023 vertices in metres; shape and expression components in standard deviations; four joints
(neck, jaw, left and right eye) that turn by linear blend skinning, with corrections that follow
the rotations.  The files of 2020, 2023 and 2023 Open have the same arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrn_studio.errors import ModelDataError
from hrn_studio.face.arraypickle import read_arrays
from hrn_studio.face.cylinder import unrolled
from hrn_studio.face.headarrays import mirror_of
from hrn_studio.face.model import Eye, HeadModel
from hrn_studio.geometry.transforms import rotation_from_vector
from hrn_studio.records import AnyFloats, Doubles, Ints, frozen

AGAIN = "download it again from flame.is.tue.mpg.de"
LICENCE = "FLAME, Max Planck Institute for Intelligent Systems; see the licence of your download"
ROOT, NECK, JAW, LEFT_EYE, RIGHT_EYE = range(5)
JAW_OPEN = 0.35
"""Radians the jaw turns at jawOpen = 1."""
JAW_SIDEWAYS = 0.12
_KEYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table")


@dataclass(frozen=True, slots=True, eq=False)
class Flame:
    """The articulated model with V vertices, I shape and E expression components."""

    template: Doubles
    """(V, 3)"""
    shape: Doubles
    """(I, V, 3) per standard deviation."""
    expression: Doubles
    """(E, V, 3) per standard deviation."""
    pose: Doubles
    """(36, V, 3) corrections for the entries of the joints' rotations minus the identity."""
    joints: Doubles
    """(5, V) each joint as a mean of vertices: root, neck, jaw, left and right eye."""
    weights: Doubles
    """(V, 5)"""
    triangles: Ints

    def __post_init__(self) -> None:
        for name in ("template", "shape", "expression", "pose", "joints", "weights"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))
        object.__setattr__(self, "triangles", frozen(self.triangles, np.int32))

    def vertices(
        self,
        shape: AnyFloats | None = None,
        expression: AnyFloats | None = None,
        *,
        neck: AnyFloats = (0.0, 0.0, 0.0),  # type: ignore[assignment]
        jaw: AnyFloats = (0.0, 0.0, 0.0),  # type: ignore[assignment]
        eyes: AnyFloats = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),  # type: ignore[assignment]
    ) -> Doubles:
        """Posed vertices (V, 3) in metres, FLAME's own frame.

        Parameters
        ----------
        shape, expression
            Up to I and E coefficients in standard deviations.
        neck, jaw
            (3,) axis-angle vectors in radians; a jaw of (0.3, 0, 0) opens the mouth.
        eyes
            (2, 3) the same for the left and the right eye.
        """
        moved = self.template.copy()
        for values, basis in ((shape, self.shape), (expression, self.expression)):
            if values is not None:
                moved += np.tensordot(np.asarray(values, np.float64), basis[: len(values)], 1)
        rest = self.joints @ moved
        turns = [rotation_from_vector(np.asarray(v, np.float64)) for v in (neck, jaw, *eyes)]
        features = np.concatenate([(turn - np.eye(3)).ravel() for turn in turns])
        moved = moved + np.tensordot(features[: len(self.pose)], self.pose, 1)
        placed = [np.eye(4)]  # the root; its children turn about their own joints
        for joint, turn in enumerate(turns, start=1):
            parent = placed[ROOT if joint == NECK else NECK]
            local = np.eye(4)
            local[:3, :3] = turn
            local[:3, 3] = rest[joint] - turn @ rest[joint]
            placed.append(parent @ local)
        blended = np.einsum("vj,jab->vab", self.weights, np.stack(placed))
        turned = np.einsum("vab,vb->va", blended[:, :3, :3], moved)
        return np.asarray(turned + blended[:, :3, 3], np.float64)

    def head(self, uv: AnyFloats | None = None, uv_triangles: Ints | None = None) -> HeadModel:
        """The model as a linear head.

        Of the joints, the jaw becomes jawOpen, jawLeft and jawRight; eyes turn by the gaze; the
        neck is the head's own pose.  FLAME's expression components have both signs and no names,
        so they are not expressions here: other shapes come from :mod:`.transfer`.

        Parameters
        ----------
        uv, uv_triangles
            A texture layout; without one the head is unrolled onto a cylinder.
        """
        eyes = [self._eye(side, joint) for side, joint in _EYES]
        middle = (eyes[0].center + eyes[1].center) / 2
        mean = self.template - middle
        left, right = (eye.vertices for eye in eyes)
        part = np.zeros(len(mean), np.uint8)
        part[left], part[right] = 1, 2
        if uv is None or uv_triangles is None:
            uv, uv_triangles = unrolled(mean, self.triangles, part)
        jaws = {
            "jawLeft": (0.0, JAW_SIDEWAYS, 0.0),
            "jawOpen": (JAW_OPEN, 0.0, 0.0),
            "jawRight": (0.0, -JAW_SIDEWAYS, 0.0),
        }
        shapes = [self.vertices(jaw=np.array(turn)) - self.template for turn in jaws.values()]
        return HeadModel(
            name="FLAME",
            licence=LICENCE,
            mean=mean.astype(np.float32),
            identity=self.shape.astype(np.float32),
            expression=np.stack(shapes).astype(np.float32),
            expression_names=tuple(jaws),
            triangles=self.triangles,
            uv=np.asarray(uv, np.float32),
            uv_triangles=uv_triangles,
            part_names=("skin", "eye_left", "eye_right"),
            triangle_part=part[self.triangles[:, 0]],
            regions={},
            symmetry=mirror_of(mean),
            eyes=tuple(
                Eye(eye.side, eye.vertices, eye.center - middle, eye.center_identity, eye.radius)
                for eye in eyes
            ),
        )

    def _eye(self, side: str, joint: int) -> Eye:
        own = np.flatnonzero(self.weights[:, joint] > 0.99)
        if len(own) == 0 or own[-1] - own[0] + 1 != len(own):
            raise ModelDataError(f"FLAME's {side.lower()} eye is not a run of vertices; {AGAIN}")
        center = self.joints[joint] @ self.template
        reach = np.linalg.norm(self.template[own] - center, axis=1)
        moved = np.einsum("v,ivc->ic", self.joints[joint], self.shape)
        span = slice(int(own[0]), int(own[-1]) + 1)
        return Eye(side, span, center, moved, float(np.median(reach)))


_EYES = (("Left", LEFT_EYE), ("Right", RIGHT_EYE))


def read_flame(path: Path) -> Flame:
    """FLAME from a ``.pkl`` or ``.npz`` file.

    Raises
    ------
    ModelDataError
        The file is missing or damaged, holds objects that are not arrays (named), lacks an
        array, or has one of another shape.
    """
    return flame(read_arrays(path, AGAIN), path.name)


def flame(arrays: Mapping[str, Any], name: str) -> Flame:
    """FLAME from its arrays by name.

    Raises
    ------
    ModelDataError
        An array is missing, of another shape, or not made of finite numbers.
    """
    lacking = [key for key in _KEYS if key not in arrays]
    if lacking:
        names = "', '".join(lacking)
        raise ModelDataError(f"'{name}' lacks the array '{names}', so it is not FLAME; {AGAIN}")
    found = {key: _dense(arrays[key], key, name) for key in _KEYS}
    count, components = len(found["v_template"]), found["shapedirs"].shape[-1]
    shapes = {
        "v_template": (count, 3),
        "f": (len(found["f"]), 3),
        "shapedirs": (count, 3, components),
        "posedirs": (count, 3, 36),
        "J_regressor": (5, count),
        "weights": (count, 5),
        "kintree_table": (2, 5),
    }
    for key, shape in shapes.items():
        if found[key].shape != shape:
            raise ModelDataError(
                f"'{name}': '{key}' is {found[key].shape} and must be {shape}; {AGAIN}"
            )
        if not np.isfinite(found[key]).all():
            raise ModelDataError(f"'{name}': '{key}' contains values that are not numbers; {AGAIN}")
    triangles = found["f"].astype(np.int64)
    if triangles.min() < 0 or triangles.max() >= count:
        raise ModelDataError(f"'{name}': 'f' points outside the mesh; {AGAIN}")
    basis = np.moveaxis(found["shapedirs"], 2, 0)
    shape_count = components * 3 // 4  # 300 of 400; the rest are expressions
    return Flame(
        template=found["v_template"],
        shape=basis[:shape_count],
        expression=basis[shape_count:],
        pose=np.moveaxis(found["posedirs"], 2, 0),
        joints=found["J_regressor"],
        weights=found["weights"],
        triangles=triangles.astype(np.int32),
    )


def _dense(value: Any, key: str, name: str) -> NDArray[np.float64]:
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise ModelDataError(f"'{name}': '{key}' is not an array of numbers; {AGAIN}") from error
