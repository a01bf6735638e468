"""Show how far a long task is: a bar on a terminal, else a line for each stage."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, TextIO, TypeVar

if TYPE_CHECKING:
    from hrn_studio.records import Progress

T = TypeVar("T")

_WIDTH = 28


def follow(task: Generator[Progress, None, T], label: str, stream: TextIO | None = None) -> T:
    """Run a task to its end, telling on ``stream`` (stderr) what it does; returns its result.

    The task is closed when it fails or the user interrupts.
    """
    stream = sys.stderr if stream is None else stream
    bar = stream.isatty()
    stage = ""
    with closing(task):
        try:
            while True:
                step = next(task)
                if bar:
                    done = round(_WIDTH * step.fraction)
                    drawn = "█" * done + "·" * (_WIDTH - done)
                    line = f"{label}  [{drawn}] {step.stage}: {step.message}"
                    stream.write(f"\r\x1b[K{line[:118]}")
                elif step.stage != stage:
                    stream.write(f"{label}: {step.stage}\n")
                stage = step.stage
                stream.flush()
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            if bar:
                stream.write("\r\x1b[K")
                stream.flush()
