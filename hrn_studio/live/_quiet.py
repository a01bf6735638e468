"""Keep MediaPipe's start-up messages off the user's terminal."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_KNOWN = (
    b"XNNPACK delegate",
    b"absl::InitializeLog",
    b"inference_feedback_manager.cc",
    b"landmark_projection_calculator.cc",
    b"gl_context",
)
_STDERR = 2
_one_at_a_time = RLock()  # two threads that swap one descriptor would leave it swapped


@contextmanager
def quiet() -> Iterator[None]:
    """Hold back what native code writes to stderr, and pass on all but the well-known lines.

    MediaPipe logs through C++ before any log level can be set, so the descriptor itself is
    redirected.  Used only around making a graph and its first picture.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="SymbolDatabase.GetPrototype")
        try:
            saved = os.dup(_STDERR)
        except OSError:  # a window without a terminal has no stderr
            yield
            return
        with tempfile.TemporaryFile() as held:
            os.dup2(held.fileno(), _STDERR)
            try:
                yield
            finally:
                os.dup2(saved, _STDERR)
                os.close(saved)
                held.seek(0)
                for line in held:
                    if not any(known in line for known in _KNOWN):
                        os.write(_STDERR, line)
