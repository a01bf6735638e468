"""Several trained networks made into one file, with what their common answer is worth."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from hrn_studio.errors import ModelDataError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.ensemble import Members
from hrn_studio.records import Bytes, Doubles, Progress
from hrn_studio.training.measure import errors_of, held_shards
from hrn_studio.training.onnxfile import onnx_bytes
from hrn_studio.training.pool import Prepared, Preparer, joined
from hrn_studio.training.shards import read_shard
from hrn_studio.training.ship import ship_models
from hrn_studio.training.shipped import KeptNetwork, ShippedNetwork
from hrn_studio.training.targets import make_layout, make_metric, make_mirror


def ship_together(
    sources: Sequence[Path],
    head: HeadModel,
    embedding: LandmarkEmbedding,
    path: Path,
    renders: Path | None = None,
    seed: int = 7,
    most: int = 1000,
) -> Generator[Progress, None, Doubles]:
    """Write checkpoints, or networks as they ship, into one file.

    Parameters
    ----------
    sources
        Checkpoints and ``.npz`` files, all of this head; all networks of a file are taken.
    renders
        Folder of renders: the deviations of the common answer are measured on those held back.
        None: each is the mean of what the networks state, as if all erred alike.
    most
        Pictures to measure on.

    Returns
    -------
    ndarray
        (3,) what that mean is multiplied by: of landmarks, identity and expressions.

    Raises
    ------
    ModelDataError
        A file is missing, damaged, of another version or of another head.
    UsageError
        There are no held-back renders, or the package ``onnx`` is missing.
    ExportError
        The file cannot be written.
    """
    layout = make_layout(head)
    models: list[Bytes] = []
    for number, source in enumerate(sources):
        yield Progress("networks", number / len(sources), source.name)
        models += _models(source, head)
    deviations = np.ones(3)
    if renders is not None and len(models) > 1:
        shown = held_shards(renders, seed)
        network = ShippedNetwork(
            Members(tuple(models), deviations), layout, make_mirror(head, layout)
        )
        preparer, pictures = Preparer(head, embedding, layout), list[Prepared]()
        while shown and sum(map(len, pictures)) < most:
            yield Progress("renders", min(sum(map(len, pictures)) / most, 1.0), shown[0].name)
            pictures.append(preparer.prepare(read_shard(shown.pop(0))))
        yield Progress("measure", 0.9, f"{len(models)} networks together")
        deviations = _deviations(network, joined(pictures), head)
    ship_models(models, layout, head, embedding, path, deviations)
    return deviations


def _models(source: Path, head: HeadModel) -> list[Bytes]:
    if source.suffix != ".npz":
        return [onnx_bytes(KeptNetwork(source, head).network)]
    shipped, layout = ShippedNetwork.open(source), make_layout(head)
    same = shipped.layout.sizes == layout.sizes
    if not same or not np.array_equal(shipped.layout.vertices, layout.vertices):
        raise ModelDataError(f"the face network '{source}' is of another head; give one of this")
    return list(shipped.members.models)


def _deviations(network: ShippedNetwork, pictures: Prepared, head: HeadModel) -> Doubles:
    """(3,) root mean square of the errors in units of the mean of the stated deviations."""
    errors = errors_of(network, pictures, make_metric(head, network.layout))
    stated = (
        errors.points_calibration,
        errors.identity_calibration,
        errors.expression_calibration,
    )
    return np.array([float(values.mean() ** 0.5) for values in stated])
