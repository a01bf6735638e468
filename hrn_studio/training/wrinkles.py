"""Wrinkles: where skin folds as muscles pull, and what of it stays with age.

Each group of lines lies across the pull of one muscle (Ekman and Friesen 1978, Facial Action
Coding System; Hjortsjö 1969): furrows of the forehead across the frontalis, frown lines across the
corrugator, crow's feet round the orbicularis, the nasolabial fold beside the zygomatic muscles.
The lines are placed on the mean face, so they move with the skin, and their depth follows the
expression of the picture, side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.live._cv import cv2
from hrn_studio.records import AnyFloats, Coefficients, Doubles, Floats, Ints
from hrn_studio.training.chart import HIGHEST, LOWEST, Chart
from hrn_studio.training.pixels import blurred, look_up

POINTS = 9
"""To a line."""
LEVELS = 12
SIGMAS_M = (0.0006, 0.0009, 0.0016, 0.0030)
"""Half widths: a fine line, a furrow, a fold, and the pad of skin beside a fold, which rises."""
FINE, FURROW, FOLD, PAD = range(4)
DEEPEST_M = (0.0006, 0.0012, 0.0020, 0.0020)
REACH_M = 0.10
"""From the middle of the chart to the skin of the face."""
DEEP_M = 0.0009
"""A furrow this deep is as dark as one gets."""

Causes = dict[str, tuple[float, float]]
"""Expression, {} standing for the side: how much it folds the start and the end of a line."""

LIFTED: Causes = {"browInnerUp": (1.1, 0.25), "browOuterUp{}": (0.25, 1.1)}
FROWN: Causes = {"browDown{}": (1.0, 1.0), "noseSneer{}": (0.25, 0.1)}
BRIDGE: Causes = {"browDown{}": (0.7, 0.7), "noseSneer{}": (0.8, 0.8)}
CROW: Causes = {
    "eyeSquint{}": (0.6, 0.6),
    "cheekSquint{}": (0.8, 0.8),
    "mouthSmile{}": (0.45, 0.45),
    "eyeBlink{}": (0.2, 0.1),
}
BELOW: Causes = {
    "eyeSquint{}": (0.7, 0.7),
    "cheekSquint{}": (0.9, 0.7),
    "mouthSmile{}": (0.2, 0.3),
}
CHEEK: Causes = {
    "mouthSmile{}": (0.7, 1.0),
    "cheekSquint{}": (0.6, 0.3),
    "noseSneer{}": (1.0, 0.1),
    "mouthUpperUp{}": (0.8, 0.4),
    "mouthDimple{}": (0.1, 0.5),
    "mouthStretch{}": (0.1, 0.5),
}
BUNNY: Causes = {"noseSneer{}": (1.2, 1.2), "cheekSquint{}": (0.25, 0.25)}
CORNER: Causes = {
    "mouthFrown{}": (1.0, 0.7),
    "mouthStretch{}": (0.5, 0.5),
    "mouthPress{}": (0.3, 0.3),
}
BRACKET: Causes = {"mouthSmile{}": (0.8, 0.8), "mouthDimple{}": (1.0, 1.0)}
CHIN: Causes = {
    "mouthShrugLower": (1.0, 1.0),
    "mouthPucker": (0.4, 0.4),
    "mouthFrown{}": (0.35, 0.35),
    "mouthPress{}": (0.3, 0.3),
}
PURSED: Causes = {
    "mouthPucker": (1.0, 1.0),
    "mouthFunnel": (0.4, 0.4),
    "mouthRollUpper": (0.35, 0.35),
    "mouthRollLower": (0.35, 0.35),
}
GROUPS: tuple[Causes, ...] = (
    *(LIFTED, FROWN, BRIDGE, CROW, BELOW, CHEEK),
    *(BUNNY, CORNER, BRACKET, CHIN, PURSED),
)
CAUSES = tuple(dict.fromkeys(name for group in GROUPS for name in group))
_START, _END = (
    np.array([[group.get(name, (0.0, 0.0))[k] for name in CAUSES] for group in GROUPS])
    for k in (0, 1)
)


@dataclass(frozen=True, slots=True, eq=False)
class Creases:
    """One person's K lines, for both sides of the face."""

    lines: Doubles
    """(2, K, POINTS, 2) metres on the front of the mean head, left side first."""
    width: Ints
    """(K,) index into :data:`SIGMAS_M`."""
    depth_m: Doubles
    """(K,) when the muscle is fully drawn, or in old age."""
    lasting: Doubles
    """(K,) share of the depth that is there in a face at rest."""
    start: Doubles
    """(K, C) how much each of :data:`CAUSES` folds the start of a line."""
    end: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """The wrinkles of one picture, painted on a part of the chart."""

    paint: Floats
    """(r, c, 3): slope along the azimuth and along the elevation, and how deep, 0..1."""
    corner: tuple[int, int]
    """Row and column of the chart's texel where it begins."""

    def at(self, x: Floats, y: Floats) -> Floats:
        """Values (P, 3) at the chart's texels (P,); nothing beyond the face."""
        row, column = self.corner
        return look_up(self.paint, x - column, y - row, cv2.BORDER_CONSTANT)


class _Bundle:
    """Lines while they are being drawn."""

    def __init__(self, rng: np.random.Generator, age: float) -> None:
        self.rng, self.age = rng, age
        self.lines: list[Doubles] = []
        self.told: list[tuple[int, float, float]] = []
        self.groups: list[int] = []

    def add(
        self,
        x: AnyFloats | float,
        y: AnyFloats,
        width: int,
        depth_m: float,
        onset: float,
        causes: Causes,
    ) -> None:
        """A line with places (POINTS,); it begins to stay at age ``onset``, 0..1."""
        lasting = (self.age - onset) / max(1.0 - onset, 0.05)
        line = np.empty((POINTS, 2))
        line[:, 0], line[:, 1] = x, y
        self.lines.append(line)
        self.told.append((width, depth_m, min(max(lasting, 0.0), 1.0)))
        self.groups.append(next(k for k, group in enumerate(GROUPS) if group is causes))

    def done(self) -> Creases:
        lines = np.stack(self.lines)
        # The two sides differ a little, but meet where they touch the middle.
        away = np.clip(lines[..., :1] / 0.012, 0, 1)
        shift = self.rng.normal(0, 0.0006, (2, len(lines), 1, 2))
        wave = self.rng.normal(0, 0.00025, (2, len(lines), POINTS, 2))
        width, depth, lasting = (np.array(v) for v in zip(*self.told, strict=True))
        return Creases(
            lines=lines + away * (shift + wave),
            width=width,
            depth_m=depth * np.exp(self.rng.normal(0, 0.2, len(depth))),
            lasting=lasting,
            start=_START[self.groups],
            end=_END[self.groups],
        )


def draw_creases(rng: np.random.Generator, age: float) -> Creases:
    """A random person's lines; deeper and more of them stay with ``age`` 0..1."""
    bundle = _Bundle(rng, age)
    t = np.linspace(0, 1, POINTS)
    _draw_brow(bundle, t)
    _draw_eye(bundle, t)
    _draw_cheek(bundle, t)
    _draw_mouth(bundle, t)
    return bundle.done()


def _draw_brow(bundle: _Bundle, t: Doubles) -> None:
    rng = bundle.rng
    count = int(rng.integers(3, 6))
    depth = rng.uniform(0.0005, 0.0011)
    for k in range(count):
        y = 0.034 + 0.036 * (k + rng.uniform(-0.2, 0.2)) / count
        arch = rng.uniform(0.001, 0.005)
        reach = rng.uniform(0.034, 0.050)
        dip = rng.uniform(0, 0.0015)
        line = y + arch * np.sin(2.4 * t) - dip * np.exp(-((t * 4) ** 2))
        bundle.add(reach * t, line, FURROW, depth, rng.uniform(0.25, 0.7), LIFTED)
    lean = rng.uniform(-0.001, 0.003)
    high = rng.uniform(0.011, 0.020)
    bundle.add(
        rng.uniform(0.004, 0.008) + lean * t,
        0.010 + high * t,
        FURROW,
        rng.uniform(0.0006, 0.0012),
        rng.uniform(0.3, 0.7),
        FROWN,
    )
    if rng.random() < 0.5:
        x = rng.uniform(0.010, 0.014) + 0.003 * t
        bundle.add(x, 0.016 + 0.010 * t, FINE, 0.0005, 0.7, FROWN)
    for y in (0.006, 0.0015)[: int(rng.integers(1, 3))]:
        bundle.add(0.008 * t, y - 0.001 * t, FURROW, 0.0006, 0.6, BRIDGE)


def _draw_eye(bundle: _Bundle, t: Doubles) -> None:
    rng = bundle.rng
    count = int(rng.integers(3, 6))
    depth = rng.uniform(0.0005, 0.0010)
    for k in range(count):
        angle = np.radians(np.interp(k, [0, count - 1], [34, -42]) + rng.normal(0, 5))
        reach = rng.uniform(0.009, 0.019)
        x = 0.0500 + reach * t * np.cos(angle)
        y = 0.001 + 0.006 * np.sin(angle) + reach * t * np.sin(angle) - 0.002 * t**2
        bundle.add(x, y, int(rng.choice([FINE, FURROW])), depth, rng.uniform(0.3, 0.6), CROW)
    for k in range(int(rng.integers(1, 4))):
        low = 0.0095 + 0.0035 * k + rng.normal(0, 0.0006)
        below = 0.019 + 0.004 * k + (0.029 - 0.003 * k) * t
        sag = -0.003 - low * np.sin(np.pi * np.clip(0.12 + 0.82 * t, 0, 1)) ** 0.7
        bundle.add(below, sag, FINE, rng.uniform(0.0003, 0.0006), rng.uniform(0.3, 0.8), BELOW)
    trough = rng.uniform(0.0003, 0.0009)
    bundle.add(
        0.015 + 0.020 * t, -0.009 - 0.011 * t**0.8, FOLD, trough, rng.uniform(0.1, 0.5), BELOW
    )


def _draw_cheek(bundle: _Bundle, t: Doubles) -> None:
    rng = bundle.rng
    depth = rng.uniform(0.0008, 0.0018)
    out = rng.normal(0, 0.0012)
    x = 0.0175 + (0.0175 + out) * t**0.75
    y = -0.0375 - (0.036 + rng.uniform(-0.006, 0.006)) * t
    onset = rng.uniform(0.1, 0.5)
    bundle.add(x, y, FOLD, depth, onset, CHEEK)
    bundle.add(x, y, FURROW, 0.5 * depth, onset + 0.2, CHEEK)
    bundle.add(x + 0.006, y + 0.003, PAD, 0.8 * depth, onset, CHEEK)
    for k in range(int(rng.integers(1, 3))):
        away = 0.0405 + 0.007 * k + rng.normal(0, 0.0008)
        x = away + rng.uniform(0.002, 0.004) * np.sin(np.pi * t)
        y = -0.058 + 0.004 * k - rng.uniform(0.018, 0.028) * t
        bundle.add(x, y, FURROW, 0.0007, 0.75, BRACKET)
    for k in range(int(rng.integers(2, 4))):
        x = 0.0045 + (0.007 + 0.0015 * k) * t
        line = 0.0005 - 0.0055 * k - 0.005 * t + rng.normal(0, 0.0006)
        bundle.add(x, line, FURROW, rng.uniform(0.0004, 0.0008), 1.0, BUNNY)


def _draw_mouth(bundle: _Bundle, t: Doubles) -> None:
    rng = bundle.rng
    x = 0.0265 + rng.uniform(0.001, 0.005) * t
    y = -0.0755 - rng.uniform(0.012, 0.022) * t
    corner = rng.uniform(0.0005, 0.0012)
    bundle.add(x, y, FOLD, corner, rng.uniform(0.35, 0.7), CORNER)
    x = rng.uniform(0.012, 0.019) * t
    bundle.add(x, -0.0895 - 0.0035 * t**2, FOLD, rng.uniform(0.0006, 0.0014), 0.3, CHIN)
    for _ in range(int(rng.integers(14, 26))):  # pits
        angle, far = rng.uniform(-np.pi / 2, np.pi / 2), np.sqrt(rng.random())
        x = 0.014 * far * np.cos(angle) + 0.001 * t
        y = -0.1045 + 0.0095 * far * np.sin(angle) + 0.0008 * rng.normal() * t
        bundle.add(x, y, FURROW, rng.uniform(0.0002, 0.0005), 1.0, CHIN)
    for rim, tip, count in ((-0.0640, -0.0545, 5), (-0.0810, -0.0885, 4)):
        for k in range(count):
            x = (0.019 * (k + rng.uniform(0.2, 0.8)) / count) * (1 + 0.15 * t)
            y = rim + 0.0025 * (x / 0.019) ** 2 * np.sign(rim + 0.07) * -1
            deep = rng.uniform(0.0003, 0.0006)
            line = y + (tip - rim) * rng.uniform(0.5, 1.0) * t
            bundle.add(x, line, FINE, deep, rng.uniform(0.55, 0.95), PURSED)
    for k in range(9):  # in the red of the lips
        across = 0.020 * (k + rng.uniform(0.2, 0.8)) / 9
        for top, low in ((-0.0645, -0.0705), (-0.0725, -0.0790)):
            bundle.add(across, top + (low - top) * t, FINE, 0.0004, 0.8, PURSED)


def fold(
    chart: Chart, head: HeadModel, creases: Creases, age: float, coefficients: Coefficients
) -> Folds | None:
    """The wrinkles of one picture, or None where the skin is smooth."""
    shape, corner = _front(chart)
    # Young skin springs back; old skin folds deep, and stays folded.
    give = 0.40 + 0.60 * min(1.0, 1.4 * age)
    segments: list[Doubles] = []
    level: list[Doubles] = []
    for k, side in enumerate(("Left", "Right")):
        pull = _weights(head, coefficients, side)
        t = np.linspace(0, 1, POINTS)
        drawn = (creases.start @ pull)[:, None] * (1 - t) + (creases.end @ pull)[:, None] * t
        share = np.clip(np.maximum(creases.lasting[:, None], give * drawn), 0, 1.25)
        taper = np.clip(np.minimum(t * 5 + 0.35, (1 - t) * 2.5 + 0.1), 0, 1)
        depth = creases.depth_m[:, None] * share * taper / np.array(DEEPEST_M)[creases.width, None]
        mirror = np.array([1.0 - 2 * k, 1.0])
        texels = chart.at((creases.lines[k] * mirror).reshape(-1, 2)).reshape(-1, POINTS, 2)
        texels = texels - corner[::-1]
        segments.append(np.stack([texels[:, :-1], texels[:, 1:]], axis=2))
        level.append(0.5 * (depth[:, :-1] + depth[:, 1:]))
    lines, strength = np.concatenate(segments), np.concatenate(level)
    width = np.concatenate([creases.width] * 2)
    if strength.max() < 0.5 / LEVELS:
        return None
    texel_m = REACH_M * (HIGHEST - LOWEST) / chart.shape[0]
    height, deep = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for kind, (sigma_m, deepest) in enumerate(zip(SIGMAS_M, DEEPEST_M, strict=True)):
        mine = width == kind
        canvas = _drawn(shape, lines[mine].reshape(-1, 2, 2), strength[mine].ravel())
        if canvas is None:
            continue
        sigma = max(sigma_m / texel_m, 0.6)
        # A line one texel wide keeps 0.4 / sigma of its height.
        line = blurred(canvas, sigma) * np.float32(2.5 * sigma * deepest)
        if kind == PAD:
            height += line
        else:  # what is pushed aside rises beside the furrow
            height += 0.45 * blurred(line, 2 * sigma) * np.float32(2.2) - line
            deep += line if kind == FURROW else 0.6 * line
    x = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=1 / (8 * texel_m))
    y = -cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=1 / (8 * texel_m))
    dark = np.clip(deep / np.float32(DEEP_M), 0, 1)
    return Folds(np.asarray(np.dstack([x, y, dark]), np.float32), (int(corner[0]), int(corner[1])))


def _front(chart: Chart) -> tuple[tuple[int, int], Ints]:
    """Rows and columns of the part of the chart with the lines, and where it begins (2,)."""
    ends = chart.at(np.array([[-0.066, 0.0], [0.066, 0.0], [0.0, 0.080], [0.0, -0.122]]))
    low = np.array([ends[2, 1], ends[0, 0]]).astype(np.int32) - 2
    high = np.array([ends[3, 1], ends[1, 0]]).astype(np.int32) + 3
    low, high = np.maximum(low, 0), np.minimum(high, chart.shape)
    rows, columns = high - low
    return (int(rows), int(columns)), low


def _weights(head: HeadModel, coefficients: Coefficients, side: str) -> Doubles:
    """(C,) the values of :data:`CAUSES` on a side; 0 for those that a head lacks."""
    names, values = head.expression_names, coefficients.expression
    known = {n: float(v) for n, v in zip(names, values, strict=True)}
    return np.array([known.get(name.format(side), 0.0) for name in CAUSES])


def _drawn(shape: tuple[int, int], lines: Doubles, strength: Doubles) -> Floats | None:
    """Segments (N, 2, 2) in texels, 0..1 as strong as they are; None where none is."""
    level = np.minimum(np.rint(strength * LEVELS), LEVELS).astype(int)
    if not level.any():
        return None
    canvas = np.zeros(shape, np.uint8)
    fixed = np.rint(lines * 16 - 8).astype(np.int32)
    for step in range(1, LEVELS + 1):
        chosen: list[Any] = list(fixed[level == step])
        if chosen:
            shade = (255.0 * step) // LEVELS
            cv2.polylines(canvas, chosen, False, (shade,), 1, cv2.LINE_AA, 4)
    return np.asarray(canvas, np.float32) / np.float32(255)
