"""The network behind both maps: pictures over UV in, a deformation or a displacement out.

The "resnet_9blocks" generator of CycleGAN (Zhu et al., ICCV 2017, appendix 7.2): two strided
convolutions, nine residual blocks, two transposed convolutions, instance normalisation
throughout.  The positions in the published files are those of one long sequence.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Generator(nn.Module):
    """(B, ``before``, H, W) to (B, ``after``, H, W) in -1..1; H and W multiples of 4.

    ``mid_net`` is ``Generator(6, 3)`` at 64 x 64, ``high_net`` ``Generator(9, 1)`` at 256 x 256.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        steps: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(before, 64, 7), *_norm(64)]
        steps += [nn.Conv2d(64, 128, 3, 2, 1), *_norm(128)]
        steps += [nn.Conv2d(128, 256, 3, 2, 1), *_norm(256)]
        steps += [Residual(256) for _ in range(9)]
        steps += [nn.ConvTranspose2d(256, 128, 3, 2, 1, output_padding=1), *_norm(128)]
        steps += [nn.ConvTranspose2d(128, 64, 3, 2, 1, output_padding=1), *_norm(64)]
        steps += [nn.ReflectionPad2d(3), nn.Conv2d(64, after, 7), nn.Tanh()]
        self.model = nn.Sequential(*steps)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.model(x))


class Residual(nn.Module):
    """The input plus two normalised convolutions of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first = [nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), *_norm(width)]
        # The dropout of the training keeps its place in the numbering.
        second = [nn.Dropout(0.5), nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3)]
        self.conv_block = nn.Sequential(*first, *second, nn.InstanceNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.as_tensor(self.conv_block(x))


def _norm(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(width), nn.ReLU()
