"""``hrn-studio reconstruct``: pictures in, a head on disk out."""

from __future__ import annotations

import argparse
from pathlib import Path

from hrn_studio.commands import Commands
from hrn_studio.errors import UsageError


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "reconstruct",
        help="make a head from one or more pictures",
        description="Make a textured, animatable head. Several pictures show one person, unless "
        "--each is given.",
    )
    add = parser.add_argument
    add("images", nargs="+", type=Path, metavar="IMAGE", help="JPEG, PNG or WebP pictures")
    add("-o", "--out", type=Path, required=True, help="output folder")
    add("--name", help="name of the files (default: the first picture's)")
    add("--each", action="store_true", help="one head for each picture")
    add("--force", action="store_true", help="go on although the pictures show different people")
    add("--hfov", type=float, metavar="DEG", help="horizontal field of view of the camera")
    add("--stage", choices=("coarse", "mid", "fine"), default="fine", help="how far to go")
    add("--texture", type=int, choices=(1024, 2048, 4096), default=2048, help="texture size")
    add("--no-white-balance", action="store_true", help="keep the colours of the picture")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add("--seed", type=int, default=0, help="of all random choices (default: %(default)s)")
    add("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    raise UsageError("'reconstruct' is not part of this version yet")
