"""The networks: a face crop in, dense landmarks and coefficients with uncertainties out.

``small`` is a narrow residual network for live use; ``large`` has the ResNet-50 of HRN and Deep3D
as its trunk.  Both end in the same heads, see :class:`~hrn_studio.training.targets.Layout`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hrn_studio.detail.hrn.resnet import ResNet50
from hrn_studio.live.ensemble import LOG_COEFFICIENT, LOG_SIGMA
from hrn_studio.records import Doubles
from hrn_studio.training.targets import Layout

KINDS = ("small", "large")
_WIDTHS, _BLOCKS = (16, 32, 64, 128, 256), (1, 2, 2, 1)
_CODE = 320


class Residual(nn.Module):
    """Two 3 x 3 convolutions added to the input (He et al., CVPR 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(x + self.bn2(self.conv2(y)))


class SmallTrunk(nn.Module):
    """(B, 1, 128, 128) to a code (B, 320); the last map is not pooled, so places are kept."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_down(1, _WIDTHS[0], 5)]
        for before, width, blocks in zip(_WIDTHS[:-1], _WIDTHS[1:], _BLOCKS, strict=True):
            layers += [_down(before, width, 3), *(Residual(width) for _ in range(blocks))]
        self.body = nn.Sequential(*layers)
        self.squeeze = nn.Sequential(
            nn.Conv2d(_WIDTHS[-1], 96, 1, bias=False), nn.BatchNorm2d(96), nn.ReLU()
        )
        self.code = nn.Sequential(nn.Linear(96 * 16, _CODE), nn.ReLU())

    def forward(self, crop: Tensor) -> Tensor:
        code: Tensor = self.code(self.squeeze(self.body(crop)).flatten(1))
        return code


def _down(before: int, width: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, width, kernel, 2, kernel // 2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )


class LargeTrunk(nn.Module):
    """(B, 1, H, W) to a code (B, 320) through a ResNet-50."""

    def __init__(self) -> None:
        super().__init__()
        self.body = ResNet50()
        self.code = nn.Sequential(nn.Linear(2048, _CODE), nn.ReLU())

    def forward(self, crop: Tensor) -> Tensor:
        code: Tensor = self.code(self.body(crop.expand(-1, 3, -1, -1)).flatten(1))
        return code


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a network says of B crops."""

    points: Tensor
    """(B, K, 2) crop units."""
    log_sigma: Tensor
    """(B, K) of a landmark along one axis, crop units."""
    identity: Tensor
    """(B, I)"""
    expression: Tensor
    """(B, E)"""
    log_coefficient: Tensor
    """(B, I + E) deviations of identity and expression."""
    angles: Tensor
    """(B, 3) yaw, pitch, roll."""


class FaceNetwork(nn.Module):
    """Trunk and heads.

    Parameters
    ----------
    modes
        ``(mean (2 K,), basis (M, 2 K))``: the training landmarks' mean and scaled principal
        components, which the places start from.
    """

    def __init__(self, layout: Layout, kind: str = "small", modes: int = 128) -> None:
        super().__init__()
        self.layout = layout
        self.trunk = SmallTrunk() if kind == "small" else LargeTrunk()
        places, *others = layout.sizes
        self.shape = nn.Linear(_CODE, modes)
        self.places = nn.Linear(modes, places)
        self.rest = nn.Linear(_CODE, sum(others))

    def start_from(self, mean: Doubles, basis: Doubles) -> None:
        """Let the places begin as the mean plus principal components, (2 K,) and (M, 2 K)."""
        with torch.no_grad():
            self.places.bias.copy_(torch.as_tensor(mean, dtype=torch.float32))
            self.places.weight.zero_()
            self.places.weight[:, : len(basis)] = torch.as_tensor(basis.T, dtype=torch.float32)
            self.rest.weight.mul_(0.1)
            self.rest.bias.zero_()
            self.rest.bias[: self.layout.sizes[1]] = -3.0

    def forward(self, crop: Tensor) -> Tensor:
        """(B, 1, H, W) evened crops to all numbers (B, ``layout.count``)."""
        return self.told(self.trunk(crop))

    def told(self, code: Tensor) -> Tensor:
        """The numbers for the trunk's codes (B, 320)."""
        return torch.cat([self.places(self.shape(code)), self.rest(code)], 1)

    def answer(self, output: Tensor) -> Answer:
        """Take the numbers apart."""
        return split(output, self.layout)


def split(output: Tensor, layout: Layout) -> Answer:
    """The blocks of a network's output (B, ``layout.count``)."""
    places, log_sigma, identity, expression, deviations, angles = torch.split(
        output.float(), list(layout.sizes), 1
    )
    return Answer(
        places.reshape(len(places), -1, 2),
        log_sigma.clamp(*LOG_SIGMA),
        identity,
        expression,
        deviations.clamp(*LOG_COEFFICIENT),
        angles,
    )
