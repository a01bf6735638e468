"""What pictures without ground truth tell a network: the losses of weak supervision.

Landmarks, photometric and regularising terms as in Tewari et al. (MoFA, ICCV 2017) and Deng et al.
(Accurate 3D Face Reconstruction with Weakly-Supervised Learning, CVPRW 2019); confidence-weighted
averages over the pictures of one person from the latter; consistency under changes of the picture
with a running average of the network as teacher (Tarvainen and Valpola, Mean teachers, NeurIPS
2017); a pull towards the weights it started from (Li et al., L2-SP, ICML 2018).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from hrn_studio.detail.shading import sh_basis
from hrn_studio.training.evidence import Lens, TorchHead, solve_lens, turned
from hrn_studio.training.networks import Answer
from hrn_studio.training.pool import MM_PER_UNIT

_TOGETHER = 12.0
"""As many independent landmarks tell as much as all: their errors go together."""
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class WeakWeights:
    """Of the parts of the loss."""

    landmarks: float = 0.2
    agreement: float = 0.2
    """Of the head that the coefficients make with the dense landmarks, which lead."""
    photometric: float = 0.5
    reflectance: float = 0.2
    """Of an albedo that is smooth, alike on both sides, and one person's in all pictures."""
    consistency: float = 1.0
    """With the teacher's answer, put through the same change as the picture."""
    features: float = 0.5
    person: float = 1.0
    """Of the shapes that one person has in several pictures."""
    deviations: float = 0.2
    prior: float = 0.2
    """Of the shape, and of expressions beyond nothing and all."""


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """B crops as the losses see them."""

    grey: Tensor
    """(B, 1, H, W) 0..1, before anything was done to its light."""
    landmarks: Tensor
    """(B, L, 2) the tracker's, crop units."""
    flip: Tensor
    """(B,) mirrored."""
    person: Tensor
    """(B,) numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Teaching:
    """What the teacher says of the same crops."""

    points: Tensor
    """(B, K, 2)"""
    log_sigma: Tensor
    identity: Tensor
    """(B, I), as the crops show it: mirrored ones are."""
    expression: Tensor
    angles: Tensor
    log_coefficient: Tensor
    code: Tensor
    """(B, C) the trunk's features of the crops, their light unchanged."""


def robust(squares: Tensor) -> Tensor:
    """Half of squares that are small, growing as their root where they are large (Charbonnier)."""
    return torch.sqrt(1 + squares) - 1


class WeakLoss:
    """The sum for B crops, and its parts for the curves.

    Parameters
    ----------
    metric_identity, metric_expression
        (I, I), (E, E) of :class:`~hrn_studio.training.targets.Metric`.
    signs
        (I,) what mirroring does to the identity.
    mirror_points
        (K,) the dense landmark on the other side.
    """

    def __init__(
        self,
        head: TorchHead,
        metric_identity: Tensor,
        metric_expression: Tensor,
        signs: Tensor,
        mirror_points: Tensor,
        weights: WeakWeights | None = None,
    ) -> None:
        self._head, self._weights = head, weights or WeakWeights()
        self._identity, self._expression, self._signs = metric_identity, metric_expression, signs
        at = {int(k): n for n, k in enumerate(head.rows)}
        other = [at.get(int(mirror_points[k]), n) for n, k in enumerate(head.rows)]
        self._other = torch.tensor(other, device=head.rows.device)

    def __call__(
        self, answer: Answer, code: Tensor, views: Views, teaching: Teaching
    ) -> tuple[Tensor, dict[str, float]]:
        """The loss, and its parts by name."""
        vertices = self._head.vertices(answer.identity, answer.expression)
        marks = turned(self._head.landmarks(vertices), answer.angles)
        lens = self._lens(marks, views)
        terms = {
            "landmarks": self._landmarks(lens.project(marks), views),
            "agreement": self._agreement(answer, vertices, lens),
            **self._light(answer, vertices, lens, views),
            **self._teacher(answer, code, teaching),
            "person": self._person(answer, views, teaching),
            "prior": _unlikely(answer),
        }
        total = torch.stack(
            [getattr(self._weights, item.name) * terms[item.name] for item in fields(self._weights)]
        ).sum()
        parts = {name: float(value.detach()) for name, value in terms.items()}
        return total, {**parts, "loss": float(total.detach())}

    def _lens(self, marks: Tensor, views: Views) -> Lens:
        weights = self._head.usable / self._head.spread.square()
        weights = weights * (_TOGETHER / self._head.usable.sum())
        return solve_lens(marks, views.landmarks, weights.expand(len(marks), -1))

    def _landmarks(self, projected: Tensor, views: Views) -> Tensor:
        squares = (projected - views.landmarks).square().sum(2) / self._head.spread.square()
        total: Tensor = (robust(squares) * self._head.usable).sum(1).mean()
        return total / self._head.usable.sum()

    def residual_mm(self, answer: Answer, views: Views) -> Tensor:
        """(B,) mean distance of the landmarks, millimetres on a head of average size."""
        vertices = self._head.vertices(answer.identity, answer.expression)
        marks = turned(self._head.landmarks(vertices), answer.angles)
        off = (self._lens(marks, views).project(marks) - views.landmarks).norm(dim=2)
        mean: Tensor = (off * self._head.usable).sum(1) / self._head.usable.sum()
        return mean * MM_PER_UNIT

    def _agreement(self, answer: Answer, vertices: Tensor, lens: Lens) -> Tensor:
        made = lens.project(turned(self._head.dense(vertices), answer.angles))
        sigma = answer.log_sigma.detach().exp()
        off = (made - answer.points.detach()).square().sum(2) / (2 * sigma.square())
        return robust(off).mean()

    def _light(
        self, answer: Answer, vertices: Tensor, lens: Lens, views: Views
    ) -> dict[str, Tensor]:
        """Brightness that the face's shape and one light explain, and skin that stays the same.

        The light is solved for, and so is the albedo: symmetric, smooth, and the same in all of a
        person's pictures.
        """
        normals = turned(self._head.normals(vertices), answer.angles)
        places = lens.project(turned(self._head.dense(vertices)[:, self._head.rows], answer.angles))
        seen = (
            torch.nn.functional.grid_sample(
                views.grey, places[:, :, None], "bilinear", "border", align_corners=False
            )[:, 0, :, 0].clamp(min=0.003)
            ** 2.2
        )
        inside = (places.abs() < 0.98).all(2)
        weight = ((normals[..., 2] - 0.15).clamp(0, 0.5) * 2 * inside).detach()
        basis = sh_basis(normals)
        light = solve_light(basis.detach(), seen.detach(), weight)
        shade = (basis @ light[..., None])[..., 0]
        level = (weight * seen.detach()).sum(1, keepdim=True) / (weight.sum(1, keepdim=True) + 1e-3)
        bright = torch.maximum(shade, 0.1 * level + 1e-3)
        ratio = (seen / bright).clamp(0.05, 5.0)
        albedo = self._albedo(ratio.detach(), weight, views)
        off = (seen - albedo * bright) / (level + 1e-3)
        apart = (ratio.log() - albedo.log()).square()
        share = weight.sum() + 1e-3
        return {
            "photometric": (robust(off.square() / 0.15**2) * weight).sum() / share,
            "reflectance": (robust(apart / 0.2**2) * weight).sum() / share,
        }

    def _albedo(self, ratio: Tensor, weight: Tensor, views: Views) -> Tensor:
        """(B, F) of each crop's person, 1 on average."""
        other = self._other
        flip = views.flip[:, None]
        one, sure = (torch.where(flip, v[:, other], v) for v in (ratio, weight))
        _, index = torch.unique(views.person, return_inverse=True)
        same = (index[:, None] == index[None]).to(ratio.dtype)
        total, amount = same @ (one * sure), same @ sure
        total, amount = total + total[:, other], amount + amount[:, other]
        smooth = self._head.smoothing
        mean = (0.1 + total @ smooth.T) / (0.1 + amount @ smooth.T)
        mean = 0.5 * mean + 0.5 * (0.1 * mean + total) / (0.1 + amount)
        return torch.where(flip, mean[:, other], mean).clamp(0.05, 5.0)

    def _teacher(self, answer: Answer, code: Tensor, teaching: Teaching) -> dict[str, Tensor]:
        sigma = teaching.log_sigma.exp()
        points = (answer.points - teaching.points).square().sum(2) / (2 * sigma.square())
        identity = answer.identity - teaching.identity
        played = answer.expression - teaching.expression
        shape = ((identity @ self._identity) * identity).sum(1).mean()
        moved = ((played @ self._expression) * played).sum(1).mean()
        angles = (answer.angles - teaching.angles).square().sum(1).mean() * 100
        deviations = (answer.log_sigma - teaching.log_sigma).square().mean()
        deviations = (
            deviations + (answer.log_coefficient - teaching.log_coefficient).square().mean()
        )
        likeness = torch.nn.functional.cosine_similarity(code, teaching.code, dim=1)
        return {
            "consistency": robust(points).mean() + 0.5 * shape + 0.5 * moved + angles,
            "features": (1 - likeness).mean(),
            "deviations": deviations,
        }

    def _person(self, answer: Answer, views: Views, teaching: Teaching) -> Tensor:
        """Square millimetres from the person's mean shape, as the teacher sees it."""
        count = self._identity.shape[0]
        signs = torch.where(views.flip[:, None], self._signs, torch.ones_like(self._signs))
        mean = person_mean(
            teaching.identity * signs, teaching.log_coefficient[:, :count].exp(), views.person
        )
        away = answer.identity * signs - mean
        apart: Tensor = ((away @ self._identity) * away).sum(1).mean()
        return apart


def _unlikely(answer: Answer) -> Tensor:
    """Half the mean square of the identity in its deviations, and of what no expression can be."""
    played = answer.expression
    beyond = played - played.clamp(0, 1)
    return 0.5 * answer.identity.square().mean() + 0.5 * beyond.square().mean()


def person_mean(identity: Tensor, sigma: Tensor, person: Tensor) -> Tensor:
    """(B, I) for each picture the mean of its person's, each weighted by how sure it is.

    Parameters
    ----------
    identity, sigma
        (B, I) coefficients and their standard deviations.
    person
        (B,) numbers.
    """
    _, index = torch.unique(person, return_inverse=True)
    same = (index[:, None] == index[None]).to(identity.dtype)
    weight = sigma.square().clamp(min=_TINY).reciprocal()
    mean: Tensor = (same @ (identity * weight)) / (same @ weight)
    return mean


def solve_light(basis: Tensor, seen: Tensor, weight: Tensor) -> Tensor:
    """(B, 9) the light that best explains brightness (B, F) with an even albedo.

    Weighted least squares over harmonics (B, F, 9) of the normals, twice: what lies far off, like a
    brow or a beard, counts less the second time.
    """
    basis, seen, weight = basis.double(), seen.double(), weight.double()
    order = basis.new_tensor([1e-4, *[1e-3] * 3, *[1e-2] * 5])
    light = basis.new_zeros(len(basis), 9)
    level = (weight * seen).sum(1, keepdim=True) / (weight.sum(1, keepdim=True) + _TINY) + 1e-3
    w = weight
    for _ in range(2):
        total = w.sum(1)[:, None, None] + 1e-3
        left = basis.transpose(1, 2) @ (w[..., None] * basis) + total * torch.diag(order)
        right = basis.transpose(1, 2) @ (w * seen)[..., None]
        light = torch.linalg.solve(left, right)[..., 0]
        off = ((basis @ light[..., None])[..., 0] - seen) / (0.15 * level)
        w = weight / (1 + off.square())
    return light.float()
