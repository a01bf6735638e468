"""Measure the live face on a clip with ground truth: pose error, jitter, lag, expressions.

::

    python packaging/measure_live.py FOLDER [--json]

FOLDER holds ``clip.json`` (``yaw``, ``pitch``, ``roll`` in degrees, the matrix ``R`` and the
``expression`` weights of each frame, OpenCV camera) and the pictures it names.

What is measured
----------------
* *Pose error*: angle between the measured and the true rotation of the head, after one constant
  rotation for the whole clip is taken out: the two head models do not share a head frame.
* *Lag*: shift of the measured yaw and pitch (or jaw) that brings the largest correlation with the
  true one, to a fraction of a frame.
* *Jitter*: three pictures of the clip are each shown 90 times with fresh sensor noise; standard
  deviation of the pose, and of the vertices of the face in the camera frame.
* *Jitter in motion*: what is left of the pose error after a smooth curve (a parabola over nine
  frames) is taken out.
* *Expressions*: correlation of a weight with the true one over the clip.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hrn_studio.errors import NoFaceError  # noqa: E402
from hrn_studio.face.landmarks import load_embedding  # noqa: E402
from hrn_studio.face.model import HeadModel, load_head  # noqa: E402
from hrn_studio.geometry.transforms import apply  # noqa: E402
from hrn_studio.live.estimator import load_estimator  # noqa: E402
from hrn_studio.live.images import read_image  # noqa: E402
from hrn_studio.live.regressor import LandmarkRegressor  # noqa: E402
from hrn_studio.live.tracker import MediaPipeTracker  # noqa: E402
from hrn_studio.records import Camera, Doubles, FaceState, Frame, Track  # noqa: E402

STILLS = (0, 22, 41)
"""Frames of the clip shown again and again: frontal, turned, mouth open."""
REPEATS = 90
SETTLING = 30
"""Repeats at the start that are not counted."""
NOISE = 3.0
"""Standard deviation of the sensor noise, grey levels of 255, fresh in each pixel and picture."""
PAIRS = {
    "jawOpen": "jawOpen",
    "mouthSmile_L": "mouthSmileLeft",
    "mouthSmile_R": "mouthSmileRight",
    "browInnerUp_L": "browInnerUp",
    "eyeBlink_L": "eyeBlinkLeft",
    "eyeBlink_R": "eyeBlinkRight",
}
"""Ground truth's name of an expression, and ARKit's."""

Seen = list[tuple[Frame, Track]]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What the clip really shows, for F frames."""

    R: Doubles
    """(F, 3, 3) head to camera."""
    angles_deg: Doubles
    """(F, 3) yaw, pitch, roll."""
    expression: dict[str, Doubles]
    """(F,) by ARKit's name."""
    fps: float
    hfov_deg: float


def main() -> None:
    """Track, measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--network", action="store_true", help="with the face network")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    frames, truth = read_clip(options.folder)
    moving = tracked(frames)
    stills = [tracked(noisy(frames[index], truth.fps)) for index in STILLS]
    head, embedding, maps = load_head(), load_embedding(), load_estimator(options.network)
    table = {}
    for name, smooth in (("raw", False), ("smoothed", True)):
        regressor = LandmarkRegressor(head, embedding, maps, smooth=smooth)
        table[name] = measure(head, regressor, moving, stills, truth)
    print(json.dumps(table, indent=1) if options.json else as_markdown(table))


def read_clip(folder: Path) -> tuple[list[Frame], Truth]:
    """The pictures with their times, and the truth about them."""
    clip = json.loads((folder / "clip.json").read_text())
    rows, fps = clip["frames"], float(clip["fps"])
    frames = [
        replace(read_image(folder / row["file"], i), time_s=i / fps) for i, row in enumerate(rows)
    ]
    return frames, Truth(
        np.array([row["R"] for row in rows]),
        np.array([[row["yaw"], row["pitch"], row["roll"]] for row in rows]),
        {
            ours: np.array([row["expression"][theirs] for row in rows])
            for theirs, ours in PAIRS.items()
        },
        fps,
        float(rows[0]["hfov"]),
    )


def tracked(frames: Iterable[Frame]) -> Seen:
    """What the tracker sees in video mode; frames without a face are left out."""
    seen = []
    with MediaPipeTracker("video") as tracker:
        for frame in frames:
            try:
                seen.append((frame, tracker.track(frame)))
            except NoFaceError as error:
                print(error, file=sys.stderr)
    return seen


def noisy(frame: Frame, fps: float) -> Iterable[Frame]:
    """The same picture again and again, each time with fresh noise."""
    rng = np.random.default_rng(frame.index)
    for index in range(REPEATS):
        noise = rng.normal(0, NOISE, frame.image.shape).astype(np.float32)
        image = np.clip(frame.image + noise + 0.5, 0, 255).astype(np.uint8)
        yield Frame(image, index=index, time_s=index / fps, name=frame.name)


def measure(
    head: HeadModel,
    regressor: LandmarkRegressor,
    moving: Seen,
    stills: Sequence[Seen],
    truth: Truth,
) -> dict[str, float]:
    """All figures; the identity settles in a first pass over the clip and is then held."""
    camera = Camera.from_hfov(moving[0][0].width, moving[0][0].height, truth.hfov_deg)
    run(regressor, moving, camera)
    regressor.hold()
    states = run(regressor, moving, camera)
    at = np.array([frame.index for frame, _ in moving])
    error = rotation_errors(states, truth.R[at])
    lost = np.degrees(np.linalg.norm(error, axis=1))
    result = {
        "pose error, mean (deg)": float(lost.mean()),
        "pose error, 95th percentile (deg)": float(np.percentile(lost, 95)),
        "jitter in motion (deg)": float(np.degrees(rms(detrended(error)))),
    }
    measured = np.array([s.T_camera_head[:3, :3] for s in states])
    yaw, pitch = angle_series(measured)
    result["lag of yaw (ms)"] = 1000 / truth.fps * lag(yaw, truth.angles_deg[at, 0])
    result["lag of pitch (ms)"] = 1000 / truth.fps * lag(pitch, truth.angles_deg[at, 1])
    names = list(head.expression_names)
    weights = np.array([s.coefficients.expression for s in states])
    jaw = weights[:, names.index("jawOpen")]
    result["lag of jawOpen (ms)"] = 1000 / truth.fps * lag(jaw, truth.expression["jawOpen"][at])
    for name, series in truth.expression.items():
        ours = weights[:, names.index(name)]
        result[f"{name}: correlation"] = correlation(ours, series[at])
        result[f"{name}: highest"] = float(ours.max())
    spread = []
    face = np.flatnonzero(head.regions["face"] > 0.5)
    for seen in stills:
        regressor.restart()
        held = run(regressor, seen, camera)[SETTLING:]
        R = np.array([s.T_camera_head[:3, :3] for s in held])
        vertices = np.array([posed(head, s)[face] for s in held])
        off = (vertices - vertices.mean(0)) * 1000
        spread.append(
            [np.degrees(rms(rotation_vectors(R, mean_rotation(R)))), rms(off[..., :2]), rms(off)]
        )
    pose, across, all_axes = np.mean(spread, axis=0)
    result["jitter at rest, pose (deg)"] = float(pose)
    result["jitter at rest, vertices across the view (mm)"] = float(across)
    result["jitter at rest, vertices with depth (mm)"] = float(all_axes)
    return result


def run(regressor: LandmarkRegressor, seen: Seen, camera: Camera) -> list[FaceState]:
    """Every frame's face."""
    return [regressor.regress(frame, track, camera) for frame, track in seen]


def posed(head: HeadModel, state: FaceState) -> Doubles:
    """(V, 3) vertices in the camera frame, metres."""
    return apply(state.T_camera_head, head.evaluate(state.coefficients, state.scale))


def rotation_errors(states: Sequence[FaceState], true: Doubles) -> Doubles:
    """(F, 3) rotation vectors of the error, radians, the constant part taken out."""
    off = np.einsum("fji,fjk->fik", true, np.array([s.T_camera_head[:3, :3] for s in states]))
    return rotation_vectors(off, mean_rotation(off))


def mean_rotation(R: Doubles) -> Doubles:
    """(3, 3) the rotation closest to (F, 3, 3)."""
    u, _, vt = np.linalg.svd(R.mean(0))
    return np.asarray(u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt)


def rotation_vectors(R: Doubles, reference: Doubles) -> Doubles:
    """(F, 3) small rotations from the reference to each, radians."""
    off = R @ reference.T
    return 0.5 * np.stack(
        [off[:, 2, 1] - off[:, 1, 2], off[:, 0, 2] - off[:, 2, 0], off[:, 1, 0] - off[:, 0, 1]], 1
    )


def angle_series(R: Doubles) -> tuple[Doubles, Doubles]:
    """Yaw and pitch (F,), radians, for correlation."""
    forward = R[:, :, 2]
    return np.asarray(np.arcsin(forward[:, 0])), np.asarray(np.arcsin(-forward[:, 1]))


def lag(measured: Doubles, true: Doubles, reach: int = 6) -> float:
    """Frames by which ``measured`` comes later than ``true``; negative when it leads."""
    shifts = np.arange(-reach, reach + 1)
    inner = slice(reach, len(true) - reach)
    values = np.array([correlation(np.roll(measured, -s)[inner], true[inner]) for s in shifts])
    best = int(np.clip(values.argmax(), 1, len(shifts) - 2))
    before, peak, after = values[best - 1 : best + 2]
    return float(shifts[best] + 0.5 * (before - after) / (before - 2 * peak + after))


def correlation(a: Doubles, b: Doubles) -> float:
    """Pearson's; 0 for a constant."""
    a, b = a - a.mean(), b - b.mean()
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 1e-12 else 0.0


def detrended(series: Doubles, half: int = 4) -> Doubles:
    """(F, 3) less a parabola through the frames around each."""
    t = np.arange(-half, half + 1)
    middle = np.linalg.pinv(np.stack([np.ones_like(t), t, t * t], 1))[0]
    smooth = np.stack([np.convolve(column, middle[::-1], "valid") for column in series.T], 1)
    return np.asarray(series[half:-half] - smooth)


def rms(values: Any) -> float:
    """Root mean square of all numbers."""
    return float(np.sqrt(np.mean(np.square(values))))


def as_markdown(table: dict[str, dict[str, float]]) -> str:
    """The figures, one row each."""
    columns = list(table)
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for row in table[columns[0]]:
        lines.append(f"| {row} | " + " | ".join(f"{table[c][row]:.3g}" for c in columns) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
