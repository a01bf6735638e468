"""Tell skin from hair and other things by colour and texture, in a crop of one face.

What lies between the brows and the chin is skin for sure (more or less), what lies on top of the
head is hair or bald skin; a mixture of Gaussians is fitted to each, and every pixel is asked which
of the two it resembles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.records import AnyFloats, Bools, Bytes, Doubles, Floats

_MOST_SAMPLES = 3000
_FLOOR = 0.15
"""Variance added to every Gaussian: features are scaled so that 1 is a visible difference."""
FOREIGN_CHROMA = 25.0
"""Distance in Lab's a and b from the face's usual colour."""
COLOURLESS = 0.35
"""Chroma for its lightness, against the face's."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A mixture of K Gaussians over D features."""

    weights: Doubles
    """(K,)"""
    means: Doubles
    """(K, D)"""
    covariances: Doubles
    """(K, D, D)"""

    def log_density(self, features: AnyFloats) -> Doubles:
        """Natural logarithm of the density (up to one constant) at (N, D) features."""
        return np.asarray(np.logaddexp.reduce(self.log_parts(features), axis=0))

    def log_parts(self, features: AnyFloats) -> Doubles:
        """The same for each Gaussian, (K, N)."""
        parts = []
        for weight, mean, covariance in zip(
            self.weights, self.means, self.covariances, strict=True
        ):
            root = np.linalg.cholesky(covariance)
            z = np.linalg.solve(root, (features - mean).T)
            parts.append(np.log(weight) - 0.5 * (z**2).sum(0) - np.log(np.diag(root)).sum())
        return np.array(parts)


def fit_mixture(features: Floats, count: int, rounds: int = 12) -> Mixture:
    """Expectation maximisation on (N, D) features, from ``count`` slices of their first axis.

    Deterministic; looks at no more than 3000 of the samples.
    """
    step = max(1, len(features) // _MOST_SAMPLES)
    x = features[::step].astype(np.float64)
    order = np.argsort((x - x.mean(0)) @ np.linalg.svd(x - x.mean(0), full_matrices=False)[2][0])
    share = np.zeros((count, len(x)))
    for k, members in enumerate(np.array_split(order, count)):
        share[k, members] = 1.0
    floor = _FLOOR * np.eye(x.shape[1])
    for _ in range(rounds):
        total = share.sum(axis=1) + 1e-6
        means = share @ x / total[:, None]
        away = x[None] - means[:, None]
        covariances = np.einsum("kn,kni,knj->kij", share, away, away) / total[:, None, None] + floor
        mixture = Mixture(total / total.sum(), means, covariances)
        parts = mixture.log_parts(x)
        share = np.exp(parts - np.logaddexp.reduce(parts, axis=0))
    return mixture


def own(mixture: Mixture) -> Bools:
    """(K,) which Gaussians have the colour of the face.

    Part of the samples may show a hand-held thing or dark glasses.  Skin under one light may be
    bright or dark, but its chroma stays near one value, and grows with lightness.
    """
    light, chroma = mixture.means[:, 0] * 4, mixture.means[:, 1:3] * 2
    apart = np.linalg.norm(chroma[:, None] - chroma[None], axis=2)
    middle = int((apart @ mixture.weights).argmin())
    usual = float(np.linalg.norm(chroma[middle]))
    strength = np.linalg.norm(chroma, axis=1) / np.maximum(light, 1.0)
    colourless = strength < COLOURLESS * usual / light[middle]
    dark = colourless & (usual > 6) & (light < 0.6 * light[middle])
    return np.asarray((apart[middle] <= FOREIGN_CHROMA) & ~dark)


def fit_own(features: Floats, count: int) -> tuple[Mixture, Bools]:
    """A mixture of the face's colours only, and which of the (N, D) samples show them."""
    mixture = fit_mixture(features, count)
    kept = own(mixture)
    mine = kept[mixture.log_parts(features).argmax(axis=0)]
    weights = mixture.weights[kept] / mixture.weights[kept].sum()
    return Mixture(weights, mixture.means[kept], mixture.covariances[kept]), mine


def features_of(crop: Bytes, skin: Bools) -> Floats:
    """(h, w, 4) lightness, two chroma axes and fine texture, scaled to visible differences.

    Highlights are toned down to what ``skin``, a first guess, shows elsewhere: they are as white
    as the lamp and say nothing about the skin.
    """
    lab = cv2.cvtColor(crop.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light = np.asarray(lab[..., 0], np.float32)
    texture = np.sqrt(np.maximum(_blurred((light - _blurred(light, 2.0)) ** 2, 2.5), 0))
    bright, brighter = np.percentile(light[skin], [85, 99])
    glare = np.clip((light - bright) / max(brighter - bright, 1.0), 0, 1)[..., None]
    usual = np.median(lab[skin], axis=0)
    chroma = lab[..., 1:] + glare * (usual[1:] - lab[..., 1:])
    parts = [np.minimum(light, brighter) / 4, chroma[..., 0] / 2, chroma[..., 1] / 2]
    return np.asarray(np.stack([*parts, 3 * np.log(texture + 0.5)], axis=-1), np.float32)


def _blurred(image: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What colour and texture say about each pixel of a crop."""

    skin: Floats
    """(h, w) log odds of skin against hair and unknown things, -8..8."""
    hair: Bools
    """(h, w) more like the hair of this head than like an unknown thing."""
    bald: bool
    """The top of the head looks like the face."""


def evidence(crop: Bytes, skin: Bools, hair: Bools) -> Evidence:
    """Learn from the samples ``skin`` and ``hair`` (h, w) of a crop; judge all of it."""
    features = features_of(crop, skin)
    flat = features.reshape(-1, features.shape[2])

    def log_density(mixture: Mixture) -> Doubles:
        return mixture.log_density(flat).reshape(skin.shape)

    model, mine = fit_own(features[skin], 4)
    believed = np.zeros(skin.shape, np.bool_)
    believed[skin] = mine
    as_skin = log_density(model)
    scalp = hair & (as_skin > np.percentile(as_skin[believed], 3))
    like_skin = float(scalp.sum()) / max(1, int(hair.sum()))
    if like_skin > 0.45:  # half bald: the scalp is lit otherwise than the face
        as_skin = log_density(fit_mixture(features[believed | scalp], 5))
    low, usual = np.percentile(as_skin[believed], [5, 20])
    enough = int(hair.sum()) >= 200
    bald = enough and like_skin > 0.6
    unknown = low - (5.0 if bald else 2.0)
    as_hair = np.full(skin.shape, -np.inf)
    if enough and not bald:
        hairy = hair & (as_skin <= usual) if like_skin > 0.2 else hair
        hairy = hairy if int(hairy.sum()) >= 50 else hair
        as_hair = log_density(fit_mixture(features[hairy], 2)) - 0.7
    odds = as_skin - np.maximum(as_hair, unknown)
    return Evidence(np.clip(odds, -8, 8).astype(np.float32), as_hair > unknown, bald)
