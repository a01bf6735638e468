"""Where the picture shows the face, as a mask over the crop or over UV."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def smoothed(mask: Tensor) -> Tensor:
    """A UV mask (B, 1, S, S) shrunk by a texel and blurred over eleven, so that maps fade out."""
    shrunk = -F.max_pool2d(-mask, 3, 1, 1)
    return F.avg_pool2d(F.pad(shrunk, (5, 5, 5, 5), mode="reflect"), 11, 1)


def outline(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Columns between which each row of a mask (B, 1, H, W) lies: left and right, (B, H) int64.

    The left one is the first column above 0.5 plus one, the right one the last; an empty row
    counts as full.
    """
    inside = mask[:, 0] > 0.5
    width = inside.shape[2]
    columns = torch.arange(width, device=mask.device)
    first = torch.where(inside, columns, width).amin(2) + 1
    last = torch.where(inside, columns, -1).amax(2)
    some = inside.any(2)
    return torch.where(some, first, 0), torch.where(some, last, width - 1)
