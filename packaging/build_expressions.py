"""Train ``resources/expressions.npz``: how a face differs from the same face at rest.

Needs the pictures that ``packaging/build_regression.py`` rendered (the same cache folder) and its
maps, and renders some more: invented people several times each in one light, at rest and moved
(see ``hrn_studio/live/expressions.py``)::

    python packaging/build_expressions.py [--people 180] [--cache FOLDER] [--jobs 2]

The pictures of single people tell the response of the features to expression, pose and identity.
Those of one person tell what remains when that is taken out: the noise within a person.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from build_regression import IDENTITIES, SIZE, read_batch  # noqa: E402

from hrn_studio.errors import NoFaceError  # noqa: E402
from hrn_studio.face.landmarks import load_embedding  # noqa: E402
from hrn_studio.face.mirror import mirror_expressions  # noqa: E402
from hrn_studio.face.model import HeadModel, load_head  # noqa: E402
from hrn_studio.geometry.transforms import apply  # noqa: E402
from hrn_studio.live import features  # noqa: E402
from hrn_studio.live.expressions import ExpressionMaps  # noqa: E402
from hrn_studio.live.regression import RegressionMaps, read_maps  # noqa: E402
from hrn_studio.live.tracker import MediaPipeTracker  # noqa: E402
from hrn_studio.records import Bools, Coefficients, Doubles, Floats, Frame, Ints  # noqa: E402
from hrn_studio.training import light, sample  # noqa: E402
from hrn_studio.training.render import draw_person, picture  # noqa: E402
from hrn_studio.training.stage import make_stage  # noqa: E402

SEED = 4711
AT_REST, MOVED = 5, 8
"""Pictures of each person."""
DIAGONAL = 0.4
"""The noise's covariance is drawn this far towards its diagonal: people are few."""
PRIOR = (10.0, 4.0)
"""Cost of a weight's square and of a weight: it is 0 most of the time."""
AT_REST_LEAST = 0.8
"""Pictures at rest and from the front, of one person, that are enough."""
TURNED_SHARE = 0.5
"""Of the noise of turned heads: with all of it the weights of moved faces became too small."""
TURNED_KEEPS = ("browInnerUp",)
"""Its correlation on turned heads of people held back fell by a tenth, that of others rose."""
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
LEAST_FULL = 0.5
"""No weight is stretched more than to its double, and uncertain ones less: noise grows with it."""
ANSWERS = 10.0
"""Brings the regression maps' answers to about the size of the landmarks' millimetres."""
LANDMARKS = features.BLOCKS[0] - features.POSE_FEATURES


def main() -> None:
    """Render (or take from the cache), train, write, and say how good the maps are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--people", type=int, default=180)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("build/regression"))
    parser.add_argument("--output", type=Path, default=ROOT / "resources" / "expressions.npz")
    options = parser.parse_args()
    folder = options.cache / "people"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{SEED}-{person:04d}.npz" for person in range(options.people)]
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        for number, _ in enumerate(pool.map(render_person, files)):
            print(f"\r{number + 1} people", end="", flush=True)
    print()
    head, maps = load_head(), read_maps()
    singles = sorted(options.cache.glob("*.npz"))
    response, pose = responses(singles, head, maps)
    seen = read_people(files, head, maps)
    found = train(seen, seen.who >= 0, response, pose, maps)
    turned = turned_noise(seen, found, maps, head)
    share, full = compare(seen, response, pose, maps, head)
    partial = options.output.with_suffix(".partial.npz")
    np.savez_compressed(
        partial,
        mean=found.mean,
        deviation=found.deviation,
        evidence_map=found.evidence_map.astype(np.float16),
        precision=found.precision.astype(np.float32),
        prior=found.prior.astype(np.float32),
        share=share,
        full=full,
        turned=turned.astype(np.float32),
    )
    partial.replace(options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")


def render_person(target: Path) -> None:
    """Tracks, crops and truth of one person's pictures, to a file; the first ones are at rest."""
    if target.exists():
        return
    head, stage, tracker = _tools()
    reference = load_embedding().points(head.mean).astype(np.float64)
    seed, person = (int(part) for part in target.stem.split("-"))
    rng = np.random.default_rng([seed, person])
    identity = sample.draw_coefficients(rng, head).identity
    paint, lights, webcam = draw_person(rng, stage), light.draw_light(rng), sample.draw_webcam(rng)
    rows: dict[str, list[Any]] = {"points": [], "crop": [], "camera": [], "truth": [], "rest": []}
    for index in range(AT_REST + MOVED):
        at_rest = index < AT_REST
        drawn = sample.draw_coefficients(rng, head, 1.0 if at_rest else 0.0)
        face = Coefficients(identity, drawn.expression, drawn.gaze)
        T = sample.draw_pose(rng, webcam, 35, 20, 15)
        points = sample.face_points(head, apply(T, head.evaluate(face)).astype(np.float32))
        camera = sample.crop_camera(rng, points, webcam, SIZE)
        shown = picture(stage, rng, paint, face, T, camera, lights=lights, detail=1.0)
        frame = Frame(shown.image)
        try:
            track = tracker.track(frame)
        except NoFaceError:
            continue
        rows["points"].append(np.column_stack([track.points_px, track.depth_px]))
        rows["crop"].append(features.aligned_crop(frame, track, reference))
        rows["camera"].append([camera.focal_px, *camera.center_px])
        rows["truth"].append(np.concatenate([identity, face.expression]))
        rows["rest"].append(at_rest)
    partial = target.with_suffix(".partial.npz")
    np.savez_compressed(partial, **{name: np.array(values) for name, values in rows.items()})
    partial.replace(target)


_made: list[Any] = []


def _tools() -> Any:
    """Head, stage and tracker, made once in each process."""
    if not _made:
        head = load_head()
        _made.extend([head, make_stage(head), MediaPipeTracker("still")])
    return _made


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """N pictures of people."""

    x: Floats
    """(N, F) features."""
    expression: Floats
    """(N, E) what they really show."""
    who: Ints
    """(N,) number of the person; a mirror image is another one."""
    rest: Bools
    """(N,) whether the face is at rest."""


def read_people(files: list[Path], head: HeadModel, maps: RegressionMaps) -> People:
    """Each person and, as another one, the mirror image."""
    x, y, who, rest = [], [], [], []
    for number, path in enumerate(files):
        with np.load(path) as file:
            at_rest = file["rest"]
        if at_rest.sum() < 3:
            continue
        values, truth = read_batch(path, head, maps.reference)
        x.append(values)
        y.append(truth[:, IDENTITIES:])
        who.append(2 * number + np.arange(len(truth)) % 2)
        rest.append(np.repeat(at_rest, 2))
    return People(np.concatenate(x), np.concatenate(y), np.concatenate(who), np.concatenate(rest))


def standardised(x: Floats, maps: RegressionMaps) -> Floats:
    """Features as the maps look at them."""
    return np.asarray(np.clip((x - maps.mean) / maps.deviation, -5, 5), np.float32)


def measurements(x: Floats, maps: RegressionMaps) -> Doubles:
    """(N, M) landmarks in millimetres and the regression maps' answers, from features (N, F)."""
    z = standardised(x, maps)
    answers = z @ maps.weights[:, maps.identity_count :]
    landmarks = z[:, :LANDMARKS] * maps.deviation[:LANDMARKS]
    return np.asarray(np.concatenate([landmarks, ANSWERS * answers], axis=1), np.float64)


def responses(files: list[Path], head: HeadModel, maps: RegressionMaps) -> tuple[Doubles, Doubles]:
    """What measurements change by with each expression (E, M), and with the pose (P, M)."""
    where = slice(LANDMARKS, LANDMARKS + features.POSE_FEATURES)
    gram: Any = 0.0
    moment: Any = 0.0
    for path in files:
        x, truth = read_batch(path, head, maps.reference)
        pose = standardised(x, maps)[:, where]
        design = np.concatenate(
            [truth[:, IDENTITIES:], pose, truth[:, :IDENTITIES], np.ones((len(x), 1))], axis=1
        ).astype(np.float64)
        gram = gram + design.T @ design
        moment = moment + design.T @ measurements(x, maps)
    count, posed = head.expression_count, features.POSE_FEATURES
    ridge = np.full(len(gram), 1e-6)
    ridge[:count] = 6.0
    ridge[count + posed : -1] = 200.0
    found = np.linalg.solve(gram + np.diag(ridge), moment)
    return found[:count], found[count : count + posed]


def without_pose(x: Floats, pose: Doubles, maps: RegressionMaps) -> Doubles:
    """(N, M) measurements less what all people's change by with the pose."""
    where = slice(LANDMARKS, LANDMARKS + features.POSE_FEATURES)
    return np.asarray(measurements(x, maps) - standardised(x, maps)[:, where] @ pose)


def train(
    seen: People, chosen: Bools, response: Doubles, pose: Doubles, maps: RegressionMaps
) -> ExpressionMaps:
    """The maps from the ``chosen`` pictures' noise within people; shares are still to be found."""
    left = without_pose(seen.x[chosen], pose, maps) - seen.expression[chosen] @ response
    who = seen.who[chosen]
    for person in np.unique(who):
        own = who == person
        left[own] = (left[own] - left[own].mean(0)) * np.sqrt(own.sum() / max(own.sum() - 1, 1))
    noise = left.T @ left / len(left)
    noise *= 1 - DIAGONAL
    spread = np.diag(noise) / (1 - DIAGONAL)
    noise[np.diag_indices(len(noise))] += DIAGONAL * spread + 1e-4
    evidence = np.linalg.solve(noise, response.T)  # (M, E)
    to_features = np.zeros((seen.x.shape[1], evidence.shape[1]))
    to_features[:LANDMARKS] = maps.deviation[:LANDMARKS, None] * evidence[:LANDMARKS]
    answers = maps.weights[:, maps.identity_count :].astype(np.float64)
    to_features += ANSWERS * answers @ evidence[LANDMARKS:]
    where = slice(LANDMARKS, LANDMARKS + features.POSE_FEATURES)
    to_features[where] -= pose @ evidence
    return ExpressionMaps(
        mean=maps.mean,
        deviation=maps.deviation,
        evidence_map=to_features.astype(np.float32),
        precision=response @ evidence,
        prior=np.array(PRIOR),
        share=np.ones(len(response), np.float32),
        full=np.ones(len(response), np.float32),
        turned=np.zeros((3, len(response), len(response)), np.float32),
    )


def turned_noise(
    seen: People, found: ExpressionMaps, maps: RegressionMaps, head: HeadModel
) -> Doubles:
    """(3, E, E) see :attr:`hrn_studio.live.expressions.ExpressionMaps.turned`.

    What is left of the evidence when the truth and the person at rest, seen from about the front,
    are taken out, is given to a constant and to the squares of the angles.
    """
    evidence = standardised(seen.x, maps) @ found.evidence_map
    left = evidence - seen.expression @ found.precision.T
    yaw, pitch = seen.x[:, LANDMARKS : LANDMARKS + 2].astype(np.float64).T
    square = np.exp(-np.square(yaw / 0.45) - np.square(pitch / 0.4)) * seen.rest
    rows, rests = [], []
    for row, person in enumerate(seen.who):
        weight = square * (seen.who == person)
        weight[row] = 0
        if weight.sum() >= AT_REST_LEAST:
            rows.append(row)
            rests.append(weight @ left / weight.sum())
    left, yaw, pitch = left[rows] - np.array(rests), yaw[rows], pitch[rows]
    design = np.column_stack(
        [np.ones(len(yaw)), np.maximum(yaw, 0) ** 2, np.minimum(yaw, 0) ** 2, pitch**2]
    )
    products = np.einsum("ni,nj->nij", left, left).reshape(len(left), -1)
    count = left.shape[1]
    noise = np.linalg.lstsq(design, products, rcond=None)[0][1:].reshape(3, count, count)
    names, swap = head.expression_names, mirror_expressions(head)
    mirrored = noise[np.ix_(np.array([1, 0, 2]), swap, swap)]
    noise = np.array([_without_negative(one) for one in (noise + mirrored) / 2])
    kept = [names.index(name) for name in TURNED_KEEPS]
    noise[:, kept], noise[:, :, kept] = 0, 0
    return TURNED_SHARE * noise


def _without_negative(matrix: Doubles) -> Doubles:
    """The nearest symmetric matrix that is a covariance."""
    values, axes = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray((axes * np.maximum(values, 0)) @ axes.T)


def compare(
    seen: People, response: Doubles, pose: Doubles, maps: RegressionMaps, head: HeadModel
) -> tuple[Floats, Floats]:
    """Shares and full weights (E,) by what people held back show, left and right alike.

    Of shares that correlate as well the largest: its weights are less too small.
    """
    held = seen.who // 2 % 3 == 0
    trial = train(seen, ~held, response, pose, maps)
    x, rest, who = seen.x[held], seen.rest[held], seen.who[held]
    truth = seen.expression[held][~rest]
    evidence = standardised(x, maps) @ trial.evidence_map
    for person in np.unique(who):
        own = who == person
        evidence[own] -= evidence[own & rest].mean(0)
    found = np.array([trial.weights(row) for row in evidence])
    answers = standardised(x, maps) @ maps.weights + maps.bias
    told = np.clip(answers[:, maps.identity_count :], 0, 1)
    share, full = (np.ones(head.expression_count, np.float32) for _ in range(2))
    print("people held back: correlation and gain of the regression maps, these, and the mixture")
    names = head.expression_names
    for index, name in enumerate(names):
        if truth[:, index].std() < 1e-6 or name.startswith("eyeLook"):
            continue
        a, b, true = told[~rest, index], found[~rest, index], truth[:, index]
        scores = [_correlation(s * b + (1 - s) * a, true) for s in SHARES]
        good = [s for s, score in zip(SHARES, scores, strict=True) if score > 0.97 * max(scores)]
        other = names.index(name.replace("Right", "Left"))
        share[index] = share[other] if other < index else max(good)
        if name.startswith("eyeBlink"):
            share[index] = 0  # hrn_studio/live/regressor.py knows the regression maps' lids
        mixed = share[index] * b + (1 - share[index]) * a
        gains = [float(np.polyfit(true, values, 1)[0]) for values in (a, b, mixed)]
        if share[index] > 0:
            least = max(LEAST_FULL, 1 - _correlation(mixed, true))
            full[index] = full[other] if other < index else np.clip(gains[2], least, 1)
        pairs = zip((a, b, mixed), gains, strict=True)
        figures = "  ".join(f"{_correlation(v, true):5.2f} {gain:5.2f}" for v, gain in pairs)
        print(f"{name:20s} {figures}  share {share[index]:.2f} full {full[index]:.2f}")
    return share, full


def _correlation(a: Floats, b: Floats) -> float:
    """Pearson's; 0 for a constant."""
    a, b = a - a.mean(), b - b.mean()
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 1e-9 else 0.0


if __name__ == "__main__":
    main()
