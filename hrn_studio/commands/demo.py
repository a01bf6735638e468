"""``hrn-studio demo``: reconstruct the bundled pictures, where there is no camera or photo."""

from __future__ import annotations

import argparse
from pathlib import Path

from hrn_studio import paths
from hrn_studio.commands import Commands, reconstruct
from hrn_studio.errors import ModelDataError

OUT = Path("hrn-studio-demo")
"""Where the result goes unless the user says otherwise."""


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "demo",
        help="reconstruct the bundled pictures",
        description="Reconstruct the bundled pictures, which show a rendered head.",
    )
    parser.add_argument(
        "-o", "--out", type=Path, default=OUT, help="output folder (default: %(default)s)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    folder = paths.resources() / "demo"
    pictures = sorted(folder.glob("*.jpg"))
    if not pictures:
        raise ModelDataError(f"the demo's pictures are missing from {folder}; install again")
    wanted = ["reconstruct", *map(str, pictures), "--out", str(args.out), "--name", "demo"]
    parser = argparse.ArgumentParser()
    reconstruct.add_parser(parser.add_subparsers())
    return reconstruct.run(parser.parse_args(wanted))
