"""The regression network: a face crop to 257 coefficients.

A ResNet-50 (He et al., CVPR 2016) with the stride in the 3 x 3 convolution, whose seven heads are
1 x 1 convolutions on the pooled features.  Keys are those of the published files (``net_recon``),
which are torchvision's for the backbone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

HEADS = (80, 64, 80, 3, 27, 2, 1)
"""Outputs of the heads: identity, expression, texture, angles, light, translation xy and z."""


class Bottleneck(nn.Module):
    """1 x 1 narrow, 3 x 3, 1 x 1 wide, added to the input."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        after = 4 * width
        self.conv1 = nn.Conv2d(before, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    """The backbone without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = _layer(64, 64, 3, 1)
        self.layer2 = _layer(256, 128, 4, 2)
        self.layer3 = _layer(512, 256, 6, 2)
        self.layer4 = _layer(1024, 512, 3, 2)

    def levels(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at strides 8, 16 and 32: 512, 1024 and 2048 channels."""
        x = torch.relu(self.bn1(self.conv1(image)))
        x = self.layer1(nn.functional.max_pool2d(x, 3, 2, 1))
        third = self.layer2(x)
        fourth = self.layer3(third)
        return third, fourth, self.layer4(fourth)

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) to pooled features (B, 2048, 1, 1)."""
        return self.levels(image)[2].mean(dim=(2, 3), keepdim=True)


def _layer(before: int, width: int, blocks: int, stride: int) -> nn.Sequential:
    rest = [Bottleneck(4 * width, width, 1) for _ in range(blocks - 1)]
    return nn.Sequential(Bottleneck(before, width, stride), *rest)


class Regression(nn.Module):
    """``net_recon``: (B, 3, 224, 224) RGB 0..1 to coefficients (B, 257)."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = ResNet50()
        self.final_layers = nn.ModuleList(nn.Conv2d(2048, count, 1) for count in HEADS)

    def heads(self, pooled: Tensor) -> Tensor:
        """(B, 2048, 1, 1) to (B, 257)."""
        return torch.cat([head(pooled) for head in self.final_layers], dim=1).flatten(1)

    def forward(self, image: Tensor) -> Tensor:
        return self.heads(self.backbone(image))


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The coefficients by what they mean; each (B, count)."""

    identity: Tensor
    """80, in standard deviations of the Basel face model."""
    expression: Tensor
    """64"""
    texture: Tensor
    """80"""
    angles: Tensor
    """Pitch, yaw, roll in radians; see :func:`.camera.rotation`."""
    light: Tensor
    """27: nine spherical harmonics each for red, green and blue."""
    translation: Tensor
    """3, decimetres."""

    @classmethod
    def split(cls, coefficients: Tensor) -> Parts:
        """From what the network gives, (B, 257)."""
        return cls(*torch.split(coefficients, [80, 64, 80, 3, 27, 3], dim=1))

    def join(self) -> Tensor:
        """(B, 257)"""
        parts = (self.identity, self.expression, self.texture)
        return torch.cat([*parts, self.angles, self.light, self.translation], dim=1)
