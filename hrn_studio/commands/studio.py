"""``hrn-studio studio``: open the window."""

from __future__ import annotations

import argparse
import os
import sys

from hrn_studio.commands import Commands


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "studio",
        help="open the window",
        description="Open the window: live face, guided capture, fitting, review and export.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="pictures, a video, a folder, or the http:// address of an MJPEG camera",
    )
    parser.set_defaults(run=run)


def has_display() -> bool:
    """Whether a window can be shown here."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def run(args: argparse.Namespace) -> int:
    from hrn_studio.ui.start import run as start

    return start(args.files)
