"""What HRN's fits minimise.

The formulae are those of the published code; the contour-aware loss is the paper's.
Pictures are (B, C, H, W), masks (B, 1, H, W), pixels of points (x, y) with y up.
"""

from __future__ import annotations

import torch
from torch import Tensor

from hrn_studio.detail.hrn.resnet import Parts

STRONG_LANDMARKS = (28, 29, 30, *range(60, 68))
"""Bridge of the nose and inner lips, counted from 0; they weigh 20, the others 1."""
SLACK = 0.01
"""Of the picture's side: how far inside the mask's edge vertices are drawn to it."""


def photo(drawn: Tensor, seen: Tensor, mask: Tensor) -> Tensor:
    """Mean distance of colours over the mask."""
    distance = torch.sqrt(1e-6 + ((drawn - seen) ** 2).sum(1, keepdim=True))
    return (distance * mask).sum() / mask.sum().clamp(min=1)


def landmarks(found: Tensor, wanted: Tensor) -> Tensor:
    """Weighted mean of squared distances of (B, 68, 2) points, pixels squared."""
    weights = found.new_ones(68)
    weights[list(STRONG_LANDMARKS)] = 20.0
    return (weights * ((found - wanted) ** 2).sum(2)).sum() / (68 * len(found))


def coefficients(parts: Parts) -> Tensor:
    """Squares of identity, expression and texture coefficients."""
    total = (parts.identity**2).sum() + 0.8 * (parts.expression**2).sum()
    return (total + 0.017 * (parts.texture**2).sum()) / len(parts.identity)


def grey_light(light: Tensor) -> Tensor:
    """How far light (B, 27) is from having no colour."""
    colours = light.reshape(-1, 3, 9)
    return ((colours - colours.mean(1, keepdim=True)) ** 2).mean()


def variation(values: Tensor) -> Tensor:
    """Total variation (squared) of maps (B, C, H, W)."""
    down, along = _steps(values)
    return 2 * (down.mean((1, 2, 3)) + along.mean((1, 2, 3))).mean()


def variation_spread(values: Tensor) -> Tensor:
    """How unevenly the variation of maps (B, C, H, W) is spread: it punishes single spikes."""
    down, along = _steps(values)
    uneven = ((down - down.mean((1, 2, 3), keepdim=True)) ** 2).sum()
    return 2 * (uneven + ((along - along.mean((1, 2, 3), keepdim=True)) ** 2).sum()) / len(values)


def _steps(values: Tensor) -> tuple[Tensor, Tensor]:
    down = values[:, :, 1:] - values[:, :, :-1]
    along = values[:, :, :, 1:] - values[:, :, :, :-1]
    return down**2, along**2


def outside(places: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """How far vertices lie outside the mask, in parts of the picture's side; negative inside.

    Parameters
    ----------
    places
        (B, N, 2) pixels, y up.
    left, right
        (B, H) from :func:`.masks.outline`.
    """
    side = left.shape[1]
    row = side - 1 - places[..., 1].detach().ceil().clamp(0, side - 1).long()
    before = (torch.gather(left, 1, row) - places[..., 0]) / side
    after = (torch.gather(right, 1, row) - places[..., 0]) / side
    return before * after / torch.maximum(before.abs(), after.abs())


def contour(places: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """The contour-aware loss: vertices outside the mask are drawn in, those near its edge out.

    Outside it grows with the distance; inside it pulls vertices up to :data:`SLACK` from the
    edge onto it, and leaves deeper ones alone.
    """
    return (torch.relu(outside(places, left, right) + SLACK) - SLACK).abs().mean()


def dice(found: Tensor, wanted: Tensor) -> Tensor:
    """How little two masks overlap, 0..1 (Milletari et al., V-Net, 3DV 2016)."""
    return 1 - (2 * (found * wanted).sum() + 1) / (found.sum() + wanted.sum() + 1)


def occupancy(cover: Tensor, places: Tensor) -> Tensor:
    """Where a face is drawn, with gradients to the places of its vertices.

    Parameters
    ----------
    cover
        (1, 1, H, H), 1 where it is drawn.
    places
        (1, N, 2) pixels, y up.

    Returns
    -------
    ``cover``; its gradient is that of every vertex spread over its four pixels.
    """
    side = cover.shape[2]
    x, row = places[0, :, 0], side - 1 - places[0, :, 1]
    left, top = x.detach().floor(), row.detach().floor()
    along, down = x - left, row - top
    spread = cover.new_zeros(side * side)
    for rows, columns, share in (
        (top, left, (1 - along) * (1 - down)),
        (top, left + 1, along * (1 - down)),
        (top + 1, left, (1 - along) * down),
        (top + 1, left + 1, along * down),
    ):
        inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
        index = (rows * side + columns).long()[inside]
        spread = spread.index_add(0, index, share[inside])
    soft = spread.reshape(cover.shape)
    return cover + soft - soft.detach()
