"""Long tasks are generators: they yield what they have come to and return what they found.

To cancel one is to close it; whoever drives it from inside another closes it with itself.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from typing import TypeVar

from hrn_studio.records import Progress

S = TypeVar("S")
R = TypeVar("R")
T = TypeVar("T")


def relayed(task: Generator[S, None, T], change: Callable[[S], R]) -> Generator[R, None, T]:
    """The same task with every item changed."""
    with closing(task):
        while True:
            try:
                step = next(task)
            except StopIteration as stop:
                result: T = stop.value
                return result
            yield change(step)


def part_of(
    task: Generator[Progress, None, T], start: float, end: float
) -> Generator[Progress, None, T]:
    """A task as a part of a longer one: its fractions run from ``start`` to ``end``."""
    return relayed(task, lambda step: replace(step, fraction=start + (end - start) * step.fraction))
