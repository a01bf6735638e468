"""Pores and fine lines as displacement, and the normal map of all relief.

Under soft light a crease is darker than the skin around it: "dark is deep" (Beeler et al. 2010,
"High-quality single-shot capture of facial geometry", mesoscopic augmentation).  Brightness is
split into bands; each goes deeper the wider it is.  What is dark because it is coloured so is not
a crease: marks that change hue too, hair, lips and the eyes' surroundings are left flat, and so is
skin that no picture shows.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.detail.filters import blur, enlarge, shrink, smoothstep
from hrn_studio.detail.light import LUMINANCE
from hrn_studio.records import AnyFloats, Floats

LIMIT_M = 0.0002
_BANDS_M = (0.0003, 0.0006)  # standard deviations of the finer side of each band
_DEPTH_M = 0.45  # metres of depth per metre of band and log unit of brightness
_HUE = 0.05  # log units of red against blue that make a dark spot a mark, not a crease


def displacement(
    albedo: Floats,
    trust: AnyFloats,
    texel_m: float,
    resolution_m: float,
    sure: AnyFloats | None = None,
) -> Floats:
    """Depth of what is finer than :mod:`.folds`, along the normal, from brightness.

    Parameters
    ----------
    albedo
        (S, S, 3) linear, before completion; any value where ``trust`` is 0.
    trust
        (A, A) 0..1 on seen, plain skin; A divides S.
    texel_m
        Typical side of a texel on the face, metres.
    resolution_m
        Typical side of a picture's pixel on the face, metres: finer bands are its noise.
    sure
        (A, A) 0..1 where a dark line is a crease, whatever its hue.

    Returns
    -------
    (S, S) metres, within +- :data:`LIMIT_M`.
    """
    size, small = albedo.shape[0], np.asarray(trust, np.float32)
    ratio = size // small.shape[0]
    result = np.zeros((size, size), np.float32)
    rows, columns = (np.flatnonzero(small.max(axis=k) > 0) for k in (1, 0))
    if len(rows) == 0:
        return result
    # Only the part that is trusted, its sides multiples of 16 small texels.
    span = [
        slice(i[0] // 16 * 16, min(-(-(i[-1] + 1) // 16) * 16, len(small))) for i in (rows, columns)
    ]
    large = tuple(slice(i.start * ratio, i.stop * ratio) for i in span)
    mask = enlarge(small[span[0], span[1]], ratio)
    log = np.log(np.maximum(albedo[large], 0.0025))
    bright = log @ LUMINANCE.astype(np.float32)
    known = np.maximum(mask, 1e-3)
    total = np.zeros_like(bright)
    fine = _mean(bright, known, 0.5 * max(_BANDS_M[0], resolution_m) / texel_m)
    for sigma in _BANDS_M:
        if sigma < 0.6 * resolution_m:
            continue
        coarse = _mean(bright, known, 2 * sigma / texel_m)
        total += _DEPTH_M * sigma * 0.3 * np.tanh((fine - coarse) / 0.3)
        fine = coarse
    flat = marks(log, bright, known, texel_m)
    if sure is not None:
        flat *= 1 - enlarge(np.asarray(sure, np.float32)[span[0], span[1]], ratio)
    total *= mask * (1 - flat)
    result[large] = LIMIT_M * np.tanh(total / LIMIT_M)
    return result


def marks(log: Floats, bright: Floats, known: Floats, texel_m: float) -> Floats:
    """0..1 where dark means dark of colour: spots of another hue, and the texture of hair."""
    factor = 2 if texel_m < 0.0003 else 1
    warmth = shrink(log[..., 0] - log[..., 2], factor)
    grey, w, texel = shrink(bright, factor), shrink(known, factor), texel_m * factor
    result = np.zeros_like(grey)
    fine = _mean(warmth, w, 0.0005 / texel)
    for sigma in (0.0015, 0.004):
        coarse = _mean(warmth, w, sigma / texel)
        result = np.maximum(result, smoothstep(0.5 * _HUE, 1.5 * _HUE, np.abs(fine - coarse)))
        fine = coarse
    rough = np.sqrt(_mean((grey - _mean(grey, w, 0.001 / texel)) ** 2, w, 0.004 / texel))
    result = np.maximum(result, smoothstep(0.09, 0.18, rough))
    return enlarge(result, factor)


def _mean(values: Floats, weight: Floats, sigma: float) -> Floats:
    return np.asarray(blur(values * weight, sigma) / np.maximum(blur(weight, sigma), 1e-4))
