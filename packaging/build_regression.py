"""Train ``resources/regression.npz``: what a tracked face says of the default head's coefficients.

Renders sampled heads, tracks them as the program does, and fits the maps of
``hrn_studio/live/regression.py`` to what the tracker and the aligned crop show::

    python packaging/build_regression.py [--count 19000] [--jobs 2] [--seed 3] [--cache FOLDER]

Rendering takes most of the time (about 7 pictures a second and core) and is kept in the cache
folder, so that training alone can be repeated.  The same seed and count give the same file on the
same versions of the libraries and of the people drawn: the file that comes with the program is from
those of revision fb97315.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.linalg import cho_factor, cho_solve

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hrn_studio.errors import NoFaceError  # noqa: E402
from hrn_studio.face.landmarks import load_embedding  # noqa: E402
from hrn_studio.face.mirror import mirror_expressions, mirror_signs  # noqa: E402
from hrn_studio.face.model import HeadModel, load_head  # noqa: E402
from hrn_studio.live import features  # noqa: E402
from hrn_studio.live.facemesh import MIRROR  # noqa: E402
from hrn_studio.live.tracker import MediaPipeTracker  # noqa: E402
from hrn_studio.records import Bytes, Camera, Doubles, Floats, Frame, Track  # noqa: E402
from hrn_studio.training.render import render_sample  # noqa: E402
from hrn_studio.training.stage import make_stage  # noqa: E402
from hrn_studio.training.variety import Variety  # noqa: E402

BATCH = 250
IDENTITIES = 60
SIZE = 300
"""Pixels a side of the rendered pictures."""
VARIETY = Variety(lights=0.5, covered=0.1, restyled=0.7, portrait=0.15)


def main() -> None:
    """Render (or take from the cache), train, write, and say how good the maps are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("build/regression"))
    parser.add_argument("--output", type=Path, default=ROOT / "resources" / "regression.npz")
    parser.add_argument("--strength", type=float, default=0.3, help="of the ridge penalty")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    parts = [
        (options.seed, start, min(start + BATCH, options.count), options.cache)
        for start in range(0, options.count, BATCH)
    ]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for number, _ in enumerate(pool.map(render_batch, parts)):
            print(f"\r{min((number + 1) * BATCH, options.count)} pictures", end="", flush=True)
        print()
        batches = list(pool.map(read_file, [_file(*part) for part in parts]))
    head, embedding = load_head(), load_embedding()
    reference = embedding.points(head.mean).astype(np.float64)
    x, y = (np.concatenate(values) for values in zip(*batches, strict=True))
    del batches
    arrays: dict[str, Any] = train(x, y, options.strength)
    arrays["reference"] = reference
    arrays["counts"] = np.array([IDENTITIES, head.expression_count])
    partial = options.output.with_suffix(".partial.npz")
    np.savez_compressed(partial, **arrays)
    partial.replace(options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")


def _file(seed: int, start: int, end: int, cache: Path) -> Path:
    return cache / f"{seed}-{start:06d}-{end:06d}.npz"


def render_batch(part: tuple[int, int, int, Path]) -> int:
    """Tracks, crops and truth of pictures ``start`` to ``end``, to a file; how many are new."""
    seed, start, end, _ = part
    target = _file(*part)
    if target.exists():
        return 0
    head, embedding = load_head(), load_embedding()
    reference = embedding.points(head.mean).astype(np.float64)
    tracker, stage = MediaPipeTracker("still"), make_stage(head)
    rows: dict[str, list[Any]] = {"points": [], "crop": [], "camera": [], "truth": []}
    for index in range(start, end):
        rng = np.random.default_rng([seed, index])
        sample = render_sample(stage, rng, size=SIZE, detail=1.0, neutral=0.6, variety=VARIETY)
        frame = Frame(sample.image)
        try:
            track = tracker.track(frame)
        except NoFaceError:
            continue
        c = sample.coefficients
        rows["points"].append(np.column_stack([track.points_px, track.depth_px]))
        rows["crop"].append(features.aligned_crop(frame, track, reference))
        rows["camera"].append([sample.camera.focal_px, *sample.camera.center_px])
        rows["truth"].append(np.concatenate([c.identity, c.expression]))
    partial = target.with_suffix(".partial.npz")
    np.savez_compressed(partial, **{name: np.array(values) for name, values in rows.items()})
    partial.replace(target)
    return len(rows["truth"])


def read_batch(path: Path, head: HeadModel, reference: Doubles) -> tuple[Floats, Floats]:
    """Features and truth of a file's pictures, each followed by its mirror image."""
    signs, swapped = mirror_signs(head), mirror_expressions(head)
    x, y = [], []
    with np.load(path) as file:
        rows = list(zip(file["points"], file["crop"], file["camera"], file["truth"], strict=True))
    for points, crop, (focal, *center), truth in rows:
        track = Track(points[:, :2], points[:, 2])
        camera = Camera(SIZE, SIZE, float(focal), (float(center[0]), float(center[1])))
        identity, expression = truth[: head.identity_count], truth[head.identity_count :]
        x.append(_features(track, crop, reference, camera))
        y.append(np.concatenate([identity[:IDENTITIES], expression]))
        flipped = replace(camera, center_px=(SIZE - camera.center_px[0], camera.center_px[1]))
        turned = np.ascontiguousarray(crop[:, ::-1])
        x.append(_features(_mirrored(track), turned, reference, flipped))
        y.append(np.concatenate([(identity * signs)[:IDENTITIES], expression[swapped]]))
    return np.array(x, np.float32), np.array(y, np.float32)


def _mirrored(track: Track) -> Track:
    points, order = track.points_px.copy(), list(MIRROR)
    points[:, 0] = SIZE - points[:, 0]
    return replace(track, points_px=points[order], depth_px=track.depth_px[order])


def read_file(path: Path) -> tuple[Floats, Floats]:
    """The same for the head and the landmarks that come with the program."""
    head, embedding = load_head(), load_embedding()
    return read_batch(path, head, embedding.points(head.mean).astype(np.float64))


def _features(track: Track, crop: Bytes, reference: Doubles, camera: Camera) -> Floats:
    landmarks = features.landmark_features(track, reference, camera)
    return np.concatenate([landmarks, features.appearance_features(crop)])


def train(x: Floats, y: Floats, strength: float) -> dict[str, Floats]:
    """Ridge regression from features (N, F) to truth (N, O); prints how good it is.

    Picture and mirror image follow each other; a tenth of the pairs is held back to measure the
    errors, then all are used.
    """
    held = np.arange(len(x)) // 2 % 10 == 0
    mean, deviation = x.mean(0), x.std(0) + 1e-3
    z = np.clip((x - mean) / deviation, -5, 5)
    balance = np.concatenate([np.full(n, n**-0.5, np.float32) for n in features.BLOCKS])
    z *= balance
    bias = y.mean(0)
    yaw = features.BLOCKS[0] - features.POSE_FEATURES
    weight = _emphasis(x[:, yaw], x[:, yaw + 1])
    trial = _ridge(z[~held], y[~held] - bias, weight[~held], strength)
    error = np.sqrt(np.square(z[held] @ trial + bias - y[held]).mean(0))
    share = error / np.maximum(y[held].std(0), 1e-6)
    print("identity: error / spread of the first eight", np.round(share[:8], 2))
    print("identity: all", round(float(share[:IDENTITIES].mean()), 3))
    print("expressions:", round(float(share[IDENTITIES:].mean()), 3))
    weights = _ridge(z, y - bias, weight, strength) * balance[:, None]
    return {
        "mean": mean.astype(np.float32),
        "deviation": deviation.astype(np.float32),
        "weights": weights.astype(np.float16),
        "bias": bias.astype(np.float32),
        "sigma": error.astype(np.float32),
    }


def _emphasis(yaw: Floats, pitch: Floats) -> Floats:
    """(N,) how much each picture counts: most, faces seen squarely, for people give those."""
    return np.asarray(np.exp(-np.square(yaw / 0.35) - np.square(pitch / 0.3)) + 0.03, np.float32)


def _ridge(z: Floats, y: Floats, weight: Floats, strength: float) -> Floats:
    """Weights (F, O); the penalty is a share of the mean feature's own energy."""
    weighted = z * weight[:, None]
    gram = weighted.T @ z
    gram[np.diag_indices(len(gram))] += strength * np.trace(gram) / len(gram)
    return np.asarray(cho_solve(cho_factor(gram), weighted.T @ y), np.float32)


if __name__ == "__main__":
    main()
