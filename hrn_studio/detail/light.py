"""The light of each picture, from skin whose colour the pictures share.

Colour seen = albedo x transfer . light, with nine coefficients a colour and picture (Ramamoorthi
and Hanrahan 2001).  One equation holds two unknowns; three assumptions separate them: every
picture shows the same albedo, the left half of the face has that of the right half, and skin is
much the same all over the face.  What contradicts them (a highlight, a cast shadow, a beard, a
hand) loses its weight: iteratively reweighted least squares with a Cauchy loss, stricter against
what is too bright.  How bright skin is and how bright the light no picture can tell; a skin tone
between the one seen and a usual one is taken (:func:`plausible_skin`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrn_studio.detail.shading import BASIS, COSINE, sh_basis
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints, frozen

LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
"""Of linear RGB with sRGB's primaries (IEC 61966-2-1)."""

# Skin from very dark to very light: linear luminance, log(R / G), log(B / G).  Read off the two
# skin patches of the ColorChecker chart and the usual spread of skin around them.
_TONES = np.array(
    [
        (0.030, 0.72, -0.48),
        (0.095, 0.71, -0.37),
        (0.200, 0.64, -0.34),
        (0.340, 0.55, -0.31),
        (0.540, 0.40, -0.26),
    ]
)
_RELATIVE_NOISE = 0.12  # of the picture against albedo x shading, on good skin
_RELATIVE_ALBEDO = 0.10  # spread of skin's albedo over a face
_TURNS = 12


@dataclass(frozen=True, slots=True, eq=False)
class Lighting:
    """What :func:`estimate` found."""

    lights: Floats
    """(N, 9, 3) radiance coefficients of each picture, camera frame, linear RGB."""
    skin: Doubles
    """(3,) the linear albedo of this person's skin."""
    cast: Doubles
    """(3,) how far the pictures' skin was from a plausible hue: seen / believed, mean 1."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "lights", frozen(self.lights, np.float32))


def plausible_skin(seen: AnyFloats) -> Doubles:
    """The albedo that skin of this linear colour most likely has.

    The luminance moves a third of the way to 0.28 (in logs), as pictures are exposed for their
    subject; the hue moves to that of skin as dark, but for a rest of at most 7 %.

    Parameters
    ----------
    seen
        (3,) linear RGB of the skin in the picture, under the picture's light.
    """
    colour = np.maximum(np.asarray(seen, np.float64), 1e-4)
    luminance = float(colour @ LUMINANCE)
    target = float(np.clip(0.28**0.35 * (1.05 * luminance) ** 0.65, 0.045, 0.5))
    hues = np.log(colour[[0, 2]] / colour[1])
    at = np.log(_TONES[:, 0])
    usual = np.array([np.interp(np.log(target), at, _TONES[:, k]) for k in (1, 2)])
    hues = usual + 0.07 * np.tanh(0.5 * (hues - usual) / 0.07)
    result = np.array([np.exp(hues[0]), 1.0, np.exp(hues[1])])
    return np.asarray(result * target / (result @ LUMINANCE))


def estimate(
    colours: Sequence[AnyFloats],
    weights: Sequence[AnyFloats],
    transfers: Sequence[AnyFloats],
    mirror: Ints,
    *,
    white_balance: bool = True,
) -> Lighting:
    """Light of every picture and the skin's colour.

    Parameters
    ----------
    colours
        Per picture (S, S, 3): linear colour of each texel of the UV square.
    weights
        Per picture (S, S): 0 where the texel is not plain face skin or not seen.
    transfers
        Per picture (S, S, 9, 3) from :func:`.occlusion.transfer`.
    mirror
        (S, S) flat index of the texel on the other side, -1 where there is none.
    white_balance
        Give the skin a plausible hue and the light the rest; otherwise light is taken to be
        grey on average and all colour is the skin's.
    """
    flat = [
        _Observation.of(*each, mirror) for each in zip(colours, weights, transfers, strict=True)
    ]
    seen = _typical(
        np.concatenate([o.colour for o in flat]), np.concatenate([o.weight for o in flat])
    )
    skin = plausible_skin(seen)
    size = int(np.asarray(weights[0]).size)
    albedo = np.tile(skin, (size, 1))
    robust = [np.ones(len(o.weight)) for o in flat]
    lights = np.zeros((len(flat), 9, 3))
    for _ in range(_TURNS):
        top = np.tile(skin / (_RELATIVE_ALBEDO * skin) ** 2, (size, 1))
        bottom = np.tile(1 / (_RELATIVE_ALBEDO * skin) ** 2, (size, 1))
        for v, o in enumerate(flat):
            lights[v] = _solve(
                o, albedo[o.index], robust[v], lights[v] if lights[v].any() else None
            )
            shading = _shading(o, lights[v])
            noise = _RELATIVE_NOISE * albedo[o.index] * shading + 0.01
            error = ((o.colour - albedo[o.index] * shading) / noise) @ LUMINANCE
            scale = np.where(error > 0, 1.0, 1.6)
            robust[v] = 1 / (1 + (error / scale) ** 2)
            w = (o.weight * robust[v])[:, None] / noise**2
            for where in (o.index, o.mirror):
                np.add.at(top, where, 0.5 * w * shading * o.colour)
                np.add.at(bottom, where, 0.5 * w * shading**2)
        albedo = top / bottom
    if not white_balance:
        mean = np.mean(lights[:, 0], axis=0)
        cast = mean / mean.mean()
        lights /= cast
        skin = skin * cast
        return Lighting(lights.astype(np.float32), skin, np.ones(3))
    cast = (seen / skin) / np.mean(seen / skin)
    return Lighting(lights.astype(np.float32), skin, cast)


def soft_floor(shading: AnyFloats, floor: float) -> Floats:
    """Shading kept from falling below about ``floor``, smoothly, so that it can be divided by."""
    s = np.asarray(shading, np.float32)
    return np.asarray(0.5 * (s + np.sqrt(s * s + 4 * floor * floor)), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Observation:
    """Texels of one picture with a weight, flat."""

    index: Ints
    mirror: Ints
    colour: Doubles
    weight: Doubles
    transfer: Doubles

    @classmethod
    def of(
        cls, colour: AnyFloats, weight: AnyFloats, transfer: AnyFloats, mirror: Ints
    ) -> _Observation:
        w = np.asarray(weight, np.float64)
        height, width = w.shape
        index = np.flatnonzero(w.ravel() > 1e-3)
        other = mirror.ravel()[index]
        return cls(
            index,
            np.where(other >= 0, other, index),
            np.asarray(colour, np.float64).reshape(-1, 3)[index],
            w.ravel()[index],
            np.asarray(transfer, np.float64).reshape(height * width, 9, 3)[index],
        )


def _typical(colour: Doubles, weight: Doubles) -> Doubles:
    """The well-lit skin colour: mean around the 60th percentile of luminance."""
    luminance = colour @ LUMINANCE
    order = np.argsort(luminance, kind="stable")
    rank = np.cumsum(weight[order]) / max(float(weight.sum()), 1e-9)
    chosen = order[(rank > 0.45) & (rank < 0.75)]
    if len(chosen) == 0:
        return np.full(3, 0.3)
    return np.asarray(np.average(colour[chosen], axis=0, weights=weight[chosen]))


def _shading(o: _Observation, light: Doubles) -> Doubles:
    shading = np.einsum("pkc,kc->pc", o.transfer, light)
    floor = 0.02 * max(float(light[0].mean()) * BASIS[0], 1e-6)
    return np.asarray(np.maximum(shading, floor))


def _solve(o: _Observation, albedo: Doubles, robust: Doubles, before: Doubles | None) -> Doubles:
    """Nine coefficients a colour by ridge regression; higher orders cost more."""
    light = np.zeros((9, 3))
    ridge = np.repeat((0.0, 0.001, 0.004), (1, 3, 5))
    for c in range(3):
        design = albedo[:, c, None] * o.transfer[:, :, c]
        if before is None:
            noise = np.full(len(design), 1.0)
        else:
            noise = 1.0 / (_RELATIVE_NOISE * albedo[:, c] * _shading(o, before)[:, c] + 0.01) ** 2
        w = (o.weight * robust * noise)[:, None]
        normal = design.T @ (w * design)
        normal += np.diag(ridge * normal[0, 0] + 1e-12)
        light[:, c] = np.linalg.solve(normal, design.T @ (w[:, 0] * o.colour[:, c]))
    return _window(light)


def _window(light: Doubles) -> Doubles:
    """Higher orders faded until no visible normal is darker than 3 % of the mean (Sloan 2008)."""
    i = np.arange(200) + 0.5
    y = 1 - i / 100
    angle = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - y * y)
    directions = np.stack([r * np.cos(angle), y, r * np.sin(angle)], axis=1)
    basis = sh_basis(directions[directions[:, 2] < 0.2])
    basis *= np.repeat(COSINE, (1, 3, 5))
    mean = basis[:, :1] @ light[:1]
    for fade in np.linspace(1.0, 0.0, 21):
        scale = np.repeat((fade**0.5, fade), (3, 5))[:, None]
        rest = basis[:, 1:] @ (light[1:] * scale)
        if ((mean + rest) @ LUMINANCE).min() >= 0.03 * (mean @ LUMINANCE).min():
            light = np.concatenate([light[:1], light[1:] * scale])
            break
    return light
