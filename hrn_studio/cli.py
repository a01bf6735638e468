"""The command line: ``hrn-studio COMMAND ...``, one module of :mod:`hrn_studio.commands` each.

Without arguments it opens the window, or runs the demo where there is no display.  Exit codes:
0 done, 1 done but something was wrong (the command says what), 2 not done, 130 stopped with
Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

from hrn_studio import __version__
from hrn_studio.commands import (
    bench,
    demo,
    doctor,
    export,
    hrn,
    models,
    reconstruct,
    stream,
    studio,
    track,
    train,
)
from hrn_studio.errors import StudioError

COMMANDS = (studio, reconstruct, export, track, stream, demo, doctor, models, hrn, train, bench)


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    result = argparse.ArgumentParser(
        prog="hrn-studio",
        description="From a camera or photographs to a detailed, textured, animatable head.",
        epilog="Without a command the window opens; where there is no display, the bundled demo is "
        "reconstructed.",
    )
    result.add_argument("--version", action="version", version=f"hrn-studio {__version__}")
    result.add_argument("--debug", action="store_true", help="show where an error comes from")
    default = studio.run if studio.has_display() else demo.run
    result.set_defaults(run=default, out=demo.OUT, files=[])
    commands = result.add_subparsers(metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``argv`` is ``sys.argv[1:]`` unless given."""
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except StudioError as error:
        if args.debug:
            traceback.print_exc()
        print(f"hrn-studio: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stop:
        if args.debug:
            traceback.print_exc()
        print(f"hrn-studio: stopped; {str(stop) or 'nothing was written'}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
