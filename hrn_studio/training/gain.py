"""What it costs and brings to look more often, or through more networks.

Asked is what the program uses, :meth:`hrn_studio.live.network.FaceNetwork.see`, about whole
pictures.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hrn_studio.errors import UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import apply, project
from hrn_studio.live.facecrop import SIDE_PX, Placement, place
from hrn_studio.live.network import FaceNetwork, Sight, load_network
from hrn_studio.records import Coefficients, Doubles, Frame, Progress, Track
from hrn_studio.training.measure import held_shards
from hrn_studio.training.pool import MM_PER_UNIT
from hrn_studio.training.shards import Shard, read_shard
from hrn_studio.training.shipped import ShippedNetwork
from hrn_studio.training.targets import Metric, make_metric


@dataclass(frozen=True, slots=True)
class Gain:
    """Of one way to ask."""

    networks: int
    looks: int
    points_mm: float
    shape_mm: float
    shape_gain: float
    """Root mean square error of shape less than the first way's, millimetres."""
    shape_gain_error: float
    """Its standard error; the pictures are the same."""
    expression_mm: float
    points_stated: float
    """Root mean square of the landmarks' errors in their stated deviations."""
    identity_stated: float
    cpu_ms: float
    """Of a processor for one picture, median."""


@dataclass(slots=True)
class _Errors:
    """Of N pictures, one number each."""

    points: list[float] = field(default_factory=list)
    shape: list[float] = field(default_factory=list)
    expression: list[float] = field(default_factory=list)
    points_stated: list[float] = field(default_factory=list)
    identity_stated: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def gains(
    path: Path,
    folder: Path,
    seed: int,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    looks: Sequence[int],
    most: int = 300,
) -> Generator[Progress, None, list[Gain]]:
    """Ask a network file in several ways about the same held-back renders.

    Parameters
    ----------
    looks
        See :meth:`hrn_studio.live.network.FaceNetwork.see`; the first network of the file is asked
        alone, and all together where there are several.

    Raises
    ------
    ModelDataError
        The network or the pictures are damaged, or the network is of another head.
    UsageError
        The folder has no held-back pictures of that seed, or the network is a checkpoint.
    """
    if path.suffix != ".npz":
        raise UsageError(
            f"'{path}' is no network as it ships; give what 'hrn-studio train ship {path} -o "
            "network.npz' writes"
        )
    shipped = ShippedNetwork.open(path)
    count = len(shipped.members.models)
    networks = {n: load_network(path, n) for n in dict.fromkeys((1, count))}
    asker = _Asker(head, embedding, make_metric(head, shipped.layout), networks)
    found = {(n, k): _Errors() for n in networks for k in looks}
    done = 0
    for shard_path in held_shards(folder, seed):
        shard = read_shard(shard_path)
        for k in range(min(len(shard), most - done)):
            yield Progress("gain", done / most, f"{done} pictures")
            asker.ask(shard, k, found)
            done += 1
        if done >= most:
            break
    first = np.array(next(iter(found.values())).shape)
    return [_gain(way, errors, first) for way, errors in found.items()]


@dataclass(frozen=True, slots=True, eq=False)
class _Asker:
    """Asks networks, each by how many of a file's it is, about pictures."""

    head: HeadModel
    embedding: LandmarkEmbedding
    metric: Metric
    networks: dict[int, FaceNetwork]

    def ask(self, shard: Shard, number: int, found: dict[tuple[int, int], _Errors]) -> None:
        """Look at a picture in each way."""
        image, T = shard.image(number), shard.T_camera_head[number]
        truth, camera = shard.coefficients(number), shard.camera_of(number, image)
        vertices = self.head.evaluate(truth)
        marks = project(apply(T, self.embedding.points(vertices)), camera)
        placement = place(marks, self.embedding.points(self.head.mean))
        points = marks.astype(np.float32)
        frame, track = Frame(image), Track(points, np.zeros(len(points), np.float32))
        for (count, looks), errors in found.items():
            network = self.networks[count]
            began = time.process_time()
            sight = network.see(frame, track, looks)
            errors.seconds.append(time.process_time() - began)
            dense = project(apply(T, vertices[network.vertices]), camera)
            _note(errors, sight, dense, truth, placement, self.metric)


def _note(
    errors: _Errors,
    sight: Sight,
    dense: Doubles,
    truth: Coefficients,
    placement: Placement,
    metric: Metric,
) -> None:
    unit = 0.5 * SIDE_PX / placement.scale
    off = np.linalg.norm(sight.points_px - dense, axis=1)
    estimate = sight.estimate
    identity = estimate.identity - truth.identity[: len(estimate.identity)]
    expression = estimate.expression - truth.expression
    errors.points.append(float(off.mean() / unit * MM_PER_UNIT))
    errors.shape.append(float(identity @ metric.identity @ identity))
    errors.expression.append(float(expression @ metric.expression @ expression))
    errors.points_stated.append(float(np.square(off / sight.sigma_px).mean() / 2))
    errors.identity_stated.append(float(np.square(identity / estimate.identity_sigma).mean()))


def _gain(way: tuple[int, int], errors: _Errors, first: Doubles) -> Gain:
    def root(values: Sequence[float]) -> float:
        return float(np.mean(values) ** 0.5)

    own = np.array(errors.shape)
    shape, before = root(errors.shape), float(first.mean() ** 0.5)
    # to first order, of the difference of two roots of means over the same pictures
    each = first / (2 * before) - own / (2 * shape)
    return Gain(
        *way,
        points_mm=float(np.mean(errors.points)),
        shape_mm=shape,
        shape_gain=before - shape,
        shape_gain_error=float(each.std() / np.sqrt(len(own))),
        expression_mm=root(errors.expression),
        points_stated=root(errors.points_stated),
        identity_stated=root(errors.identity_stated),
        cpu_ms=1000 * float(np.median(errors.seconds)),
    )


def gain_table(found: Sequence[Gain]) -> str:
    """In Markdown."""
    first = found[0]
    lines = [
        "| networks | looks | CPU ms | landmarks mm | shape mm | gain of shape mm | expressions mm "
        "| landmarks' error / stated | identity's error / stated |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        gain = f"{row.shape_gain:.3f} ± {1.96 * row.shape_gain_error:.3f}"
        lines.append(
            f"| {row.networks} | {row.looks} | {row.cpu_ms:.1f} | {row.points_mm:.2f} "
            f"| {row.shape_mm:.3f} | {'' if row is first else gain} | {row.expression_mm:.3f} "
            f"| {row.points_stated:.2f} | {row.identity_stated:.2f} |"
        )
    return "\n".join(lines)
