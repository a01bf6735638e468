"""Where the eyes look, from the irises' places in the picture.

The ray through an iris's centre meets the eyeball in front of its centre; the direction from the
centre to that point is the gaze.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.face.gaze import LOOK_DOWN, LOOK_UP, LOOK_YAW
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import apply
from hrn_studio.records import FaceState, Floats, Track

IRIS_CENTERS = {"Right": 468, "Left": 473}
_AGREEMENT = 0.7
"""Share of the two eyes' common yaw and pitch in the result: the irises are a few pixels wide."""


def gaze_of(head: HeadModel, track: Track, state: FaceState) -> Floats:
    """(2, 2) yaw and pitch of the left and the right eye, radians, relative to the head.

    Zeros when the head has no eyes or the track no irises, and for closed eyes.
    """
    gaze = np.zeros((2, 2), np.float32)
    if len(head.eyes) != 2 or len(track.points_px) < 478:
        return gaze
    blinks = [i for i, n in enumerate(head.expression_names) if n.startswith("eyeBlink")]
    if np.any(state.coefficients.expression[blinks] > 0.5):
        return gaze
    camera, R = state.camera, state.T_camera_head[:3, :3]
    centers = head.eye_centers(state.coefficients.identity) * state.scale
    centers = apply(state.T_camera_head, centers)
    for k, (eye, center) in enumerate(zip(head.eyes, centers, strict=True)):
        point = track.points_px[IRIS_CENTERS[eye.side]] - np.asarray(camera.center_px)
        ray = np.append(point / camera.focal_px, 1.0)
        ray /= np.linalg.norm(ray)
        along = float(ray @ center)
        off = center - along * ray
        radius = eye.radius * state.scale
        inside = radius**2 - float(off @ off)
        direction = (along - np.sqrt(max(inside, 0.0))) * ray - center
        x, y, z = R.T @ (direction / np.linalg.norm(direction))
        gaze[k] = np.arctan2(x, z), np.arcsin(np.clip(y, -1, 1))
    gaze = _AGREEMENT * gaze.mean(0) + (1 - _AGREEMENT) * gaze
    limits = np.array([[LOOK_YAW, LOOK_UP]]), np.array([[-LOOK_YAW, -LOOK_DOWN]])
    return np.asarray(np.clip(gaze, limits[1], limits[0]), np.float32)
