"""What a step is in every training: down the gradient, never onto numbers that are none."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from hrn_studio.errors import FitError
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.team import Team


def averaged(one: Callable[[], dict[str, float]], count: int) -> dict[str, float]:
    """Take some steps; the parts of their losses, averaged."""
    total: dict[str, float] = {}
    for _ in range(count):
        for name, value in one().items():
            total[name] = total.get(name, 0.0) + value / count
    return total


def descend(
    network: FaceNetwork,
    optimizer: torch.optim.Optimizer,
    loss: Tensor,
    rate: float,
    longest: float,
    step: int,
    team: Team | None = None,
) -> None:
    """One step of the optimiser; where the loss or its gradient is no number, the network stays.

    Parameters
    ----------
    longest
        A longer gradient is shortened to this.
    step
        Its number, for the message.

    Raises
    ------
    FitError
        The loss or its gradient is not a number: the last checkpoint is good.
    """
    team = team or Team()
    for group in optimizer.param_groups:
        group["lr"] = rate
    length = math.nan
    if math.isfinite(float(loss.detach())):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        team.share(network.parameters())
        length = float(torch.nn.utils.clip_grad_norm_(network.parameters(), longest))
    if not math.isfinite(length):
        raise FitError(
            f"the loss of step {step} is not a number; give the same command with a lower --rate: "
            "it goes on from the last checkpoint"
        )
    optimizer.step()


def follow(average: FaceNetwork, network: FaceNetwork, share: float) -> None:
    """Move a running average of the weights by a share of the way."""
    with torch.no_grad():
        for mean, value in zip(
            average.state_dict().values(), network.state_dict().values(), strict=True
        ):
            if mean.dtype.is_floating_point:
                mean.lerp_(value, share)
            else:
                mean.copy_(value)
