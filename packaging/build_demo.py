"""Render the bundled demo: one invented person, a short clip and five stills.

    python packaging/build_demo.py

Writes resources/demo/: clip.mp4 (MPEG-4, which OpenCV writes and reads on every system), the stills
as JPEG, and demo.json with the camera, pose and coefficients of every frame.  Checks that the
tracker finds the face in each.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from hrn_studio import paths
from hrn_studio.face.gaze import look_weights
from hrn_studio.face.model import HeadModel, load_head
from hrn_studio.geometry.transforms import angles_from_rotation, rigid, rotation_from_angles
from hrn_studio.live._cv import cv2
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import AnyFloats, Bytes, Camera, Coefficients, Floats, Frame
from hrn_studio.training.light import Lamp, Light
from hrn_studio.training.pixels import blurred
from hrn_studio.training.render import Sample, draw_person, picture
from hrn_studio.training.scene import Person
from hrn_studio.training.stage import Stage, make_stage
from hrn_studio.training.style import Style

FPS, SECONDS = 25, 5.0
SEED = 11
PAINT_SEED = 0
STYLE = Style(
    age=0.22,
    feminine=False,
    melanin=0.42,
    hair_color=np.array([0.040, 0.024, 0.014], np.float32),
    brow_color=np.array([0.030, 0.018, 0.011], np.float32),
    iris_color=np.array([0.110, 0.100, 0.055], np.float32),
    brow_density=0.95,
    beard=0.22,
    make_up=False,
    lash_length=0.0055,
    lash_density=0.5,
    glasses=False,
    hair="short",
)
# Seconds and values of what moves; between them it moves as limbs do (least jerk).
KEYS: dict[str, list[tuple[float, float]]] = {
    "yaw": [(0.45, 0), (1.05, 28), (1.25, 28), (2.0, -27), (2.2, -27), (2.75, 0)],
    "pitch": [(0.45, 0), (1.05, 2), (2.0, 1), (2.75, 0), (3.05, 13), (3.4, -11), (3.75, 0)],
    "roll": [(0.45, 0), (1.05, -3), (2.0, 4), (2.75, 0), (4.0, 0), (4.3, 3), (4.9, 0)],
    "gaze_yaw": [(0.3, 0), (0.42, 9), (0.9, 3), (1.25, 0), (1.37, -10), (1.9, -2), (2.5, 0)],
    "gaze_pitch": [(2.7, 0), (2.8, 7), (3.05, 2), (3.12, -7), (3.4, -2), (3.7, 0)],
    "smile": [(3.6, 0), (3.9, 0.9), (4.2, 0.85), (4.45, 0.1), (4.8, 0)],
    "open": [(4.15, 0), (4.45, 0.55), (4.6, 0.5), (4.85, 0)],
    "surprise": [(4.2, 0), (4.42, 0.8), (4.6, 0.7), (4.9, 0)],
}
BLINKS = (0.28, 1.62, 2.62, 3.52, 4.93)
STILLS = {"1_front": (0, 0), "2_left": (30, 0), "3_right": (-30, 0), "4_up": (3, 15),
          "5_down": (-3, -14)}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """The set: who, light, wall, and where the camera stands."""

    stage: Stage
    person: Person
    identity: Floats
    lights: Light
    camera: Camera
    wall: Floats
    exposure: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--out", type=Path, default=paths.resources() / "demo")
    options.add_argument("--seed", type=int, default=SEED)
    options.add_argument("--stills-only", action="store_true")
    options.add_argument("--quality", type=int, default=90, help="of the stills' JPEG")
    chosen = options.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    stage = make_stage(load_head(), columns=1024)
    truth: dict[str, Any] = {"person": _person_json(stage, chosen.seed), "stills": [], "clip": None}
    with MediaPipeTracker("still") as tracker:
        shot = _set(stage, chosen.seed, Camera.from_hfov(1280, 720, 60))
        for name, (yaw, pitch) in STILLS.items():
            shown = _still(shot, yaw, pitch)
            tracker.track(Frame(shown.image, name=name))
            _write_jpeg(chosen.out / f"{name}.jpg", shown.image, chosen.quality)
            truth["stills"].append({"file": f"{name}.jpg", **_json(stage.head, shown)})
            print(name, flush=True)
    if not chosen.stills_only:
        shot = _set(stage, chosen.seed, Camera.from_hfov(960, 540, 60))
        truth["clip"] = _clip(shot, chosen.out / "clip.mp4")
    (chosen.out / "demo.json").write_text(json.dumps(truth, separators=(",", ":")) + "\n")
    for path in sorted(chosen.out.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


def _set(stage: Stage, seed: int, camera: Camera) -> Shot:
    rng = np.random.default_rng(seed)
    identity = np.clip(rng.normal(0, 0.75, stage.head.identity_count), -1.6, 1.6)
    person = draw_person(rng, stage, STYLE)
    cut = person.cut
    assert cut is not None
    low = cut.line - np.radians(6) * (cut.line > np.radians(14))  # a fuller hairline
    cut = replace(cut, line=low, thickness=0.022, waves=1.6)
    person = replace(person, cut=cut, seed=PAINT_SEED)
    ambient = np.zeros((9, 3), np.float32)
    ambient[0] = np.array([1.05, 1.10, 1.18]) * 1.35
    ambient[1] = -0.45  # brighter from above (y is down)
    ambient[2] = -0.35  # ... and from the camera's side
    lamps = (
        Lamp(_towards(-42, 28), np.array([0.95, 0.90, 0.84], np.float32), 0.85),
        Lamp(_towards(62, 12), np.array([0.20, 0.23, 0.28], np.float32), 0.6),
        Lamp(_towards(165, 35), np.array([0.35, 0.34, 0.32], np.float32), 0.3),
    )
    return Shot(
        stage,
        person,
        identity.astype(np.float32),
        Light(ambient, lamps),
        camera,
        _room(camera.height, camera.width),
        0.92,
    )


def _towards(azimuth_deg: float, elevation_deg: float) -> Floats:
    a, e = np.radians(azimuth_deg), np.radians(elevation_deg)
    direction = [np.sin(a) * np.cos(e), -np.sin(e), -np.cos(a) * np.cos(e)]
    return np.array(direction, np.float32)


def _room(height: int, width: int) -> Floats:
    """A wall with a window's light on it, a shelf and a plant, out of focus; linear."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    wall = np.array([0.30, 0.31, 0.32], np.float32)
    glow = np.exp(-((x - 0.25) ** 2) / 0.5 - (y - 0.2) ** 2 / 0.6)
    room = wall * (0.55 + 0.75 * glow)[..., None]
    rng = np.random.default_rng(1)
    shelf = 1.32
    for top, bottom in ((0.16, 0.42), (0.46, 0.72)):
        left = shelf
        while left < shelf + 0.34:
            thick, high = rng.uniform(0.012, 0.034), rng.uniform(0.6, 0.9)
            book = (x > left) & (x < left + thick) & (y > bottom - high * (bottom - top))
            book &= y < bottom
            tone = rng.beta(2, 3) * np.exp(rng.normal(0, 0.25, 3)) * [1.0, 0.9, 0.8] * 0.5
            room[book] = tone
            left += thick
        room[(x > shelf - 0.02) & (x < shelf + 0.4) & (np.abs(y - bottom - 0.008) < 0.01)] = (
            0.16,
            0.11,
            0.07,
        )
    for k in range(26):  # leaves
        angle, reach = rng.uniform(-2.6, -0.5), rng.uniform(0.05, 0.24)
        cx, cy = 0.22 + reach * np.cos(angle), 0.72 + reach * np.sin(angle)
        turn = angle + rng.normal(0, 0.4)
        u = (x - cx) * np.cos(turn) + (y - cy) * np.sin(turn)
        v = -(x - cx) * np.sin(turn) + (y - cy) * np.cos(turn)
        leaf = (u / 0.06) ** 2 + (v / 0.018) ** 2 < 1
        room[leaf] = np.array([0.05, 0.11, 0.035]) * rng.uniform(0.5, 1.6)
        del k
    pot = (np.abs(x - 0.22) < 0.07 - 0.05 * (y - 0.74)) & (y > 0.74) & (y < 0.95)
    room[pot] = (0.34, 0.22, 0.15)
    return blurred(room, 0.011 * height)


def _still(shot: Shot, yaw: float, pitch: float) -> Sample:
    return _show(
        shot, yaw, pitch, 0.0, {}, np.zeros((2, 2)), seed=int(100 + yaw + pitch), flaws=0.2
    )


def _clip(shot: Shot, path: Path) -> dict[str, Any]:
    size = (shot.camera.width, shot.camera.height)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, size)
    if not writer.isOpened():
        raise SystemExit("this OpenCV cannot write MPEG-4")
    frames = []
    with MediaPipeTracker("video") as tracker:
        for index in range(round(FPS * SECONDS)):
            shown = _frame(shot, index / FPS, index)
            track = tracker.track(Frame(shown.image, index=index, name=f"frame {index}"))
            assert track.points_px.shape == (478, 2)
            writer.write(np.ascontiguousarray(shown.image[..., ::-1]))
            frames.append(_json(shot.stage.head, shown))
            if index % 25 == 24:
                print(f"{index + 1} frames", flush=True)
    writer.release()
    return {"file": path.name, "fps": FPS, "frames": frames}


def _frame(shot: Shot, time: float, index: int) -> Sample:
    at = {name: _least_jerk(keys, time) for name, keys in KEYS.items()}
    drift = [0.5 * np.sin(1.9 * time + k) + 0.3 * np.sin(4.3 * time + 2 * k) for k in range(3)]
    blink = max(_blink(time - start) for start in BLINKS)
    values: dict[str, float] = {
        "mouthSmileLeft": at["smile"],
        "mouthSmileRight": 0.93 * at["smile"],
        "cheekSquintLeft": 0.6 * at["smile"],
        "cheekSquintRight": 0.6 * at["smile"],
        "eyeSquintLeft": 0.25 * at["smile"],
        "eyeSquintRight": 0.25 * at["smile"],
        "jawOpen": at["open"],
        "browInnerUp": at["surprise"],
        "browOuterUpLeft": 0.8 * at["surprise"],
        "browOuterUpRight": 0.8 * at["surprise"],
        "eyeWideLeft": 0.5 * at["surprise"] * (1 - blink),
        "eyeWideRight": 0.5 * at["surprise"] * (1 - blink),
        "eyeBlinkLeft": blink,
        "eyeBlinkRight": blink,
    }
    gaze = np.radians([[at["gaze_yaw"], at["gaze_pitch"]]] * 2)
    return _show(
        shot,
        at["yaw"] + drift[0],
        at["pitch"] + drift[1],
        at["roll"] + 0.6 * drift[2],
        values,
        gaze,
        seed=1000 + index,
        flaws=0.0,
        shift=0.002 * np.array(drift),
    )


def _show(
    shot: Shot,
    yaw: float,
    pitch: float,
    roll: float,
    values: dict[str, float],
    gaze: AnyFloats,
    seed: int,
    flaws: float,
    shift: AnyFloats | float = 0.0,
) -> Sample:
    head = shot.stage.head
    closing = values.get("eyeBlinkLeft", 0.0)
    looks = {k: v * (1 - closing) for k, v in look_weights(gaze).items()}
    coefficients = Coefficients(
        shot.identity, head.weights({**looks, **values}), np.asarray(gaze, np.float32)
    )
    R = rotation_from_angles(*np.radians([yaw, pitch, roll]))
    # The head turns about the top of the neck, not about the point between the eyes.
    pivot = np.array([0.0, -0.075, -0.085])
    upright = rotation_from_angles(0, 0, 0)
    middle = np.array([0.0, -0.005, 0.52]) + shift + upright @ pivot - R @ pivot
    return picture(
        shot.stage,
        np.random.default_rng(seed),
        shot.person,
        coefficients,
        rigid(R, middle),
        shot.camera,
        lights=shot.lights,
        backdrop=shot.wall,
        exposure=shot.exposure,
        flaws=flaws,
        detail=2.0,
    )


def _least_jerk(keys: list[tuple[float, float]], time: float) -> float:
    """Value at a time, with a least-jerk course (Flash and Hogan 1985) from key to key."""
    if time <= keys[0][0]:
        return keys[0][1]
    for (start, before), (end, after) in pairwise(keys):
        if time <= end:
            s = (time - start) / (end - start)
            return before + (after - before) * s**3 * (10 - 15 * s + 6 * s * s)
    return keys[-1][1]


def _blink(time: float) -> float:
    """Closure 0..1: down in 0.08 s, shut for 0.04 s, open after another 0.16 s."""
    if time < 0 or time > 0.28:
        return 0.0
    if time < 0.08:
        return float(np.sin(0.5 * np.pi * time / 0.08))
    if time < 0.12:
        return 1.0
    return float(0.5 + 0.5 * np.cos(np.pi * (time - 0.12) / 0.16))


def _write_jpeg(path: Path, image: Bytes, quality: int) -> None:
    from PIL import Image

    Image.fromarray(image).save(path, quality=quality, optimize=True)


def _person_json(stage: Stage, seed: int) -> dict[str, Any]:
    shot = _set(stage, seed, Camera.from_hfov(1280, 720, 60))
    return {"identity": [round(float(v), 3) for v in shot.identity], "scale": 1.0}


def _json(head: HeadModel, shown: Sample) -> dict[str, Any]:
    pose = angles_from_rotation(shown.T_camera_head)
    names = zip(head.expression_names, shown.coefficients.expression, strict=True)
    return {
        "width": shown.camera.width,
        "height": shown.camera.height,
        "focal_px": round(shown.camera.focal_px, 3),
        "center_px": list(shown.camera.center_px),
        "T_camera_head": np.round(shown.T_camera_head, 5).tolist(),
        "yaw_pitch_roll_deg": np.round(np.degrees(pose), 2).tolist(),
        "expression": {n: round(float(v), 3) for n, v in names if v > 0.001},
        "gaze": np.round(shown.coefficients.gaze, 4).tolist(),
    }


if __name__ == "__main__":
    main()
