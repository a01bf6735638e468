"""Several pictures of one person, held together by the skin that they both show.

The tracker errs alike in all pictures of a person, so more pictures of landmarks teach little.
What it cannot spoil is parallax: the same freckle in two pictures from different sides fixes its
depth.  Dense matches between pairs of pictures
(:class:`~hrn_studio.live.matching.GrainMatcher`) therefore refine identity, poses and focal length
together (bundle adjustment; Triggs et al. 1999).
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hrn_studio.detail.coarse import Coarse, scaled
from hrn_studio.detail.deformation import Offsets, joined
from hrn_studio.detail.middle import on_lines
from hrn_studio.detail.parallax import NONE, Look, Matcher, Matches, comparable, draw, look, matches
from hrn_studio.detail.shot import Shot
from hrn_studio.face.model import HeadModel
from hrn_studio.face.solver import LandmarkSolver, SolverSettings
from hrn_studio.geometry.transforms import rigid, rotation_from_vector
from hrn_studio.records import (
    Camera,
    Coefficients,
    Doubles,
    FaceState,
    Floats,
    Ints,
    Track,
)

_BEST_DEG = 25.0
"""Between two lines of sight: depth shows well and most skin is common."""
_HELD = 1e-6
"""Standard deviation of what must not change."""
_FEWEST = 150
"""Matches below which nothing is done."""


@dataclass(frozen=True, slots=True)
class BundleSettings:
    """How matches are weighed against what the coarse stage found."""

    patch_px: int = 420
    rounds: int = 3
    """How often matches are found anew on the better head."""
    steps: int = 4
    """Of robust least squares on the same matches."""
    sigma_px: float = 0.5
    """Standard deviation of a match in pixels of the patch."""
    shared: float = 15.0
    """Neighbouring matches err alike: this many count as one."""
    robust: float = 3.0
    angles_deg: tuple[float, float] = (7.0, 50.0)
    """Between two lines of sight; less shows no depth, more no common skin."""
    partners: int = 4
    """Pictures each picture is compared with, at most."""
    pairs: int = 40
    """Compared altogether, at most, as long as each picture has a partner."""
    rotation_sigma: float = 0.06
    """Of a coarse pose, radians."""
    shift_sigma_m: float = 0.02
    depth_sigma: float = 0.1
    """Of a coarse distance, as a share of it."""
    focal_sigma: float = 0.15
    """Of the logarithm of a focal length that nobody has told; the others stay."""
    landmarks: SolverSettings = field(default_factory=SolverSettings)
    """Those on lips and lids hold what slides along the skin, which matches do not see."""


def adjusting(
    head: HeadModel,
    solver: LandmarkSolver,
    shots: Sequence[Shot],
    coarse: Coarse,
    matcher: Matcher,
    settings: BundleSettings,
) -> Generator[Floats, None, Coarse]:
    """Better identity, poses and focal length of a coarse head from several pictures.

    Yields the neutral head (V, 3) as far as it has come, after each pair of pictures that was
    compared; returns ``coarse`` itself where the pictures show nothing that others show from
    another side.  What is found is in the model's own size; see
    :func:`~hrn_studio.detail.coarse.measured`.
    """
    used = [int(k) for k in np.flatnonzero(coarse.weights > 0)]
    pairs = pairs_of([coarse.states[k] for k in used], settings)
    if not pairs:
        return coarse
    start = coarse
    region = comparable(head)
    coarse = replace(coarse, states=tuple(scaled(s, 1 / s.scale, "model") for s in coarse.states))
    states = _one_lens([coarse.states[k] for k in used])
    looks = [
        look(head, shots[k], state, matcher, settings.patch_px)
        for k, state in zip(used, states, strict=True)
    ]
    tracks = [shots[k].track for k in used]
    problem = _Problem(head, solver, coarse, looks, tracks, settings)
    for number in range(settings.rounds):
        drawn = [draw(head, *at, problem.neutral, region) for at in problem.views]
        found = []
        for sides in pairs:
            pair = matches(head, matcher, drawn, sides, problem.basis)
            if pair is not None:
                found.append(pair)
            yield problem.neutral
        if sum(len(m.weights) for m in found) < _FEWEST:
            return start if number == 0 else problem.solution(used)
        problem.improve(found)
    yield problem.neutral
    return problem.solution(used)


def pairs_of(states: Sequence[FaceState], settings: BundleSettings) -> list[tuple[int, int]]:
    """Ordered pairs that see the face from sides neither too near nor too far apart."""
    sights = []
    for state in states:
        R, t = state.T_camera_head[:3, :3], state.T_camera_head[:3, 3]
        sights.append(-R.T @ t / np.linalg.norm(t))
    cosines = np.clip(np.array(sights) @ np.array(sights).T, -1, 1)
    angles = np.degrees(np.arccos(cosines))
    low, high = settings.angles_deg
    partners = max(min(settings.partners, settings.pairs // len(states)), 1)
    pairs = []
    for a, row in enumerate(angles):
        fit = [b for b in np.flatnonzero((row > low) & (row < high)) if b != a]
        fit.sort(key=lambda b: abs(row[b] - _BEST_DEG))
        pairs += [(a, int(b)) for b in sorted(fit[:partners])]
    return pairs


def _same_unknown_lens(states: Sequence[FaceState]) -> bool:
    cameras = [state.camera for state in states]
    told = any(camera.source in ("user", "exif") for camera in cameras)
    return len({(c.width, c.height) for c in cameras}) == 1 and not told


def _one_lens(states: Sequence[FaceState]) -> list[FaceState]:
    """The states with one focal length where it was guessed for each picture by itself."""
    if not _same_unknown_lens(states):
        return list(states)
    focal = float(np.exp(np.mean([np.log(state.camera.focal_px) for state in states])))
    result = []
    for state in states:
        T = state.T_camera_head.copy()
        T[2, 3] *= focal / state.camera.focal_px
        camera = replace(state.camera, focal_px=focal)
        result.append(replace(state, camera=camera, T_camera_head=T))
    return result


class _Problem:
    """Identity, poses and lens as offsets from the coarse stage, and their priors."""

    def __init__(
        self,
        head: HeadModel,
        solver: LandmarkSolver,
        coarse: Coarse,
        looks: list[Look],
        tracks: Sequence[Track],
        settings: BundleSettings,
    ) -> None:
        self._head, self._solver, self._coarse = head, solver, coarse
        self._looks, self._tracks = looks, tracks
        lines = on_lines(head, solver.embedding)[solver.used]
        # The tracker errs alike in all pictures: together they tell as much as one.
        self._line_weights = np.tile(lines / len(looks), 3)
        self._settings = settings
        self._poses = [look.state.T_camera_head for look in looks]
        self._free_lens = _same_unknown_lens([look.state for look in looks])
        count = head.identity_count
        basis = np.moveaxis(head.identity[:count], 0, 2)
        self.basis = np.ascontiguousarray(basis, np.float32)
        """(V, 3, I) metres per standard deviation."""
        self._offset = np.zeros(count + 6 * len(looks) + 1)
        self._left: list[Offsets] = []
        self._prior = self._make_prior(count)

    @property
    def identity(self) -> Doubles:
        """(I,) as it is now."""
        return np.asarray(self._coarse.identity + self._offset[: len(self._coarse.identity)])

    @property
    def views(self) -> list[tuple[Look, Doubles, Camera]]:
        """The pictures with pose and lens as they are now."""
        cameras = [k.camera for k in self._looks]
        cameras = [replace(c, focal_px=c.focal_px * self._longer) for c in cameras]
        return list(zip(self._looks, self._poses, cameras, strict=True))

    @property
    def neutral(self) -> Floats:
        """(V, 3) metres."""
        identity = self.identity.astype(np.float32)
        return self._head.evaluate(Coefficients(identity, NONE))

    @property
    def _longer(self) -> float:
        """Factor on the focal lengths."""
        return float(np.exp(self._offset[-1])) if self._free_lens else 1.0

    def _make_prior(self, count: int) -> Doubles:
        """(P, P) precision of the offsets.  A longer lens is a face further away."""
        s = self._settings
        depths = np.array([T[2, 3] for T in self._poses])
        rows = np.eye(len(self._offset))
        sigma = np.ones(len(self._offset))
        sigma[:count] = self._coarse.sigma
        for k, depth in enumerate(depths):
            at = count + 6 * k
            sigma[at : at + 3] = s.rotation_sigma
            sigma[at + 3 : at + 5] = s.shift_sigma_m
            sigma[at + 5] = s.depth_sigma * depths.mean()
            rows[at + 5, -1] = -depth
        sigma[-1] = s.focal_sigma if self._free_lens else _HELD
        rows /= sigma[:, None]
        return np.asarray(rows.T @ rows)

    def improve(self, found: Sequence[Matches]) -> None:
        """Robust least squares on matches."""
        s, count = self._settings, len(self._coarse.identity)
        step = np.zeros(len(self._offset))
        A_0, g_0 = self._landmarks()
        A_0 += self._prior
        g_0 -= self._prior @ self._offset
        for _ in range(s.steps):
            A, g = A_0.copy(), g_0.copy()
            for m in found:
                columns = self._columns(m)
                weights = np.repeat(self._precision(m, step[columns]), 2)
                weighted = m.jacobian * weights[:, None]
                A[np.ix_(columns, columns)] += weighted.T @ m.jacobian
                g[columns] += weighted.T @ m.residual
            step = np.linalg.solve(A, g)
        self._offset += step
        self._left = []
        for m in found:
            moved = step[self._columns(m)]
            self._left.append(m.offsets(moved, self._precision(m, moved)))
        moves = step[count:-1].reshape(-1, 6)
        self._poses = [
            rigid(rotation_from_vector(move[:3]) @ T[:3, :3], T[:3, 3] + move[3:])
            for move, T in zip(moves, self._poses, strict=True)
        ]

    def _columns(self, m: Matches) -> Ints:
        """Where a pair's unknowns stand among all."""
        count, size = len(self._coarse.identity), len(self._offset)
        first, second = count + 6 * m.first, count + 6 * m.second
        every = np.r_[0:count, first : first + 6, second : second + 6, size - 1]
        return np.asarray(every, np.int32)

    def _precision(self, m: Matches, step: Doubles) -> Doubles:
        """(N,) of the matches of a pair, 1 / square pixel; outliers count less."""
        s = self._settings
        left = (m.residual - m.jacobian @ step).reshape(-1, 2)
        off = np.square(left).sum(1) / (s.robust * s.sigma_px) ** 2
        return np.asarray(m.weights / np.square(1 + off) / (s.sigma_px**2 * s.shared))

    def _landmarks(self) -> tuple[Doubles, Doubles]:
        """What the tracker says of lips and lids, as normal equations."""
        count, size = len(self._coarse.identity), len(self._offset)
        A, g = np.zeros((size, size)), np.zeros(size)
        for k, (look_at, T) in enumerate(zip(self._looks, self._poses, strict=True)):
            state = look_at.state
            expression = state.coefficients.expression.astype(np.float64)
            J, r, w, _ = self._solver.linearize(
                self._solver.points(self.identity, expression),
                *(T, self._tracks[k], state.camera, self._longer, self._settings.landmarks),
                *(count, 0),
            )
            w = w * self._line_weights
            at = count + 6 * k
            columns = np.r_[0:count, at : at + 6, size - 1]
            A[np.ix_(columns, columns)] += J.T @ (J * w[:, None])
            g[columns] += J.T @ (w * r)
        return A, g

    def solution(self, used: Sequence[int]) -> Coarse:
        """The coarse result with what was found; unused pictures keep their pose."""
        identity = self.identity
        states = []
        for state in self._coarse.states:
            coefficients = replace(state.coefficients, identity=identity.astype(np.float32))
            states.append(replace(state, coefficients=coefficients))
        for k, seen, T in zip(used, self._looks, self._poses, strict=True):
            camera = seen.state.camera
            if self._free_lens:
                focal = camera.focal_px * self._longer
                camera = replace(camera, focal_px=focal, source="estimated")
            states[k] = replace(states[k], T_camera_head=T, camera=camera)
        return replace(
            self._coarse, identity=identity, states=tuple(states), offsets=joined(self._left)
        )
