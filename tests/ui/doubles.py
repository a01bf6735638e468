"""Parts that need no network and no graphics card: a scripted face, a quick fit, a small head."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from hrn_studio.errors import FitError
from hrn_studio.face.model import load_head
from hrn_studio.geometry.transforms import rigid, rotation_from_angles
from hrn_studio.live import facemesh
from hrn_studio.records import (
    Camera,
    Coefficients,
    FaceState,
    FrameReport,
    Maps,
    Progress,
    Reconstruction,
    Track,
    View,
)

WIDTH, HEIGHT = 640, 480


def face(x=320.0, y=190.0, eyes=150.0):
    """478 landmarks of a face that looks into the lens."""
    points = np.tile(np.float32([x, y]), (478, 1))

    def ring(group, cx, cy, rx, ry, start):
        angle = start + 2 * np.pi * np.arange(len(group)) / len(group)
        points[list(group)] = np.column_stack(
            [x + cx * eyes + rx * eyes * np.cos(angle), y + cy * eyes + ry * eyes * np.sin(angle)]
        )

    ring(facemesh.OVAL, 0, 0.4, 0.9, 1.15, -np.pi / 2)
    ring(facemesh.RIGHT_EYE, -0.5, 0, 0.2, 0.06, np.pi)
    ring(facemesh.LEFT_EYE, 0.5, 0, 0.2, 0.06, np.pi)
    points[list(facemesh.RIGHT_IRIS), 0] = x - 0.5 * eyes
    points[list(facemesh.LEFT_IRIS), 0] = x + 0.5 * eyes
    points[list(facemesh.LIPS_OUTER)] = (x, y + eyes)
    points[list(facemesh.LIPS_INNER)] = (x, y + eyes)
    return points


def picture(seed=1):
    random = np.random.default_rng(seed)
    blocks = np.kron(random.normal(0, 26, (HEIGHT // 16, WIDTH // 16)), np.ones((16, 16)))
    grain = blocks[..., None] + random.normal(0, 4, (HEIGHT, WIDTH, 1))
    return np.clip(np.array((178, 132, 106)) + grain, 0, 255).astype(np.uint8)


class Actor:
    """What the person does; set by a test, read by tracker and regressor."""

    def __init__(self):
        self.yaw = self.pitch = 0.0
        self.seen = True


class Tracker:
    def __init__(self, actor):
        self.actor = actor

    def track(self, frame):
        from hrn_studio.errors import NoFaceError

        if not self.actor.seen:
            raise NoFaceError("no face was found; look into the lens")
        return Track(face(), np.zeros(478), frame.index, frame.time_s)

    def close(self): ...

    def __enter__(self):
        return self

    def __exit__(self, *_): ...


class Regressor:
    """Pose only, true to the actor."""

    def __init__(self, actor, head):
        self.actor, self.head = actor, head

    def regress(self, frame, track, camera):
        R = rotation_from_angles(*np.radians([self.actor.yaw, self.actor.pitch, 0]))
        zero = self.head.zero()
        return FaceState(zero, rigid(R, [0, 0, 0.9]), camera, time_s=frame.time_s)

    def reset(self): ...


class Parts:
    """The seam of the window with doubles in it."""

    head_model = None

    def __init__(self):
        self.actor = Actor()
        self.fail = ""
        self.hold = threading.Event()
        self.hold.set()
        self.fitted = []
        self.exported = []
        self.strange = None  # index of the picture that disagrees with the others

    def head(self):
        if Parts.head_model is None:
            Parts.head_model = load_head()
        return Parts.head_model

    def tracker(self, still):
        return Tracker(self.actor)

    def regressor(self):
        return Regressor(self.actor, self.head())

    def fit(self, frames, choice):
        self.fitted.append([f.name for f in frames])
        for i, stage in enumerate(("coarse", "mid", "texture", "fine")):
            bent = self.head().mean * (1 + 0.01 * i)
            yield Progress(stage, 0.2 + 0.2 * i, stage, bent)
            while not self.hold.wait(0.005):
                yield Progress(stage, 0.2 + 0.2 * i, "waiting")
            if self.fail:
                raise FitError(self.fail)
        return reconstruction(self.head(), frames, strange=self.strange)

    def rest(self): ...

    def close(self): ...

    def formats(self):
        from hrn_studio.export.formats import FORMATS

        return tuple(FORMATS)

    def presets(self):
        from hrn_studio.ui.parts import RealParts

        return RealParts().presets()

    def sizes(self, head, choice):
        from hrn_studio.ui.parts import RealParts

        return RealParts().sizes(head, choice)

    def export(self, head, choice):
        from hrn_studio.ui.parts import RealParts

        self.exported.append(choice)
        return (yield from RealParts().export(head, replace(choice, formats=("maps",))))


def apart(head, count, strange):
    """How each of several pictures differs: a little, one of them around the mouth."""
    offsets = np.random.default_rng(1).normal(0, 0.05, (count, head.vertex_count, 3))
    if strange is not None:
        offsets[strange] += 0.6 + 3.0 * head.regions["lips"][:, None]
    return np.float32(offsets - offsets.mean(0))


def reconstruction(head, frames, size=32, strange=None):
    camera = Camera.from_hfov(WIDTH, HEIGHT, 60)
    state = FaceState(head.zero(), rigid(rotation_from_angles(0, 0, 0), [0, 0, 0.8]), camera)
    flat = np.zeros((size, size, 3), np.float32)
    normal = flat.copy()
    normal[..., 2] = 1
    maps = Maps(
        albedo_srgb=np.full((size, size, 3), 150, np.uint8),
        normal=normal,
        displacement=np.linspace(-1e-3, 1e-3, size * size, dtype=np.float32).reshape(size, size),
        confidence=np.ones((size, size), np.float32),
        deformation=flat,
    )
    views = tuple(
        View(
            f,
            Track(face(), np.zeros(478)),
            state,
            head.mean,
            np.zeros((9, 3)),
            np.ones((f.height, f.width), np.float32),
            apart_mm if len(frames) > 1 else np.zeros((0, 3), np.float32),
        )
        for f, apart_mm in zip(frames, apart(head, len(frames), strange), strict=True)
    )
    return Reconstruction(
        neutral=head.mean,
        views=views,
        coefficients=Coefficients(np.zeros(4), np.zeros(head.expression_count)),
        scale=1.0,
        scale_source="iris",
        maps=maps,
        spread_mm=np.full(head.vertex_count, 0.2 if len(views) > 1 else 0.0),
        stages={"coarse": head.mean, "mid": head.mean, "fine": head.mean},
        timings_s={"coarse": 1.0},
        reports=tuple(FrameReport(f.name, True) for f in frames),
    )
