"""The commands of ``hrn-studio``, one module each.

A module has two functions: ``add_parser(commands)`` adds its options to the command line, and
``run(args) -> int`` does the work and returns the exit code.  This is where printing happens;
what is below raises :class:`~hrn_studio.errors.StudioError` and yields progress.  Slow libraries
are imported inside ``run``, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What :meth:`argparse.ArgumentParser.add_subparsers` returns."""
