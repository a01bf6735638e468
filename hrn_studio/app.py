"""Starts the window: ``python -m hrn_studio.app [FILE ...]``, and what a frozen build runs.

Everything is put together in :mod:`hrn_studio.ui.start`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from multiprocessing import freeze_support


def main(argv: Sequence[str] | None = None) -> int:
    """Open the window; ``argv`` are files to open in it, ``sys.argv[1:]`` unless given."""
    from hrn_studio.ui.start import run

    freeze_support()
    return run(list(sys.argv[1:] if argv is None else argv))


if __name__ == "__main__":
    raise SystemExit(main())
