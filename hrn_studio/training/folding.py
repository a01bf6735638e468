"""Batch normalisation that was folded into convolutions, taken out again.

A network as it ships has none: each convolution was multiplied by what its normalisation did.
Training it further needs the normalisation back, or its steps are of another size in every layer.
What a layer's normalisation was cannot be known, but any statistics will do that its scale and
offset undo; those of pictures that are at hand are the ones that training would find there.  Nor
can the length of the filters before, which decides how much a step changes them and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hrn_studio.training.networks import FaceNetwork

_FILTER = 2.0
"""Length of a filter, as it is in networks that were trained here (1.5 to 2.7 in most layers)."""


@dataclass(slots=True)
class _Seen:
    """What came into a normalisation: sums over pictures and places, (C,)."""

    count: int
    total: Tensor
    squares: Tensor

    def add(self, values: Tensor) -> None:
        """(B, C, H, W)"""
        values = values.double()
        self.count += values.numel() // values.shape[1]
        self.total += values.sum((0, 2, 3))
        self.squares += values.square().sum((0, 2, 3))


def settle(network: FaceNetwork, crops: Iterable[Tensor]) -> None:
    """Give each batch normalisation the statistics of some crops; no answer changes.

    Scale and offset take up the difference (Ioffe and Szegedy, ICML 2015, section 3.1), so that the
    network says the same as before when it is asked, and nearly so while it is trained.

    Parameters
    ----------
    crops
        Batches (B, 1, H, W) of evened crops.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    seen = [
        _Seen(0, torch.zeros_like(n.bias).double(), torch.zeros_like(n.bias).double())
        for n in norms
    ]

    def watch(number: int) -> object:
        return lambda _, given: seen[number].add(given[0].detach())

    hooks = [n.register_forward_pre_hook(watch(k)) for k, n in enumerate(norms)]  # type: ignore[arg-type]
    network.eval()
    try:
        with torch.no_grad():
            for batch in crops:
                network(batch)
    finally:
        for hook in hooks:
            hook.remove()
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    for conv, norm, values in zip(convolutions, norms, seen, strict=True):
        _restate(conv, norm, values)


def _restate(conv: nn.Conv2d, norm: nn.BatchNorm2d, seen: _Seen) -> None:
    if norm.running_mean is None or norm.running_var is None or not seen.count:
        return
    mean = seen.total / seen.count
    spread = (seen.squares / seen.count - mean.square()).clamp(min=0)
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    offset = norm.bias.double() - norm.running_mean.double() * scale
    longer = _FILTER / conv.weight.double().flatten(1).norm(dim=1).clamp(min=1e-3)
    with torch.no_grad():
        conv.weight.mul_(longer.float()[:, None, None, None])
        norm.weight.copy_(scale * (spread * longer.square() + norm.eps).sqrt() / longer)
        norm.bias.copy_(offset + scale * mean)
        norm.running_mean.copy_(mean * longer)
        norm.running_var.copy_(spread * longer.square())
