"""A head model: a mean head, what people differ in, and what one face can do.

Every head here is linear: ``mean + identity coefficients @ identity + expression weights @
expression``, then the eyeballs turn by the gaze.  A :class:`HeadModel` is plain data; another
head (BFM, FLAME, ICT) is added with a function that fills one in.  Nothing that tracks, fits or
exports knows which head it has.

Vertices are in metres in the head frame of :mod:`hrn_studio.records`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np

from hrn_studio.face import headfile
from hrn_studio.face.gaze import gaze_rotation, look_angles
from hrn_studio.records import AnyFloats, Bytes, Coefficients, Doubles, Floats, Ints, Mesh, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Eye:
    """An eyeball that turns about its centre."""

    side: str
    """``Left`` or ``Right``, as in the expressions' names."""
    vertices: slice
    """Its vertices in the model."""
    center: Doubles
    """(3,) of the mean head."""
    center_identity: Doubles
    """(I, 3) how the centre moves with the identity."""
    radius: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", frozen(self.center, np.float64))
        object.__setattr__(self, "center_identity", frozen(self.center_identity, np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class LinearBasis:
    """Some of a model's vertices, for solvers; eyes do not turn here."""

    mean: Doubles
    """(N, 3)"""
    identity: Doubles
    """(I, N, 3) per standard deviation."""
    expression: Doubles
    """(E, N, 3) for weight 1."""

    def evaluate(self, coefficients: Coefficients) -> Doubles:
        """Points (N, 3) for the coefficients, gaze ignored."""
        moved = np.tensordot(coefficients.identity, self.identity, 1)
        return np.asarray(
            self.mean + moved + np.tensordot(coefficients.expression, self.expression, 1)
        )


@dataclass(frozen=True, slots=True, eq=False)
class HeadModel:
    """A linear head with V vertices, I identity components and E expressions."""

    name: str
    licence: str
    mean: Floats
    """(V, 3)"""
    identity: Floats
    """(I, V, 3) metres per standard deviation, most variance first."""
    expression: Floats
    """(E, V, 3) metres for weight 1; the eyeLook shapes move lids only."""
    expression_names: tuple[str, ...]
    triangles: Ints
    """(T, 3) counter-clockwise seen from outside."""
    uv: Floats
    """(U, 2)"""
    uv_triangles: Ints
    """(T, 3) into uv."""
    part_names: tuple[str, ...]
    """``skin`` is always there, and first."""
    triangle_part: Bytes
    """(T,) into part_names."""
    regions: Mapping[str, Floats]
    """Soft masks (V,) 0..1 by name.

    The default head has face, lips, nose, nostrils, ears, brows, forehead, cheeks, chin, jaw, neck,
    scalp, inner_mouth (with the inside of the lips), eye_sockets, ``lid_upper_left`` and the other
    three lids; pupil, iris and sclera on the eyes (ring-exact); enamel and gums on the teeth.  Only
    ``face`` is always there.
    """
    symmetry: Ints
    """(V,) the vertex at the mirrored place."""
    eyes: tuple[Eye, ...] = ()
    """Left, right; empty for a head without separate eyes."""
    iris_diameter: float = 0.0117
    """Metres, the same for everyone; 0 where the head shows no iris."""

    def __post_init__(self) -> None:
        for names, dtype in (
            (("mean", "identity", "expression", "uv"), np.float32),
            (("triangles", "uv_triangles", "symmetry"), np.int32),
            (("triangle_part",), np.uint8),
        ):
            for name in names:
                object.__setattr__(self, name, frozen(getattr(self, name), dtype))
        masks = {k: frozen(v, np.float32) for k, v in self.regions.items()}
        object.__setattr__(self, "regions", MappingProxyType(masks))

    # --- sizes and parts ---

    @property
    def vertex_count(self) -> int:
        return len(self.mean)

    @property
    def identity_count(self) -> int:
        return len(self.identity)

    @property
    def expression_count(self) -> int:
        return len(self.expression)

    def part_triangles(self, *parts: str) -> Ints:
        """Indices into ``triangles`` of the triangles of some parts."""
        wanted = [self.part_names.index(p) for p in parts]
        return np.flatnonzero(np.isin(self.triangle_part, wanted)).astype(np.int32)

    def part_vertices(self, *parts: str) -> Ints:
        """Indices of the vertices of some parts, ascending."""
        found: Ints = np.unique(self.triangles[self.part_triangles(*parts)])
        return found

    # --- heads ---

    def zero(self) -> Coefficients:
        """The coefficients of the mean head."""
        return Coefficients(
            np.zeros(self.identity_count, np.float32), np.zeros(self.expression_count, np.float32)
        )

    def weights(self, values: Mapping[str, float]) -> Floats:
        """Expression weights (E,) from values by name; a name the head lacks is ignored."""
        return np.array([values.get(n, 0.0) for n in self.expression_names], np.float32)

    def evaluate(self, coefficients: Coefficients, scale: float = 1.0) -> Floats:
        """Vertices (V, 3) in metres, head frame; ``scale`` multiplies everything.

        Fewer coefficients than the model has are taken as the first ones, the rest zero.
        """
        identity, weights = coefficients.identity, coefficients.expression
        flat = identity @ self.identity[: len(identity)].reshape(len(identity), -1)
        flat += self.mean.ravel()
        shapes = self.expression.reshape(self.expression_count, -1)
        for e in np.flatnonzero(weights):
            flat += weights[e] * shapes[e]
        vertices: Floats = flat.reshape(-1, 3)
        if np.any(coefficients.gaze):
            for eye, center, (yaw, pitch) in zip(
                self.eyes, self.eye_centers(identity), coefficients.gaze, strict=False
            ):
                ball = vertices[eye.vertices] - center
                vertices[eye.vertices] = ball @ gaze_rotation(yaw, pitch).T + center
        return vertices if scale == 1.0 else vertices * np.float32(scale)

    def basis(self, vertices: Ints | slice) -> LinearBasis:
        """The model at some vertices, in double precision, for solvers."""
        return LinearBasis(
            np.asarray(self.mean[vertices], np.float64),
            np.asarray(self.identity[:, vertices], np.float64),
            np.asarray(self.expression[:, vertices], np.float64),
        )

    def eye_centers(self, identity: AnyFloats) -> Doubles:
        """Centres of the eyeballs (2, 3) for identity coefficients, at scale 1."""
        return np.array(
            [e.center + identity @ e.center_identity[: len(identity)] for e in self.eyes]
        )

    def mesh(self, vertices: Floats) -> Mesh:
        """A mesh of all parts with these vertices (V, 3)."""
        return Mesh(vertices, self.triangles, self.uv, self.uv_triangles)

    def export_shapes(self) -> Floats:
        """Expressions (E, V, 3) for programs that cannot turn eyes: eyeLook shapes turn them."""
        shapes = self.expression.copy()
        for name, offsets in zip(self.expression_names, shapes, strict=True):
            for eye in self.eyes:
                yaw, pitch = look_angles(name, eye.side)
                if yaw or pitch:
                    ball = self.mean[eye.vertices] - eye.center
                    offsets[eye.vertices] += ball @ gaze_rotation(yaw, pitch).T - ball
        return shapes


def load_head(path: Path | None = None) -> HeadModel:
    """The default head, or one baked elsewhere by ``packaging/build_head.py``; the caller keeps it.

    Raises
    ------
    ModelDataError
        The file is missing, damaged, or of another version.
    """
    arrays, meta = headfile.read(path)
    parts = meta["parts"]
    starts = meta["part_vertices"]
    eyes = []
    for side, label in enumerate(("Left", "Right")):
        part = parts.index(f"eye_{label.lower()}")
        eyes.append(
            Eye(
                label,
                slice(starts[part], starts[part + 1]),
                arrays["eye_centers"][side],
                arrays["eye_centers_identity"][:, side],
                float(arrays["eye_radii"][side]),
            )
        )
    masks = arrays["regions"].astype(np.float32) / 255
    return HeadModel(
        name="MakeHuman",
        licence=meta["licence"],
        mean=arrays["mean"],
        identity=arrays["identity"],
        expression=arrays["expression"],
        expression_names=tuple(meta["expression_names"]),
        triangles=arrays["triangles"],
        uv=arrays["uv"],
        uv_triangles=arrays["uv_triangles"],
        part_names=tuple(parts),
        triangle_part=arrays["triangle_part"],
        regions=dict(zip(meta["region_names"], masks, strict=True)),
        symmetry=arrays["symmetry"],
        eyes=tuple(eyes),
        iris_diameter=meta["iris_diameter_m"],
    )
