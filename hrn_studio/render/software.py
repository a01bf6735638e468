"""The renderer's pictures without OpenGL: slower, and without the cast shadow.

The light is that of ``head.frag``; keep the two alike.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from hrn_studio.geometry.raster import Fragments, interpolate, rasterize
from hrn_studio.geometry.transforms import AXES_CAMERA_HEAD, apply
from hrn_studio.geometry.uv import sample
from hrn_studio.records import AnyFloats, Bytes, Camera, Floats, Ints
from hrn_studio.render.scene import Look, Scene

_CLAY_ROUGHNESS = 0.52


def image(scene: Scene, samples: int = 4) -> Bytes:
    """The picture (H, W, 4), sRGB and coverage, of the camera's size.

    ``samples`` a pixel: 1, 4 or 9.
    """
    side = max(1, round(samples**0.5))
    camera = scene.camera
    fine = Camera(
        camera.width * side,
        camera.height * side,
        camera.focal_px * side,
        (camera.center_px[0] * side, camera.center_px[1] * side),
    )
    fragments = rasterize(
        apply(scene.T_camera_head, scene.vertices), scene.head.triangles, fine, back_faces=True
    )
    covered = fragments.covered
    drawn = np.empty((*covered.shape, 4), np.float32)
    drawn[:] = scene.background_srgb
    drawn[covered, :3] = _colors(scene, fragments, fine)
    drawn[covered, 3] = 1.0
    blocks = drawn.reshape(camera.height, side, camera.width, side, 4)
    return np.asarray(np.rint(255 * np.clip(blocks.mean((1, 3)), 0, 1)), np.uint8)


def _colors(scene: Scene, fragments: Fragments, camera: Camera) -> Floats:
    """(P, 3) sRGB colours 0..1 of the covered pixels, row by row."""
    head = scene.head
    R = AXES_CAMERA_HEAD @ scene.T_camera_head[:3, :3]
    smooth = _unit(_at(fragments, head.triangles, scene.normals) @ R.T.astype(np.float32))
    view = _towards_viewer(fragments, camera)
    front = np.einsum("pi,pi->p", smooth, view) >= -0.2
    smooth = np.where(front[:, None], smooth, -smooth)
    uv = _at(fragments, head.corners, head.uv)
    n = _detailed(scene, fragments, smooth, uv, R)
    if scene.look is Look.NORMALS:
        return np.asarray(n * 0.5 + 0.5, np.float32)

    count = len(scene.vertices)
    openness = scene.openness if len(scene.openness) else np.ones(count, np.float32)
    open_: Floats = np.clip(_at(fragments, head.triangles, openness[:, None]), 0, 1)
    rough = _at(fragments, head.corners, head.roughness[:, None])
    wet: Floats = np.clip((0.3 - rough) / 0.2, 0, 1)
    dry: Floats = np.subtract(1, wet, dtype=np.float32)
    base: Floats = to_linear(_sampled(head.albedo_srgb, uv) / np.float32(255))
    if scene.look is Look.TEXTURED:
        wrap: Floats = _f(0.30, 0.14, 0.09) * dry + np.float32(0.05) * wet
        blur: Floats = _f(0.5, 0.3, 0.2)
        reached: Floats = np.power(open_, _f(0.85, 1.1, 1.2))
    else:
        base = np.add(base * wet, _f(*scene.clay_linear) * dry)
        rough = np.add(rough * wet, np.float32(_CLAY_ROUGHNESS) * dry)
        wrap, blur = np.full_like(rough, 0.12), _f(0, 0, 0)
        reached = open_
    if len(scene.tint):
        tint = _at(fragments, head.triangles, scene.tint)
        base = base + (tint[:, :3] - base) * tint[:, 3:]
    lighting = scene.lighting
    up = 0.5 + 0.5 * n[:, 1:2]
    diffuse = _f(*lighting.ground_linear) * (1 - up) + _f(*lighting.sky_linear) * up
    diffuse = np.asarray(diffuse * reached, np.float32)
    rim = 1 - np.maximum(np.einsum("pi,pi->p", n, view), 0)[:, None]
    shine = diffuse * (0.01 + 0.12 * wet * rim**4)
    for light in lighting.lights:
        towards = _unit(_f(*light.direction)[None])[0]
        sharp, blurred = n @ towards, smooth @ towards
        mixed = sharp[:, None] * (1 - blur) + blurred[:, None] * blur
        reach = np.maximum((mixed + wrap) / (1 + wrap), 0)
        arrives = _f(*light.color_linear) * (0.3 + 0.7 * open_)
        diffuse = diffuse + arrives * reach * reach / (0.35 + 0.65 * reach)
        shine = shine + arrives * _highlight(n, towards, view, rough)
    result = base * diffuse + shine * (1 + wet)
    result = np.where(front[:, None], result, 0.25 * result)
    if scene.look is Look.WIREFRAME:
        line = _near_edges(fragments)[:, None]
        result = result * (1 - line) + np.asarray(scene.line_linear, np.float32) * line
    return to_srgb(_shoulder(result))


def to_linear(srgb: AnyFloats) -> Floats:
    """sRGB-encoded 0..1 to linear."""
    curve = ((srgb + 0.055) / 1.055) ** 2.4
    return np.asarray(np.where(srgb <= 0.04045, srgb / 12.92, curve), np.float32)


def to_srgb(linear: AnyFloats) -> Floats:
    """Linear 0..1 to sRGB-encoded."""
    c = np.clip(linear, 0, 1)
    curve = 1.055 * c ** (1 / 2.4) - 0.055
    return np.asarray(np.where(c <= 0.0031308, c * 12.92, curve), np.float32)


def _at(fragments: Fragments, triangles: Ints, values: AnyFloats) -> Floats:
    """(P, C) values at the covered pixels."""
    return interpolate(fragments, triangles, values)[fragments.covered]


def _towards_viewer(fragments: Fragments, camera: Camera) -> Floats:
    """(P, 3) unit, view axes."""
    rows, columns = np.nonzero(fragments.covered)
    x = (columns + 0.5 - camera.center_px[0]) / camera.focal_px
    y = (rows + 0.5 - camera.center_px[1]) / camera.focal_px
    return _unit(np.stack([-x, y, np.ones_like(x)], 1).astype(np.float32))


def _detailed(
    scene: Scene, fragments: Fragments, smooth: Floats, uv: Floats, R: AnyFloats
) -> Floats:
    """(P, 3) normals with the normal map's detail."""
    if scene.detail <= 0:
        return smooth
    head = scene.head
    frame = _at(fragments, head.corners, head.tangents)
    t = frame[:, :3] @ R.T.astype(np.float32)
    t = _unit(t - smooth * np.einsum("pi,pi->p", t, smooth)[:, None])
    b = np.where(frame[:, 3:] < 0, -1, 1) * np.cross(smooth, t)
    m = _sampled(head.normal_map, uv) * np.float32(2 / 255) - 1
    amount = scene.detail * _at(fragments, head.corners, head.detailed[:, None])
    return _unit(
        t * m[:, :1] * amount + b * m[:, 1:2] * amount + smooth * np.maximum(m[:, 2:], 0.05)
    )


def _highlight(n: Floats, towards: Floats, view: Floats, rough: Floats) -> Floats:
    """(P, 1) GGX with Schlick's approximations."""
    half = _unit(view + towards)
    nl = np.maximum(n @ towards, 0)[:, None]
    nv = np.maximum(np.einsum("pi,pi->p", n, view), 1e-3)[:, None]
    nh = np.maximum(np.einsum("pi,pi->p", n, half), 0)[:, None]
    vh = np.maximum(np.einsum("pi,pi->p", view, half), 0)[:, None]
    a2, k = rough**4, rough**2 / 2
    d = nh * nh * (a2 - 1) + 1
    fresnel = 0.04 + 0.96 * (1 - vh) ** 5
    masked = 4 * (nl * (1 - k) + k) * (nv * (1 - k) + k)
    return np.asarray(nl * a2 * fresnel / (np.pi * d * d * masked), np.float32)


def _sampled(image: Bytes, uv: Floats) -> Floats:
    return sample(cast(AnyFloats, image), uv)


def _near_edges(fragments: Fragments) -> Floats:
    """(P,) 1 on a triangle's edge."""
    weights = fragments.barycentric
    step = np.maximum(
        np.abs(np.gradient(weights, axis=0)).max(2), np.abs(np.gradient(weights, axis=1)).max(2)
    )
    distance = weights.min(2) / np.maximum(step, 1e-6)
    return np.asarray((distance < 0.8)[fragments.covered], np.float32)


def _f(*values: float) -> Floats:
    return np.array(values, np.float32)


def _shoulder(c: Floats) -> Floats:
    return np.asarray(np.minimum(c, 0.7) + 0.3 * (1 - np.exp(-np.maximum(c - 0.7, 0) / 0.3)))


def _unit(vectors: AnyFloats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)
