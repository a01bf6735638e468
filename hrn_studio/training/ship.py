"""From checkpoints to the file that the program reads: :mod:`hrn_studio.live.network`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hrn_studio.errors import ExportError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.ensemble import SEVERAL, SINGLE
from hrn_studio.records import Bytes, Doubles
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.onnxfile import onnx_bytes
from hrn_studio.training.targets import Layout, make_mirror


def ship(network: FaceNetwork, head: HeadModel, embedding: LandmarkEmbedding, path: Path) -> None:
    """Write a network for use; the file appears only when it is whole.

    Raises
    ------
    UsageError
        The package ``onnx``, which only this needs, is missing.
    ExportError
        The file cannot be written.
    """
    ship_models([onnx_bytes(network)], network.layout, head, embedding, path)


def ship_models(
    models: Sequence[Bytes],
    layout: Layout,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    path: Path,
    deviations: Doubles | None = None,
) -> None:
    """Write networks that answer together.

    Parameters
    ----------
    models
        In ONNX, of one layout; a single one makes a file as :func:`ship` does.
    deviations
        See :class:`hrn_studio.live.ensemble.Members`; None: all err alike.

    Raises
    ------
    ExportError
        The file cannot be written.
    """
    arrays: dict[str, Any] = {"version": SINGLE, "model": models[0]}
    if len(models) > 1:
        arrays = {
            "version": SEVERAL,
            "models": np.concatenate(models),
            "ends": np.cumsum([len(model) for model in models]),
            "deviations": np.ones(3) if deviations is None else deviations,
        }
    mirror = make_mirror(head, layout)
    whole = io.BytesIO()
    np.savez(
        whole,
        **arrays,
        vertices=layout.vertices,
        counts=np.array([layout.identity_count, layout.expression_count]),
        reference=embedding.points(head.mean).astype(np.float64),
        mirror_points=mirror.points,
        mirror_identity=mirror.identity,
        mirror_expression=mirror.expression,
    )
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(whole.getbuffer())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ExportError(
            f"the network '{path}' cannot be written ({error.strerror or error}); make room, or "
            "give a folder that can be written to"
        ) from error
