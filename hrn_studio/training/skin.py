"""Painted skin: pigment, blood, lips, brows, beard, make-up, pores.

Skin colour is two pigments over a pale dermis: melanin and blood each darken linear red, green
and blue exponentially (the two-pigment model of Tsumura et al. 2003), with strengths per unit
chosen so that melanin 0..2.6 runs over human skins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.records import Floats
from hrn_studio.training.chart import Chart
from hrn_studio.training.noise import smooth_noise
from hrn_studio.training.pixels import blurred, polyline_mask
from hrn_studio.training.style import Style

DERMIS = np.array([0.80, 0.55, 0.44], np.float32)
MELANIN = np.array([0.74, 0.88, 1.03], np.float32)
BLOOD = np.array([0.10, 0.55, 0.48], np.float32)
DYES = np.array(
    [[0.35, 0.05, 0.06], [0.5, 0.12, 0.12], [0.42, 0.16, 0.14], [0.25, 0.03, 0.09]], np.float32
)


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """Paint on a :class:`hrn_studio.training.chart.Chart`."""

    albedo: Floats
    """(R, C, 3) linear."""
    relief: Floats
    """(R, C, 3): slope along the azimuth, slope along the elevation, gloss 0..2."""
    beard: Floats | None = None
    """(R, C) where a full beard grows, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class Zones:
    """Soft masks (R, C) of a chart, about 0..1."""

    eyes: Floats
    """Thin skin round the eyes."""
    flush: Floats
    """Where blood shows: cheeks, nose, chin, ears; negative on the forehead."""
    oily: Floats
    """Forehead and nose."""
    freckles: Floats
    lids: Floats
    rouge: Floats
    chin_sides: Floats
    """Where a beard grows thin."""


def find_zones(chart: Chart) -> Zones:
    """Where things are on the mean head; made once."""
    lid = chart.blob(0.032, 0.002, 0.010, 1.5)
    ears = chart.regions.get("ears", np.float32(0))
    return Zones(
        eyes=lid + 0.8 * chart.blob(0.028, -0.012, 0.007, 1.7),
        flush=np.asarray(
            chart.blob(0.042, -0.038, 0.016, 1.2)
            + 0.9 * chart.blob(0, -0.043, 0.011)
            + 0.5 * chart.blob(0.013, -0.047, 0.007)
            + 0.4 * chart.blob(0, -0.105, 0.012)
            + 0.4 * chart.blob(0.03, 0.004, 0.010, 1.5)
            - 0.3 * chart.blob(0, 0.05, 0.025, 1.6)
            + 0.8 * ears,
            np.float32,
        ),
        oily=1 + 0.6 * chart.blob(0, 0.045, 0.03, 1.5) + 0.5 * chart.blob(0, -0.03, 0.014),
        freckles=chart.blob(0.03, -0.025, 0.025, 1.5) + 0.3,
        lids=np.clip(chart.blob(0.032, 0.006, 0.006, 2.0), 0, 1),
        rouge=np.clip(chart.blob(0.044, -0.033, 0.012, 1.3), 0, 1),
        chin_sides=chart.blob(0.017, -0.095, 0.008),
    )


def draw_skin(rng: np.random.Generator, chart: Chart, zones: Zones, style: Style) -> Skin:
    """A random skin that suits a person's age, sex and hair."""
    rows, columns = chart.shape
    fine = smooth_noise(rng, rows, columns, columns / 3)
    blotch = smooth_noise(rng, rows, columns, 14, 4)
    melanin = style.melanin * (1 + np.float32(rng.uniform(0.02, 0.07)) * blotch)
    melanin += _freckles(rng, zones, style)
    melanin += np.float32(rng.gamma(1.5, 0.05)) * zones.eyes
    melanin += np.float32(rng.uniform(0.01, 0.04)) * fine
    flush = np.float32(rng.gamma(2.0, 0.08)) * zones.flush
    blood = np.float32(rng.uniform(0.15, 0.5)) + flush
    blood = blood * (1 + 0.1 * smooth_noise(rng, rows, columns, 30, 3))
    lips = _lips(rng, chart)
    blood += np.float32(rng.uniform(0.25, 1.0)) * lips
    melanin = melanin + np.float32(rng.uniform(0, 0.2) * (1 + style.melanin)) * lips
    yellow = np.float32(rng.normal(0, 0.12))
    dermis = DERMIS * np.exp(np.array([0, 0, -1], np.float32) * max(0.0, float(yellow)))
    albedo = np.empty((rows, columns, 3), np.float32)
    for k in range(3):
        thick = melanin * -MELANIN[k] - blood * BLOOD[k]
        np.multiply(np.exp(thick, out=thick), np.float32(dermis[k]), out=albedo[..., k])

    height = 0.15 * fine * (1 - lips)
    height += 0.5 * lips * _lip_lines(rng, chart)
    if style.make_up:
        _make_up(rng, zones, albedo, lips)
    grows = _beard(rng, chart, zones, albedo, style, lips) if style.beard > 0 else None
    _brows(rng, chart, albedo, style)
    uneven = 0.35 * smooth_noise(rng, rows, columns, 10, 3) + 0.12 * fine
    gloss = zones.oily + uneven * chart.flatness
    gloss += np.float32(rng.uniform(0, 0.8)) * lips
    height = height * chart.flatness
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope_y = -cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / 8)
    relief = np.empty((rows, columns, 3), np.float32)
    for k, layer in enumerate((slope_x, slope_y, np.clip(gloss, 0, 2.5))):
        relief[..., k] = layer
    return Skin(albedo, relief, grows if style.beard > 0.5 else None)


def _lips(rng: np.random.Generator, chart: Chart) -> Floats:
    """The red of the lips 0..1, its border a little sharper or softer than the model's mask."""
    mask = chart.regions["lips"]
    low, sharp = rng.uniform(0.2, 0.45), rng.uniform(0.2, 0.6)
    return np.asarray(np.clip((mask - low) / sharp, 0, 1), np.float32)


def _lip_lines(rng: np.random.Generator, chart: Chart) -> Floats:
    row = smooth_noise(rng, 8, chart.shape[1], chart.shape[1] / 4)[:1]
    return np.asarray(np.broadcast_to(row, chart.shape), np.float32)


def _freckles(rng: np.random.Generator, zones: Zones, style: Style) -> Floats:
    rows, columns = zones.freckles.shape
    result = np.zeros((rows, columns), np.float32)
    if rng.random() < 0.3 and style.melanin < 1.2:
        seeds = (rng.random((rows, columns), np.float32) < 0.02 * zones.freckles).astype(np.float32)
        strength = np.float32(rng.uniform(0.5, 2.5))
        result += strength * blurred(seeds, rng.uniform(0.8, 1.3))
    for _ in range(rng.poisson(2.0)):  # moles
        x, y = int(rng.integers(columns)), int(rng.integers(rows))
        radius = float(rng.uniform(0.7, 2.0))
        patch = result[max(0, y - 6) : y + 7, max(0, x - 6) : x + 7]
        r, c = np.mgrid[max(0, y - 6) : y + 7, max(0, x - 6) : x + 7][
            :, : patch.shape[0], : patch.shape[1]
        ]
        patch += np.exp(-((r - y) ** 2 + (c - x) ** 2) / radius**2).astype(np.float32) * 1.2
    return result


def _brows(rng: np.random.Generator, chart: Chart, albedo: Floats, style: Style) -> None:
    lift, gap = rng.normal(0, 0.0018), rng.normal(0.0105, 0.0018)
    arch, tail = rng.normal(0.0065, 0.002), rng.normal(0.052, 0.003)
    thick = (rng.gamma(9, 0.00055) if not style.feminine else rng.gamma(9, 0.00042)) + 0.0012
    t = np.linspace(0, 1, 24)
    x = gap + (tail - gap) * t
    y = 0.0165 + lift + arch * np.sin(np.pi * np.clip(t * 0.78 + 0.02, 0, 1)) - 0.004 * t**3
    half = thick * np.clip(1.15 - 0.75 * t, 0.25, 1) * np.clip(0.55 + 3 * t, 0, 1)
    count = int(rng.uniform(60, 260) * style.brow_density)
    along, across = rng.random(count) ** 0.8, rng.uniform(-1, 1, count)
    start = np.column_stack([np.interp(along, t, x), np.interp(along, t, y)])
    start[:, 1] += across * np.interp(along, t, half)
    # Inner hairs stand up, outer ones lie along the brow.
    lying = 80 * np.minimum(1, 1.5 * along) + 25 * np.maximum(0, across)
    angle = np.radians(75 - lying + 12 * rng.normal(0, 1, count))
    reach = rng.uniform(0.003, 0.007, count)[:, None]
    end = start + reach * np.column_stack([np.cos(angle), np.sin(angle)])
    hairs = np.stack([start, 0.5 * (start + end) + [0, 0.0004], end], axis=1).reshape(-1, 2)
    rim = np.concatenate([np.column_stack([x, y + half]), np.column_stack([x, y - half])[::-1]])
    rims = [chart.at(rim * [side, 1]) for side in (1, -1)]
    drawn = np.concatenate([chart.at(hairs * [side, 1]) for side in (1, -1)])
    places = np.concatenate([*rims, drawn])
    low = np.maximum(places.min(axis=0).astype(int) - 8, 0)
    high = np.minimum(places.max(axis=0).astype(int) + 9, chart.shape[::-1])
    shape = (int(high[1] - low[1]), int(high[0] - low[0]))
    canvas = polyline_mask(shape, list(drawn.reshape(-1, 3, 2) - low), 1)
    base = polyline_mask(shape, [r - low for r in rims], 1, filled=True)
    soft = blurred(base, rng.uniform(1.2, 3.0))
    fill = np.float32(rng.uniform(0.1, 0.75) * style.brow_density)
    thin = min(0.6, chart.shape[1] / 1500)  # a line is one texel wide, a hair a tenth of one
    alpha = np.clip(fill * soft + thin * canvas * np.clip(3 * soft, 0.25, 1), 0, 0.95)
    part = albedo[low[1] : high[1], low[0] : high[0]]
    _glaze(part, alpha, style.brow_color)


def _glaze(albedo: Floats, alpha: Floats, colour: Floats) -> None:
    """Paint over skin (R, C, 3) where ``alpha`` (R, C) says, never lighter than the skin.

    ``colour`` is (3,), or (R, C, 3).
    """
    where = np.nonzero(alpha > 0.004)
    under, a = albedo[where], alpha[where][:, None].astype(np.float32)
    over = colour[where] if colour.ndim == 3 else colour
    albedo[where] = under + a * (np.minimum(over, under) - under)


def _beard(
    rng: np.random.Generator, chart: Chart, zones: Zones, albedo: Floats, style: Style, lips: Floats
) -> Floats:
    """Paint a shaved shadow (style.beard below 0.5), stubble, or a full beard (1); where (R, C)."""
    p, shape = chart.position, chart.shape
    noise = smooth_noise(rng, *shape, 25, 3)
    x, y = np.abs(p[..., 0]), p[..., 1] + 0.005 * noise
    upper = np.interp(
        x, [0, 0.018, 0.027, 0.034, 0.055, 0.072], [-0.0505, -0.0500, -0.062, -0.068, -0.05, -0.01]
    ) + rng.normal(0, 0.002)
    lower = np.interp(x, [0, 0.04, 0.07], [-0.138, -0.135, -0.105])
    sides = np.clip((upper - y) / 0.007, 0, 1) * np.clip((y - lower) / 0.028, 0, 1)
    grows: Floats = np.asarray(sides, np.float32)
    moustache: Floats = np.asarray((x < 0.033) & (y > -0.078), np.float32)
    chin = np.clip((0.030 - x) / 0.006, 0, 1) * np.asarray(y < -0.068, np.float32)
    kind = rng.random()
    if kind < 0.15:
        grows = grows * moustache
    elif kind < 0.3:
        grows = grows * np.maximum(moustache, chin)
    ear = chart.regions.get("ears", np.float32(0))
    grows = grows * np.clip((p[..., 2] + 0.075) / 0.012, 0, 1) * (1 - lips) * (1 - ear)
    grows = np.clip(grows * (1 - 0.5 * zones.chin_sides) * (1 + 0.2 * noise), 0, 1)
    grain = blurred(rng.random(shape, np.float32), 0.6)
    grain = np.clip((grain - 0.5) * 3 + 0.5, 0, 1)
    density = np.float32(style.beard)
    where = np.nonzero(grows > 0.004)
    grain, skin = grain[where][:, None], albedo[where]
    alpha = grows[where][:, None] * density
    alpha = np.clip(alpha * (0.45 + 0.55 * (grain if density > 0.5 else 1)), 0, 0.95)
    colour = style.hair_color.astype(np.float32) * (0.6 + 0.8 * grain)
    if style.beard < 0.5:  # hair under the skin looks grey-blue
        colour = 0.5 * colour + 0.5 * skin * np.array([0.40, 0.46, 0.52], np.float32)
    albedo[where] = skin + alpha * (np.minimum(colour, skin) - skin)
    return np.asarray(grows, np.float32)


def _make_up(rng: np.random.Generator, zones: Zones, albedo: Floats, lips: Floats) -> None:
    tone = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.06, 3))
    dye = DYES[rng.integers(len(DYES))] * tone.astype(np.float32)
    where = np.nonzero(lips > 0.004)
    alpha = np.float32(rng.uniform(0.2, 0.85)) * lips[where][:, None]
    albedo[where] += alpha * (dye - albedo[where])
    if rng.random() < 0.6:
        shade = np.exp(-rng.uniform(0.05, 0.5) * rng.dirichlet([6, 9, 8]) * 3).astype(np.float32)
        where = np.nonzero(zones.lids > 0.004)
        albedo[where] *= 1 - zones.lids[where][:, None] * (1 - shade)
    if rng.random() < 0.5:
        where = np.nonzero(zones.rouge > 0.004)
        albedo[where] *= 1 - zones.rouge[where][:, None] * np.array([0.0, 0.2, 0.15], np.float32)
