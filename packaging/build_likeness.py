"""Find ``resources/likeness.npz``: the directions in which people's faces differ.

Renders invented people several times each and takes Fisher's linear discriminants of the gradients
of their aligned faces, and the spread of what the face network sees of them (see
``hrn_studio/live/likeness.py``)::

    python packaging/build_likeness.py [--people 240] [--seed 77]

The limit is set where one in a hundred pairs of pictures of one person, in a second set of renders,
would be told apart.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy.linalg import eigh

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hrn_studio.errors import NoFaceError  # noqa: E402
from hrn_studio.face.landmarks import load_embedding  # noqa: E402
from hrn_studio.face.model import load_head  # noqa: E402
from hrn_studio.geometry.transforms import apply  # noqa: E402
from hrn_studio.live import features  # noqa: E402
from hrn_studio.live.facemesh import yaw_deg  # noqa: E402
from hrn_studio.live.likeness import LOOKS, Likeness, differences, gradients  # noqa: E402
from hrn_studio.live.likeness import Look as Seen  # noqa: E402
from hrn_studio.live.network import load_network  # noqa: E402
from hrn_studio.live.tracker import MediaPipeTracker  # noqa: E402
from hrn_studio.records import Coefficients, Doubles, Floats, Frame  # noqa: E402
from hrn_studio.training import sample  # noqa: E402
from hrn_studio.training.render import draw_person, picture  # noqa: E402
from hrn_studio.training.stage import make_stage  # noqa: E402

PICTURES = 3
COMPONENTS, DIRECTIONS = 80, 25
SIZE = 300
TELLING = 0.43
"""Least standard deviation of the network's answers in a component that it can tell: what a
calibrated answer with an error of 0.9 has."""
DOUBT = 99
"""Percentile of the differences within one person above which two pictures show two."""


def main() -> None:
    """Render, analyse, write, and say how well people are told apart."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=240)
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--output", type=Path, default=ROOT / "resources" / "likeness.npz")
    options = parser.parse_args()
    head = load_head()
    reference = load_embedding().points(head.mean).astype(np.float64)
    seen, shapes, yaws, who = render(options.people, options.seed, reference)
    spread = shapes.std(0)
    spread[spread < TELLING] = 0
    told = spread > 0
    shapes = shapes[:, told] / spread[told]
    print(f"{told.sum()} components")
    train = who % 2 == 0
    mean, directions = discriminants(seen[train], who[train])
    places = (seen - mean) @ directions
    trial = [Seen(p, s, float(y)) for p, s, y in zip(places, shapes, yaws, strict=True)]
    held = np.flatnonzero(~train)
    pairs = [(i, j) for i in held for j in held if i < j]
    apart = [differences(trial[i], trial[j]) for i, j in pairs if who[i] == who[j]]
    usual = tuple(float(v) for v in np.median(apart, axis=0))
    mean_all, directions_all = discriminants(seen, who)
    found = Likeness(
        mean_all, directions_all, reference, spread, (usual[0], usual[1]), 0.0, load_network()
    )
    same, other = (
        np.array(
            [found.difference(trial[i], trial[j]) for i, j in pairs if (who[i] == who[j]) == k]
        )
        for k in (True, False)
    )
    limit = float(np.percentile(same, DOUBT))
    print(f"one person: median {np.median(same):.2f}, at most {same.max():.2f}; limit {limit:.2f}")
    print(f"different people: {np.mean(other > limit):.0%} of pairs told apart")
    partial = options.output.with_suffix(".partial.npz")
    np.savez_compressed(
        partial,
        mean=found.mean,
        directions=found.directions.astype(np.float16),
        reference=found.reference.astype(np.float32),
        spread=found.spread,
        usual=np.array(found.usual, np.float32),
        limit=np.float32(limit),
    )
    partial.replace(options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e3:.0f} kB")


def render(people: int, seed: int, reference: Doubles) -> tuple[Floats, Floats, Floats, Floats]:
    """Of tracked renders: gradients (N, 1296), the network's identities (N, I), yaws (N,) in
    degrees and person numbers (N,)."""
    head = load_head()
    stage, tracker, network = make_stage(head), MediaPipeTracker("still"), load_network()
    seen, shapes, yaws, who = [], [], [], []
    for person in range(people):
        rng = np.random.default_rng([seed, person])
        identity = sample.draw_coefficients(rng, head).identity
        paint = draw_person(rng, stage)
        for _ in range(PICTURES):
            face = sample.draw_coefficients(rng, head, 0.5)
            face = Coefficients(identity, face.expression, face.gaze)
            webcam = sample.draw_webcam(rng)
            T = sample.draw_pose(rng, webcam, 30, 15, 12)
            points = sample.face_points(head, apply(T, head.evaluate(face)).astype(np.float32))
            camera = sample.crop_camera(rng, points, webcam, SIZE)
            frame = Frame(picture(stage, rng, paint, face, T, camera, detail=1.0).image)
            try:
                track = tracker.track(frame)
            except NoFaceError:
                continue
            seen.append(gradients(features.aligned_crop(frame, track, reference)))
            shapes.append(network.see(frame, track, LOOKS).estimate.identity)
            yaws.append(yaw_deg(track.points_px, track.depth_px))
            who.append(person)
        print(f"\r{person + 1} people", end="", flush=True)
    print()
    numbers = (np.array(yaws, np.float32), np.array(who, np.float32))
    return np.array(seen), np.array(shapes), *numbers


def discriminants(seen: Floats, who: Floats) -> tuple[Floats, Floats]:
    """Mean (1296,) and directions (1296, K), scaled to one deviation within a person."""
    mean = seen.mean(0)
    _, s, vt = np.linalg.svd(seen - mean, full_matrices=False)
    to_components = (vt[:COMPONENTS].T / s[:COMPONENTS]) * np.sqrt(len(seen))
    z = (seen - mean) @ to_components
    people = [z[who == person] for person in np.unique(who)]
    inside = np.concatenate([x - x.mean(0) for x in people])
    within = inside.T @ inside / max(len(inside) - len(people), 1)
    within = 0.8 * within + 0.2 * np.eye(len(within)) * np.trace(within) / len(within)
    between = np.cov(np.array([x.mean(0) for x in people]).T)
    values, vectors = eigh(between, within)
    best = vectors[:, np.argsort(values)[::-1][:DIRECTIONS]]
    return mean, np.asarray(to_components @ best, np.float32)


if __name__ == "__main__":
    main()
