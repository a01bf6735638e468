"""De-retouching: give a model's smooth albedo the spots and pores of the picture.

A U-Net (Ronneberger et al., MICCAI 2015) looks at the sampled texture and says how much of each
texel is a blemish (a blend of the texture with itself); the albedo is divided by that blend (the
paper's de-retouching module).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class DoubleConvolution(nn.Module):
    """Twice: 3 x 3 convolution, batch normalisation, ReLU."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()),
            *(nn.Conv2d(after, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU()),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.conv(x))


class _In(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = DoubleConvolution(before, after)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.conv(x))


class _Down(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.mpconv = nn.Sequential(nn.MaxPool2d(2), DoubleConvolution(before, after))

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.mpconv(x))


class _Up(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = DoubleConvolution(before, after)

    def forward(self, below: Tensor, beside: Tensor) -> Tensor:
        doubled = F.interpolate(below, scale_factor=2, mode="bilinear", align_corners=True)
        return torch.as_tensor(self.conv(torch.cat([beside, doubled], dim=1)))


class _Out(nn.Module):
    def __init__(self, before: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.conv(x))


class Retouch(nn.Module):
    """The generator of ``de-retouching.pth``: (B, 3, H, W) in -1..1 to a blend (B, 3, H, W) 0..1.

    H and W are multiples of 16.
    """

    def __init__(self) -> None:
        super().__init__()
        self.inc = _In(3, 64)
        self.down1, self.down2 = _Down(64, 128), _Down(128, 256)
        self.down3, self.down4 = _Down(256, 512), _Down(512, 512)
        self.up1, self.up2 = _Up(1024, 256), _Up(512, 128)
        self.up3, self.up4 = _Up(256, 64), _Up(128, 64)
        self.outc = _Out(64)
        # In the file, used in the training only.
        self.dsoutc4, self.dsoutc3 = _Out(256), _Out(128)
        self.dsoutc2, self.dsoutc1 = _Out(64), _Out(64)

    def forward(self, x: Tensor) -> Tensor:
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x4 = self.down3(x3)
        y = self.up1(self.down4(x4), x4)
        y = self.up4(self.up3(self.up2(y, x3), x2), x1)
        return torch.sigmoid(self.outc(y))

    def blend(self, texture: Tensor) -> Tensor:
        """Blend (B, 3, S, S) of a texture (B, 3, S, S) 0..1; the network works at 512 x 512."""
        large = F.interpolate(2 * texture - 1, (512, 512), mode="bilinear", align_corners=False)
        size = texture.shape[2:]
        blend: Tensor = F.interpolate(self(large), size, mode="bilinear", align_corners=False)
        return blend


def blemished(albedo: Tensor, texture: Tensor, blend: Tensor) -> Tensor:
    """An albedo with the texture's blemishes.

    With ``t`` the texture, ``b`` the blend and the soft light ``r = (1 - 2 b) t^2 + 2 b t``, the
    albedo is multiplied by ``t / r``, kept finite where both are dark.

    Parameters
    ----------
    albedo, texture, blend
        (B, 3, S, S) each, 0..1.
    """
    light = (1 - 2 * blend) * texture**2 + 2 * blend * texture
    small = 1 / (1e6 * light**3 + 1e-6)
    return albedo * (texture + small) / (light + small)
