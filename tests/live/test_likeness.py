"""Telling different people apart, cautiously."""

from itertools import combinations

import numpy as np
import pytest

from hrn_studio.errors import DifferentPeopleError
from hrn_studio.face.model import load_head
from hrn_studio.live.images import read_image
from hrn_studio.live.likeness import Look, load_likeness, strangers
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Frame
from hrn_studio.training.render import render_sample
from hrn_studio.training.stage import make_stage


@pytest.fixture(scope="module")
def likeness():
    return load_likeness()


@pytest.fixture(scope="module")
def tracker():
    with MediaPipeTracker("still") as tracker:
        yield tracker


def test_one_persons_pictures_go_together(likeness, tracker, stills):
    frames = [read_image(still) for still in stills]
    looks = [likeness.look(frame, tracker.track(frame)) for frame in frames]
    assert strangers(likeness, looks, [frame.name for frame in frames]) == []


def test_most_different_people_are_told_apart(likeness, tracker):
    stage = make_stage(load_head())
    looks = []
    for person in range(8):
        rng = np.random.default_rng([90, person])
        frame = Frame(render_sample(stage, rng, size=300, neutral=1.0, yaw_deg=8, detail=1.0).image)
        looks.append(likeness.look(frame, tracker.track(frame)))
    apart = [likeness.are_different(a, b) for a, b in combinations(looks, 2)]
    assert np.mean(apart) > 0.4


def test_a_stranger_among_many_is_named_and_two_are_refused(likeness):
    told = int((likeness.spread > 0).sum())
    one, other = (Look(np.full(4, v), np.full(told, v), 0.0) for v in (0.0, 9.0))
    names = ["a", "b", "c", "d"]
    assert strangers(likeness, [one, one, other, one], names) == [2]
    with pytest.raises(
        DifferentPeopleError, match=r"a and b seem to show different people.*--each"
    ):
        strangers(likeness, [one, other], names[:2])
