"""An OpenGL context without a window."""

from __future__ import annotations

from typing import Any

import moderngl

from hrn_studio.errors import StudioError


class NoOpenGLError(StudioError):
    """This machine gives no OpenGL 3.3 context."""


def standalone_context() -> moderngl.Context:
    """A context of its own, current on this thread; the caller releases it.

    Raises
    ------
    NoOpenGLError
        There is no driver, not even a software one.
    """
    egl: Any = {"backend": "egl"}  # moderngl's own annotation is wrong
    problem: Exception | None = None
    for windowless in (True, False):
        try:
            context = moderngl.create_context(
                standalone=True, require=330, **(egl if windowless else {})
            )
        except Exception as error:  # noqa: BLE001 - moderngl raises bare Exception
            problem = error
        else:
            context.gc_mode = "context_gc"
            return context
    raise NoOpenGLError(
        f"no OpenGL 3.3 here ({problem}); update the graphics driver, or on Debian and Ubuntu "
        "'sudo apt-get install libgl1 libegl1' brings one that needs no graphics card"
    ) from problem
