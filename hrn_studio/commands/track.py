"""``hrn-studio track``: a video in, pose and expressions for every frame out."""

from __future__ import annotations

import argparse
from pathlib import Path

from hrn_studio.commands import Commands
from hrn_studio.errors import UsageError


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "track",
        help="write a video's pose and 52 expressions as CSV",
        description="Write head pose and the 52 ARKit expressions of every frame, in the layout "
        "of Live Link Face's CSV files.",
    )
    add = parser.add_argument
    add("video", type=Path, metavar="VIDEO")
    add("-o", "--out", type=Path, required=True, help="the CSV file")
    add("--hfov", type=float, metavar="DEG", help="horizontal field of view of the camera")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    raise UsageError("'track' is not part of this version yet")
