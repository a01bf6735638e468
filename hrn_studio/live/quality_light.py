"""How a face is lit: histogram, clipping, balance of the cheeks, colour, and where light is.

Everything works on a copy of the face's surroundings of at most 192 px, so that a picture of any
size takes about a millisecond.

Convention
----------
Luminance is Rec. 709's weights on sRGB-encoded values, 0..255, except where a name says
``_linear``.  Left and right are the subject's.  Spherical harmonics are the nine real ones of
second order in the axes of the viewer: +X right in the picture, +Y up, +Z towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.live.facemesh import LEFT_EYE, LIPS_OUTER, OVAL, RIGHT_EYE
from hrn_studio.records import AnyFloats, Bytes, Doubles, Floats, Track, frozen

DARK, BRIGHT = 25, 247
"""Luminance up to DARK has lost its shadow detail, from BRIGHT on its highlights."""
CROP_PX = 192
_LUMA = np.array([[0.2126, 0.7152, 0.0722]], np.float32)
_LINEAR: Floats = (
    np.where(
        np.arange(256) <= 10.3,
        np.arange(256) / 255 / 12.92,
        ((np.arange(256) / 255 + 0.055) / 1.055) ** 2.4,
    )
).astype(np.float32)
_MOUTH_EYES = (RIGHT_EYE, LEFT_EYE, LIPS_OUTER)


@dataclass(frozen=True, slots=True, eq=False)
class FaceCrop:
    """The face's surroundings, small."""

    image: Bytes
    """(h, w, 3) RGB"""
    luma: Bytes
    """(h, w)"""
    mask: Bytes
    """(h, w) 255 on the face without eyes and mouth."""
    scale: float
    """Crop pixels per picture pixel."""
    origin_px: tuple[int, int]
    """The crop's corner in the picture."""
    points: Floats
    """(L, 2) landmarks in the crop."""

    def __post_init__(self) -> None:
        for name in ("image", "luma", "mask"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.uint8))
        object.__setattr__(self, "points", frozen(self.points, np.float32))


def face_box(image: Bytes, track: Track) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the face in the picture; None when it lies outside."""
    low = np.floor(track.points_px.min(axis=0)).astype(int)
    high = np.ceil(track.points_px.max(axis=0)).astype(int)
    pad = int(0.04 * max(high - low))
    x0, y0 = np.maximum(low - pad, 0)
    x1, y1 = np.minimum(high + pad, (image.shape[1], image.shape[0]))
    if x1 - x0 < 8 or y1 - y0 < 8:
        return None
    return int(x0), int(y0), int(x1), int(y1)


def face_crop(image: Bytes, track: Track, size: int = CROP_PX) -> FaceCrop | None:
    """The face's surroundings; None when the landmarks lie outside the picture."""
    points, box = track.points_px, face_box(image, track)
    if box is None:
        return None
    x0, y0, x1, y1 = box
    part = image[y0:y1, x0:x1]
    scale = min(1.0, size / max(part.shape[:2]))
    if scale < 1.0:
        step = max(1, int(0.5 / scale))  # skipping pixels first makes 4K as cheap as 720p
        part = part[::step, ::step]
        wide, high_px = round((x1 - x0) * scale), round((y1 - y0) * scale)
        size_px = (max(wide, 4), max(high_px, 4))
        part = np.asarray(cv2.resize(part, size_px, interpolation=cv2.INTER_AREA), np.uint8)
    part = np.ascontiguousarray(part)
    local = (points - (x0, y0)) * scale
    mask = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(mask, [local[list(OVAL)].astype(np.int32)], (255,))
    for group in _MOUTH_EYES:
        cv2.fillPoly(mask, [local[list(group)].astype(np.int32)], (0,))
    luma = np.asarray(cv2.transform(part, _LUMA), np.uint8)
    return FaceCrop(np.asarray(part, np.uint8), luma, mask, scale, (x0, y0), local)


@dataclass(frozen=True, slots=True, eq=False)
class FaceLight:
    """How the face is lit, in numbers."""

    histogram: Floats
    """(64,) shares of the face's luminance, dark to bright; sums to 1."""
    over: float
    """Share at BRIGHT and above."""
    under: float
    """Share at DARK and below."""
    mean: float
    """0..1"""
    variance: float
    """Of luminance 0..1."""
    entropy: float
    """Bits, 0..8."""
    balance_ev: float
    """log2 of the left cheek's linear light against the right's: positive, left is brighter."""
    overlap: float
    """0..1 how much the cheeks' histograms have in common (OFIQ's illumination uniformity)."""
    key_to_fill: float
    """Stops between the brightest and the darkest part of the cheeks, never negative."""
    skin_delta: float
    """Distance of the cheeks' a*, b* from skin tones (OFIQ's natural colour)."""
    cast: tuple[float, float]
    """Mean a*, b* of the cheeks."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "histogram", frozen(self.histogram, np.float32))


def face_light(crop: FaceCrop) -> FaceLight | None:
    """Light on the face; None when too little of it is seen."""
    counts = cv2.calcHist([crop.luma], [0], crop.mask, [256], [0, 256]).ravel()
    total = float(counts.sum())
    if total < 64:
        return None
    share = counts / total
    levels = np.arange(256) / 255
    mean = float(share @ levels)
    left, right = cheek_squares(crop)
    cheeks = [crop.luma[s] for s in (left, right)]
    enough = all(c.size >= 4 for c in cheeks)
    sides = [float(_LINEAR[c].mean()) + 1e-4 for c in cheeks] if enough else [1.0, 1.0]
    delta, cast = _colour(crop, (left, right)) if enough else (0.0, (0.0, 0.0))
    used = share[share > 0]
    return FaceLight(
        histogram=share.reshape(64, 4).sum(axis=1),
        over=float(share[BRIGHT:].sum()),
        under=float(share[: DARK + 1].sum()),
        mean=mean,
        variance=float(share @ (levels - mean) ** 2),
        entropy=float(-(used * np.log2(used)).sum()),
        balance_ev=float(np.log2(sides[0] / sides[1])),
        overlap=_overlap(*cheeks) if enough else 1.0,
        key_to_fill=_stops(cheeks) if enough else 0.0,
        skin_delta=delta,
        cast=cast,
    )


def cheek_squares(crop: FaceCrop) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Left and right cheek: squares of 0.3 eye distances, halfway from eye to mouth (OFIQ)."""
    eyes = [crop.points[list(e)].mean(axis=0) for e in (LEFT_EYE, RIGHT_EYE)]
    mouth = crop.points[list(LIPS_OUTER)].mean(axis=0)
    half = 0.15 * float(np.linalg.norm(eyes[0] - eyes[1]))
    height, width = crop.luma.shape
    squares = []
    for eye in eyes:
        x = eye[0] + 0.15 * (eye[0] - mouth[0])
        y = (eye[1] + mouth[1]) / 2
        rows = slice(*np.clip([y - half, y + half], 0, height).astype(int))
        columns = slice(*np.clip([x - half, x + half], 0, width).astype(int))
        squares.append((rows, columns))
    return squares[0], squares[1]


def _overlap(a: Bytes, b: Bytes) -> float:
    histograms = [np.bincount(c.ravel() >> 2, minlength=64) / c.size for c in (a, b)]
    return float(np.minimum(*histograms).sum())


def _stops(cheeks: list[Bytes]) -> float:
    """Brightest against darkest of the cheeks' inner and outer halves."""
    halves = [h for c in cheeks for h in np.array_split(c, 2, axis=1) if h.size]
    light = [float(_LINEAR[h].mean()) + 1e-4 for h in halves]
    return float(np.log2(max(light) / min(light)))


def _colour(
    crop: FaceCrop, squares: tuple[tuple[slice, slice], ...]
) -> tuple[float, tuple[float, float]]:
    mean = np.mean([crop.image[s].reshape(-1, 3).mean(axis=0) for s in squares], axis=0)
    pixel = (mean / 255).astype(np.float32).reshape(1, 1, 3)
    _, a, b = (float(v) for v in cv2.cvtColor(pixel, cv2.COLOR_RGB2Lab)[0, 0])
    da = max(5 - a, a - 25, 0.0)
    db = max(5 - b, b - 35, 0.0)
    return float(np.hypot(da, db)), (a, b)


# --- where the light is ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Lamp:
    """The light seen on the live mesh."""

    coefficients: Floats = field(default_factory=lambda: np.zeros((9, 3), np.float32))
    """(9, 3) spherical harmonics of the light that arrives, linear RGB."""
    direction: tuple[float, float, float] = (0.0, 0.0, 1.0)
    """Where most light comes from, unit vector in the viewer's axes."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "coefficients", frozen(self.coefficients, np.float32))

    @property
    def side_deg(self) -> float:
        """Positive towards the picture's right."""
        x, _, z = self.direction
        return float(np.degrees(np.arctan2(x, max(z, 1e-6))))

    @property
    def up_deg(self) -> float:
        return float(np.degrees(np.arcsin(np.clip(self.direction[1], -1, 1))))


def harmonics(normals: AnyFloats) -> Doubles:
    """(N, 9) second-order harmonics, without their constants, at unit normals (N, 3)."""
    x, y, z = np.asarray(normals, np.float64).T
    one = np.ones_like(x)
    return np.stack([one, x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=1)


def lamp(image: Bytes, points_px: AnyFloats, normals: AnyFloats) -> Lamp | None:
    """The light on points of the mesh that are seen, by ridge regression on their normals.

    Parameters
    ----------
    points_px
        (N, 2) where they are in the picture.
    normals
        (N, 3) unit, viewer's axes.
    """
    at = np.floor(np.asarray(points_px)).astype(int)
    height, width = image.shape[:2]
    inside = (at >= 0).all(axis=1) & (at[:, 0] < width) & (at[:, 1] < height)
    seen = inside & (np.asarray(normals)[:, 2] > 0.2)
    if int(seen.sum()) < 30:
        return None
    colour = _LINEAR[image[at[seen, 1], at[seen, 0]]].astype(np.float64)
    basis = harmonics(np.asarray(normals)[seen])
    ridge = len(basis) * np.diag([1e-4, *[0.004] * 3, *[0.03] * 5])
    solved = np.linalg.solve(basis.T @ basis + ridge, basis.T @ colour)
    shades = harmonics(_DOME) @ solved @ _LUMA[0].astype(np.float64)
    weight = np.clip(shades - np.percentile(shades, 95), 0, None)
    unit = weight @ _DOME
    length = float(np.linalg.norm(unit))
    unit = unit / length if length > 1e-9 else np.array([0.0, 0.0, 1.0])
    return Lamp(solved, (float(unit[0]), float(unit[1]), float(unit[2])))


def _dome(count: int) -> Doubles:
    """Directions (N, 3) spread evenly over the front half (a sunflower's spiral)."""
    k = np.arange(count) + 0.5
    z = 1 - k / count
    angle = np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)


_DOME = _dome(400)
