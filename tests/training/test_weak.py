"""Each loss of weak supervision: there, nothing at the truth, and pulling towards it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from hrn_studio.detail.shading import sh_basis
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.live.facecrop import SIDE_PX
from hrn_studio.training.evidence import DISTANCE_M, UNITS_PER_M, Lens, TorchHead, turned
from hrn_studio.training.networks import Answer
from hrn_studio.training.targets import make_layout, make_metric, make_mirror
from hrn_studio.training.weak import Teaching, Views, WeakLoss, WeakWeights

LIGHT = torch.tensor([1.2, 0.35, 0.2, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0])
"""Of harmonics; from the side and the front."""


class Face:
    """A head of which everything is known, seen in one crop."""

    def __init__(self) -> None:
        head, embedding = load_head(), load_embedding()
        self.layout = make_layout(head)
        self.mirror = make_mirror(head, self.layout)
        metric = make_metric(head, self.layout)
        self.head = TorchHead(head, embedding, self.layout)
        self.signs = torch.as_tensor(self.mirror.identity.copy())
        self._arguments = (
            self.head,
            torch.as_tensor(metric.identity, dtype=torch.float32),
            torch.as_tensor(metric.expression, dtype=torch.float32),
            self.signs,
            torch.as_tensor(self.mirror.points.astype(np.int64)),
        )
        rng = np.random.default_rng(2)
        self.identity = torch.as_tensor(
            rng.normal(0, 0.7, (1, self.layout.identity_count)), dtype=torch.float32
        )
        self.expression = torch.zeros(1, self.layout.expression_count)
        self.angles = torch.tensor([[0.1, -0.05, 0.02]])
        s = UNITS_PER_M
        self.lens = Lens(torch.tensor([[s, 0.9 * s / DISTANCE_M, 0.0, 0.0, 0.02, 0.01]]))
        other = {int(k): n for n, k in enumerate(self.head.rows)}
        self.across = torch.tensor(
            [other.get(int(self.mirror.points[int(k)]), n) for n, k in enumerate(self.head.rows)]
        )
        """(F,) the shown landmark on the other side."""

    def loss(self, **weights: float) -> WeakLoss:
        """With these parts only; all without any."""
        nothing = dict.fromkeys((f.name for f in fields(WeakWeights)), 0.0)
        return WeakLoss(
            *self._arguments, WeakWeights(**{**nothing, **weights}) if weights else None
        )

    def places(self) -> tuple[Tensor, Tensor]:
        """Where the dense landmarks (1, K, 2) and the tracker's (1, L, 2) are seen."""
        vertices = self.head.vertices(self.identity, self.expression)
        dense, marks = self.head.dense(vertices), self.head.landmarks(vertices)
        return tuple(self.lens.project(turned(p, self.angles)) for p in (dense, marks))

    def answer(self, points: Tensor | None = None, count: int = 1) -> Answer:
        """The truth."""
        k, n = len(self.layout.vertices), self.layout.identity_count + self.expression.shape[1]
        return Answer(
            (self.places()[0] if points is None else points).expand(count, -1, -1),
            torch.full((count, k), -3.0),
            self.identity.expand(count, -1),
            self.expression.expand(count, -1),
            torch.full((count, n), -0.5),
            self.angles.expand(count, -1),
        )

    def views(self, *albedos: Tensor, person: tuple[int, ...] = (0,)) -> Views:
        """Crops of the face, with some albedo (F,) at each shown landmark."""
        shown = [albedo.clamp(min=0.01) for albedo in albedos or (self.even(),)]
        count = len(shown)
        return Views(
            torch.stack([self._picture(albedo) for albedo in shown]),
            self.places()[1].expand(count, -1, -1),
            torch.zeros(count, dtype=torch.bool),
            torch.tensor(person),
        )

    def even(self) -> Tensor:
        return torch.full((len(self.head.rows),), 0.4)

    def _picture(self, albedo: Tensor) -> Tensor:
        """(1, H, W) brightness of the nearest shown landmark, as a camera writes it down."""
        vertices = self.head.vertices(self.identity, self.expression)
        normals = turned(self.head.normals(vertices), self.angles)
        bright = albedo * (sh_basis(normals)[0] @ LIGHT)
        middle = (torch.arange(SIDE_PX) + 0.5) / SIDE_PX * 2 - 1
        grid = torch.stack(torch.meshgrid(middle, middle, indexing="xy"), 2).reshape(-1, 2)
        nearest = torch.cdist(grid, self.places()[0][0, self.head.rows]).argmin(1)
        grey = bright[nearest].clamp(min=0) ** (1 / 2.2)
        return grey.reshape(1, SIDE_PX, SIDE_PX)


@pytest.fixture(scope="module")
def face() -> Face:
    return Face()


def taught(answer: Answer, code: Tensor) -> Teaching:
    """A teacher that says the same."""
    return Teaching(
        *(answer.points, answer.log_sigma, answer.identity, answer.expression),
        *(answer.angles, answer.log_coefficient, code),
    )


CODE = torch.nn.functional.normalize(torch.arange(1.0, 6.0)[None], dim=1)


def part(face: Face, name: str, answer: Answer, views: Views, teaching: Teaching) -> Tensor:
    """One part of the loss, alone."""
    code = CODE.expand(len(answer.angles), -1)
    return face.loss(**{name: 1.0})(answer, code, views, teaching)[0]


def test_each_part_counts_as_its_weight_says(face: Face) -> None:
    answer, views = face.answer(), face.views()
    wrong = replace(
        answer,
        identity=answer.identity + 0.5,
        points=answer.points + 0.1,
        log_sigma=answer.log_sigma + 0.3,
    )
    teaching = taught(answer, -CODE)
    whole, parts = face.loss()(wrong, CODE, views, teaching)
    names = [item.name for item in fields(WeakWeights)]
    assert set(parts) == {*names, "loss"}
    assert all(parts[name] > 0 for name in names), parts
    weights = WeakWeights()
    expected = sum(getattr(weights, name) * parts[name] for name in names)
    assert float(whole) == pytest.approx(expected, rel=1e-4)
    for name in names:
        alone, _ = face.loss(**{name: 2.0})(wrong, CODE, views, teaching)
        assert float(alone) == pytest.approx(2 * parts[name], rel=1e-4), name


@pytest.mark.parametrize("name", ["landmarks", "agreement", "photometric"])
def test_what_pictures_show_pulls_the_shape_to_the_truth(face: Face, name: str) -> None:
    truth = face.answer()
    rng = np.random.default_rng(5)
    off = torch.as_tensor(rng.normal(0, 0.7, truth.identity.shape), dtype=torch.float32)
    identity = (truth.identity + off).requires_grad_()
    points = truth.points.clone().requires_grad_()
    wrong = replace(truth, identity=identity, points=points)
    views, teaching = face.views(), taught(truth, CODE)
    there = float(part(face, name, truth, views, teaching))
    loss = part(face, name, wrong, views, teaching)
    assert float(loss.detach()) > 1.5 * there
    loss.backward()
    assert float((identity.grad * off).sum()) > 0, "against the error"
    assert points.grad is None or not points.grad.any(), "the dense landmarks lead"


def test_a_turned_head_is_seen_in_its_shading(face: Face) -> None:
    truth = face.answer()
    views, teaching = face.views(), taught(truth, CODE)
    wrong = replace(truth, angles=truth.angles + torch.tensor([[0.3, 0.0, 0.0]]))
    losses = [float(part(face, "photometric", a, views, teaching)) for a in (truth, wrong)]
    assert losses[1] > 2 * losses[0]


def cheek(face: Face, *, both: bool) -> Tensor:
    """Skin with a dark patch on the left cheek, or on both."""
    at = face.places()[0][0, face.head.rows]
    middle = at.mean(0) + torch.tensor([0.25, 0.1])
    patch = torch.exp(-(at - middle).square().sum(1) / (2 * 0.12**2))
    patch = patch + patch[face.across] if both else patch
    return face.even() * (1 - 0.6 * patch)


def test_skin_alike_on_both_sides_is_preferred(face: Face) -> None:
    """Symmetry: two dark cheeks are likelier than one."""
    answer = face.answer()
    teaching = taught(answer, CODE)
    one, two = (
        float(part(face, "reflectance", answer, face.views(cheek(face, both=both)), teaching))
        for both in (False, True)
    )
    assert one > 1.3 * two, "half as much if sides were not compared"


def test_one_person_has_one_skin(face: Face) -> None:
    """Reflectance: the same in all pictures of a person, but not of several."""
    answer = face.answer(count=2)
    teaching = taught(answer, CODE.expand(2, -1))
    plain, dark = face.even(), cheek(face, both=True)

    def loss(albedos: tuple[Tensor, Tensor], person: tuple[int, int]) -> float:
        views = face.views(*albedos, person=person)
        return float(part(face, "reflectance", answer, views, teaching))

    changed = loss((plain, dark), (0, 0))
    assert changed > 1.3 * loss((plain, dark), (0, 1))
    assert changed > 1.3 * loss((dark, dark), (0, 0))


def test_smooth_skin_is_preferred(face: Face) -> None:
    """Of two skins that vary as much, on both sides alike, the one that varies slowly."""
    answer = face.answer()
    teaching = taught(answer, CODE)
    at = face.places()[0][0, face.head.rows]
    rng = np.random.default_rng(0)
    spots = torch.as_tensor(rng.standard_normal(len(at)), dtype=torch.float32)
    waves = torch.sin(8 * at[:, 1])

    def loss(pattern: Tensor) -> float:
        pattern = pattern + pattern[face.across]
        views = face.views(face.even() * torch.exp(0.25 * pattern / pattern.std()))
        return float(part(face, "reflectance", answer, views, teaching))

    assert loss(spots) > 2 * loss(waves)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("consistency", lambda t: replace(t, points=t.points + 0.05)),
        ("consistency", lambda t: replace(t, identity=t.identity + 0.3)),
        ("consistency", lambda t: replace(t, expression=t.expression + 0.3)),
        ("consistency", lambda t: replace(t, angles=t.angles + 0.1)),
        ("features", lambda t: replace(t, code=t.code.flip(1))),
        ("deviations", lambda t: replace(t, log_sigma=t.log_sigma + 0.4)),
        ("deviations", lambda t: replace(t, log_coefficient=t.log_coefficient + 0.4)),
    ],
)
def test_the_teacher_is_followed(
    face: Face, name: str, change: Callable[[Teaching], Teaching]
) -> None:
    answer, views = face.answer(), face.views()
    same = taught(answer, CODE)
    assert float(part(face, name, answer, views, same)) == pytest.approx(0, abs=1e-5)
    assert float(part(face, name, answer, views, change(same))) > 0.01


def test_features_are_told_apart_by_their_direction(face: Face) -> None:
    answer, views = face.answer(), face.views()
    teaching = taught(answer, -3 * CODE)
    assert float(part(face, "features", answer, views, teaching)) == pytest.approx(2, abs=1e-4)
    teaching = taught(answer, 3 * CODE)
    assert float(part(face, "features", answer, views, teaching)) == pytest.approx(0, abs=1e-4)


def test_a_person_has_one_shape_led_by_the_surer_picture(face: Face) -> None:
    """Confidence-weighted averaging over a set of pictures."""
    answer = face.answer(count=2)
    count = face.layout.identity_count
    away = torch.zeros_like(answer.identity)
    away[1, 0] = 2.0
    views = face.views(face.even(), face.even(), person=(4, 4))
    apart = replace(answer, identity=(answer.identity + away).requires_grad_())
    sure = answer.log_coefficient.clone()
    sure[1, :count] = -2.0
    teaching = replace(
        taught(apart, CODE.expand(2, -1)),
        log_coefficient=sure,
        identity=apart.identity.detach(),
    )
    loss = part(face, "person", apart, views, teaching)
    assert float(loss.detach()) > 0.01
    loss.backward()
    first, second = apart.identity.grad[:, 0].tolist()
    assert first < 0 < second, "towards each other"
    assert abs(first) > 5 * abs(second), "the picture that is less sure moves"
    alone = replace(views, person=torch.tensor([4, 9]))
    assert float(part(face, "person", apart, alone, teaching).detach()) == pytest.approx(
        0, abs=1e-5
    )


def test_likely_faces_are_preferred(face: Face) -> None:
    """Regularisation: of the identity in deviations, and of expressions that cannot be."""
    views, truth = face.views(), face.answer()
    teaching = taught(truth, CODE)

    def loss(identity: float, expression: float) -> float:
        answer = replace(
            truth,
            identity=torch.full_like(truth.identity, identity),
            expression=torch.full_like(truth.expression, expression),
        )
        return float(part(face, "prior", answer, views, teaching))

    assert loss(0.0, 0.0) == loss(0.0, 1.0) == 0
    assert loss(2.0, 0.5) == pytest.approx(2.0)
    assert loss(0.0, -0.3) == pytest.approx(0.045, rel=1e-3)
    assert loss(0.0, 1.3) == pytest.approx(0.045, rel=1e-3)
