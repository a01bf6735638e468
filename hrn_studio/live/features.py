"""What the learned maps look at: aligned landmarks and the look of the aligned face.

Both are taken from the tracker's points after a similarity alignment to the mean head's
landmarks, so that place, size and roll in the picture do not matter.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from hrn_studio.geometry.transforms import angles_from_rotation, similarity
from hrn_studio.live._cv import cv2
from hrn_studio.live.facemesh import OVAL
from hrn_studio.records import Bytes, Camera, Doubles, Floats, Frame, Track

POSE_FEATURES = 8
"""Numbers about the pose at the end of :func:`landmark_features`."""
CROP_PX = 112
CROP_M_PER_PX = 0.0017
"""A crop shows 190 mm of the face."""
_CROP_CENTER_M = (0.0, -0.02)
_CELL, _BINS = 8, 9
BLOCKS = (3 * 478 + POSE_FEATURES, 6084)
"""Sizes of the groups of features: landmarks and pose, appearance."""

Indices: TypeAlias = NDArray[np.intp]


def alignment_points(count: int) -> Indices:
    """Indices of the landmarks that place the face: all but the sliding face oval."""
    return np.setdiff1d(np.arange(min(count, 468)), OVAL)


def landmark_features(track: Track, reference: Doubles, camera: Camera) -> Floats:
    """(3 L + 8,) landmarks against the mean head's, and the pose they were seen in.

    Parameters
    ----------
    reference
        (L, 3) the mean head's landmarks, metres, head frame.

    The landmarks with the tracker's relative depth are brought onto the reference by a
    similarity; what is left, in millimetres, comes first.  Then yaw, pitch, roll and their
    products (radians) and the inverse distance in 1/m, which says how strong the perspective is.
    """
    seen = np.column_stack([track.points_px, track.depth_px]).astype(np.float64)
    seen[:, 1:] *= -1  # picture axes to head axes
    place = alignment_points(len(seen))
    scale, R, t = similarity(seen[place], reference[place])
    residual = (scale * seen @ R.T + t - reference) * 1000
    yaw, pitch, roll = angles_from_rotation(np.diag([1.0, -1.0, -1.0]) @ R.T)
    inverse_distance = 1 / (camera.focal_px * scale)
    pose = [yaw, pitch, roll, yaw * yaw, pitch * pitch, yaw * pitch, yaw**3, inverse_distance]
    return np.concatenate([residual.ravel(), pose]).astype(np.float32)


def distance_m(track: Track, reference: Doubles, camera: Camera) -> float:
    """Distance of a head of average size from the camera, metres."""
    seen = np.column_stack([track.points_px, track.depth_px]).astype(np.float64)
    seen[:, 1:] *= -1
    place = alignment_points(len(seen))
    scale, _, _ = similarity(seen[place], reference[place])
    return camera.focal_px * scale


def aligned_crop(frame: Frame, track: Track, reference: Doubles) -> Bytes:
    """(112, 112) grey picture of the face, upright and of fixed size."""
    place = alignment_points(len(track.points_px))
    target = np.zeros((len(place), 3))
    target[:, 0] = (reference[place, 0] - _CROP_CENTER_M[0]) / CROP_M_PER_PX + CROP_PX / 2
    target[:, 1] = (_CROP_CENTER_M[1] - reference[place, 1]) / CROP_M_PER_PX + CROP_PX / 2
    seen = np.column_stack([track.points_px[place], np.zeros(len(place))])
    scale, R, t = similarity(seen, target)
    matrix = np.column_stack([scale * R[:2, :2], t[:2]])
    image, matrix = _shrunk(frame.image, matrix, scale)
    crop = cv2.warpAffine(
        image, matrix, (CROP_PX, CROP_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), np.uint8)


def _shrunk(image: Bytes, matrix: Doubles, scale: float) -> tuple[Bytes, Doubles]:
    """Halve a picture much finer than the crop, around the face, against aliasing."""
    while scale < 0.6 and min(image.shape[:2]) > 2 * CROP_PX:
        half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        image = np.asarray(half, np.uint8)
        scale *= 2
        matrix = np.column_stack([2 * matrix[:, :2], matrix[:, 2]])
    return image, matrix


def appearance_features(crop: Bytes) -> Floats:
    """(6084,) histograms of oriented gradients in cells of 8 pixels (Dalal & Triggs, CVPR 2005).

    Larger cells know less; the light itself, at low resolution, told more of renders and less of
    other pictures.
    """
    hog = cv2.HOGDescriptor(
        (CROP_PX, CROP_PX), (2 * _CELL, 2 * _CELL), (_CELL, _CELL), (_CELL, _CELL), _BINS
    )
    return np.asarray(hog.compute(crop), np.float32).ravel()
