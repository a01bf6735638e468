"""``hrn-studio bench``: how long things take on this machine."""

from __future__ import annotations

import argparse

from hrn_studio.commands import Commands
from hrn_studio.errors import UsageError


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "bench",
        help="measure how fast this machine is",
        description="Measure on the bundled demo and print a table with median and 95th "
        "percentile.",
    )
    parser.add_argument("what", choices=("fit", "regress"), help="a whole fit, or one live frame")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    raise UsageError("'bench' is not part of this version yet")
