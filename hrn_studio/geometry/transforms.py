"""Rigid transforms, projection, and the one place where axes are flipped.

Convention
----------
Points are rows: ``(N, 3)``.  ``T_a_b`` (4, 4) maps points of frame *b* to frame *a*:
``p_a = R @ p_b + t``.  Head and camera frames are those of :mod:`hrn_studio.records`; a head
that looks straight into the lens has ``R = AXES_CAMERA_HEAD = diag(1, -1, -1)``: its left side is
on the picture's right.
Angles: ``yaw > 0`` the face turns to the subject's left, ``pitch > 0`` it tilts up,
``roll > 0`` the top of the head leans to the subject's right.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.records import AnyFloats, Camera, Doubles

AXES_CAMERA_HEAD: Doubles = np.diag([1.0, -1.0, -1.0])
AXES_CAMERA_HEAD.flags.writeable = False


def rotation_from_vector(vector: AnyFloats) -> Doubles:
    """Rotation matrix (3, 3) of an axis-angle vector (3,) in radians (Rodrigues' formula)."""
    v = np.asarray(vector, np.float64)
    angle = float(np.linalg.norm(v))
    cross = np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])
    if angle < 1e-9:
        return np.asarray(np.eye(3) + cross)
    cross /= angle
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def rotation_from_angles(yaw: float, pitch: float, roll: float) -> Doubles:
    """``R_camera_head`` (3, 3) of a head turned by the angles in radians.

    ``R = diag(1, -1, -1) @ Rz(roll) @ Ry(yaw) @ Rx(-pitch)``; all zero looks into the lens.
    """
    return (
        AXES_CAMERA_HEAD
        @ rotation_from_vector(np.array([0.0, 0.0, roll]))
        @ rotation_from_vector(np.array([0.0, yaw, 0.0]))
        @ rotation_from_vector(np.array([-pitch, 0.0, 0.0]))
    )


def angles_from_rotation(R_camera_head: AnyFloats) -> tuple[float, float, float]:
    """Yaw, pitch, roll in radians; the inverse of :func:`rotation_from_angles`."""
    r = AXES_CAMERA_HEAD @ np.asarray(R_camera_head, np.float64)[:3, :3]
    # r = Rz(roll) Ry(yaw) Rx(-pitch):  r[2, 0] = -sin(yaw)
    yaw = float(np.arcsin(np.clip(-r[2, 0], -1.0, 1.0)))
    pitch = -float(np.arctan2(r[2, 1], r[2, 2]))
    roll = float(np.arctan2(r[1, 0], r[0, 0]))
    return yaw, pitch, roll


def rigid(R: AnyFloats, t: AnyFloats) -> Doubles:
    """(4, 4) transform of a rotation (3, 3) and a translation (3,)."""
    T = np.eye(4)
    T[:3, :3] = R
    T[:3, 3] = t
    return T


def apply(T_a_b: AnyFloats, points: AnyFloats) -> Doubles:
    """Points (N, 3) of frame *b* in frame *a*."""
    T = np.asarray(T_a_b, np.float64)
    return np.asarray(np.asarray(points, np.float64) @ T[:3, :3].T + T[:3, 3])


def inverse(T_a_b: AnyFloats) -> Doubles:
    """``T_b_a`` of a rigid ``T_a_b``."""
    T = np.asarray(T_a_b, np.float64)
    return rigid(T[:3, :3].T, -T[:3, :3].T @ T[:3, 3])


def project(points_camera: AnyFloats, camera: Camera) -> Doubles:
    """Pixels (N, 2) of camera-frame points (N, 3) in front of the lens.

    (0.1, 0, 1) m seen with a focal length of 1000 px falls 100 px right of the centre.
    """
    p = np.asarray(points_camera, np.float64)
    return np.asarray(camera.focal_px * p[:, :2] / p[:, 2:3] + np.asarray(camera.center_px))


def similarity(
    source: AnyFloats, target: AnyFloats, weights: AnyFloats | None = None
) -> tuple[float, Doubles, Doubles]:
    """``s, R, t`` that bring ``source`` (N, 3) closest to ``target``: ``s * R @ x + t``.

    Weighted least squares (Umeyama, PAMI 1991); never a reflection.
    """
    a, b = np.asarray(source, np.float64), np.asarray(target, np.float64)
    w = np.ones(len(a)) if weights is None else np.asarray(weights, np.float64)
    w = (w / w.sum())[:, None]
    mean_a, mean_b = (w * a).sum(0), (w * b).sum(0)
    x, y = a - mean_a, b - mean_b
    u, d, vt = np.linalg.svd((w * y).T @ x)
    sign = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt)))])
    R = u @ sign @ vt
    s = float((d * np.diag(sign)).sum() / (w * x * x).sum())
    return s, R, mean_b - s * R @ mean_a
