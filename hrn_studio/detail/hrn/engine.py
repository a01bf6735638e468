"""HRN as the mid stage of the studio's fit.

HRN looks at each picture; its face, without expression, is laid over the coarse head by the
landmarks both have, and the head's skin is bent onto it.  So the head keeps what HRN does not
have (ears, eyes, teeth, the back of the head, the 52 shapes, real lens and size) and gets HRN's
shape where HRN has one.

The mask is the studio's (:func:`hrn_studio.live.masks.head_masks`) with the openings of eyes and
mouth filled, in place of the published one, which is a TensorFlow 1 graph.  It says the same (skin
of the face, no hair, nothing in front); where the two differ, at brows under a fringe and along
the jaw, HRN's maps fade out a few texels earlier or later and the contour loss of the fits moves
the outline by that much.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from scipy import ndimage

from hrn_studio.detail.fitting import Shaper
from hrn_studio.detail.hrn import multiview, single, store
from hrn_studio.detail.hrn.alignment import STANDARD, load_standard
from hrn_studio.detail.hrn.hierarchy import Canvas, Networks
from hrn_studio.detail.hrn.ibug import FACEMESH, JAW, ibug_points
from hrn_studio.detail.hrn.result import HrnFace
from hrn_studio.detail.hrn.single import Portrait
from hrn_studio.detail.middle import follow_skin
from hrn_studio.detail.rasterizer import rasterizer
from hrn_studio.detail.shot import Shot
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.face.registration import (
    Pairs,
    RegistrationSettings,
    Surface,
    register,
    turned_over,
)
from hrn_studio.geometry.transforms import similarity
from hrn_studio.records import AnyFloats, Doubles, FaceState, Floats, Ints, Progress
from hrn_studio.tasks import part_of, relayed

T = TypeVar("T")

METRES = 0.1
"""Metres in HRN's unit."""
_ELSEWHERE = ("inner_mouth", "eye_sockets", "nostrils", "ears")
"""Regions of the head that the Basel face does not have, or has in another shape."""
_SOFTENINGS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """The user's HRN, ready to work."""

    canvas: Canvas
    networks: Networks
    standard: Floats
    """(5, 3) points of the face crops are aligned to."""
    device: str = "cpu"


def load_engine(folder: Path, device: str = "cpu") -> Engine:
    """HRN from the folder the catalogue keeps it in; two seconds.

    Raises
    ------
    ModelDataError
        A file is missing or damaged.
    """
    canvas, networks = store.load_canvas(folder), store.load_networks(folder)
    own = folder / store.STANDARD
    standard = load_standard(own) if own.is_file() else STANDARD
    if device != "cpu":
        canvas = canvas.to(device)
        for net in (networks.regression, networks.middle, networks.high, networks.retouch):
            net.to(device)
        scales = networks.alpha.to(device), networks.beta.to(device)
        networks = Networks(
            *(networks.regression, networks.middle, networks.high, networks.retouch), *scales
        )
    return Engine(canvas, networks, standard, device)


def hrn_shaper(
    engine: Engine,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    shots: Sequence[Shot],
    *,
    together: bool,
) -> Shaper:
    """HRN's shape for :func:`hrn_studio.detail.fitting.fit`.

    Parameters
    ----------
    together
        Fit all pictures at once (MV-HRN); else each alone, and the mean face is taken.
    """

    def shape(
        neutral: Floats, states: Sequence[FaceState], weights: Sequence[float]
    ) -> Generator[Progress, None, Doubles]:
        used = [shot for shot, weight in zip(shots, weights, strict=True) if weight > 0]
        faces = yield from reconstruct(engine, used, together=together)
        share = [weight for weight in weights if weight > 0]
        basel = np.average([face.neutral for face in faces], axis=0, weights=share)
        yield Progress("mid", 0.38, "bending the head onto HRN's face")
        landmarks = engine.canvas.face.landmarks.cpu().numpy()
        return carried(head, embedding, neutral, basel, faces[0].triangles, landmarks)

    return shape


def reconstruct(
    engine: Engine, shots: Sequence[Shot], *, together: bool
) -> Generator[Progress, None, tuple[HrnFace, ...]]:
    """HRN's own faces of some pictures; their textures are not fitted."""
    portraits = [make_portrait(engine, shot) for shot in shots]
    draw = rasterizer(engine.device)
    if together:
        task = multiview.reconstruct(engine.canvas, engine.networks, portraits, rasterizer=draw)
        return (yield from _in_the_middle(task, 0.1, 0.38))
    faces = []
    for number, (portrait, shot) in enumerate(zip(portraits, shots, strict=True)):
        share = 0.28 / len(shots)
        yield Progress("mid", 0.1 + share * number, f"asking HRN about {shot.frame.name}")
        task_one = single.reconstruct(
            engine.canvas, engine.networks, portrait, texture_steps=0, rasterizer=draw
        )
        start = 0.1 + share * number
        faces.append((yield from _in_the_middle(task_one, start, start + share)))
    return tuple(faces)


def _in_the_middle(
    task: Generator[Progress, None, T], start: float, end: float
) -> Generator[Progress, None, T]:
    """The same task as a part of the mid stage; HRN's own heads are not shown."""
    return relayed(
        part_of(task, start, end), lambda step: Progress("mid", step.fraction, step.message)
    )


def make_portrait(engine: Engine, shot: Shot) -> Portrait:
    """A picture as HRN wants to see it.

    Raises
    ------
    NoFaceError
        The landmarks make no sense.
    """
    points = ibug_points(shot.track, shot.frame.height)
    return single.portrait(shot.frame.image, points, filled(shot.mask), engine.standard)


def filled(mask: AnyFloats) -> Floats:
    """A skin mask with the holes inside it (eyes, mouth) filled."""
    holes = ndimage.binary_fill_holes(np.asarray(mask) > 0.5)
    return np.maximum(np.asarray(mask, np.float32), np.asarray(holes, np.float32))


def carried(
    head: HeadModel,
    embedding: LandmarkEmbedding,
    neutral: Floats,
    basel: AnyFloats,
    triangles: Ints,
    landmarks: Ints,
) -> Doubles:
    """How a head must move to have the shape of a Basel face, (V, 3) metres.

    Parameters
    ----------
    neutral
        (V, 3) the head as it is.
    basel, triangles
        (N, 3) decimetres and (T, 3).
    landmarks
        (68,) vertices of the iBUG landmarks of the Basel face.
    """
    chosen = np.array(FACEMESH[len(JAW) :])
    own = embedding.points(neutral)[chosen].astype(np.float64)
    usable = embedding.usable[chosen]
    face = np.asarray(basel, np.float64) * METRES
    theirs = face[landmarks[len(JAW) :]]
    scale, R, t = similarity(theirs[usable], own[usable])
    laid = scale * face @ R.T + t
    skin = head.triangles[head.part_triangles("skin")]
    count = int(skin.max()) + 1
    weights = head.regions["face"][:count].astype(np.float64)
    for name in _ELSEWHERE:
        weights *= 1 - head.regions.get(name, np.zeros(head.vertex_count, np.float32))[:count]
    pairs = Pairs(
        embedding.corners[chosen][usable],
        embedding.barycentric[chosen][usable],
        laid[landmarks[len(JAW) :]][usable],
    )
    base = np.asarray(neutral[:count], np.float64)
    surface, settings = Surface(laid, triangles), RegistrationSettings()
    for _ in range(_SOFTENINGS):
        moved = register(base, skin, weights, surface, pairs, settings)
        if turned_over(base, base + moved, skin) == 0:
            break
        settings = RegistrationSettings(sigma_bend_end_m=0.5 * settings.sigma_bend_end_m)
    return follow_skin(head, base, moved)
