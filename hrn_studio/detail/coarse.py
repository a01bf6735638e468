"""The coarse stage: one identity for all pictures, a pose and an expression for each.

Two kinds of evidence are averaged, because their errors differ: the learned maps' answer to each
picture, and least squares on all pictures' landmarks together, the dense ones of the face network
among them where it was asked.  Pictures that disagree with the others count less, or not at all;
:mod:`hrn_studio.live.likeness` refuses different people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hrn_studio.detail.deformation import Offsets
from hrn_studio.detail.shot import Shot
from hrn_studio.face.model import HeadModel
from hrn_studio.face.scale import head_scale
from hrn_studio.face.solver import LandmarkSolver, Solution, SolverSettings
from hrn_studio.geometry.transforms import rigid
from hrn_studio.records import Coefficients, Doubles, FaceState, Floats


@dataclass(frozen=True, slots=True)
class CoarseSettings:
    """How the evidence is weighed."""

    map_share: float = 0.8
    """Share of the learned maps in the identity; the rest is least squares on landmarks."""
    map_share_several: float = 0.85
    """The same for several pictures: the landmarks of turned faces slide, and a joint solve pays
    for it with shape, while the maps' answers to each average out."""
    expression_gate: float = 0.1
    """Expressions are taken as seen when one that is no eye movement exceeds this; else the face
    is neutral: free expressions would take up identity."""
    blink_gate: float = 0.5
    least_weight: float = 0.05
    """Pictures that would count less, against the others, are left out."""
    identity: SolverSettings = field(default_factory=lambda: SolverSettings(depth_weight=0.3))
    pose: SolverSettings = field(
        default_factory=lambda: SolverSettings(iterations=6, sigma_m=0.002, expression_sigma=0.15)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Coarse:
    """The result, for F pictures."""

    identity: Doubles
    """(I,)"""
    states: tuple[FaceState, ...]
    singles: Doubles
    """(F, I) what each picture alone says."""
    weights: Doubles
    """(F,) 0..1, how much each picture counted."""
    sigma: Doubles
    """(I,) standard deviation of what is not known of the identity."""
    offsets: Offsets | None = None
    """What several pictures say of the surface beyond the identity, in the model's own size."""


def solve_coarse(
    head: HeadModel,
    solver: LandmarkSolver,
    shots: Sequence[Shot],
    settings: CoarseSettings,
    *,
    eye_distance_m: float | None = None,
) -> Coarse:
    """Identity, and pose, expression, gaze and camera of every shot.

    Parameters
    ----------
    eye_distance_m
        Distance of the eyeballs' centres the user has measured, metres.
    """
    maps = np.array([_padded(s.estimate.identity, head.identity_count) for s in shots])
    sigma = _padded(shots[0].estimate.identity_sigma, head.identity_count, fill=1.0)
    gates = np.array([_gated(head, s, settings) for s in shots])
    tracks, cameras = [s.track for s in shots], [s.camera for s in shots]
    dense = [s.dense for s in shots]
    singles, poses = [], []
    for shot, expression in zip(shots, gates, strict=True):
        alone = solver.solve(
            [shot.track],
            [shot.camera],
            settings=settings.identity,
            expression=expression[None],
            dense=[shot.dense],
        )
        singles.append(alone.identity)
        poses.append(alone.T_camera_head[0])
    single = settings.map_share * maps + (1 - settings.map_share) * np.array(singles)
    weights = _agreement(maps, sigma, settings)
    used = np.flatnonzero(weights > 0)
    joint = solver.solve(
        [tracks[k] for k in used],
        [cameras[k] for k in used],
        settings=settings.identity,
        expression=gates[used],
        frame_weights=list(weights[used]),
        dense=[dense[k] for k in used],
        solve_focal=_may_solve_focal([shots[k] for k in used]),
    )
    for k, T in zip(used, joint.T_camera_head, strict=True):
        poses[k] = T
    mean = (weights[:, None] * maps).sum(0) / weights.sum()
    share = settings.map_share if len(used) == 1 else settings.map_share_several
    identity = share * mean + (1 - share) * joint.identity
    if joint.focal_scale != 1.0:
        cameras = [
            replace(c, focal_px=c.focal_px * joint.focal_scale, source="estimated") for c in cameras
        ]
    posed = solver.solve(
        tracks,
        cameras,
        settings=settings.pose,
        identity=identity,
        identity_sigma=0.0,
        expression=gates,
        poses=poses,
        solve_expression=bool(gates.any()),
        dense=dense,
    )
    states = tuple(_states(head, shots, cameras, identity, posed))
    return measured(head, shots, Coarse(identity, states, single, weights, sigma), eye_distance_m)


def measured(
    head: HeadModel, shots: Sequence[Shot], coarse: Coarse, eye_distance_m: float | None = None
) -> Coarse:
    """The same head in metres: by the eye distance, or else by the irises."""
    used = np.flatnonzero(coarse.weights > 0)
    states = [scaled(s, 1 / s.scale, s.scale_source) for s in coarse.states]
    scale, source = _scale(
        head, [shots[k] for k in used], [states[k] for k in used], eye_distance_m
    )
    return replace(coarse, states=tuple(scaled(s, scale, source) for s in states))


def _padded(values: Floats, count: int, fill: float = 0.0) -> Doubles:
    result = np.full(count, fill)
    result[: len(values)] = values
    return result


def _gated(head: HeadModel, shot: Shot, settings: CoarseSettings) -> Doubles:
    """(E,) expressions to believe: all, lids only, or none."""
    found = np.asarray(shot.estimate.expression, np.float64).copy()
    names = head.expression_names
    looks = np.array([n.startswith("eye") for n in names])
    if not looks.all() and found[~looks].max(initial=0.0) <= settings.expression_gate:
        found[~looks] = 0.0
    blinks = [i for i, n in enumerate(names) if n.startswith("eyeBlink")]
    closed = min((found[i] for i in blinks), default=0.0) > settings.blink_gate
    keep = found.copy()
    found[looks] = 0.0
    if closed:
        found[blinks] = keep[blinks]
    return found


def _agreement(maps: Doubles, sigma: Doubles, settings: CoarseSettings) -> Doubles:
    """(F,) weights by how well each picture's identity agrees with the others'."""
    if len(maps) == 1:
        return np.ones(1)
    used = sigma < 0.97  # components the maps can tell at all
    scaled = maps[:, used] / sigma[used]
    distance = np.sqrt(np.square(scaled - np.median(scaled, axis=0)).mean(1))
    typical = max(float(np.median(distance)), 0.3)
    weights = 1 / (1 + np.square(np.maximum(distance / typical - 1, 0)))
    return np.where(weights < settings.least_weight, 0.0, weights)


def _may_solve_focal(shots: Sequence[Shot]) -> bool:
    """Several pictures of one unknown camera."""
    sizes = {(s.camera.width, s.camera.height) for s in shots}
    return len(shots) >= 3 and len(sizes) == 1 and all(s.camera.source == "default" for s in shots)


def _states(
    head: HeadModel,
    shots: Sequence[Shot],
    cameras: Sequence[object],
    identity: Doubles,
    posed: Solution,
) -> list[FaceState]:
    return [
        FaceState(
            coefficients=Coefficients(identity.astype(np.float32), expression.astype(np.float32)),
            T_camera_head=T,
            camera=camera,  # type: ignore[arg-type]
            residual_px=float(residual),
            time_s=shot.frame.time_s,
        )
        for shot, camera, expression, T, residual in zip(
            shots, cameras, posed.expression, posed.T_camera_head, posed.residual_px, strict=True
        )
    ]


def _scale(
    head: HeadModel,
    shots: Sequence[Shot],
    states: Sequence[FaceState],
    eye_distance_m: float | None,
) -> tuple[float, str]:
    if eye_distance_m is not None and len(head.eyes) == 2:
        centers = head.eye_centers(states[0].coefficients.identity)
        return eye_distance_m / float(np.linalg.norm(centers[0] - centers[1])), "measured_ipd"
    blinks = [i for i, n in enumerate(head.expression_names) if n.startswith("eyeBlink")]
    is_open = [bool(np.all(s.estimate.expression[blinks] < 0.4)) for s in shots]
    return head_scale([s.track for s in shots], states, is_open, head)


def scaled(state: FaceState, scale: float, source: str) -> FaceState:
    """The same picture with everything ``scale`` times as large and as far."""
    T = state.T_camera_head
    return replace(
        state,
        T_camera_head=rigid(T[:3, :3], T[:3, 3] * scale),
        scale=state.scale * scale,
        scale_source=source,
    )
