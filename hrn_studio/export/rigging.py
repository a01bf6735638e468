"""Shapes that learn from the expressions somebody showed.

Example-based facial rigging (Li, Weise and Pauly 2010) in its two alternating steps.  Given the
shapes, each example's weights are solved for, near those it came with; given the weights, the
shapes are solved for that reproduce the examples, each vertex of each shape held to what it was
the harder the less it moves (their section 4.3: shapes that keep a place still are not to learn
there).  Here both work on movements of vertices; what examples do not show stays as it was, and
:func:`.shapes.settled_shapes` has the last word on what touches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from hrn_studio.export.shapes import carried_shapes, settled_shapes
from hrn_studio.face.landmarks import LandmarkEmbedding, load_embedding
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import apply
from hrn_studio.records import AnyFloats, Doubles, Floats, Reconstruction, View, frozen

SHOWN = 0.3
"""A picture with an expression at least this strong is an example."""
CALM = 0.2
"""One without any stronger than this tells where the tracker errs on this face."""
_FREE = 0.35
"""Standard deviation of a shape's error, as a share of how far it moves a vertex."""
_NOISE_M = 0.0008
_WEIGHT_SIGMA = 0.25
_TURNS = 2
_BAD_M = 0.003
_BAD_SHARE = 0.3
"""An example that misses by more than this and this share of its movement is not believed."""
_MOST = 0.6
"""A vertex's movement changes by no more than this share of itself."""
_BLUR_M = 0.008
_SAMPLE = 1200


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One expression of the person, seen."""

    offsets: Doubles
    """(V, 3) metres from the neutral head."""
    weights: Doubles
    """(E,) 0..1, what the shapes are thought to be at."""
    support: Doubles
    """(V,) 0..1, how far each vertex was seen."""
    unseen: Doubles
    """(3,) unit, the direction along which nothing was seen; zero where all was."""

    def __post_init__(self) -> None:
        for name in ("offsets", "weights", "support", "unseen"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))


def shapes_of(reconstruction: Reconstruction, head: HeadModel) -> Floats:
    """The shapes (E, V, 3) of a fitted person; they learn from views with expressions.

    Metres, as :func:`.shapes.personal_shapes`.  Nothing is learnt without a view at rest, which
    says where the tracker sees this face amiss, or on a head other than the default, where the
    landmarks are not known.
    """
    shapes = carried_shapes(head, reconstruction.neutral)
    if head.name == _DEFAULT and _expressive(reconstruction):
        examples = examples_of(reconstruction, head, load_embedding())
        shapes = learned_shapes(shapes, examples)
    return settled_shapes(head, reconstruction.neutral, shapes)


_DEFAULT = "MakeHuman"


def learned_shapes(shapes: AnyFloats, examples: Sequence[Example]) -> Doubles:
    """Shapes (E, V, 3) closer to the examples, metres; the same when there are none."""
    prior = np.asarray(shapes, np.float64)
    learned = prior
    weights = [example.weights for example in examples]
    for _ in range(_TURNS):
        weights = [_weights(learned, e) for e in examples]
        trusted = [
            (e, w) for e, w in zip(examples, weights, strict=True) if _believed(learned, e, w)
        ]
        if not trusted:
            return prior
        learned = prior + _corrections(prior, [e for e, _ in trusted], [w for _, w in trusted])
    return learned


def _left(shapes: Doubles, example: Example, weights: Doubles) -> Doubles:
    """(V, 3) what an example shows beyond the shapes at these weights."""
    used = np.flatnonzero(weights)
    left = example.offsets - np.tensordot(weights[used], shapes[used], 1)
    return np.asarray(left - np.outer(left @ example.unseen, example.unseen))


def _believed(shapes: Doubles, example: Example, weights: Doubles) -> bool:
    """Whether the shapes come near enough to an example for the rest to be the person's way."""
    total = max(float(example.support.sum()), 1e-9)
    left, whole = (
        float(np.sqrt((example.support * (x**2).sum(1)).sum() / total))
        for x in (_left(shapes, example, weights), example.offsets)
    )
    return left < _BAD_M + _BAD_SHARE * whole


def _weights(shapes: Doubles, example: Example) -> Doubles:
    """(E,) weights 0..1 of the shapes that fit an example, near its own.

    Only shapes that the example came with are asked: others would explain its noise.
    """
    used = np.flatnonzero(example.weights > 0.02)
    seen = np.flatnonzero(example.support > 0.2)
    if not len(used) or not len(seen):
        return example.weights
    seen = seen[:: max(1, len(seen) // _SAMPLE)]
    across = np.eye(3) - np.outer(example.unseen, example.unseen)
    share = np.sqrt(example.support[seen])[:, None] / (_NOISE_M * np.sqrt(len(seen) / 60))
    columns = [(share * (shapes[e, seen] @ across)).ravel() for e in used]
    system = np.concatenate([np.stack(columns, 1), np.eye(len(used)) / _WEIGHT_SIGMA])
    wanted = (share * (example.offsets[seen] @ across)).ravel()
    wanted = np.concatenate([wanted, example.weights[used] / _WEIGHT_SIGMA])
    result = example.weights.copy()
    result[used] = lsq_linear(system, wanted, (0, 1)).x
    return result


def _corrections(
    prior: Doubles, examples: Sequence[Example], weights: Sequence[Doubles]
) -> Doubles:
    """(E, V, 3) the most likely change of the shapes.

    At each vertex a Gaussian with standard deviation ``_FREE`` times the shape's own movement is
    conditioned on what the K examples show beyond the prior, through a (K, K) system.
    """
    size = np.linalg.norm(prior, axis=2)
    variance = (_FREE * size) ** 2
    used = np.stack(weights)
    left = np.stack([_left(prior, e, w) for e, w in zip(examples, weights, strict=True)], 1)
    support = np.stack([e.support for e in examples], 1)
    matrix = np.einsum("ke,ev,le->vkl", used, variance, used, optimize=True)
    noise = _NOISE_M**2 / np.maximum(support, 1e-3)
    matrix[:, range(len(examples)), range(len(examples))] += noise
    force = np.linalg.solve(matrix, left * (support > 0.01)[:, :, None])
    change = np.einsum("ev,ke,vkc->evc", variance, used, force, optimize=True)
    length = np.linalg.norm(change, axis=2)
    share = np.minimum(1, _MOST * size / np.maximum(length, 1e-12))
    return np.asarray(change * share[:, :, None])


def examples_of(
    reconstruction: Reconstruction, head: HeadModel, embedding: LandmarkEmbedding
) -> list[Example]:
    """What the landmarks of a reconstruction's expressive views say of the person's movements.

    Where the tracker sees each landmark in views at rest against the fitted head is taken off, so
    that its habits are not learnt.  No views at rest, no examples.
    """
    calm = [v for v in reconstruction.views if _strength(v) < CALM]
    shown = _expressive(reconstruction)
    if not calm or not shown:
        return []
    habit = np.mean([_shift(v, embedding) for v in calm], 0)
    neutral = reconstruction.neutral.astype(np.float64)
    return [_example(view, neutral, embedding, habit, head.expression_count) for view in shown]


def _expressive(reconstruction: Reconstruction) -> list[View]:
    return [view for view in reconstruction.views if _strength(view) >= SHOWN]


def _strength(view: View) -> float:
    return float(np.max(view.state.coefficients.expression, initial=0))


def _shift(view: View, embedding: LandmarkEmbedding) -> Doubles:
    """(L, 3) head frame, metres: from the fitted landmarks to those seen, across the view."""
    T, camera = view.state.T_camera_head, view.state.camera
    points = apply(T, embedding.points(view.vertices)).astype(np.float64)
    depth = points[:, 2:]
    seen = (view.track.points_px - np.array(camera.center_px)) / camera.focal_px * depth
    flat = np.concatenate([seen - points[:, :2], np.zeros_like(depth)], 1)
    return np.asarray(flat @ T[:3, :3])


def _example(
    view: View, neutral: Doubles, embedding: LandmarkEmbedding, habit: Doubles, count: int
) -> Example:
    usable = embedding.usable
    places = embedding.points(view.vertices)[usable].astype(np.float64)
    shift = (_shift(view, embedding) - habit)[usable]
    size = np.linalg.norm(shift, axis=1)
    sure = 1 / (1 + (size / (3 * max(float(np.median(size)), _NOISE_M))) ** 2)
    near = ((view.vertices[:, None] - places[None]) ** 2).sum(2)
    near = sure * np.exp(-0.5 * near / _BLUR_M**2)
    total = near.sum(1)
    moved = near @ shift / np.maximum(total, 1e-9)[:, None]
    weights = np.zeros(count)
    given = view.state.coefficients.expression
    weights[: len(given)] = given
    return Example(
        view.vertices - neutral + moved,
        weights,
        np.clip(total, 0, 1),
        view.state.T_camera_head[2, :3],
    )
