"""Tasks inside tasks."""

from __future__ import annotations

import pytest

from hrn_studio.records import Progress
from hrn_studio.tasks import part_of, relayed


def counting(told):
    try:
        for k in range(3):
            yield Progress("fine", k / 2, str(k))
        return "found"
    finally:
        told.append("closed")


def driven(task):
    steps = []
    while True:
        try:
            steps.append(next(task))
        except StopIteration as end:
            return steps, end.value


def test_a_part_has_its_share_of_the_whole():
    told = []
    steps, found = driven(part_of(counting(told), 0.2, 0.6))
    assert [s.fraction for s in steps] == pytest.approx([0.2, 0.4, 0.6])
    assert [(s.stage, s.message) for s in steps] == [("fine", "0"), ("fine", "1"), ("fine", "2")]
    assert found == "found"
    assert told == ["closed"]


def test_closing_the_whole_closes_the_part():
    told = []
    task = relayed(counting(told), lambda step: step.message)
    assert next(task) == "0"
    assert told == []
    task.close()
    assert told == ["closed"]
