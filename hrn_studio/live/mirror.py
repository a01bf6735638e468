"""A picture, its camera and its landmarks with left and right exchanged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hrn_studio.live.facemesh import MIRROR
from hrn_studio.records import Camera, Frame, Track


def mirrored_frame(frame: Frame) -> Frame:
    """The mirror image of a picture."""
    return replace(frame, image=np.ascontiguousarray(frame.image[:, ::-1]))


def mirrored_camera(camera: Camera) -> Camera:
    """The camera that a mirror image would come from."""
    x, y = camera.center_px
    return replace(camera, center_px=(camera.width - x, y))


def mirrored_track(track: Track, width_px: int) -> Track:
    """The landmarks of a picture of that width as its mirror image shows them."""
    points, order = track.points_px.copy(), list(MIRROR)
    points[:, 0] = width_px - points[:, 0]
    return replace(track, points_px=points[order], depth_px=track.depth_px[order])
