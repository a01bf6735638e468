"""Grain of real skin, for skin that no picture shows.

A patch of seen skin with its Fourier phases drawn anew looks like it but repeats nothing: Galerne,
Gousseau and Morel 2011, "Random phase textures: theory and synthesis".
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from hrn_studio.detail.filters import blur
from hrn_studio.records import AnyFloats, Floats

TILE = 512
_LIMIT = 0.25  # log units
_SHARE = 0.75  # of the patch's contrast: part of it is the picture's noise


def grain(albedo: Floats, plain: AnyFloats, seed: int) -> Floats:
    """A tile of factors around 1 with the spectrum of the best patch of seen skin.

    Parameters
    ----------
    albedo
        (S, S, 3) linear, at the texture's size.
    plain
        (A, A) 0..1 where it is seen, featureless skin; A divides S.

    Returns
    -------
    (512, 512, 3), periodic; ones where there is no patch to learn from.
    """
    size, small = albedo.shape[0], np.asarray(plain).shape[0]
    ratio = size // small
    side = max(size // 16, 8)
    inner = ndimage.uniform_filter(np.asarray(plain, np.float32), max(side // ratio, 1))
    row, column = np.unravel_index(int(np.argmax(inner)), inner.shape)
    if inner[row, column] < 0.8:
        return np.ones((TILE, TILE, 3), np.float32)
    top = int(np.clip(row * ratio - side // 2, 0, size - side))
    left = int(np.clip(column * ratio - side // 2, 0, size - side))
    patch = np.log(np.maximum(albedo[top : top + side, left : left + side], 0.004))
    patch = np.clip(patch - blur(patch, side / 20), -_LIMIT, _LIMIT)
    window = np.hanning(side + 2)[1:-1].astype(np.float32)
    patch = patch * np.sqrt(window[:, None, None] * window[None, :, None])
    energy = float((window[:, None] * window[None, :]).sum())

    rng = np.random.default_rng(seed)
    phases = np.exp(1j * np.angle(np.fft.rfft2(rng.standard_normal((TILE, TILE)))))
    sheet = np.zeros((TILE, TILE, 3))
    sheet[: min(side, TILE), : min(side, TILE)] = patch[:TILE, :TILE]
    spectrum = np.fft.rfft2(sheet, axes=(0, 1)) * phases[..., None]
    noise = np.fft.irfft2(spectrum, s=(TILE, TILE), axes=(0, 1))
    noise *= _SHARE * np.sqrt(TILE * TILE / energy)
    noise -= noise.mean(axis=(0, 1))
    return np.exp(np.clip(noise, -_LIMIT, _LIMIT)).astype(np.float32)
