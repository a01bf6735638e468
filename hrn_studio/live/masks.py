"""Which pixels of a picture may be believed: skin, and the outline of the head.

Both masks are made in a crop in which the face is 160 px large, then sharpened along the edges of
the picture and laid back on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hrn_studio.live._cv import cv2
from hrn_studio.live._glasses import glasses_frame
from hrn_studio.live._hands import hands_over
from hrn_studio.live._mediapipe import Segmenter
from hrn_studio.live._skin import Evidence, evidence
from hrn_studio.live._views import View, base_around, look
from hrn_studio.live.facemesh import (
    LEFT_BROW,
    LEFT_EYE,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE_BASE,
    OVAL,
    RIGHT_BROW,
    RIGHT_EYE,
)
from hrn_studio.records import AnyFloats, Bools, Bytes, Doubles, Floats, Frame, Track, frozen

_FACE_PX, _SIDE_PX = 160, 416
_FINE_PX = 480
"""Size of the face at which edges are sharpened, when the picture has it."""
_OPENINGS = (RIGHT_EYE, LEFT_EYE, LIPS_INNER)
_UNLIKE_SKIN = (RIGHT_EYE, LEFT_EYE, RIGHT_BROW, LEFT_BROW, LIPS_OUTER)


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """What may be believed in one picture."""

    skin: Floats
    """(H, W) 0..1: 1 where the picture shows skin of the tracked head, or lips, brows and beard;
    0 on hair, eyes, the open mouth, the background and what hides the face."""
    silhouette: Floats
    """(H, W) 0..1: 1 on the person, 0 on the background; 0 further than 1.3 face sizes from the
    middle of the face, where nothing was looked at."""
    notes: tuple[str, ...] = ()
    """What was masked, in words."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "skin", frozen(self.skin, np.float32))
        object.__setattr__(self, "silhouette", frozen(self.silhouette, np.float32))


def head_masks(frame: Frame, track: Track) -> Masks:
    """Mask hair, eyes, the open mouth, the background and what hides the face (about 0.3 s)."""
    points = np.column_stack([track.points_px, track.depth_px])
    base = base_around(frame.image, points, 1.25 * _FACE_PX)
    crop, to_crop = look(base, View(face_px=_FACE_PX), _SIDE_PX)
    with Segmenter() as segmenter:
        person = segmenter.person(crop)
    places = _places(_mapped(track.points_px, to_crop), _seen(frame, to_crop))
    hands = hands_over(crop, places.oval)
    judged = evidence(crop, places.training & places.seen & ~hands, _crown(places, person))
    odds, notes = _odds(places, judged, person, hands)

    fine_px = float(np.clip(base.size_px, _FACE_PX, _FINE_PX))
    side = round(_SIDE_PX * fine_px / _FACE_PX)
    base = base_around(frame.image, points, fine_px)
    guide, to_guide = look(base, View(face_px=fine_px), side)
    skin = 1 / (1 + np.exp(-1.2 * _sharpened(guide, odds, 6 * fine_px / _FACE_PX)))
    openings = np.zeros(guide.shape[:2], np.uint8)
    landmarks = _mapped(track.points_px, to_guide)
    for opening in _OPENINGS:
        _fill(openings, landmarks[list(opening)])
    glasses = glasses_frame(guide, landmarks, fine_px)
    if glasses.any():
        notes = (*notes, "the frame of the glasses was left out")
    skin[(openings > 0) | glasses] = 0
    outline = np.clip(_sharpened(guide, person, 4 * fine_px / _FACE_PX), 0, 1)
    return Masks(_laid_back(skin, to_guide, frame), _laid_back(outline, to_guide, frame), notes)


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Where things are in the crop, by the landmarks; all (h, w)."""

    oval: Bools
    sure: Bools
    """Between brows and chin, away from the oval's edge."""
    training: Bools
    """``sure`` without eyes, brows and lips."""
    beard: Bools
    """Below the nose."""
    seen: Bools
    """Inside the picture."""
    above: Floats
    """Height over the top of the oval, as a share of the face's size."""
    aside: Floats
    """Distance from the face's axis, as a share of the face's size."""
    outside: Floats
    """Distance from the oval, as a share of the face's size."""
    forehead: Bools
    """The oval above the brows."""


def _places(points: Doubles, seen: Bools) -> _Places:
    shape = seen.shape
    size = float(np.ptp(points, axis=0).max())
    oval_points = points[list(OVAL)]
    middle = oval_points.mean(axis=0)
    up = points[10] - points[152]
    up /= np.linalg.norm(up)
    offset = np.stack(np.meshgrid(*(np.arange(n) + 0.5 for n in shape[::-1])), axis=-1) - middle
    height, aside = offset @ up, np.abs(offset @ np.array([-up[1], up[0]]))

    def level(group: tuple[int, ...]) -> AnyFloats:
        return np.asarray((points[list(group)] - middle) @ up)

    brows = float(level(RIGHT_BROW + LEFT_BROW).max())
    oval = _filled(shape, oval_points)
    sure = _filled(shape, middle + 0.84 * (oval_points - middle)) & (height < brows)
    unlike = np.zeros(shape, np.uint8)
    for group in _UNLIKE_SKIN:
        _fill(unlike, points[list(group)])
    unlike = np.asarray(cv2.dilate(unlike, np.ones((7, 7), np.uint8)))
    distance = cv2.distanceTransform((~oval).astype(np.uint8), cv2.DIST_L2, 3)
    return _Places(
        oval=oval,
        sure=sure,
        training=sure & (unlike == 0),
        beard=height < float(level(NOSE_BASE).mean()),
        seen=seen,
        above=((height - level((10,))[0]) / size).astype(np.float32),
        aside=(aside / size).astype(np.float32),
        outside=np.asarray(distance / size, np.float32),
        forehead=oval & (height > brows),
    )


def _crown(places: _Places, person: Floats) -> Bools:
    """The top of the head: hair, or bald."""
    return (person > 0.6) & (places.above > 0.1) & (places.aside < 0.6) & places.seen


def _odds(
    places: _Places, judged: Evidence, person: Floats, hands: Bools
) -> tuple[Floats, tuple[str, ...]]:
    """Log odds of believable skin, and what was masked, in words."""
    prior = np.where(places.oval, np.where(places.beard, 3.0, 1.5), -1.0)
    prior -= np.minimum(6 * places.outside, 2.5) + np.where(person < 0.3, 4.0, 0.0)
    odds = judged.skin + prior
    hairy = judged.hair & (judged.skin < 0)
    chin = places.training & places.beard
    if (hairy & chin).sum() > 0.25 * chin.sum():
        odds[hairy & places.oval & places.beard] = 3.0
    hiding = _hiding(places, judged)
    odds[places.sure & ~hiding] = 6.0
    odds[hiding] = -6.0
    odds[_holes(odds) & ~hiding] = 3.0
    odds[~places.seen | hands] = -6.0
    odds[~_joined(odds > 0, places.sure)] = -6.0
    notes = []
    forehead = places.forehead & places.seen
    if forehead.any() and float((odds[forehead] < 0).mean()) > 0.15:
        notes.append("hair over the forehead was left out")
    if hiding.any():
        notes.append("something in front of the face was left out")
    if hands.any():
        notes.append("a hand in front of the face was left out")
    return np.clip(odds, -6, 8).astype(np.float32), tuple(notes)


def _hiding(places: _Places, judged: Evidence) -> Bools:
    """Large things before the face: they look neither like skin nor like a beard."""
    hair = judged.hair & (places.beard | ~places.sure)  # a beard, or hair beside the face
    strange = (judged.skin < -2) & places.oval & ~hair
    window = np.ones((7, 7), np.uint8)
    core = (strange & places.training & (judged.skin < -3)).astype(np.uint8)
    core = np.asarray(cv2.morphologyEx(core, cv2.MORPH_OPEN, window))
    if core.sum() < 0.06 * places.sure.sum():
        return np.zeros(places.sure.shape, np.bool_)
    whole = _joined(strange, core > 0).astype(np.uint8)
    return np.asarray(cv2.dilate(whole, np.ones((5, 5), np.uint8)) > 0)


def _holes(odds: Floats) -> Bools:
    """What is not skin but surrounded by it: highlights, moles."""
    rest = np.pad((odds <= 0).astype(np.uint8), 1, constant_values=1)
    cv2.floodFill(rest, None, (0, 0), [2])
    return np.asarray(rest[1:-1, 1:-1] == 1)


def _joined(parts: Bools, core: Bools) -> Bools:
    """The connected ``parts`` that touch the ``core``."""
    _, labels = cv2.connectedComponents(parts.astype(np.uint8))
    kept = np.unique(labels[core & parts])
    return np.isin(labels, kept[kept > 0])


def _mapped(points: AnyFloats, to_crop: Doubles) -> Doubles:
    return np.asarray(points @ to_crop[:, :2].T + to_crop[:, 2], np.float64)


def _fill(mask: Bytes, polygon: AnyFloats) -> None:
    cv2.fillPoly(mask, [np.rint(polygon - 0.5).astype(np.int32)], [1])


def _filled(shape: tuple[int, ...], polygon: AnyFloats) -> Bools:
    mask = np.zeros(shape, np.uint8)
    _fill(mask, polygon)
    return mask > 0


def _seen(frame: Frame, to_crop: Doubles) -> Bools:
    """The part of the crop that lies in the picture."""
    corners = np.array([[0, 0], [frame.width, 0], [frame.width, frame.height], [0, frame.height]])
    return _filled((_SIDE_PX, _SIDE_PX), _mapped(corners, to_crop))


def _sharpened(guide: Bytes, values: Floats, radius: float) -> Floats:
    """``values`` of a coarse crop at the guide's resolution, their edges on those of the guide."""
    values = np.asarray(cv2.resize(values, guide.shape[1::-1], interpolation=cv2.INTER_LINEAR))
    smooth: Any = cv2.ximgproc.guidedFilter(guide, values, max(1, round(radius)), (0.04 * 255) ** 2)
    return np.asarray(smooth, np.float32)


def _laid_back(mask: Floats, to_crop: Doubles, frame: Frame) -> Floats:
    """A mask of the crop in the frame, 0 around it."""
    half = np.array([0.5, 0.5])
    back = np.array(to_crop)
    back[:, 2] += back[:, :2] @ half - half
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpAffine(mask, back, (frame.width, frame.height), flags=flags)
    return np.asarray(laid, np.float32)
