"""Variations of training crops, a batch at a time: moved, mirrored, relit, blurred, covered."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hrn_studio.live.facecrop import AROUND_PX, SIDE_PX, SOFT
from hrn_studio.records import AnyFloats
from hrn_studio.training.pool import STORED_SHARE
from hrn_studio.training.targets import Mirror


@dataclass(frozen=True, slots=True)
class Variation:
    """How far crops are varied; standard deviations."""

    shift: float = 0.025
    """Crop units."""
    zoom: float = 0.035
    roll_rad: float = 0.05
    gamma: float = 0.3
    noise: float = 0.025
    blur_px: float = 1.1
    """Largest."""
    slope: float = 0.35
    """Of a light that falls off across the crop, in stops from edge to edge."""
    bend: float = 0.02
    """Crop units: brows, lips and creases of real people do not lie where the factory paints
    them, so crops are bent up to so much while the targets stay."""
    stain: float = 0.45
    """Of random light and dark patches, in stops: shading that is painted on, or odd light."""
    covered: float = 0.3
    """Share of crops with something in front of the face."""


STILL = Variation(**{item.name: 0.0 for item in fields(Variation)})


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B crops with their targets."""

    crops: Tensor
    """(B, 1, SIDE_PX, SIDE_PX) evened as :func:`hrn_studio.live.facecrop.evened` does."""
    points: Tensor
    """(B, K, 2)"""
    identity: Tensor
    expression: Tensor
    angles: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        return Batch(*(getattr(self, item.name).to(device) for item in fields(self)))


def vary(
    batch: Batch, mirror: Mirror, rng: np.random.Generator, variation: Variation | None = None
) -> Batch:
    """Draw what the network sees from kept crops.

    Parameters
    ----------
    batch
        ``crops`` (B, 1, STORED_PX, STORED_PX), 0..255; the rest as in
        :class:`~hrn_studio.training.pool.Prepared`.
    variation
        None: the crop as the program would cut it, nothing varied.
    """
    v = variation or STILL
    seen, _ = moved(batch, mirror, rng, v, 0.5 if variation else 0.0)
    crops = photographed(seen.crops, rng, v) if variation else seen.crops
    return replace(seen, crops=evened_batch(crops))


def moved(
    batch: Batch, mirror: Mirror, rng: np.random.Generator, v: Variation, mirrored: float = 0.5
) -> tuple[Batch, Tensor]:
    """Kept crops cut anew, shifted, zoomed, turned and a share of them mirrored.

    Returns
    -------
    Batch
        Crops (B, 1, SIDE_PX, SIDE_PX), 0..1, and their targets.
    Tensor
        (B,) which are mirrored.
    """
    count = len(batch.crops)
    flip = torch.as_tensor(rng.random(count) < mirrored).to(batch.crops.device)
    points, identity, expression, angles = _mirrored(batch, mirror, flip)
    device = batch.crops.device

    def as_tensor(values: AnyFloats) -> Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=device)

    shift = as_tensor(rng.normal(0, 1, (count, 2)) * v.shift)
    zoom = as_tensor(np.exp(rng.normal(0, 1, count) * v.zoom))
    roll = as_tensor(rng.normal(0, 1, count) * v.roll_rad)
    cos, sin = torch.cos(roll) * zoom, torch.sin(roll) * zoom
    # seen = turn @ kept + shift, both in units of the network's crop, x mirrored first
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    points = points @ turn.transpose(1, 2) + shift[:, None]
    angles = angles.clone()
    angles[:, 2] = angles[:, 2] - roll
    back = torch.linalg.inv(turn)
    origin = -(back @ shift[:, :, None])
    sign = torch.where(flip, -1.0, 1.0)
    grid = torch.cat([back, origin], 2) / STORED_SHARE
    grid[:, 0] *= sign[:, None]
    places = functional.affine_grid(grid, [count, 1, SIDE_PX, SIDE_PX], align_corners=False)
    if v.bend > 0:
        bent = _patches((count, 2), SIDE_PX, rng, v.bend).to(device)
        places = places + bent.permute(0, 2, 3, 1)
    crops = functional.grid_sample(
        batch.crops.float(), places, "bilinear", "border", align_corners=False
    )
    return Batch(crops / 255, points, identity, expression, angles), flip


def evened_batch(crops: Tensor) -> Tensor:
    """Crops (B, 1, H, W), 0..1, as :func:`hrn_studio.live.facecrop.evened` makes them."""
    reach = AROUND_PX // 2

    def around(values: Tensor) -> Tensor:
        sums = functional.pad(values, [reach + 1, reach] * 2, mode="replicate")
        sums = sums.double().cumsum(2).cumsum(3)
        far, near = slice(AROUND_PX, None), slice(None, -AROUND_PX)
        box = sums[..., far, far] - sums[..., near, far] - sums[..., far, near]
        return ((box + sums[..., near, near]) / AROUND_PX**2).float().clamp(min=0)

    off = crops - around(crops)
    return off / (around(off * off).sqrt() + SOFT)


def _mirrored(batch: Batch, mirror: Mirror, flip: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    device = batch.crops.device
    order = torch.as_tensor(mirror.points.astype(np.int64), device=device)
    swap = torch.as_tensor(mirror.expression.astype(np.int64), device=device)
    signs = torch.as_tensor(mirror.identity, device=device)
    other = batch.points[:, order] * torch.tensor([-1.0, 1.0], device=device)
    turned = batch.angles * torch.tensor([-1.0, 1.0, -1.0], device=device)
    return (
        torch.where(flip[:, None, None], other, batch.points),
        torch.where(flip[:, None], batch.identity * signs, batch.identity),
        torch.where(flip[:, None], batch.expression[:, swap], batch.expression),
        torch.where(flip[:, None], turned, batch.angles),
    )


def photographed(crops: Tensor, rng: np.random.Generator, v: Variation) -> Tensor:
    """Light, contrast, blur, noise and things in front; crops (B, 1, H, W), 0..1."""
    count, side, device = len(crops), crops.shape[-1], crops.device

    def draw(scale: float) -> Tensor:
        values = rng.normal(0, 1, count) * scale
        return torch.as_tensor(values, dtype=torch.float32, device=device)[:, None, None, None]

    x = torch.linspace(-1, 1, side, device=device)
    slope = draw(v.slope) * x[None, None, None, :] + draw(v.slope) * x[None, None, :, None]
    slope = slope + _patches((count, 1), side, rng, v.stain).to(device)
    crops = crops.clamp(1e-3, 1) ** torch.exp(draw(v.gamma)) * torch.exp2(slope)
    group = int(rng.integers(0, 4))
    if group:  # a quarter of the batch each is blurred alike
        sigma = v.blur_px * group / 3
        part = torch.as_tensor(rng.permutation(count)[: count // 2].astype(np.int64), device=device)
        crops[part] = _blurred(crops[part], sigma)
    noise = draw(v.noise).abs()
    generator = torch.Generator(device).manual_seed(int(rng.integers(2**31)))
    crops = crops + noise * torch.randn(crops.shape, generator=generator, device=device)
    for k in np.flatnonzero(rng.random(count) < v.covered):
        _cover(crops[k, 0], rng, generator)
    return crops


def _patches(shape: tuple[int, int], side: int, rng: np.random.Generator, most: float) -> Tensor:
    """(B, C, side, side) smooth random fields of two sizes, deviations up to ``most`` each."""
    total = torch.zeros(*shape, side, side)
    for cells in (5, 12):
        strength = rng.uniform(0, most, (shape[0], 1, 1, 1))
        field = rng.standard_normal((*shape, cells, cells)) * strength
        total += functional.interpolate(
            torch.as_tensor(field, dtype=torch.float32),
            size=(side, side),
            mode="bilinear",
            align_corners=False,
        )
    return total


def _blurred(crops: Tensor, sigma: float) -> Tensor:
    reach = 3
    x = torch.arange(-reach, reach + 1, dtype=torch.float32, device=crops.device)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = (kernel / kernel.sum()).reshape(1, 1, 1, -1)
    padded = functional.pad(crops, [reach] * 4, mode="replicate")
    return functional.conv2d(functional.conv2d(padded, kernel), kernel.transpose(2, 3))


def _cover(crop: Tensor, rng: np.random.Generator, generator: torch.Generator) -> None:
    """An ellipse of one grey with some grain: a hand, a microphone, a scarf."""
    side = crop.shape[-1]
    x, y = rng.uniform(0, side, 2)
    wide, tall = rng.uniform(0.05, 0.22, 2) * side
    turn = rng.uniform(0, np.pi)
    u = torch.arange(side, dtype=torch.float32, device=crop.device)
    dx, dy = u[None, :] - x, u[:, None] - y
    a = (dx * np.cos(turn) + dy * np.sin(turn)) / wide
    b = (dy * np.cos(turn) - dx * np.sin(turn)) / tall
    inside = a * a + b * b < 1
    grain = rng.uniform(0, 0.15) * torch.randn(crop.shape, generator=generator, device=crop.device)
    crop[inside] = (rng.uniform(0, 1) + grain)[inside]
