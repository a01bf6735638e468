"""Made-up reconstructions: a random person of a head model, with painted maps."""

import numpy as np
import pytest

from hrn_studio.export.asset import make_asset
from hrn_studio.face.model import load_head
from hrn_studio.face.tiny import tiny_head
from hrn_studio.geometry.transforms import rigid, rotation_from_angles
from hrn_studio.records import (
    Camera,
    Coefficients,
    FaceState,
    Frame,
    FrameReport,
    Maps,
    Reconstruction,
    Track,
    View,
)


def painted_maps(size):
    rows, columns = np.mgrid[:size, :size] / size
    color = np.stack([0.75 + 0.1 * np.sin(30 * rows), 0.55 + 0.1 * columns, 0.45 + 0 * rows], -1)
    tilt = np.stack([0.1 * np.sin(90 * columns), 0.1 * np.sin(90 * rows), np.ones_like(rows)], -1)
    wave = np.sin(20 * rows) * np.cos(25 * columns)
    return Maps(
        albedo_srgb=np.round(255 * color).astype(np.uint8),
        normal=tilt / np.linalg.norm(tilt, axis=-1, keepdims=True),
        displacement=0.0004 * wave,
        confidence=0.5 + 0.5 * wave,
        deformation=0.002 * np.stack([wave, -wave, wave**2], -1)[::2, ::2],
    )


def made_up(head, size=64, seed=0, spread=0.2):
    rng = np.random.default_rng(seed)
    neutral = Coefficients(
        rng.normal(0, spread, head.identity_count), np.zeros(head.expression_count)
    )
    smile = Coefficients(neutral.identity, head.weights({"mouthSmileLeft": 0.6, "jawOpen": 0.1}))
    state = FaceState(
        smile,
        rigid(rotation_from_angles(0.2, 0.1, 0.0), np.array([0.0, 0.0, 0.6])),
        Camera.from_hfov(160, 120, 60),
        residual_px=1.25,
    )
    vertices = head.evaluate(neutral)
    view = View(
        Frame(np.full((120, 160, 3), 90, np.uint8), name="a.png"),
        Track(np.zeros((4, 2)), np.zeros(4)),
        state,
        head.evaluate(smile),
        np.zeros((9, 3)),
        np.ones((120, 160)),
    )
    return Reconstruction(
        neutral=vertices,
        views=(view,),
        coefficients=smile,
        scale=1.0,
        scale_source="iris",
        maps=painted_maps(size),
        spread_mm=np.zeros(len(vertices)),
        stages={"coarse": vertices, "mid": vertices, "fine": vertices},
        timings_s={"coarse": 1.23456, "mid": 2.0},
        reports=(FrameReport("a.png", True, "", 1.25), FrameReport("b.png", False, "no face")),
        notes=("made up",),
    )


@pytest.fixture(scope="session")
def tiny():
    return tiny_head()


@pytest.fixture(scope="session")
def head():
    return load_head()


@pytest.fixture(scope="session")
def tiny_person(tiny):
    return made_up(tiny)


@pytest.fixture(scope="session")
def person(head):
    return made_up(head)


@pytest.fixture(scope="session")
def tiny_asset(tiny, tiny_person):
    return make_asset(tiny_person, tiny, "tiny")


@pytest.fixture(scope="session")
def asset(head, person):
    return make_asset(person, head, "jane")
