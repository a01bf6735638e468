"""The light of each picture, from skin whose colour the pictures share.

Colour seen = albedo x transfer . light, with nine coefficients a colour and picture (Ramamoorthi
and Hanrahan 2001).  One equation holds two unknowns; three assumptions separate them: every
picture shows the same albedo, the left half of the face has that of the right half, and skin is
much the same all over the face.  What contradicts them (a highlight, a cast shadow, a beard, a
hand) loses its weight: iteratively reweighted least squares with a Cauchy loss, stricter against
what is too bright.  How bright skin is and how bright the light no picture can tell; a skin tone
between the one seen and a usual one is taken, darker when the whites of the eyes say so
(:func:`plausible_skin`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hrn_studio.detail.occlusion import spread_directions
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
_RELATIVE_LIGHT = 0.5  # spread of irradiance over all normals, against the usual one
_TURNS = 12
_WHITE = 0.40
"""Luminance of the eyes' whites as if lit like the skin: 0.57 less the shade of lids and sockets.
Median of rendered people."""
_WHITE_SHARE = 0.9
"""How far the whites are believed against the picture's exposure, in logs.  Over 68 rendered people
the whites err by a quarter; exposure alone makes skin of a luminance below 0.12 twice as bright."""


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


def plausible_skin(seen: AnyFloats, white: float = 0.0) -> Doubles:
    """The albedo that skin of this linear colour most likely has.

    The luminance moves a fifth of the way to 0.31 (in logs), as pictures are exposed for their
    subject; the hue moves to that of skin as dark, but for a rest of at most 9 %.

    Parameters
    ----------
    seen
        (3,) linear RGB of the skin in the picture, under the picture's light.
    white
        How many times as bright the whites of the eyes are; 0 when that is not known.  They only
        make skin darker: squinting, dark lashes and a lid's shadow hide white, nothing adds to it.
    """
    colour = np.maximum(np.asarray(seen, np.float64), 1e-4)
    luminance = float(colour @ LUMINANCE)
    target = 0.31**0.2 * (1.05 * luminance) ** 0.8
    if white > 0:
        target *= min(_WHITE / white / target, 1.0) ** _WHITE_SHARE
    target = float(np.clip(target, 0.03, 0.5))
    hues = np.log(colour[[0, 2]] / colour[1])
    at = np.log(_TONES[:, 0])
    usual = np.array([np.interp(np.log(target), at, _TONES[:, k]) for k in (1, 2)])
    hues = usual + 0.09 * np.tanh(0.5 * (hues - usual) / 0.09)
    result = np.array([np.exp(hues[0]), 1.0, np.exp(hues[1])])
    return np.asarray(result * target / (result @ LUMINANCE))


def estimate(
    colours: Sequence[AnyFloats],
    weights: Sequence[AnyFloats],
    transfers: Sequence[AnyFloats],
    mirror: Ints,
    *,
    white_balance: bool = True,
    whites: Sequence[float] = (),
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
    whites
        Per picture the luminance of the eyes' whites, 0 where none is seen.
    """
    flat = [
        _Observation.of(*each, mirror) for each in zip(colours, weights, transfers, strict=True)
    ]
    seen = _typical(
        np.concatenate([o.colour for o in flat]), np.concatenate([o.weight for o in flat])
    )
    ratios = [
        white / float(_typical(o.colour, o.weight) @ LUMINANCE)
        for white, o in zip(whites, flat, strict=False)
        if white > 0 and len(o.weight)
    ]
    skin = plausible_skin(seen, float(np.median(ratios)) if ratios else 0.0)
    flat = [o if len(o.weight) else _Observation.even(seen / skin) for o in flat]
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
            noise = _noise(albedo[o.index], shading)
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

    @classmethod
    def even(cls, light: Doubles) -> _Observation:
        """What stands in for a picture that shows no skin at all: the same light everywhere."""
        directions = spread_directions(40)
        basis = sh_basis(directions) * np.repeat(COSINE, (1, 3, 5))
        none = np.zeros(40, np.int32)
        colour = np.tile(light, (40, 1))
        return cls(none, none, colour, np.full(40, 1e-6), np.repeat(basis[..., None], 3, axis=2))


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


def _noise(albedo: Doubles, shading: Doubles) -> Doubles:
    """Standard deviation of a colour; relative, but not finer where there is little light."""
    least = 0.5 * np.median(shading, axis=0)
    return np.asarray(_RELATIVE_NOISE * albedo * np.maximum(shading, least) + 0.005)


def _solve(o: _Observation, albedo: Doubles, robust: Doubles, before: Doubles | None) -> Doubles:
    """Nine coefficients a colour: least squares with a prior on what arrives from anywhere.

    Half of the sphere of normals is never seen, and a few coefficients that cancel each other
    there cost nothing.  So the irradiance on normals all over the sphere is believed to be about
    its usual value here, loosely; more firmly when something visible would come out black.
    """
    noise = albedo if before is None else _noise(albedo, _shading(o, before))
    directions = spread_directions(100)
    around = sh_basis(directions) * np.repeat(COSINE, (1, 3, 5))
    visible = around[directions[:, 2] < 0.2]
    light = np.zeros((9, 3))
    usual = np.median(o.colour / albedo, axis=0)
    for share in (0.3, 1.0, 3.0, 10.0, 100.0):
        for c in range(3):
            design = albedo[:, c, None] * o.transfer[:, :, c]
            w = o.weight * robust / noise[:, c] ** 2
            belief = share / len(directions) * (w * albedo[:, c] ** 2).sum()
            belief *= (_RELATIVE_NOISE / _RELATIVE_LIGHT) ** 2
            normal = design.T @ (w[:, None] * design) + belief * (around.T @ around)
            right = design.T @ (w * o.colour[:, c])
            right += belief * 0.85 * usual[c] * around.sum(axis=0)
            light[:, c] = np.linalg.solve(normal, right)
        if (visible @ light).min() >= 0.05 * float(usual.min()):
            break
    return light
