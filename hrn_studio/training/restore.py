"""A network as it ships, read back into what training goes on from.

The file holds weights in half precision, batch normalisation folded into the convolutions, and no
word of the optimiser: what is read back answers as the file does and begins at step 0 with a fresh
optimiser; :mod:`hrn_studio.training.folding` gives it its normalisation back when training begins.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hrn_studio import paths
from hrn_studio.errors import ModelDataError
from hrn_studio.face.model import HeadModel
from hrn_studio.live.facecrop import SIDE_PX
from hrn_studio.records import Floats
from hrn_studio.training.checkpoint import read_checkpoint
from hrn_studio.training.learn import Plan
from hrn_studio.training.networks import KINDS, FaceNetwork
from hrn_studio.training.onnxfile import layers_of
from hrn_studio.training.shipped import ShippedNetwork
from hrn_studio.training.targets import Layout, make_layout

_ALIKE = 0.02
"""Largest difference of an answer that rounding makes."""


def beginning(source: Path | None, head: HeadModel) -> dict[str, Any]:
    """The state to begin from: a checkpoint's, or that of a network as it ships (.npz).

    Parameters
    ----------
    source
        None: the network that comes with the program.

    Raises
    ------
    ModelDataError
        The file is missing, damaged, of another version or of another head.
    UsageError
        It is a network as it ships, and the package ``onnx`` is missing.
    """
    if source is None or source.suffix == ".npz":
        return restored(source or default_network(), head)
    return read_checkpoint(source)


def default_network() -> Path:
    """The network that comes with the program."""
    return paths.resources() / "network.npz"


def restored(path: Path, head: HeadModel, member: int = 1) -> dict[str, Any]:
    """The state of a checkpoint at step 0 that answers as a shipped network does.

    Parameters
    ----------
    member
        Which one of a file of several networks, counted from 1.

    Raises
    ------
    ModelDataError
        The file is missing, damaged, of another version, of another head or of a network that
        this program does not know.
    UsageError
        The package ``onnx`` is missing, or there is no such member.
    """
    shipped = ShippedNetwork.open(path, member)
    layout = make_layout(head)
    if not _same(shipped.layout, layout):
        raise ModelDataError(
            f"the face network '{path}' is of another head; give one that was trained for this"
        )
    network, kind = _rebuilt(layers_of(shipped.members.models[0], path), layout, path)
    _check(network, shipped, path)
    state = network.state_dict()
    plan = Plan(kind=kind)
    optimizer = torch.optim.AdamW(network.parameters(), plan.rate, weight_decay=plan.decay)
    whole = hashlib.sha256(shipped.members.models[0].tobytes()).hexdigest()
    return {
        "plan": json.dumps(asdict(plan)),
        "step": 0,
        "vertices": torch.as_tensor(layout.vertices.copy()),
        "network": state,
        "average": state,
        "optimizer": optimizer.state_dict(),
        "restored": json.dumps({"network": path.name, "sha256": whole, "settled": False}),
    }


def _same(one: Layout, other: Layout) -> bool:
    return one.sizes == other.sizes and np.array_equal(one.vertices, other.vertices)


def _rebuilt(
    layers: dict[str, list[tuple[Floats, Floats]]], layout: Layout, path: Path
) -> tuple[FaceNetwork, str]:
    """The network whose layers have these weights, whatever its kind."""
    for kind in KINDS:
        network = FaceNetwork(layout, kind)
        convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
        linear = [m for m in network.modules() if isinstance(m, nn.Linear)]
        if _fit(convolutions, layers["Conv"]) and _fit(linear, layers["Gemm"]):
            _fill(network, convolutions, linear, layers)
            return network.eval(), kind
    raise ModelDataError(
        f"the network in '{path}' is built like none of this program's ({' or '.join(KINDS)}); "
        "give one that 'hrn-studio train' wrote"
    )


def _fit(modules: list[nn.Conv2d] | list[nn.Linear], weights: list[tuple[Floats, Floats]]) -> bool:
    shapes = [tuple(m.weight.shape) for m in modules]
    return shapes == [weight.shape for weight, _ in weights]


def _fill(
    network: FaceNetwork,
    convolutions: list[nn.Conv2d],
    linear: list[nn.Linear],
    layers: dict[str, list[tuple[Floats, Floats]]],
) -> None:
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        for conv, norm, (weight, bias) in zip(convolutions, norms, layers["Conv"], strict=True):
            conv.weight.copy_(_tensor(weight))
            norm.weight.fill_(1.0)
            norm.bias.copy_(_tensor(bias))
            if norm.running_mean is not None and norm.running_var is not None:
                norm.running_mean.zero_()
                norm.running_var.fill_(1 - norm.eps)
        for layer, (weight, bias) in zip(linear, layers["Gemm"], strict=True):
            layer.weight.copy_(_tensor(weight))
            layer.bias.copy_(_tensor(bias))


def _tensor(values: Floats) -> Tensor:
    return torch.as_tensor(values.copy())


def _check(network: FaceNetwork, shipped: ShippedNetwork, path: Path) -> None:
    """Whatever was read back must answer as the file does."""
    crop = np.random.default_rng(0).standard_normal((1, 1, SIDE_PX, SIDE_PX)).astype(np.float32)
    with torch.no_grad():
        ours = network(torch.as_tensor(crop)).numpy()
    off = np.abs(ours - shipped.read(crop)) / (1 + np.abs(ours))
    if not off.max() < _ALIKE:  # also where there are numbers that are none
        raise ModelDataError(
            f"the network in '{path}' cannot be read back: what was read answers otherwise than "
            "the file; give one that 'hrn-studio train' wrote"
        )
