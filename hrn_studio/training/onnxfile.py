"""Networks in ONNX, as they ship: written with their weights in half precision, and read back.

The package ``onnx`` is needed for nothing else.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.live.facecrop import SIDE_PX
from hrn_studio.records import Bytes, Floats
from hrn_studio.training.networks import FaceNetwork

_SMALL = 64
"""Arrays of fewer numbers stay in single precision."""


def need_onnx() -> Any:
    """The package ``onnx``.

    Raises
    ------
    UsageError
        It is missing.
    """
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError as error:
        raise UsageError(
            "reading and writing a network needs the package 'onnx'; install it with "
            "pip install 'hrn-studio[train]'"
        ) from error
    return onnx


def onnx_bytes(network: FaceNetwork) -> Bytes:
    """The network in ONNX, its weights in half precision behind casts."""
    onnx = need_onnx()
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
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


def layers_of(model: Bytes, path: Path) -> dict[str, list[tuple[Floats, Floats]]]:
    """Weights and biases of the ``Conv`` and ``Gemm`` layers, each kind in the order they run.

    Raises
    ------
    ModelDataError
        These bytes are no network that :func:`onnx_bytes` wrote.
    """
    onnx = need_onnx()
    try:
        graph = onnx.load_from_string(model.tobytes()).graph
        arrays = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
        uncast = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Cast"}
        found: dict[str, list[tuple[Floats, Floats]]] = {"Conv": [], "Gemm": []}
        for node in graph.node:
            if node.op_type in found:
                weight, bias = (arrays[uncast.get(k, k)] for k in node.input[1:])
                found[node.op_type].append((weight.astype(np.float32), bias.astype(np.float32)))
    except Exception as error:  # protobuf raises all kinds for damaged bytes
        raise ModelDataError(
            f"the network in '{path}' is damaged; give one that 'hrn-studio train' wrote"
        ) from error
    return found
