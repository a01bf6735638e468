"""A kept frame is judged by the pose it shows."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.geometry.transforms import rigid, rotation_from_angles
from hrn_studio.live.quality import FRONT, measure
from hrn_studio.live.quality_limits import limits
from hrn_studio.records import Camera, Coefficients, FaceState, Frame, Track
from hrn_studio.session.rating import rated
from hrn_studio.session.state import GUIDED

SIZE = (640, 480)


def seen(yaw=0.0, pitch=0.0):
    random = np.random.default_rng(1)
    frame = Frame(random.integers(90, 170, (SIZE[1], SIZE[0], 3), np.uint8))
    around = random.uniform((260, 180), (380, 300), (478, 2))
    R = rotation_from_angles(*np.radians([yaw, pitch, 0]))
    camera = Camera.from_hfov(*SIZE, 60)
    state = FaceState(Coefficients(np.zeros(4), np.zeros(0)), rigid(R, [0, 0, 0.9]), camera)
    track = Track(np.float32(around), np.zeros(478))
    quality, _ = measure(frame, track, state)
    return frame, track, state, quality


def test_a_face_that_looks_ahead_keeps_its_quality():
    given = seen()
    assert rated(*given, limits(), ()) is given[3]


@pytest.mark.parametrize(
    ("yaw", "pitch", "key"), [(31, 0, "left"), (-29, 1, "right"), (2, 14, "up")]
)
def test_a_turned_face_is_measured_against_the_nearest_shot(yaw, pitch, key):
    given = seen(yaw, pitch)
    assert given[3].target == FRONT
    assert "bad" in {given[3]["yaw"].state, given[3]["pitch"].state}
    found = rated(*given, limits(), ())
    assert found.target == next(p.target for p in GUIDED if p.key == key)
    assert found["yaw"].state == found["pitch"].state == "ok"
    assert not found["sharpness"].limit.required
    assert not found["balance"].limit.required
    assert found["eyes"].limit.required
