"""Where the 3D panes are looked at from: orbit, pan and zoom through a 50 mm lens."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from hrn_studio.geometry.transforms import AXES_CAMERA_HEAD, rigid, rotation_from_vector
from hrn_studio.records import AnyFloats, Camera, Doubles
from hrn_studio.render.scene import STUDIO, Light, Lighting

LENS_MM = 50.0
_FILM_MM = 36.0
_FILL = 0.80
"""Share of the pane's height the head takes."""
_CHEAP = dataclasses.replace(STUDIO, shadow=False)


@dataclass(frozen=True, slots=True)
class Orbit:
    """A point of view on a head."""

    yaw: float = 0.0
    """Radians; positive looks at the head from its left."""
    pitch: float = 0.0
    """Radians; positive looks from above."""
    zoom: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)
    """Metres, right and up on the screen."""

    def turned(self, dx: float, dy: float) -> Orbit:
        """After a drag of so many logical pixels."""
        pitch = min(max(self.pitch + dy * 0.008, -1.4), 1.4)
        return dataclasses.replace(self, yaw=self.yaw - dx * 0.008, pitch=pitch)

    def zoomed(self, steps: float) -> Orbit:
        return dataclasses.replace(self, zoom=min(max(self.zoom * 1.12**steps, 0.3), 8.0))

    def moved(self, dx: float, dy: float, metres_per_px: float) -> Orbit:
        x, y = self.pan
        return dataclasses.replace(self, pan=(x + dx * metres_per_px, y - dy * metres_per_px))


@dataclass(frozen=True, slots=True, eq=False)
class Looking:
    """Camera and place of a head in a pane."""

    camera: Camera
    T_camera_head: Doubles
    metres_per_px: float
    """On the head, per logical pixel."""


def looking(
    orbit: Orbit,
    vertices: AnyFloats,
    size: tuple[int, int],
    pane_width: float,
    pose: AnyFloats | None = None,
) -> Looking:
    """How a head is seen in a pane drawn with ``size`` pixels.

    Parameters
    ----------
    vertices
        (V, 3) its middle is looked at.
    pose
        (3, 3) turns the head before it is looked at, viewer's axes; None looks at its front.
    """
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    middle = (low + high) / 2
    width, height = size
    focal = 0.5 * width / math.tan(math.atan(_FILM_MM / 2 / LENS_MM))
    reach = max(float(high[1] - low[1]) / (_FILL * height), float(high[0] - low[0]) / (0.7 * width))
    distance = focal * reach / orbit.zoom
    turn = rotation_from_vector(np.array([orbit.pitch, 0.0, 0.0])) @ rotation_from_vector(
        np.array([0.0, -orbit.yaw, 0.0])
    )
    if pose is not None:
        turn = turn @ np.asarray(pose, np.float64)
    R = AXES_CAMERA_HEAD @ turn
    x, y = orbit.pan
    t = np.array([x, -y, distance]) - R @ middle
    camera = Camera(width, height, focal, (width / 2, height / 2), "view")
    return Looking(camera, rigid(R, t), distance / focal * width / max(pane_width, 1))


def lighting(key: tuple[float, float, float] | None, fine: bool) -> Lighting:
    """The studio's lights; ``key`` moves the main one; ``fine`` has time for shadows."""
    base = STUDIO if fine else _CHEAP
    if key is None:
        return base
    main = Light(key, base.lights[0].color_linear)
    return dataclasses.replace(base, lights=(main, *base.lights[1:]))
