"""The 106-point landmark network of the published files (``large_base_net``).

Inverted residuals (Sandler et al., "MobileNetV2", CVPR 2018) down to 14 x 14 heat maps, read out
as expected positions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

MEAN_RGB = (103.94, 116.78, 123.68)
"""Subtracted from RGB 0..255 before dividing by 255; crops are padded with it."""
FIVE = (74, 83, 54, 84, 90)
"""Left eye, right eye, nose tip, left and right mouth corner as seen in the picture."""
CONTOUR = slice(0, 33)

# Width inside, width after, stride, added to the input, for block2 to block17.
_BLOCKS = (
    (128, 64, 1, False),
    (128, 64, 2, False),
    *[(128, 64, 1, True)] * 4,
    (128, 128, 2, False),
    (512, 128, 1, False),
    *[(512, 128, 1, True)] * 5,
    (256, 128, 1, False),
    (256, 128, 2, False),
    (256, 128, 1, False),
)


class InvertedResidual(nn.Module):
    """1 x 1 wide, 3 x 3 per channel, 1 x 1 narrow; added to the input where asked."""

    def __init__(self, before: int, width: int, after: int, stride: int, added: bool) -> None:
        super().__init__()
        self.added = added
        self.conv = nn.Sequential(
            *(nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width), nn.PReLU(width)),
            nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False),
            *(nn.BatchNorm2d(width), nn.PReLU(width)),
            *(nn.Conv2d(width, after, 1, bias=False), nn.BatchNorm2d(after)),
        )

    def forward(self, x: Tensor) -> Tensor:
        y = torch.as_tensor(self.conv(x))
        return x + y if self.added else y


class Landmarks106(nn.Module):
    """(B, 3, 224, 224) to (B, 212): 106 points, (x, y) after each other, 0..1 of the crop."""

    def __init__(self) -> None:
        super().__init__()
        self.block1 = nn.Sequential(
            nn.Conv2d(3, 64, 3, 2, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        )
        before = 64
        for number, (width, after, stride, added) in enumerate(_BLOCKS, start=2):
            block = InvertedResidual(before, width, after, stride, added)
            self.add_module(f"block{number}", block)
            before = after
        self.block18 = nn.Sequential(
            nn.Conv2d(before, 256, 3, 1, 1, bias=False), nn.BatchNorm2d(256), nn.PReLU(256)
        )
        self.block19 = nn.Conv2d(256, 106, 3, 1, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        for number in range(1, 20):
            x = self.get_submodule(f"block{number}")(x)
        count, height, width = x.shape[1:]
        heat = torch.softmax(x.flatten(2), dim=2).reshape(x.shape)
        down = torch.arange(height, dtype=x.dtype, device=x.device) / height
        along = torch.arange(width, dtype=x.dtype, device=x.device) / width
        # The weights are trained so that "x" counts rows.
        first, second = (heat.sum(3) * down).sum(2), (heat.sum(2) * along).sum(2)
        return torch.stack([first, second], dim=2).reshape(-1, 2 * count)


def normalized(crop_rgb: Tensor) -> Tensor:
    """What the network wants, (B, 3, 224, 224), of a crop (224, 224, 3) RGB 0..255."""
    mean = torch.tensor(MEAN_RGB, dtype=torch.float32)
    return ((crop_rgb.float() - mean) / 255).permute(2, 0, 1)[None]
