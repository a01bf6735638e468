"""From a checkpoint to the file that the program reads: :mod:`hrn_studio.live.network`."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hrn_studio.errors import UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.facecrop import SIDE_PX
from hrn_studio.live.network import VERSION
from hrn_studio.records import Bytes
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.targets import make_mirror

_SMALL = 64
"""Arrays of fewer numbers stay in single precision."""


def ship(network: FaceNetwork, head: HeadModel, embedding: LandmarkEmbedding, path: Path) -> None:
    """Write a network for use; the file appears only when it is whole.

    Raises
    ------
    UsageError
        The package ``onnx``, which only this needs, is missing.
    """
    layout = network.layout
    mirror = make_mirror(head, layout)
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        version=VERSION,
        model=onnx_bytes(network),
        vertices=layout.vertices,
        counts=np.array([layout.identity_count, layout.expression_count]),
        reference=embedding.points(head.mean).astype(np.float64),
        mirror_points=mirror.points,
        mirror_identity=mirror.identity,
        mirror_expression=mirror.expression,
    )
    partial.replace(path)


def onnx_bytes(network: FaceNetwork) -> Bytes:
    """The network in ONNX, its weights in half precision behind casts."""
    try:
        import onnx
        from onnx import helper, numpy_helper
    except ImportError as error:
        raise UsageError(
            "writing a network needs the package 'onnx'; install it with "
            "pip install 'hrn-studio[train]'"
        ) from error
    whole = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval().cpu(),
            (torch.zeros(1, 1, SIDE_PX, SIDE_PX),),
            whole,  # type: ignore[arg-type]
            input_names=["crop"],
            output_names=["answer"],
            opset_version=17,
            dynamo=False,
        )
    model: Any = onnx.load_from_string(whole.getvalue())
    casts = []
    for tensor in list(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > _SMALL:
            name = f"{tensor.name}.half"
            half = numpy_helper.from_array(values.astype(np.float16), name)
            model.graph.initializer.remove(tensor)
            model.graph.initializer.append(half)
            casts.append(helper.make_node("Cast", [name], [tensor.name], to=onnx.TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    return np.frombuffer(model.SerializeToString(), np.uint8)
