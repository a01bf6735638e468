"""HRN's regression in the place of the studio's learned maps.

The network gives coefficients of the Basel face; the studio's head has others.  The head's skin is
bent once onto the mean Basel face (:func:`.engine.carried`), which says which point of one is
which point of the other; from then on a Basel face is a set of points the head's own identities
and expressions explain as well as they can.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from scipy.optimize import nnls
from scipy.spatial import cKDTree

from hrn_studio.detail.hrn.alignment import STANDARD, quick_crop
from hrn_studio.detail.hrn.bfm import FaceModel
from hrn_studio.detail.hrn.engine import METRES, carried
from hrn_studio.detail.hrn.ibug import FACEMESH, JAW, ibug_points
from hrn_studio.detail.hrn.resnet import Parts
from hrn_studio.detail.hrn.runner import Runner
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import similarity
from hrn_studio.records import (
    AnyFloats,
    Camera,
    Doubles,
    Estimate,
    Floats,
    Frame,
    Ints,
    Track,
    frozen,
)

_POINTS = 800
_ERROR_M = 0.0015
"""How far the network's faces are from the true ones, per region of a face."""
_REGIONS = 60
"""Regions of a face whose errors have nothing to do with each other, about."""
_EXPRESSION_SIGMA = 0.15
_NEAR_M = 0.004


@dataclass(frozen=True, slots=True, eq=False)
class Translation:
    """From Basel coefficients to a head's, I identities and E expressions."""

    identity: Doubles
    """(I, 80)"""
    identity_start: Doubles
    """(I,) of the mean Basel face."""
    identity_sigma: Doubles
    """(I,)"""
    expression: Doubles
    """(K, 64) points moved by the Basel expressions, whitened against the head's."""
    basis: Doubles
    """(K, E) the same by the head's expressions."""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, frozen(getattr(self, field.name), np.float64))

    def estimate(self, identity: AnyFloats, expression: AnyFloats) -> Estimate:
        """The head's coefficients for Basel ones, (80,) and (64,)."""
        weights, _ = nnls(self.basis, self.expression @ np.asarray(expression, np.float64))
        found = self.identity_start + self.identity @ np.asarray(identity, np.float64)
        return Estimate(
            identity=found.astype(np.float32),
            identity_sigma=self.identity_sigma.astype(np.float32),
            expression=np.clip(weights, 0, 1).astype(np.float32),
            expression_sigma=np.full(len(weights), _EXPRESSION_SIGMA, np.float32),
        )


def translation(head: HeadModel, embedding: LandmarkEmbedding, face: FaceModel) -> Translation:
    """How Basel coefficients translate; half a second, once."""
    basel = face.mean.cpu().numpy().astype(np.float64)
    landmarks = face.landmarks.cpu().numpy().astype(np.int32)
    triangles = face.triangles.cpu().numpy().astype(np.int32)
    moved = carried(head, embedding, head.mean, basel, triangles, landmarks)
    vertices, points, turn = _correspondence(head, embedding, basel, landmarks, moved)
    count = len(vertices)
    own = head.mean[vertices].astype(np.float64)
    noise = _ERROR_M * np.sqrt(3 * count / (3 * _REGIONS))
    start = (moved[vertices]).ravel() / noise
    theirs = _moves(face.identity, points, turn).reshape(3 * count, -1) / noise
    basis = np.concatenate(
        [
            head.identity[:, vertices].reshape(head.identity_count, -1).T / noise,
            _rigid(own) / noise,
        ],
        axis=1,
    )
    # People have identities of spread 1; where and how large the face is, nobody knows.
    prior = np.concatenate([np.ones(head.identity_count), np.full(7, 1e-6)])
    covariance = np.linalg.inv(basis.T @ basis + np.diag(prior))
    solve = (covariance @ basis.T)[: head.identity_count]
    expression = head.expression[:, vertices].reshape(head.expression_count, -1).T
    q, r = np.linalg.qr(np.concatenate([expression / noise, 0.3 * np.eye(expression.shape[1])]))
    wanted = _moves(face.expression, points, turn).reshape(3 * count, -1) / noise
    return Translation(
        identity=solve @ theirs,
        identity_start=solve @ start,
        identity_sigma=np.sqrt(np.diag(covariance)[: head.identity_count]),
        expression=q[: 3 * count].T @ wanted,
        basis=r,
    )


def _correspondence(
    head: HeadModel,
    embedding: LandmarkEmbedding,
    basel: Doubles,
    landmarks: Ints,
    moved: Doubles,
) -> tuple[Ints, Ints, Doubles]:
    """Vertices of the head, of the Basel face, and the turn and scale between them (3, 3)."""
    chosen = np.array(FACEMESH[len(JAW) :])
    usable = embedding.usable[chosen]
    own = embedding.points(head.mean)[chosen][usable].astype(np.float64)
    theirs = METRES * basel[landmarks[len(JAW) :]][usable]
    scale, R, t = similarity(theirs, own)
    laid = scale * METRES * basel @ R.T + t
    skin = head.part_vertices("skin")
    face = skin[head.regions["face"][skin] > 0.5]
    distance, nearest = cKDTree(laid).query(head.mean[face] + moved[face])
    near = np.flatnonzero(distance < _NEAR_M)
    near = near[:: max(1, len(near) // _POINTS)]
    return face[near], nearest[near].astype(np.int32), scale * METRES * R


def _moves(basis: torch.Tensor, points: Ints, turn: Doubles) -> Doubles:
    """(K, 3, C) how the components of a basis (3 N, C) move some vertices, head frame, metres."""
    rows = basis.reshape(-1, 3, basis.shape[1])[torch.from_numpy(np.asarray(points, np.int64))]
    return np.asarray(np.einsum("ab,kbc->kac", turn, rows.double().cpu().numpy()))


def _rigid(points: Doubles) -> Doubles:
    """(3 K, 7) moves, turns and growth of points (K, 3)."""
    count = len(points)
    result = np.zeros((count, 3, 7))
    result[:, :, :3] = np.eye(3)
    for axis in range(3):
        result[:, :, 3 + axis] = np.cross(np.eye(3)[axis], points)
    result[:, :, 6] = points
    return result.reshape(3 * count, 7)


class HrnMaps:
    """A :class:`hrn_studio.live.regressor.FaceEstimator`: HRN's regression, a crop at a time.

    Parameters
    ----------
    run
        The network, by one of the ways of :mod:`.runner`.
    standard
        (5, 3) points of the face crops are aligned to.
    """

    def __init__(self, run: Runner, translated: Translation, standard: Floats = STANDARD) -> None:
        self._run, self._translation, self._standard = run, translated, standard

    def estimate(self, frame: Frame, track: Track, camera: Camera) -> Estimate:
        """Identity and expressions of a tracked face, with their uncertainty.

        Raises
        ------
        NoFaceError
            The landmarks lie on one spot.
        """
        crop = quick_crop(frame.image, ibug_points(track, frame.height), self._standard)
        parts = Parts.split(torch.from_numpy(self._run(crop))[None])
        return self._translation.estimate(parts.identity[0].numpy(), parts.expression[0].numpy())
