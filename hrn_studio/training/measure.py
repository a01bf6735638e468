"""How good a network is: its errors on renders held back from training, by kind of picture."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hrn_studio.errors import UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Bools, Doubles, Floats, Progress
from hrn_studio.training.augment import vary
from hrn_studio.training.groups import groups
from hrn_studio.training.learn import batch_of
from hrn_studio.training.networks import Answer, split
from hrn_studio.training.pool import HELD_BACK, MM_PER_UNIT, Prepared, Preparer, joined
from hrn_studio.training.shards import read_shard, shards_in
from hrn_studio.training.shipped import Asked, asked
from hrn_studio.training.targets import Metric, make_metric

_BATCH = 50
_RESTING = 0.1
"""A face whose expressions, but for where it looks, are all weaker is at rest."""
_WITHIN = (2.2957, 6.1801)
"""Squared distances in deviations within which 68.3 % and 95.4 % of a plane's normal errors lie."""


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """Of N pictures, each (N,)."""

    points_mm: Doubles
    """Mean distance of the dense landmarks in the picture, on a head of average size."""
    shape_mm: Doubles
    """Root mean square over the face that the identity's error comes to, similarity taken out."""
    expression_mm: Doubles
    """That the expressions' errors come to."""
    angle_deg: Doubles
    """Root mean square of yaw, pitch and roll."""
    points_calibration: Doubles
    """Mean square of the landmarks' errors in their stated deviations; 1 is what it should be."""
    points_68: Doubles
    """Share of the landmarks within the region that should hold 68.3 %."""
    points_95: Doubles
    """... 95.4 %."""
    identity_calibration: Doubles
    """Mean square of the identity's errors in their stated deviations."""
    identity_68: Doubles
    """Share of its coefficients within one stated deviation."""
    expression_calibration: Doubles
    """Of the expressions."""
    mirror_points_mm: Doubles
    """Mean distance between the landmarks of a picture and of its mirror image, put back."""
    mirror_shape_mm: Doubles
    """The same of the shapes, as ``shape_mm``."""

    def table(self, mask: Bools) -> dict[str, float]:
        """Figures of the pictures in a mask (N,): squares are averaged as squares."""
        count = int(mask.sum())
        result: dict[str, float] = {"pictures": count}
        for item in fields(self):
            values = getattr(self, item.name)[mask]
            squared = item.name in _SQUARED
            mean = float(np.square(values).mean() ** 0.5 if squared else values.mean())
            result[item.name] = mean
        result["shape_mm_error"] = _error_of_rms(self.shape_mm[mask])
        return {
            name: value**0.5 if name.endswith("calibration") else value
            for name, value in result.items()
        }


_SQUARED = ("shape_mm", "expression_mm", "angle_deg", "mirror_shape_mm")


def _error_of_rms(values: Doubles) -> float:
    """Standard error of a root mean square (delta method)."""
    squares = np.square(values)
    mean = float(squares.mean())
    return float(squares.std() / np.sqrt(max(len(squares), 1)) / (2 * np.sqrt(max(mean, 1e-12))))


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured."""

    pictures: int
    seed: int
    everything: dict[str, float]
    """As :meth:`Errors.table`."""
    groups: dict[str, dict[str, dict[str, float]]]
    """The same by what pictures are told apart by, and by group."""
    baseline: dict[str, float]
    """Errors of the mean head and no expression: what knowing nothing comes to."""
    landmarks: int
    megabytes: float

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def measure(
    path: Path,
    folder: Path,
    seed: int,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    most: int = 2000,
) -> Generator[Progress, None, Report]:
    """Measure a network as it ships, or a checkpoint, on the shards that training holds back.

    Those are every tenth.  The crops are placed by the true landmarks, as in training.

    Raises
    ------
    ModelDataError
        The network or the pictures are damaged, or the network is of another head.
    UsageError
        The folder has no held-back pictures of that seed.
    """
    network = asked(path, head)
    layout = network.layout
    preparer, metric = Preparer(head, embedding, layout), make_metric(head, layout)
    held = held_shards(folder, seed)
    seen: list[Prepared] = []
    errors: list[Errors] = []
    for number, shard in enumerate(held):
        yield Progress("measure", number / len(held), f"{sum(map(len, seen))} pictures")
        seen.append(preparer.prepare(read_shard(shard)))
        errors.append(errors_of(network, seen[-1], metric))
        if sum(map(len, seen)) >= most:
            break
    whole, pictures = _concatenated(errors), joined(seen)
    looks = [name.startswith("eyeLook") for name in head.expression_names]
    resting = pictures.expression[:, ~np.array(looks)].max(1) < _RESTING
    parts = groups(pictures.traits, pictures.angles, resting)
    everything = np.ones(len(pictures), np.bool_)
    return Report(
        pictures=len(pictures),
        seed=seed,
        everything=whole.table(everything),
        groups={
            title: {name: whole.table(mask) for name, mask in masks.items() if mask.any()}
            for title, masks in parts.items()
        },
        baseline=_baseline(pictures, metric),
        landmarks=len(layout.vertices),
        megabytes=network.megabytes,
    )


def held_shards(folder: Path, seed: int) -> list[Path]:
    """The shards that training holds back.

    Raises
    ------
    UsageError
        There are none.
    """
    held = [p for p in shards_in(folder, seed) if int(p.stem.split("-")[1]) % HELD_BACK == 0]
    if not held:
        raise UsageError(
            f"'{folder}' has no held-back pictures of seed {seed}; make them with "
            f"'hrn-studio train render {folder} --seed {seed}'"
        )
    return held


def errors_of(network: Asked, pictures: Prepared, metric: Metric) -> Errors:
    """The errors of each picture."""
    rng = np.random.default_rng(0)
    parts = []
    for start in range(0, len(pictures), _BATCH):
        rows = np.arange(start, min(start + _BATCH, len(pictures)))
        truth = vary(batch_of(pictures, rows), network.mirror, rng)
        crops = truth.crops.numpy()
        layout = network.layout
        plain = split(torch.from_numpy(network.read(crops)), layout)
        mirrored = split(torch.from_numpy(network.read(crops[..., ::-1])), layout)
        parts.append(_errors(plain, mirrored, pictures, rows, network, metric))
    return _concatenated(parts)


def _errors(
    plain: Answer,
    mirrored: Answer,
    pictures: Prepared,
    rows: Any,
    network: Asked,
    metric: Metric,
) -> Errors:
    mirror = network.mirror

    def numbers(values: torch.Tensor) -> Doubles:
        return values.numpy().astype(np.float64)

    points = numbers(plain.points)
    off = np.square(points - pictures.points[rows].astype(np.float64)).sum(2)
    scaled = off / np.exp(2 * numbers(plain.log_sigma))
    identity = numbers(plain.identity) - pictures.identity[rows]
    expression = numbers(plain.expression) - pictures.expression[rows]
    angles = np.degrees(numbers(plain.angles) - pictures.angles[rows])
    deviation = np.exp(numbers(plain.log_coefficient))
    count = identity.shape[1]
    relative = np.square(np.concatenate([identity, expression], 1) / deviation)
    back = numbers(mirrored.points)[:, mirror.points] * [-1, 1]
    turned = numbers(mirrored.identity) * mirror.identity - numbers(plain.identity)
    return Errors(
        points_mm=np.sqrt(off).mean(1) * MM_PER_UNIT,
        shape_mm=_distance(identity, metric.identity),
        expression_mm=_distance(expression, metric.expression),
        angle_deg=np.sqrt(np.square(angles).mean(1)),
        points_calibration=scaled.mean(1) / 2,
        points_68=(scaled < _WITHIN[0]).mean(1),
        points_95=(scaled < _WITHIN[1]).mean(1),
        identity_calibration=relative[:, :count].mean(1),
        identity_68=(relative[:, :count] < 1).mean(1),
        expression_calibration=relative[:, count:].mean(1),
        mirror_points_mm=np.linalg.norm(back - points, axis=2).mean(1) * MM_PER_UNIT,
        mirror_shape_mm=_distance(turned, metric.identity),
    )


def _distance(errors: Doubles, metric: Doubles) -> Doubles:
    return np.asarray(np.sqrt(np.einsum("bi,ij,bj->b", errors, metric, errors)))


def _concatenated(parts: list[Errors]) -> Errors:
    return Errors(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Errors)))


def _baseline(pictures: Prepared, metric: Metric) -> dict[str, float]:
    points = pictures.points.astype(np.float64)
    away = np.linalg.norm(points - points.mean(0), axis=2).mean(1) * MM_PER_UNIT

    def rms(values: Floats, weights: Doubles) -> float:
        return float(np.square(_distance(values.astype(np.float64), weights)).mean() ** 0.5)

    return {
        "points_mm": float(away.mean()),
        "shape_mm": rms(pictures.identity, metric.identity),
        "expression_mm": rms(pictures.expression, metric.expression),
        "angle_deg": float(np.degrees(np.square(pictures.angles).mean() ** 0.5)),
    }
