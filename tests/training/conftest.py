"""The face network that ships, as a network that can go on learning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hrn_studio.face.model import load_head
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.targets import make_layout


@pytest.fixture(scope="session")
def shipped(resources: Path) -> FaceNetwork:
    """The weights of resources/network.npz; batch normalisation is part of its convolutions."""
    onnx = pytest.importorskip("onnx", reason="onnx, which reads networks, is missing")
    with np.load(resources / "network.npz") as arrays:
        model = onnx.load_from_string(arrays["model"].tobytes())
    arrays = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    uncast = {n.output[0]: n.input[0] for n in model.graph.node if n.op_type == "Cast"}

    def weights(kind: str) -> list[list[torch.Tensor]]:
        """Weights and biases of the layers of one kind, in order."""
        return [
            [torch.as_tensor(arrays[uncast.get(k, k)].astype(np.float32)) for k in node.input[1:]]
            for node in model.graph.node
            if node.op_type == kind
        ]

    network = FaceNetwork(make_layout(load_head())).eval()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    linear = [network.trunk.code[0], network.shape, network.places, network.rest]
    with torch.no_grad():
        for conv, norm, (weight, bias) in zip(convolutions, norms, weights("Conv"), strict=True):
            conv.weight.copy_(weight)
            norm.bias.copy_(bias)
            norm.running_var.fill_(1 - norm.eps)
        for layer, (weight, bias) in zip(linear, weights("Gemm"), strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
    return network
