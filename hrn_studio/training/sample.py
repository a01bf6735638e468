"""What is drawn at random for one picture: shape, expression, gaze, pose, camera."""

from __future__ import annotations

import numpy as np

from hrn_studio.face.gaze import look_weights
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import project, rigid, rotation_from_angles
from hrn_studio.records import AnyFloats, Camera, Coefficients, Doubles, Floats

WEBCAM = (1280, 720)

# Groups of expressions that people make, with how far they go; {} stands for Left and Right.
ACTIONS: tuple[tuple[tuple[str, ...], float], ...] = (
    (("mouthSmile{}",), 1.0),
    (("mouthSmile{}", "cheekSquint{}"), 1.0),
    (("mouthSmile{}", "mouthUpperUp{}", "jawOpen"), 0.7),
    (("jawOpen",), 0.9),
    (("jawOpen",), 0.5),
    (("jawOpen", "mouthFunnel"), 0.6),
    (("jawOpen", "mouthClose"), 0.5),
    (("mouthPucker",), 0.9),
    (("mouthFunnel",), 0.8),
    (("mouthFrown{}",), 0.9),
    (("mouthFrown{}", "mouthShrugLower"), 0.8),
    (("mouthPress{}",), 0.8),
    (("mouthRollLower", "mouthRollUpper"), 0.7),
    (("mouthStretch{}",), 0.8),
    (("mouthDimple{}",), 0.8),
    (("mouthUpperUp{}",), 0.7),
    (("mouthUpperUp{}", "noseSneer{}"), 0.7),
    (("mouthLowerDown{}",), 0.7),
    (("mouthShrugUpper", "mouthShrugLower"), 0.7),
    (("mouthLeft",), 0.7),
    (("mouthRight",), 0.7),
    (("jawLeft",), 0.7),
    (("jawRight",), 0.7),
    (("jawForward",), 0.7),
    (("cheekPuff",), 0.8),
    (("browDown{}",), 1.0),
    (("browInnerUp",), 1.0),
    (("browInnerUp", "browOuterUp{}"), 1.0),
    (("browOuterUp{}",), 1.0),
    (("eyeSquint{}",), 0.9),
    (("eyeSquint{}", "cheekSquint{}"), 0.8),
    (("eyeWide{}",), 0.9),
    (("noseSneer{}",), 0.8),
)


def draw_coefficients(
    rng: np.random.Generator, head: HeadModel, neutral: float = 0.6
) -> Coefficients:
    """A random person with, more often than not, a neutral face.

    Parameters
    ----------
    neutral
        Share of faces without an action; the others have 1 to 6 of :data:`ACTIONS`.  Apart from
        that 12 % blink, a third of them fully.
    """
    identity = np.clip(rng.standard_normal(head.identity_count), -2.6, 2.6)
    values: dict[str, float] = {}
    if rng.random() > neutral:
        for k in rng.choice(len(ACTIONS), rng.integers(1, 7), replace=False):
            names, most = ACTIONS[k]
            strength = most * rng.beta(1.6, 1.4)
            skew = 0.0 if rng.random() < 0.7 else rng.uniform(-0.8, 0.8)
            for name in names:
                share = strength * rng.uniform(0.7, 1.0)
                if "{}" in name:
                    _raise(values, name.format("Left"), share * min(1.0, 1 + skew))
                    _raise(values, name.format("Right"), share * min(1.0, 1 - skew))
                else:
                    _raise(values, name, share)
    values["mouthClose"] = min(values.get("mouthClose", 0.0), values.get("jawOpen", 0.0))
    looking = rng.normal(0, [0.16, 0.08]) if rng.random() < 0.6 else rng.normal(0, [0.3, 0.15])
    looking = np.clip(looking, [-0.5, -0.35], [0.5, 0.3])
    converging = rng.uniform(0, 0.06)
    inwards = np.array([converging, 0])
    gaze = np.array([looking - inwards, looking + inwards])
    values.update(look_weights(gaze))
    if rng.random() < 0.12:
        blink = 1.0 if rng.random() < 0.35 else rng.uniform(0.2, 1.0)
        for side in ("Left", "Right"):
            values[f"eyeBlink{side}"] = float(np.clip(blink + rng.normal(0, 0.03), 0, 1))
        if rng.random() < 0.06:
            values["eyeBlinkLeft"] = 0.0  # a wink
    for side in ("Left", "Right"):  # lids cannot both look down and close
        closing = values.get(f"eyeBlink{side}", 0.0)
        for way in ("Up", "Down"):
            values[f"eyeLook{way}{side}"] *= 1 - closing
        if closing > 0.3:
            values[f"eyeWide{side}"] = 0.0
            values[f"eyeSquint{side}"] = min(values.get(f"eyeSquint{side}", 0.0), 1 - closing)
    return Coefficients(identity.astype(np.float32), head.weights(values), gaze.astype(np.float32))


def _raise(values: dict[str, float], name: str, value: float) -> None:
    values[name] = float(np.clip(max(values.get(name, 0.0), value), 0, 1))


def draw_webcam(rng: np.random.Generator) -> Camera:
    """A 1280 x 720 webcam of 45 to 75 degrees."""
    return Camera.from_hfov(*WEBCAM, float(rng.uniform(45, 75)), "user")


def draw_pose(
    rng: np.random.Generator,
    camera: Camera,
    yaw_deg: float = 35.0,
    pitch_deg: float = 20.0,
    roll_deg: float = 15.0,
    distance_m: tuple[float, float] = (0.4, 0.9),
) -> Doubles:
    """``T_camera_head``: turned and away within the limits, somewhere in the picture."""
    limits = np.radians([yaw_deg, pitch_deg, roll_deg])
    angles = limits * np.clip(rng.normal(0, [0.55, 0.5, 0.4]), -1, 1)
    distance = rng.uniform(*distance_m)
    margin = 0.11 * camera.focal_px / distance  # half a face
    x = rng.uniform(min(margin, 0.5 * camera.width), max(camera.width - margin, 0.5 * camera.width))
    x = 0.5 * (x + 0.5 * camera.width)
    y = 0.5 * camera.height + rng.normal(0, 0.09) * camera.height
    cx, cy = camera.center_px
    ray = np.array([(x - cx) / camera.focal_px, (y - cy) / camera.focal_px, 1.0])
    return rigid(rotation_from_angles(*angles), ray * distance)


def crop_camera(
    rng: np.random.Generator, points: AnyFloats, camera: Camera, size: int, margin: float = 1.7
) -> Camera:
    """The camera of a square cut-out round the face, ``size`` pixels wide.

    Parameters
    ----------
    points
        (N, 3) of the face, camera frame.
    margin
        Width of the cut-out against that of the face's box, on average.
    """
    seen = project(points, camera)
    low, high = seen.min(axis=0), seen.max(axis=0)
    box = float((high - low).max())
    wide = box * margin * float(np.exp(rng.normal(0, 0.08)))
    left, top = 0.5 * (low + high) - 0.5 * wide + rng.normal(0, 0.05, 2) * box
    scale = size / wide
    cx, cy = camera.center_px
    return Camera(
        size, size, camera.focal_px * scale, ((cx - left) * scale, (cy - top) * scale), "user"
    )


def face_points(head: HeadModel, vertices: Floats) -> Floats:
    """The vertices (N, 3) that a face's box goes round."""
    return np.asarray(vertices[head.regions["face"] > 0.5])
