"""Made-up people seen by a perfect tracker: landmarks, and what the maps would say of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.detail.shot import Shot
from hrn_studio.face.landmarks import LandmarkEmbedding, load_embedding
from hrn_studio.face.model import HeadModel, load_head
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles
from hrn_studio.records import Camera, Coefficients, Estimate, Frame, Track

CAMERA = Camera(640, 480, 700.0, (320.0, 240.0), "user")
SKIN = (201, 158, 134)


@pytest.fixture(scope="session")
def head() -> HeadModel:
    return load_head()


@pytest.fixture(scope="session")
def embedding() -> LandmarkEmbedding:
    return load_embedding()


@pytest.fixture(scope="session")
def person(head: HeadModel) -> Callable[[int], np.ndarray]:
    """The identity (I,) of an invented person, by number."""

    def draw(number: int) -> np.ndarray:
        identity = np.zeros(head.identity_count)
        identity[:12] = np.random.default_rng(number).normal(0, 1, 12)
        return identity

    return draw


@pytest.fixture(scope="session")
def seen(head: HeadModel, embedding: LandmarkEmbedding) -> Callable[..., Shot]:
    """A perfectly tracked picture; the maps say ``told`` (the mean head) and are ``sigma`` sure."""

    def shoot(
        identity: np.ndarray,
        yaw_deg: float = 0.0,
        pitch_deg: float = 0.0,
        *,
        expression: dict[str, float] | None = None,
        told: np.ndarray | None = None,
        sigma: float = 0.5,
        camera: Camera = CAMERA,
        true_focal: float | None = None,
        at: tuple[float, float, float] = (0.02, -0.01, 0.6),
        name: str = "me.jpg",
    ) -> Shot:
        weights = head.weights(expression or {})
        T = rigid(rotation_from_angles(*np.radians([yaw_deg, pitch_deg, 3.0])), np.array(at))
        points = embedding.points(head.evaluate(Coefficients(identity.astype(np.float32), weights)))
        placed = apply(T, points)
        lens = replace(camera, focal_px=true_focal or camera.focal_px)
        far = placed[:, 2] - embedding.depth_m * T[2, 2]  # as the tracker's own face has it
        depth = far * lens.focal_px / placed[:, 2].mean()
        return Shot(
            frame=Frame(np.full((camera.height, camera.width, 3), SKIN, np.uint8), name=name),
            track=Track(project(placed, lens), depth - depth.mean()),
            camera=camera,
            estimate=Estimate(
                np.zeros(len(identity)) if told is None else told,
                np.full(len(identity), sigma),
                weights,
                np.full(len(weights), 0.1),
            ),
            mask=np.ones((camera.height, camera.width), np.float32),
        )

    return shoot
