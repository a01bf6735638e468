"""Filters for pictures that are only known in places: blurs, pyramids, fills.

All take (H, W) or (H, W, C) float32 arrays; a *weight* is (H, W), 0 where nothing is known.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from hrn_studio.records import AnyFloats, Floats


def blur(image: AnyFloats, sigma: float) -> Floats:
    """Gaussian blur; beyond about two pixels done on a smaller picture, as nobody can tell."""
    if sigma <= 0:
        return np.asarray(image, np.float32)
    factor = 1
    while sigma / factor > 2 and min(image.shape[:2]) >= 8 * factor:
        factor *= 2
    height, width_px = image.shape[:2]
    short = [(0, -height % factor), (0, -width_px % factor)] + [(0, 0)] * (image.ndim - 2)
    small = shrink(np.pad(image, short, "edge"), factor)
    width = max((sigma / factor) ** 2 - (1 - 1 / factor**2) / 6, 0.05) ** 0.5
    sigmas = (width, width) + (0.0,) * (small.ndim - 2)
    small = ndimage.gaussian_filter(small, sigmas, mode="nearest", truncate=3.0)
    return enlarge(small, factor)[:height, :width_px]


def weighted_blur(image: AnyFloats, weight: AnyFloats, sigma: float) -> tuple[Floats, Floats]:
    """Gaussian mean of what is known (normalised convolution, Knutsson and Westin 1993).

    Returns
    -------
    mean
        Like ``image``; zero where nothing is near.
    support
        (H, W) the blurred weight.
    """
    w = np.asarray(weight, np.float32)
    support = blur(w, sigma)
    spread = w if image.ndim == 2 else w[..., None]
    total = support if image.ndim == 2 else support[..., None]
    mean = blur(np.asarray(image, np.float32) * spread, sigma) / np.maximum(total, 1e-6)
    return np.where(total > 1e-5, mean, 0).astype(np.float32), support


def shrink(image: AnyFloats, factor: int) -> Floats:
    """Means of ``factor`` (a power of two) squared blocks; the sides must be multiples of it."""
    values = np.asarray(image, np.float32)
    while factor > 1:
        values = values[0::2] + values[1::2]
        values = 0.25 * (values[:, 0::2] + values[:, 1::2])
        factor //= 2
    return values


def pool(image: AnyFloats, weight: AnyFloats, factor: int) -> tuple[Floats, Floats]:
    """Weighted means of blocks, and the mean weight of each."""
    w = np.asarray(weight, np.float32)
    spread = w if image.ndim == 2 else w[..., None]
    total = shrink(w, factor)
    mean = shrink(np.asarray(image, np.float32) * spread, factor)
    mean /= np.maximum(total if image.ndim == 2 else total[..., None], 1e-6)
    return mean, total


def enlarge(image: AnyFloats, factor: int) -> Floats:
    """Linear interpolation to ``factor`` (a power of two) times the size, borders held."""
    values = np.asarray(image, np.float32)
    while factor > 1:
        values = _double(_double(values, 0), 1)
        factor //= 2
    return values


def _double(values: Floats, axis: int) -> Floats:
    v = np.moveaxis(values, axis, 0)
    before = np.concatenate([v[:1], v[:-1]])
    after = np.concatenate([v[1:], v[-1:]])
    result = np.empty((2 * len(v), *v.shape[1:]), np.float32)
    result[0::2] = 0.75 * v + 0.25 * before
    result[1::2] = 0.75 * v + 0.25 * after
    return np.moveaxis(result, 0, axis)


def fill(image: AnyFloats, weight: AnyFloats) -> Floats:
    """What is known kept, the rest filled smoothly from it (push-pull, Gortler et al. 1996).

    Parameters
    ----------
    image
        (S, S) or (S, S, C), S a power of two (times anything small).
    weight
        (S, S) 0..1: how far each pixel is to be believed; between 0 and 1 values mix.
    """
    values = np.asarray(image, np.float32)
    flat = values[..., None] if values.ndim == 2 else values
    filled = _push_pull(flat, np.clip(np.asarray(weight, np.float32), 0, 1))
    return filled[..., 0] if values.ndim == 2 else filled


def _push_pull(values: Floats, weight: Floats) -> Floats:
    if min(weight.shape) < 4 or weight.shape[0] % 2 or weight.shape[1] % 2:
        total = max(float(weight.sum()), 1e-6)
        mean = (values * weight[..., None]).sum(axis=(0, 1)) / total
        return np.asarray(weight[..., None] * values + (1 - weight[..., None]) * mean, np.float32)
    coarse, support = pool(values, weight, 2)
    below = enlarge(_push_pull(coarse, np.minimum(4 * support, 1)), 2)
    w = weight[..., None]
    return np.asarray(w * values + (1 - w) * below, np.float32)


def smoothstep(low: float, high: float, values: AnyFloats) -> Floats:
    """0 below ``low``, 1 above ``high``, smooth between; falls when ``low > high``."""
    t = np.clip((np.asarray(values, np.float32) - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
