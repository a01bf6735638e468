"""Two pictures of one head: what the same skin, seen from two sides, says about its depth.

A match says that pixel ``p`` of picture *a* and ``q`` of picture *b* show one point of the skin.
Where on the head that is does not matter: the ray through ``p`` meets the surface at ``X``, and
``X`` must be seen at ``q``.  With a change ``dB`` of the surface along its normal ``n`` and changes
of pose and lens, ``X`` moves by the ``dX`` that keeps it on the ray::

    J_a dX + P_a dpose_a + F_a df = p - pi_a(X),      n . dX = n . dB

and the residual is ``q - pi_b(X) - (J_b dX + P_b dpose_b + F_b df)``.  Only the shape along the
normal can be seen this way, which is all of a surface there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from hrn_studio.detail.deformation import Offsets
from hrn_studio.detail.shot import Shot
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.raster import Fragments, interpolate, rasterize
from hrn_studio.geometry.transforms import apply, project
from hrn_studio.records import (
    Bools,
    Bytes,
    Camera,
    Coefficients,
    Doubles,
    FaceState,
    Floats,
    Ints,
)

NONE = np.zeros(0, np.float32)
"""No expression."""
_FACING = 0.25
"""Least cosine between skin and line of sight."""
_BEHIND_M = 0.004
"""What lies this far behind the nearest surface is hidden."""
_STILL_M = 0.001
"""Skin that two expressions place further apart than this is not compared."""
_FEWEST_OF_A_PAIR = 20


class Matcher(Protocol):
    """What finds the same skin in two pictures: :class:`~hrn_studio.live.matching.GrainMatcher`."""

    def patch(
        self, image: Bytes, mask: Floats, to_patch: Doubles, size: int
    ) -> tuple[Floats, Floats]:
        """Grain and mask of a part of a picture."""

    def match(
        self, first: Floats, second: Floats, places: Floats, usable: Bools
    ) -> tuple[Ints, Doubles, Doubles]:
        """Pixels of the first, their places in the second, weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One picture, cut out round the face."""

    state: FaceState
    grain: Floats
    mask: Floats
    camera: Camera
    """Of the patch."""
    expression_m: Doubles
    """(V, 3) what the expression adds to the neutral head."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The head as it is now, in a patch."""

    look: Look
    T: Doubles
    camera: Camera
    seen: Fragments
    posed: Floats
    """(V, 3) head frame."""
    placed: Floats
    """(V, 3) camera frame."""
    normals: Floats
    facing: Floats
    """(V,) cosine of the angle between skin and line of sight."""
    usable: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Rows of the least squares from one pair; residuals in pixels of the second patch."""

    first: int
    second: int
    jacobian: Doubles
    """(2 N, I + 13): identity, pose of the first and of the second, log focal length."""
    residual: Doubles
    """(2 N,)"""
    weights: Doubles
    """(N,)"""
    points: Offsets
    """Where on the head; how far off and how sure is to be filled in."""
    lift: Doubles
    """(N, 2) pixels of the second patch for a metre along the normal."""

    def offsets(self, step: Doubles, precision: Doubles) -> Offsets:
        """How far the surface is still off after a step of the other unknowns.

        Parameters
        ----------
        step
            (I + 13,)
        precision
            (N,) of the matches, 1 / square pixel.
        """
        left = (self.residual - self.jacobian @ step).reshape(-1, 2)
        square = np.square(self.lift).sum(1)
        return replace(
            self.points, offset_m=(self.lift * left).sum(1) / square, weights=precision * square
        )


def comparable(head: HeadModel) -> Floats:
    """(V,) 0..1, skin that is the same in all pictures: no lids, ears, nostrils, inner mouth."""
    region = np.asarray(head.regions["face"], np.float32).copy()
    for name, mask in head.regions.items():
        if name in ("inner_mouth", "nostrils", "ears") or name.startswith("lid_"):
            region *= mask < 0.3
    skin = np.zeros(head.vertex_count, np.float32)
    skin[head.part_vertices("skin")] = 1
    return np.asarray(region * skin, np.float32)


def look(head: HeadModel, shot: Shot, state: FaceState, matcher: Matcher, size: int) -> Look:
    posed = head.evaluate(state.coefficients, state.scale)
    neutral = head.evaluate(Coefficients(state.coefficients.identity, NONE), state.scale)
    face = head.regions["face"] > 0.5
    seen = project(apply(state.T_camera_head, posed[face]), state.camera)
    low, high = seen.min(axis=0), seen.max(axis=0)
    scale = size / (1.1 * float((high - low).max()))
    shift = 0.5 * size - scale * (low + high) / 2
    to_patch = np.column_stack([scale * np.eye(2), shift])
    grain, mask = matcher.patch(shot.frame.image, shot.mask, to_patch, size)
    center = scale * np.asarray(state.camera.center_px) + shift
    camera = Camera(size, size, scale * state.camera.focal_px, (center[0], center[1]))
    return Look(state, grain, mask, camera, np.asarray(posed, np.float64) - neutral)


def draw(
    head: HeadModel, look: Look, T: Doubles, camera: Camera, neutral: Floats, region: Floats
) -> Drawn:
    posed = np.asarray(neutral + look.expression_m, np.float32)
    placed = apply(T, posed).astype(np.float32)
    seen = rasterize(placed, head.triangles, camera)
    normals = vertex_normals(posed, head.triangles)
    distance = np.linalg.norm(placed, axis=1)
    facing = np.asarray(-((normals @ T[:3, :3].T) * placed).sum(1) / distance, np.float32)
    at = interpolate(seen, head.triangles, np.column_stack([facing, region]))
    usable = seen.covered & (at[..., 0] > _FACING) & (at[..., 1] > 0.5) & (look.mask > 0.5)
    return Drawn(look, T, camera, seen, posed, placed, normals, facing, usable)


def matches(
    head: HeadModel,
    matcher: Matcher,
    drawn: Sequence[Drawn],
    pair: tuple[int, int],
    basis: Floats,
) -> Matches | None:
    """What two pictures say together; None where they show nothing in common."""
    first, second = drawn[pair[0]], drawn[pair[1]]
    apart = np.linalg.norm(first.look.expression_m - second.look.expression_m, axis=1)
    values = np.column_stack([second.placed, second.facing, apart < _STILL_M])
    at = interpolate(first.seen, head.triangles, values)
    depth = np.maximum(at[..., 2], 1e-3)
    center = np.asarray(second.camera.center_px)
    places = second.camera.focal_px * at[..., :2] / depth[..., None] + center
    places = np.where(first.seen.covered[..., None], places, -9).astype(np.float32)
    rows, columns = (np.clip(places[..., k].astype(int), 0, len(places) - 1) for k in (1, 0))
    near = second.seen.depth[rows, columns]
    usable = first.usable & (at[..., 3] > _FACING) & (at[..., 4] > 0.99)
    usable &= (np.abs(near - depth) < _BEHIND_M) & (second.look.mask[rows, columns] > 0.5)
    pixels, found, weights = matcher.match(first.look.grain, second.look.grain, places, usable)
    if len(pixels) < _FEWEST_OF_A_PAIR:
        return None
    picked = pixels[:, 0], pixels[:, 1]
    corners = head.triangles[first.seen.triangle[picked]]
    bary = first.seen.barycentric[picked].astype(np.float64)
    seen = pixels[:, ::-1] + 0.5
    normals = _mean(first.normals, corners, bary)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = Offsets(corners, bary, normals, np.zeros(len(bary)), weights)
    jacobian, residual, lift = _rows(first, second, points, seen, found, basis)
    return Matches(*pair, jacobian, residual, weights, points, lift)


def _mean(values: Floats, corners: Ints, bary: Doubles) -> Doubles:
    return np.asarray(np.einsum("nk,nkc->nc", bary, values[corners].astype(np.float64)))


def _rows(
    first: Drawn, second: Drawn, points: Offsets, seen: Doubles, found: Doubles, basis: Floats
) -> tuple[Doubles, Doubles, Doubles]:
    """Jacobian (2 N, I + 13), residuals (2 N,) and lift (N, 2), see the module."""
    corners, bary, normal = points.corners, points.barycentric, points.normals
    point_a, pose_a, lens_a, at_a = _derivatives(first, _mean(first.posed, corners, bary))
    point_b, pose_b, lens_b, at_b = _derivatives(second, _mean(second.posed, corners, bary))
    fixed = np.linalg.inv(np.concatenate([point_a, normal[:, None]], axis=1))
    carry = point_b @ fixed  # (N, 2, 3): pixels of a and metres along n to pixels of b
    slide, lift = carry[..., :2], carry[..., 2:]
    along = np.einsum("nc,nk,nkci->ni", normal, bary, basis[corners], optimize=True)
    jacobian = np.concatenate(
        [
            lift * along[:, None],
            -slide @ pose_a,
            pose_b,
            (lens_b - np.einsum("nij,nj->ni", slide, lens_a))[..., None],
        ],
        axis=2,
    )
    residual = found - at_b - np.einsum("nij,nj->ni", slide, seen - at_a)
    return jacobian.reshape(2 * len(seen), -1), residual.ravel(), lift[..., 0]


def _derivatives(view: Drawn, points: Doubles) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """Of pixels by head points (N, 2, 3), pose (N, 2, 6), log focal (N, 2); and the pixels."""
    turned = points @ view.T[:3, :3].T
    p = turned + view.T[:3, 3]
    focal, z = view.camera.focal_px, p[:, 2]
    by_camera = np.zeros((len(p), 2, 3))
    by_camera[:, 0, 0] = by_camera[:, 1, 1] = focal / z
    by_camera[:, :, 2] = -focal * p[:, :2] / z[:, None] ** 2
    x, y, h = turned.T
    zero = np.zeros(len(p))
    spin = np.stack([zero, h, -y, -h, zero, x, y, -x, zero], 1).reshape(-1, 3, 3)
    lens = focal * p[:, :2] / z[:, None]
    return (
        by_camera @ view.T[:3, :3],
        np.concatenate([by_camera @ spin, by_camera], axis=2),
        lens,
        lens + np.asarray(view.camera.center_px),
    )
