"""Score the fit against a benchmark of pictures with known geometry.

The benchmark is a folder with ``manifest.json``, ``images/``, ``gt/`` and the scorer
``evaluate.py``; it is not part of the project::

    python packaging/measure_accuracy.py ../shared/bench [--out FOLDER] [--kind ict_front ...]

Every entry is fitted as ``hrn-studio reconstruct`` does, with no field of view given.  The captured
head of each stage and the unfitted mean head are written as OBJ files and scored; how far the
features of the posed head lie from those of the truth in the picture is measured as well.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hrn_studio.detail.bundle import BundleSettings, adjusting  # noqa: E402
from hrn_studio.detail.coarse import Coarse, CoarseSettings, measured, solve_coarse  # noqa: E402
from hrn_studio.detail.middle import MiddleSettings, deform_head  # noqa: E402
from hrn_studio.face.solver import LandmarkSolver  # noqa: E402
from hrn_studio.geometry.transforms import apply, project  # noqa: E402
from hrn_studio.live.images import read_image  # noqa: E402
from hrn_studio.live.matching import GrainMatcher  # noqa: E402
from hrn_studio.pipeline import Models, Options, finish, make_shot  # noqa: E402
from hrn_studio.records import Coefficients, Doubles, FaceState, Floats, Ints  # noqa: E402

IBUG = {
    "brows": ((70, 63, 105, 66, 107, 336, 296, 334, 293, 300), range(17, 27), 2, False),
    "nose": ((168, 197, 5, 4, 75, 97, 2, 326, 305), range(27, 36), 1, False),
    "lids": ((33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380), range(36, 48), 2, True),
    "lips": ((61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181), range(48, 60), 1, True),
    "lip line": ((78, 82, 13, 312, 308, 317, 14, 87), range(60, 68), 1, True),
}
"""FaceMesh points that answer to iBUG's 68, those, how many lines they make, and whether closed."""


def main() -> None:
    """Fit, write, score and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bench", type=Path)
    parser.add_argument("--out", type=Path, help="keep the heads and scores here")
    parser.add_argument("--kind", action="append", help="only entries of this kind")
    parser.add_argument("--network", action="store_true", help="with the face network")
    parser.add_argument("--share", type=float, help="of its identity beside the maps', 0..1")
    parser.add_argument("--no-points", action="store_true", help="leave its landmarks out")
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp())
    entries = json.loads((options.bench / "manifest.json").read_text())["entries"]
    entries = [e for e in entries if not options.kind or e["kind"] in options.kind]
    models = Models.load(network=options.network)
    if options.share is not None:
        models.estimator.shares = replace(models.estimator.shares, identity=options.share)
    solver = LandmarkSolver(models.head, models.embedding)
    skin = models.head.triangles[models.head.part_triangles("skin")]
    sizes: list[float] = []
    features: dict[str, dict[str, list[Doubles]]] = {"coarse": {}, "mid": {}}
    for entry in entries:
        frames = entry.get("frames", [entry])
        shots = [
            make_shot(models, read_image(options.bench / f["file"], i), Options())
            for i, f in enumerate(frames)
        ]
        if options.no_points:
            shots = [replace(shot, dense=None) for shot in shots]
        coarse = solve_coarse(models.head, solver, shots, CoarseSettings())
        coarse = finish(
            adjusting(models.head, solver, shots, coarse, GrainMatcher(), BundleSettings())
        )
        coarse = measured(models.head, shots, coarse)
        neutral = models.head.evaluate(
            Coefficients(coarse.identity.astype(np.float32), np.zeros(0, np.float32)),
            coarse.states[0].scale,
        )
        moved = deform_head(
            models.head,
            models.embedding,
            neutral,
            shots,
            coarse.states,
            list(coarse.weights),
            MiddleSettings(),
            coarse.offsets,
        )
        first = coarse.states[0]
        captured = models.head.evaluate(first.coefficients, first.scale)
        for stage, vertices in (
            ("mean", models.head.mean),
            ("coarse", captured),
            ("mid", captured + moved),
        ):
            write_obj(out / stage / f"{entry['id']}.obj", vertices, skin)
        for stage, offset in (("coarse", np.zeros_like(moved)), ("mid", moved)):
            for frame, state in zip(frames, coarse.states, strict=True):
                measure_features(
                    options.bench, entry, frame, models, state, offset, features[stage]
                )
        sizes.append(_scale_error(options.bench, entry, frames, coarse, models))
    models.close()
    for stage in ("mean", "coarse", "mid"):
        print(f"--- {stage}")
        score(options.bench, out / stage, options.kind)
    for stage, found in features.items():
        text = ", ".join(f"{k} {100 * np.median(np.concatenate(v)):.1f}" for k, v in found.items())
        print(f"features in the picture, {stage}, % of the eye distance (median): {text}")
    known = np.array([s for s in sizes if np.isfinite(s)])
    if len(known):
        print(
            f"eye distance with irises visible: {known.mean():+.1f} % on average, "
            f"{np.abs(known).max():.1f} % at worst, {len(known)} entries"
        )


def write_obj(path: Path, vertices: Floats | Doubles, triangles: Ints) -> None:
    """The skin in millimetres."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"v {x:.4f} {y:.4f} {z:.4f}" for x, y, z in np.asarray(vertices, np.float64) * 1000]
    lines += [f"f {a} {b} {c}" for a, b, c in np.asarray(triangles) + 1]
    path.write_text("\n".join(lines))


def measure_features(
    bench: Path,
    entry: dict[str, Any],
    frame: dict[str, Any],
    models: Models,
    state: FaceState,
    offset: Doubles,
    into: dict[str, list[Doubles]],
) -> None:
    """Add the distances of the truth's landmarks to the fitted head's lines, per eye distance."""
    truth = np.load(bench / entry["gt_neutral"])
    if "lm68" not in truth:
        return
    posed = np.load(bench / frame["gt_posed"])
    seen = posed["V_cam"][truth["lm68"]] @ posed["K"].T
    seen = seen[:, :2] / seen[:, 2:]
    vertices = models.head.evaluate(state.coefficients, state.scale) + offset
    points = models.embedding.points(vertices)
    ours = project(apply(state.T_camera_head, points), state.camera)
    eyes = np.linalg.norm(seen[36:42].mean(0) - seen[42:48].mean(0)) / np.cos(
        np.radians(frame["yaw"])
    )
    for name, (mesh, ibug, lines, closed) in IBUG.items():
        for part in np.split(np.arange(len(mesh)), lines):
            line = ours[np.array(mesh)[part]]
            line = np.vstack([line, line[:1]]) if closed else line
            into.setdefault(name, []).append(_to_line(seen[np.array(ibug)[part]], line) / eyes)


def _to_line(points: Doubles, line: Doubles) -> Doubles:
    """(N,) distance of points (N, 2) to a polyline."""
    a, d = line[:-1], np.diff(line, axis=0)
    share = ((points[:, None] - a) * d).sum(2) / np.maximum((d * d).sum(1), 1e-9)
    nearest = a + np.clip(share, 0, 1)[..., None] * d
    return np.asarray(np.linalg.norm(points[:, None] - nearest, axis=2).min(1))


def _scale_error(
    bench: Path,
    entry: dict[str, Any],
    frames: list[dict[str, Any]],
    coarse: Coarse,
    models: Models,
) -> float:
    """Percent by which the fitted head's distance between the eyes is off; NaN when unknown."""
    truth = np.load(bench / entry["gt_neutral"])
    if "pupil_L" not in truth or coarse.states[0].scale_source != "iris":
        return float("nan")
    centers = models.head.eye_centers(coarse.identity) * coarse.states[0].scale
    ours = float(np.linalg.norm(centers[0] - centers[1])) * 1000
    return 100 * (ours / float(np.linalg.norm(truth["pupil_L"] - truth["pupil_R"])) - 1)


def score(bench: Path, heads: Path, kinds: list[str] | None) -> None:
    """Run the benchmark's own scorer and print its means."""
    command = [sys.executable, str(bench / "evaluate.py"), "--pred-dir", str(heads)]
    command += ["--manifest", str(bench / "manifest.json"), "--jobs", "2"]
    command += ["--csv", str(heads / "scores.csv")]
    for kind in kinds or []:
        command += ["--kind", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(
        "\n".join(line for line in done.stdout.splitlines() if line.startswith(("entry", "MEAN")))
    )


if __name__ == "__main__":
    main()
