"""The fit: coarse head, deformation map, displacement and textures, in that order.

:func:`fit` is a generator: it yields :class:`~hrn_studio.records.Progress` and returns the
:class:`~hrn_studio.records.Reconstruction`.  To cancel is to stop iterating and close it.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

import numpy as np

from hrn_studio.detail.bundle import BundleSettings, adjusting
from hrn_studio.detail.coarse import Coarse, CoarseSettings, measured, solve_coarse
from hrn_studio.detail.fine import FineSettings, fine
from hrn_studio.detail.middle import MiddleSettings, bending_head
from hrn_studio.detail.parallax import NONE, Matcher
from hrn_studio.detail.shot import Shot
from hrn_studio.errors import FitError
from hrn_studio.face.gaze import look_weights
from hrn_studio.face.irises import gaze_of
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.face.solver import LandmarkSolver
from hrn_studio.geometry.transforms import similarity
from hrn_studio.geometry.uv import texel_map
from hrn_studio.records import (
    Coefficients,
    Doubles,
    FaceState,
    Floats,
    FrameReport,
    Progress,
    Reconstruction,
    View,
)
from hrn_studio.tasks import part_of, relayed

STAGES = ("coarse", "mid", "fine")
_SHAPED = 0.4
"""Share of the whole that is done before the textures."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What a fit does; defaults suit photographs and webcam frames."""

    stage: str = "fine"
    """The last stage to run: ``coarse``, ``mid`` or ``fine``.  Textures are always made."""
    eye_distance_m: float | None = None
    """Measured distance of the eyes' centres, metres."""
    deformation_px: int = 256
    coarse: CoarseSettings = field(default_factory=CoarseSettings)
    bundle: BundleSettings = field(default_factory=BundleSettings)
    middle: MiddleSettings = field(default_factory=MiddleSettings)
    fine: FineSettings = field(default_factory=FineSettings)


Shaper = Callable[
    [Floats, Sequence[FaceState], Sequence[float]], Generator[Progress, None, Doubles]
]
"""Another mid stage: from the coarse head (V, 3), the state and the weight of each picture to how
the neutral head must move (V, 3), metres."""


def fit(
    head: HeadModel,
    embedding: LandmarkEmbedding,
    shots: Sequence[Shot],
    settings: FitSettings,
    shaper: Shaper | None = None,
    matcher: Matcher | None = None,
) -> Generator[Progress, None, Reconstruction]:
    """One head from one or more pictures of one person.

    Parameters
    ----------
    shaper
        What bends the coarse head instead of the landmarks, such as :mod:`.hrn.engine`.
    matcher
        What finds the same skin in two pictures; without it several pictures are held together
        by their landmarks alone.

    Raises
    ------
    FitError
        There is no picture, or the numbers went wrong.
    """
    if not shots:
        raise FitError("there is no picture to fit; give at least one with a face in it")
    clock = _Clock()
    yield Progress("coarse", 0.0, "solving for the head's shape and pose")
    solver = LandmarkSolver(head, embedding)
    try:
        coarse = solve_coarse(
            head,
            solver,
            shots,
            settings.coarse,
            eye_distance_m=settings.eye_distance_m,
        )
        if matcher is not None:
            matching = adjusting(head, solver, shots, coarse, matcher, settings.bundle)
            turn, what = itertools.count(1), "comparing the pictures with each other"
            coarse = yield from relayed(
                matching,
                lambda now: Progress("coarse", 0.1 * (1 - 0.97 ** next(turn)), what, now),
            )
            coarse = measured(head, shots, coarse, settings.eye_distance_m)
    except np.linalg.LinAlgError as error:
        raise _broken(shots) from error
    states = [
        _with_gaze(head, shot, state) for shot, state in zip(shots, coarse.states, strict=True)
    ]
    scale = states[0].scale
    identity = coarse.identity.astype(np.float32)
    neutral = head.evaluate(Coefficients(identity, NONE), scale)
    stages = {"coarse": neutral}
    clock.lap("coarse")
    displacement = np.zeros((head.vertex_count, 3))
    if settings.stage != "coarse":
        yield Progress("mid", 0.1, "bending the head onto the pictures", neutral)
        if shaper is None:
            steps = bending_head(
                *(head, embedding, neutral, shots, states, list(coarse.weights)),
                *(settings.middle, coarse.offsets),
            )
            for number, displacement in enumerate(steps):
                bent = np.asarray(neutral + displacement, np.float32)
                done = 0.1 + (_SHAPED - 0.1) * (1 - 0.9**number)
                yield Progress("mid", done, f"step {number + 1}", bent)
        else:
            displacement = yield from shaper(neutral, states, list(coarse.weights))
        neutral = np.asarray(neutral + displacement, np.float32)
        stages["mid"] = neutral
    if not np.isfinite(neutral).all():
        raise _broken(shots)
    clock.lap("mid")
    apart_mm = _apart_mm(head, coarse, scale)
    views = [
        View(
            shots[k].frame,
            shots[k].track,
            states[k],
            _posed(head, displacement, states[k]),
            _no_light(),
            shots[k].mask,
            apart,
        )
        for k, apart in zip(np.flatnonzero(coarse.weights > 0), apart_mm, strict=True)
    ]
    deformation = _as_map(head, displacement, settings.deformation_px)
    textures = fine(
        head,
        neutral,
        views,
        settings.fine,
        deformation=deformation,
        relief=settings.stage == "fine",
    )
    result = yield from part_of(textures, _SHAPED, 1.0)
    if settings.stage == "fine":
        stages["fine"] = neutral
    clock.laps.update(result.timings_s)
    shown = result.views[0].state
    return Reconstruction(
        neutral=neutral,
        views=result.views,
        coefficients=Coefficients(identity, shown.coefficients.expression, shown.coefficients.gaze),
        scale=scale,
        scale_source=shown.scale_source,
        maps=result.maps,
        spread_mm=_spread_mm(head, apart_mm),
        stages=stages,
        timings_s=clock.laps,
        reports=tuple(
            FrameReport(
                shot.frame.name,
                bool(weight > 0),
                "; ".join(
                    [*shot.frame.notes, *shot.track.notes, *shot.notes]
                    if weight > 0
                    else ["it disagrees with the other pictures"]
                ),
                state.residual_px,
                float(weight),
            )
            for shot, state, weight in zip(shots, states, coarse.weights, strict=True)
        ),
        notes=result.notes,
    )


def _broken(shots: Sequence[Shot]) -> FitError:
    return FitError(
        f"the fit of {shots[0].frame.name} did not come to an end with finite numbers; "
        "use another picture"
    )


class _Clock:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._since
        self._since = now


def _with_gaze(head: HeadModel, shot: Shot, state: FaceState) -> FaceState:
    """The state with eyes that look where the irises are, and lids that follow."""
    gaze = gaze_of(head, shot.track, state)
    lids = head.weights(look_weights(gaze))
    expression = np.clip(np.maximum(state.coefficients.expression, lids), 0, 1)
    return FaceState(
        Coefficients(state.coefficients.identity, expression, gaze),
        state.T_camera_head,
        state.camera,
        state.scale,
        state.scale_source,
        state.residual_px,
        state.time_s,
    )


def _posed(head: HeadModel, displacement: Doubles, state: FaceState) -> Floats:
    vertices = head.evaluate(state.coefficients, state.scale) + displacement
    return np.asarray(vertices, np.float32)


def _no_light() -> Floats:
    return np.zeros((9, 3), np.float32)


def _as_map(head: HeadModel, displacement: Doubles, size: int) -> Floats:
    """(D, D, 3) the displacement over the UV square."""
    texels = texel_map(head.uv, head.uv_triangles, size)
    image = np.zeros((size, size, 3), np.float32)
    inside = texels.covered
    corners = head.triangles[texels.triangle[inside]]
    weights = texels.barycentric[inside]
    image[inside] = np.einsum("nk,nkc->nc", weights, displacement[corners])
    return image


def _apart_mm(head: HeadModel, coarse: Coarse, scale: float) -> Floats:
    """(F, V, 3) the heads that the used pictures give one by one, less their mean, millimetres.

    (F, 0, 3) for one picture.
    """
    used = coarse.weights > 0
    if used.sum() < 2:
        return np.zeros((int(used.sum()), 0, 3), np.float32)
    face = head.regions["face"] > 0.5
    fused = head.evaluate(Coefficients(coarse.identity.astype(np.float32), NONE))
    offsets = []
    for identity in coarse.singles[used].astype(np.float32):
        alone = head.evaluate(Coefficients(identity, NONE))
        s, R, t = similarity(alone[face], fused[face])
        offsets.append(s * alone @ R.T + t - fused)
    apart = np.array(offsets) - np.mean(offsets, axis=0)
    return np.asarray(apart * scale * 1000, np.float32)


def _spread_mm(head: HeadModel, apart_mm: Floats) -> Floats:
    """(V,) standard deviation of the pictures' heads, millimetres."""
    count, vertices, _ = apart_mm.shape
    if not vertices:
        return np.zeros(head.vertex_count, np.float32)
    variance = np.square(apart_mm, dtype=np.float64).sum(axis=(0, 2)) / (count - 1)
    return np.asarray(np.sqrt(variance), np.float32)
