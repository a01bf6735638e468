"""Memory that a finished fit no longer needs goes back to the system."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Let the C library return what is free; elsewhere than on Linux it does so by itself.

    A fit asks for hundreds of megabytes in pieces that glibc keeps for later.  Takes some
    milliseconds, so call it off the main thread.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):  # another C library
        return
