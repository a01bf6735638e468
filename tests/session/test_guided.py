"""The guided sequence takes each shot when its pose was held, and not before."""

from __future__ import annotations

import math

import pytest

from hrn_studio.live.quality import Measure, Quality
from hrn_studio.live.quality_limits import limits
from hrn_studio.session.guided import Guided, advance, fit_to_take, go_to, skip, taken
from hrn_studio.session.state import GUIDED


def quality(yaw=0.0, pitch=0.0, target=GUIDED[0].target, **states):
    good = dict.fromkeys(limits(), "ok") | states
    if abs(yaw - target.yaw) > target.green:
        good["yaw"] = "bad"
    if abs(pitch - target.pitch) > target.green:
        good["pitch"] = "bad"
    measures = tuple(Measure(limit, 0.0, good[key]) for key, limit in limits().items())
    return Quality(measures, None, (yaw, pitch, 0.0), target)


def test_a_held_pose_is_taken_after_half_a_second():
    guided = Guided()
    for now, take in ((0.0, False), (0.3, False), (0.55, True)):
        guided, wanted = advance(guided, quality(), now)
        assert wanted is take
    assert guided.hold == 1.0


def test_a_lost_pose_starts_anew():
    guided, _ = advance(Guided(), quality(), 0.0)
    guided, _ = advance(guided, quality(yaw=20), 0.4)
    assert math.isnan(guided.held_since_s)
    guided, take = advance(guided, quality(), 0.6)
    assert not take
    assert advance(guided, None, 1.0)[0].progress == 0


def test_the_arc_fills_as_the_head_turns():
    guided = taken(Guided())
    target = GUIDED[1].target
    come = [
        advance(guided, quality(yaw=y, target=target), 0.0)[0].progress for y in (0, 10, 20, 30)
    ]
    assert come == pytest.approx([0, 1 / 3, 2 / 3, 1])


def test_the_sequence_goes_on_to_its_end():
    guided = Guided()
    for _ in range(3):
        guided = taken(guided)
    guided = skip(guided)
    assert guided.shot.key == "down"
    assert guided.count == 3
    guided = go_to(guided, "up")
    assert guided.shot.key == "up"
    for _ in range(4):
        guided = taken(guided)
    assert guided.done
    assert guided.shot is None
    assert advance(guided, quality(), 0.0) == (guided, False)


def test_red_light_waits_everywhere_amber_only_in_front():
    side = GUIDED[1].target
    assert not fit_to_take(quality(balance="warn"))
    assert fit_to_take(quality(yaw=30, target=side, balance="warn"))
    assert not fit_to_take(quality(yaw=30, target=side, over="bad"))
    assert not fit_to_take(quality(motion="warn"))


def test_a_turned_head_need_not_look_neutral():
    """Half of the mouth is hidden, so what is measured of it is no reason to wait."""
    left = GUIDED[1].target
    assert fit_to_take(quality(yaw=30, target=left, neutral="bad"))
    assert not fit_to_take(quality(yaw=30, target=left, eyes="bad"))
    assert not fit_to_take(quality(neutral="bad"))
