"""Grain of real skin, for skin that no picture shows.

Noise with the spectrum of a patch of seen skin looks like it but repeats nothing (Galerne, Gousseau
and Morel 2011, "Random phase textures: theory and synthesis").  Of the spectrum only what does not
depend on the direction is kept: what does is the picture's (rows of pixels, blocks of a JPEG, a
wrinkle), and would run over the scalp as stripes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hrn_studio.detail.filters import blur
from hrn_studio.detail.light import LUMINANCE
from hrn_studio.records import AnyFloats, Doubles, Floats

TILE = 512
_LIMIT = 0.25  # log units
_SHARE = 0.75  # of the patch's contrast: part of it is the picture's noise
_MOST = 0.03  # log units: standard deviation of brightness beyond which it is surely noise


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
    patch = np.clip(patch - blur(patch, side / 40), -_LIMIT, _LIMIT)
    window = np.hanning(side + 2)[1:-1].astype(np.float32)
    patch = patch * np.sqrt(window[:, None, None] * window[None, :, None])
    energy = float((window[:, None] * window[None, :]).sum())
    sheet = np.zeros((TILE, TILE, 3))
    sheet[: min(side, TILE), : min(side, TILE)] = patch[:TILE, :TILE]
    shaping = _isotropic_root(np.fft.rfft2(sheet, axes=(0, 1)))

    white = np.random.default_rng(seed).standard_normal((TILE, TILE, 3))
    spectrum = np.einsum("abij,abj->abi", shaping, np.fft.rfft2(white, axes=(0, 1)))
    noise = np.fft.irfft2(spectrum, s=(TILE, TILE), axes=(0, 1))
    noise *= _SHARE / np.sqrt(energy)
    noise -= noise.mean(axis=(0, 1))
    noise *= min(1.0, _MOST / max(float((noise @ LUMINANCE).std()), 1e-9))
    return np.exp(np.clip(noise, -_LIMIT, _LIMIT)).astype(np.float32)


def _isotropic_root(spectrum: NDArray[np.complex128]) -> Doubles:
    """(TILE, TILE // 2 + 1, 3, 3) what shapes white noise like a spectrum (..., 3) of a tile.

    A root of the colours' covariance at each distance from the middle, the mean over directions.
    """
    rows, columns = np.fft.fftfreq(TILE) * TILE, np.fft.rfftfreq(TILE) * TILE
    ring = np.rint(np.hypot(rows[:, None], columns)).astype(np.int64)
    power = np.real(spectrum[..., :, None] * np.conj(spectrum[..., None, :]))
    count = np.bincount(ring.ravel())
    mean = (
        np.stack(
            [
                np.bincount(ring.ravel(), power[..., i, j].ravel())
                for i in range(3)
                for j in range(3)
            ],
            1,
        )
        / np.maximum(count, 1)[:, None]
    )
    values, vectors = np.linalg.eigh(mean.reshape(-1, 3, 3))
    root = (vectors * np.sqrt(np.maximum(values, 0))[:, None]) @ vectors.transpose(0, 2, 1)
    return np.asarray(root[ring])
