"""Expressions against the same face at rest."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from hrn_studio import paths
from hrn_studio.errors import ModelDataError
from hrn_studio.face.mirror import mirror_expressions
from hrn_studio.face.model import load_head
from hrn_studio.live import features
from hrn_studio.live.expressions import (
    ExpressionMaps,
    RestingFace,
    RestSettings,
    load_expressions,
)

SHAPES, SEEN = 6, 30
PASSING = np.array([False] * 5 + [True])
"""The last one is a blink."""


@pytest.fixture
def response():
    return np.random.default_rng(3).normal(0, 1.0, (SHAPES, SEEN))


def maps_of(response, noise=0.3, prior=(0.0, 0.0)):
    """Maps for measurements with independent noise; features are the measurements."""
    evidence_map = response.T / noise**2
    one = np.ones(SHAPES)
    return ExpressionMaps(
        mean=np.zeros(SEEN),
        deviation=np.full(SEEN, 100.0),
        evidence_map=100.0 * evidence_map,
        precision=response @ evidence_map,
        prior=np.array(prior),
        share=one,
        full=np.array([0.5, *one[1:]]),
        turned=np.zeros((3, SHAPES, SHAPES)),
    )


class Person:
    """Someone whose face at rest lies far off the average."""

    def __init__(self, response, seed=0, noise=0.0):
        self.rng = np.random.default_rng(seed)
        self.response, self.noise = response, noise
        self.own = self.rng.normal(0, 4.0, SEEN)

    def features(self, *weights):
        noise = self.rng.normal(0, self.noise, SEEN) if self.noise else 0.0
        return self.own + np.array(weights) @ self.response + noise


def told(*weights):
    """What regression maps say: a third of the truth."""
    return np.array(weights) / 3


REST = (0.0,) * SHAPES
RAISED = (0.8, 0.0, 0.3, 0.0, 0.0, 0.0)


def test_the_weights_are_the_best_ones_within_bounds(response):
    maps = maps_of(response, noise=1.0, prior=(2.0, 0.5))
    rng = np.random.default_rng(1)
    for _ in range(5):
        seen = rng.normal(0, 0.5, SHAPES) @ response + rng.normal(0, 1.0, SEEN)
        found = maps.weights(maps.evidence(seen.astype(np.float32)))
        # the same as least squares: 2.0 w^2 / 2 + 0.5 w is (sqrt(2) w + 0.5 / sqrt(2))^2 / 2
        A = np.vstack([response.T, np.sqrt(2.0) * np.eye(SHAPES)])
        b = np.concatenate([seen, np.full(SHAPES, -0.5 / np.sqrt(2.0))])
        np.testing.assert_allclose(found, lsq_linear(A, b, (0, 1), tol=1e-12).x, atol=2e-3)


def test_what_a_turned_head_makes_uncertain_counts_less(response):
    """A noise that looks like the first shape on heads turned to their left."""
    noise = np.zeros((3, SHAPES, SHAPES))
    plain = maps_of(response, prior=(1.0, 0.1))
    own = plain.precision[:, 0]
    noise[0] = 4.0 * np.outer(own, own)
    maps = replace(plain, turned=noise)
    evidence = maps.evidence((np.array(RAISED) @ response).astype(np.float32))
    front = plain.weights(evidence)
    np.testing.assert_array_equal(maps.weights(evidence), front)
    np.testing.assert_array_equal(maps.weights(evidence, turn=(-0.6, 0.3)), front)
    turned = maps.weights(evidence, turn=(0.6, 0.0))
    more = maps.weights(evidence, turn=(0.9, 0.0))
    assert more[0] < turned[0] < 0.9 * front[0]
    assert abs(turned[2] - front[2]) < 0.05


def test_the_weights_of_a_turned_head_are_the_best_ones(response):
    rng = np.random.default_rng(5)
    factor = rng.normal(0, 1.0, (SHAPES, SHAPES))
    noise = np.array([5.0 * factor @ factor.T, np.eye(SHAPES), np.eye(SHAPES)])
    maps = replace(maps_of(response, noise=1.0, prior=(2.0, 0.5)), turned=noise)
    turn = (0.5, 0.2)
    covariance = maps.precision + 0.25 * maps.turned[0] + 0.04 * maps.turned[2]
    root = np.linalg.cholesky(np.linalg.inv(covariance))
    for _ in range(5):
        evidence = maps.precision @ rng.normal(0.2, 0.5, SHAPES) + rng.normal(0, 2.0, SHAPES)
        found = maps.weights(evidence, turn=turn)
        A = np.vstack([root.T @ maps.precision, np.sqrt(2.0) * np.eye(SHAPES)])
        b = np.concatenate([root.T @ evidence, np.full(SHAPES, -0.5 / np.sqrt(2.0))])
        np.testing.assert_allclose(found, lsq_linear(A, b, (0, 1), tol=1e-12).x, atol=5e-3)


def test_the_noise_of_turned_heads_is_a_covariance_and_its_own_mirror_image():
    noise, swap = load_expressions().turned.astype(np.float64), mirror_expressions(load_head())
    for one in noise:
        values = np.linalg.eigvalsh(one)
        assert values.min() > -1e-3 * values.max()
        assert values.max() > 0
    np.testing.assert_allclose(noise[1], noise[0][np.ix_(swap, swap)], rtol=1e-3, atol=0.5)


def test_a_start_does_not_change_the_answer(response):
    maps = maps_of(response, prior=(1.0, 0.1))
    evidence = maps.evidence((np.array(RAISED) @ response).astype(np.float32))
    np.testing.assert_allclose(
        maps.weights(evidence), maps.weights(evidence, np.ones(SHAPES)), atol=2e-3
    )


def test_a_raised_brow_is_told_from_a_high_one(response):
    maps, person = maps_of(response), Person(response, noise=0.1)
    face = RestingFace(maps, PASSING)
    for _ in range(40):
        at_rest = face.see(maps.evidence(person.features(*REST)), told(*REST), 1.0)
    assert at_rest.max() < 0.15
    raised = face.see(maps.evidence(person.features(*RAISED)), told(*RAISED), 1.0)
    np.testing.assert_allclose(raised, RAISED, atol=0.2)


def test_the_first_frame_is_what_the_regression_maps_say(response):
    maps, person = maps_of(response), Person(response)
    answer = RestingFace(maps, PASSING).see(
        maps.evidence(person.features(*RAISED)), told(*RAISED), 1.0
    )
    np.testing.assert_allclose(answer, told(*RAISED))


def test_someone_who_starts_with_a_smile_is_understood_when_it_ends(response):
    maps, person = maps_of(response), Person(response, noise=0.1)
    face = RestingFace(maps, PASSING)
    for _ in range(20):
        face.see(maps.evidence(person.features(*RAISED)), told(*RAISED), 1.0)
    for _ in range(60):
        at_rest = face.see(maps.evidence(person.features(*REST)), told(*REST), 1.0)
    assert at_rest.max() < 0.15
    raised = face.see(maps.evidence(person.features(*RAISED)), told(*RAISED), 1.0)
    assert raised[0] > 0.6


def test_a_held_face_learns_no_more_and_a_reset_forgets(response):
    maps, person, other = maps_of(response), Person(response), Person(response, seed=9)
    face = RestingFace(maps, PASSING)
    for _ in range(30):
        face.see(maps.evidence(person.features(*REST)), told(*REST), 1.0)
    face.hold()
    for _ in range(30):
        face.see(maps.evidence(other.features(*REST)), told(*REST), 1.0)
    again = face.see(maps.evidence(person.features(*RAISED)), told(*RAISED), 1.0)
    np.testing.assert_allclose(again, RAISED, atol=0.2)
    face.reset()
    first = face.see(maps.evidence(other.features(*REST)), told(*REST), 1.0)
    np.testing.assert_allclose(first, told(*REST))


def test_frames_without_weight_teach_nothing(response):
    maps, person = maps_of(response), Person(response)
    face = RestingFace(maps, PASSING, RestSettings(first_frames=1.0))
    for _ in range(10):
        face.see(maps.evidence(person.features(*REST)), told(*REST), 0.0)
    answer = face.see(maps.evidence(person.features(*RAISED)), told(*RAISED), 0.0)
    np.testing.assert_allclose(answer, told(*RAISED))


def test_stretched_weights_stay_weights(response):
    stretched = maps_of(response).stretched([0.3, 0.3, 0.0, 0.0, 0.0, 1.0])
    np.testing.assert_allclose(stretched, [0.6, 0.3, 0.0, 0.0, 0.0, 1.0])
    assert maps_of(response).stretched(np.ones(SHAPES)).max() == 1


def test_some_of_the_expressions(response):
    maps = maps_of(response, prior=(1.0, 0.0))
    some = maps.only([2, 0])
    seen = (np.array(RAISED) @ response).astype(np.float32)
    np.testing.assert_allclose(some.evidence(seen), maps.evidence(seen)[[2, 0]], rtol=1e-5)
    np.testing.assert_allclose(some.weights(some.evidence(seen)), [0.3, 0.8], atol=0.05)
    np.testing.assert_allclose(some.full, [1.0, 0.5])


# --- the maps that come with the program ---


def test_the_bundled_maps_fit_the_head():
    maps, head = load_expressions(), load_head()
    assert len(maps.share) == head.expression_count
    assert np.all((maps.share >= 0) & (maps.share <= 1))
    assert np.all((maps.full >= 0.5) & (maps.full <= 1))
    np.testing.assert_allclose(maps.precision, maps.precision.T, rtol=1e-3, atol=1e-2)
    blinks = [name.startswith("eyeBlink") for name in head.expression_names]
    assert np.all(maps.share[blinks] == 0)


def test_inner_brows_that_go_up_are_a_raised_brow():
    """Moved as far as the tracker moves them on renders (a third of the way)."""
    maps, names = load_expressions(), load_head().expression_names
    lifted = np.zeros(sum(features.BLOCKS), np.float32)
    for landmark, up_mm in ((107, 1.7), (336, 1.7), (55, 1.5), (285, 1.5), (66, 1.6), (296, 1.6)):
        lifted[3 * landmark + 1] = up_mm
    at_rest = maps.evidence(np.zeros_like(lifted))
    found = maps.weights(maps.evidence(lifted) - at_rest)
    assert found[names.index("browInnerUp")] == max(found) > 0.01


@pytest.mark.parametrize("harm", ["gone", "cut", "sizes"])
def test_a_bad_file_is_refused(tmp_path, harm):
    path = tmp_path / "expressions.npz"
    shutil.copyfile(paths.resources() / "expressions.npz", path)  # writable, whatever that is
    if harm == "gone":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    else:
        with np.load(path) as archive:
            arrays = dict(archive)
        np.savez(path, **{**arrays, "full": arrays["full"][:-1]})
    with pytest.raises(ModelDataError, match=r"expressions\.npz.*build_expressions"):
        load_expressions(path)


def test_maps_are_records(response):
    maps = maps_of(response)
    assert replace(maps, prior=np.array([1.0, 1.0])).prior[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        maps.share[0] = 0
