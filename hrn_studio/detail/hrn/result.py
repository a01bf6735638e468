"""What a reconstruction with HRN gives: plain arrays in HRN's own axes and decimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from hrn_studio.detail.hrn import camera
from hrn_studio.detail.hrn.alignment import Crop
from hrn_studio.detail.hrn.dense import used_triangles
from hrn_studio.detail.hrn.hierarchy import Canvas, Layers, Placed
from hrn_studio.detail.hrn.resnet import Parts
from hrn_studio.records import Camera, Doubles, Floats, Ints, frozen


@dataclass(frozen=True, slots=True, eq=False)
class HrnFace:
    """One picture's face on the Basel topology, N vertices and T triangles."""

    shape: Floats
    """(N, 3) deformed, without pose."""
    neutral: Floats
    """(N, 3) the same without expression."""
    world: Floats
    """(N, 3) the same in the pose of the picture."""
    R: Doubles
    """(3, 3) world from model."""
    translation: Doubles
    """(3,)"""
    triangles: Ints
    """(T, 3)"""
    uv: Floats
    """(N, 2) one point per vertex."""
    coefficients: Floats
    """(257,)"""
    texture: Floats
    """(S, S, 3) RGB 0..1 with the picture's light in it."""
    albedo: Floats
    """(256, 256, 3) RGB, light divided out."""
    deformation: Floats
    """(D, D, 3), model axes."""
    displacement: Floats
    """(256, 256) along the normal."""
    valid: Floats
    """(256, 256) 0..1 where the picture shows the face."""
    dense_vertices: Floats
    """(65536, 3) one per texel, in the pose of the picture; (0, 0, 0) where there is no face."""
    dense_triangles: Ints
    """(M, 3)"""
    landmarks_px: Floats
    """(68, 2) of the face in the 224 crop, y up."""
    crop: Crop
    camera: Camera
    """The lens of the 224 crop."""

    def __post_init__(self) -> None:
        for name, dtype in (
            *(
                (n, np.float32)
                for n in ("shape", "neutral", "world", "uv", "coefficients", "texture")
            ),
            *((n, np.float32) for n in ("albedo", "deformation", "displacement", "valid")),
            *((n, np.float32) for n in ("dense_vertices", "landmarks_px")),
            *((n, np.float64) for n in ("R", "translation")),
            *((n, np.int32) for n in ("triangles", "dense_triangles")),
        ):
            object.__setattr__(self, name, frozen(getattr(self, name), dtype))


def collect(
    placed: Placed,
    parts: Parts,
    layers: Layers,
    *,
    texture: Tensor,
    albedo: Tensor,
    deformation: Tensor,
    displacement: Tensor,
    valid: Tensor,
    canvas: Canvas,
    crop: Crop,
) -> HrnFace:
    """One face (batches of one) as arrays."""
    face = canvas.face
    expression = (parts.expression @ face.expression.T).reshape(1, -1, 3)
    return HrnFace(
        shape=array(placed.shape[0]),
        neutral=array(placed.shape[0] - expression[0]),
        world=array(placed.world[0]),
        R=array(placed.R[0]).astype(np.float64),
        translation=array(parts.translation[0]).astype(np.float64),
        triangles=array(face.triangles).astype(np.int32),
        uv=array(canvas.uv),
        coefficients=array(parts.join()[0]),
        texture=pixels(texture),
        albedo=pixels(albedo),
        deformation=pixels(deformation),
        displacement=pixels(displacement)[..., 0],
        valid=pixels(valid)[..., 0],
        dense_vertices=array(layers.positions[0].flatten(1).T),
        dense_triangles=array(used_triangles(layers.positions[0])).astype(np.int32),
        landmarks_px=array(placed.places[0, face.landmarks]),
        crop=crop,
        camera=camera.pinhole(),
    )


def array(values: Tensor) -> Floats:
    """Any tensor as an array of its own."""
    return np.array(values.detach().cpu().numpy())


def pixels(values: Tensor) -> Floats:
    """A map (1, C, S, S) as (S, S, C)."""
    return array(values[0].permute(1, 2, 0))
