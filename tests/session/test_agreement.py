"""How well pictures agree, told from what each gives alone."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from hrn_studio.face.model import load_head
from hrn_studio.session.agreement import agreement, spread_mm


@pytest.fixture(scope="module")
def head():
    return load_head()


def fused(head, apart):
    """What agreement() reads of a reconstruction."""
    views = tuple(
        SimpleNamespace(
            apart_mm=np.asarray(a, np.float32), frame=SimpleNamespace(name=f"Front {i}")
        )
        for i, a in enumerate(apart, 1)
    )
    return SimpleNamespace(views=views)


def scattered(head, count, sigma, seed=0):
    random = np.random.default_rng(seed)
    apart = random.normal(0, sigma, (count, head.vertex_count, 3))
    return apart - apart.mean(0)


def test_one_picture_has_nothing_to_agree_with(head):
    assert agreement(fused(head, scattered(head, 1, 0.2)), head) is None


def test_heads_of_older_files_say_nothing(head):
    assert agreement(fused(head, [np.zeros((0, 3))] * 3), head) is None


def test_spread_is_the_standard_deviation(head):
    found = agreement(fused(head, scattered(head, 40, 0.2)), head)
    assert found.median_mm == pytest.approx(0.2 * np.sqrt(3), rel=0.05)
    assert found.good
    assert found.outlier is None


def test_more_frames_help_less_and_less(head):
    found = agreement(fused(head, scattered(head, 4, 0.4)), head)
    assert found.uncertainty_mm(4) == pytest.approx(found.median_mm / 2)
    later = dataclasses.replace(found, frames=found.frames * 4)
    assert 0 < later.gain_mm < found.gain_mm


def test_the_picture_that_disagrees_is_named_with_its_place(head):
    apart = scattered(head, 5, 0.05)
    apart[3] += 4.0 * head.regions["lips"][:, None]
    face = head.regions["face"] > 0.5
    apart[3][face] += 0.6
    apart -= apart.mean(0)
    found = agreement(fused(head, apart), head)
    assert found.outlier == 3
    assert found.frames[3].name == "Front 4"
    assert found.frames[3].where == "around the mouth"
    assert found.without_mm < 0.5 * found.median_mm


def test_of_two_pictures_nobody_is_wrong(head):
    apart = scattered(head, 2, 3.0)
    assert agreement(fused(head, apart), head).outlier is None


def test_spread_of_equal_heads_is_nothing():
    assert spread_mm([np.ones((4, 3), np.float32)] * 3).max() == 0
