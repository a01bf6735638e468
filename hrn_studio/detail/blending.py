"""One albedo from several pictures of it, without ghosts.

Low frequencies are the mean of all pictures that can be believed; high frequencies come from the
best one alone, so a feature that two pictures show a millimetre apart is not drawn twice (the two
bands of Brown and Lowe 2007, "Automatic panoramic image stitching using invariant features").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hrn_studio.detail.filters import blur, weighted_blur
from hrn_studio.detail.light import LUMINANCE
from hrn_studio.records import AnyFloats, Floats, frozen

_LOW_BAND = 6.0  # texels of a 512 atlas: what is averaged is smoother than this
_SEAM = 2.0  # width of the change from one picture to the next
_STICKY = 3.0  # scores are smoothed this much before pictures compete, so that patches are large
_OUTLIER = 0.35  # log units of brightness away from the others that halve a picture's trust


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """How the pictures of one head mix."""

    albedo: Floats
    """(A, A, 3) linear, zero where nothing is seen."""
    seen: Floats
    """(A, A) 0..1: the trust of the best picture there."""
    quality: Floats
    """(A, A) 0..1: how squarely and finely the best picture shows it."""
    weights: tuple[Floats, ...]
    """Per picture (A, A): its share; they sum to 1 where anything is seen."""
    matches: tuple[Floats, ...]
    """Per picture (A, A, 3): the factor that brings its low frequencies to the common ones."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "albedo", frozen(self.albedo, np.float32))
        object.__setattr__(self, "seen", frozen(self.seen, np.float32))


def blend(
    albedos: Sequence[AnyFloats], trusts: Sequence[AnyFloats], scores: Sequence[AnyFloats]
) -> Blend:
    """Mix what several pictures say about one albedo.

    Parameters
    ----------
    albedos
        Per picture (A, A, 3) linear, light divided out.
    trusts, scores
        Per picture (A, A), as in :mod:`.sight`.
    """
    size = np.asarray(trusts[0]).shape[0]
    unit = size / 512
    trust = _doubted([np.asarray(a, np.float32) for a in albedos], list(trusts), 4 * unit)
    seen = np.max(trust, axis=0)
    best = np.clip(
        np.max([t * np.sqrt(np.minimum(s, 1)) for t, s in zip(trust, scores, strict=True)], axis=0),
        0,
        1,
    )
    if len(albedos) == 1:
        one = (seen > 0).astype(np.float32)
        same = np.ones((size, size, 3), np.float32)
        return Blend(albedos[0] * one[..., None], seen, best, (one,), (same,))

    logs = [np.log(np.maximum(a, 1e-3)) for a in albedos]
    lows, supports = zip(
        *(weighted_blur(g, w, _LOW_BAND * unit) for g, w in zip(logs, trust, strict=True)),
        strict=True,
    )
    share = [
        s * blur(c * w, _LOW_BAND * unit) for s, c, w in zip(supports, scores, trust, strict=True)
    ]
    total = np.maximum(np.sum(share, axis=0), 1e-9)[..., None]
    common = (
        np.sum([s[..., None] * low for s, low in zip(share, lows, strict=True)], axis=0) / total
    )
    matches = tuple(
        np.exp(np.clip(common - low, -1.0, 1.0)).astype(np.float32) * (s > 1e-5)[..., None]
        for low, s in zip(lows, supports, strict=True)
    )

    merit = np.stack(
        [blur(w * c, _STICKY * unit) * (w > 0) for w, c in zip(trust, scores, strict=True)]
    )
    merit *= np.stack(trust)
    merit *= _sharpness(logs, trust, unit)[:, None, None]
    winner = np.argmax(merit, axis=0)
    any_seen = seen > 1e-3
    raw = [
        blur(((winner == v) & any_seen).astype(np.float32), _SEAM * unit) for v in range(len(trust))
    ]
    raw = [r * np.minimum(4 * w, 1) for r, w in zip(raw, trust, strict=True)]
    norm = np.maximum(np.sum(raw, axis=0), 1e-6)
    weights = tuple(np.where(any_seen, r / norm, 0).astype(np.float32) for r in raw)
    albedo = np.sum(
        [w[..., None] * a * m for w, a, m in zip(weights, albedos, matches, strict=True)], axis=0
    )
    return Blend(albedo, seen, best, weights, matches)


def _doubted(albedos: list[Floats], trusts: list[AnyFloats], sigma: float) -> list[Floats]:
    """Less trust where one picture is far from the middle of three or more."""
    trust = [np.asarray(t, np.float32) for t in trusts]
    if len(trust) < 3:
        return trust
    smooth = [
        weighted_blur(a @ LUMINANCE.astype(np.float32), t, sigma)
        for a, t in zip(albedos, trust, strict=True)
    ]
    stack = np.stack([np.log(np.maximum(m, 1e-3)) for m, _ in smooth])
    known = np.stack([s > 0.05 for _, s in smooth]) & (np.stack(trust) > 0.01)
    stack[~known] = np.nan
    enough = known.sum(axis=0) >= 3
    middle = np.zeros(enough.shape, np.float32)
    middle[enough] = np.nanmedian(stack[:, enough], axis=0)
    away = np.where(known & enough, stack - middle, 0) / _OUTLIER
    away = ndimage.grey_dilation(np.abs(away), (1, 3, 3))
    return [t / (1 + a**4) for t, a in zip(trust, away, strict=True)]


def _sharpness(logs: Sequence[Floats], trusts: Sequence[Floats], unit: float) -> Floats:
    """(N,) how much fine structure each picture shows where all see the skin; best is 1."""
    common = np.min(trusts, axis=0) > 0.3
    if common.sum() < 200:
        return np.ones(len(logs), np.float32)
    energy = []
    for log in logs:
        grey = log @ LUMINANCE.astype(np.float32)
        energy.append(float(np.median(np.abs(grey - blur(grey, 1.5 * unit))[common])))
    relative = np.array(energy) / max(*energy, 1e-9)
    return np.clip(relative, 0.3, 1.0).astype(np.float32)
