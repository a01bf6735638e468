"""The matrices between a scene and OpenGL, applied to columns: ``p_a = T_a_b @ p_b``."""

from __future__ import annotations

import numpy as np

from hrn_studio.geometry.transforms import AXES_CAMERA_HEAD
from hrn_studio.records import Camera, Doubles
from hrn_studio.render.scene import Scene


def clip_from_camera(camera: Camera, near: float, far: float) -> Doubles:
    """``T_clip_camera`` (4, 4): OpenCV camera axes to OpenGL's clip space.

    The picture's upper left corner lands on (-1, 1), its lower right one on (1, -1).
    """
    cx, cy = camera.center_px
    width, height = camera.width, camera.height
    return np.array(
        [
            [2 * camera.focal_px / width, 0, 2 * cx / width - 1, 0],
            [0, -2 * camera.focal_px / height, 1 - 2 * cy / height, 0],
            [0, 0, (far + near) / (far - near), -2 * far * near / (far - near)],
            [0, 0, 1, 0],
        ]
    )


def clip_from_head(scene: Scene) -> Doubles:
    """``T_clip_head`` (4, 4), the planes close around the head."""
    depth = scene.vertices @ scene.T_camera_head[2, :3] + scene.T_camera_head[2, 3]
    far = max(float(depth.max()) + 0.01, 0.02)
    near = min(max(float(depth.min()) - 0.01, 0.01), far / 2)
    return np.asarray(clip_from_camera(scene.camera, near, far) @ scene.T_camera_head)


def view_from_head(scene: Scene) -> Doubles:
    """``T_view_head`` (4, 4); view axes are x right, y up, z towards the viewer."""
    turned = np.eye(4)
    turned[:3, :3] = AXES_CAMERA_HEAD
    return np.asarray(turned @ scene.T_camera_head)


def shadow_from_head(scene: Scene) -> Doubles:
    """``T_shadow_head`` (4, 4): the whole head, seen evenly from its first light."""
    towards = np.array(scene.lighting.lights[0].direction, np.float64)
    z = view_from_head(scene)[:3, :3].T @ towards
    z /= np.linalg.norm(z)
    x = np.cross(np.eye(3)[np.abs(z).argmin()], z)
    x /= np.linalg.norm(x)
    axes = np.stack([x, np.cross(z, x), -z])
    middle = 0.5 * (scene.vertices.min(0) + scene.vertices.max(0)).astype(np.float64)
    radius = 1.02 * float(np.linalg.norm(scene.vertices - middle, axis=1).max())
    result = np.eye(4)
    result[:3, :3] = axes / radius
    result[:3, 3] = -axes @ middle / radius
    return result
