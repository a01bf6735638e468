"""``hrn-studio bench``: how long things take on this machine."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path

from hrn_studio.commands import Commands, exporttiming, timing
from hrn_studio.errors import UsageError


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "bench",
        help="measure how fast this machine is",
        description="Measure and print a table with median and 95th percentile.",
    )
    kinds = parser.add_subparsers(metavar="WHAT", required=True)
    timing.add_fit(kinds)
    timing.add_regress(kinds)
    exporttiming.add_export(kinds)
    live = kinds.add_parser("live", help="the live view on a film")
    add = live.add_argument
    add("--source", type=Path, metavar="FILE", help="a video; the bundled demo without it")
    add("--window", action="store_true", help="with the window open, paced as a camera")
    add("--fit", action="store_true", help="take a frame and fit it meanwhile (with --window)")
    add("--seconds", type=float, default=10.0, help="how long to measure (default: %(default)s)")
    add("--engine", choices=("studio", "hrn"), default="studio", help="what sees the face")
    add("--network", action="store_true", help="with the face network beside the learned maps")
    add("--json", action="store_true", help="print the table as JSON")
    live.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    started_s = time.monotonic()
    file = _film(args.source)
    if args.window and args.engine != "studio":
        raise UsageError("--window measures the window as it is set; leave --engine out")
    if args.window and args.network:
        raise UsageError("--window measures without the face network; leave --network out")
    if args.window:
        from hrn_studio.ui.benchmark import with_window
        from hrn_studio.ui.parts import RealParts

        measured = with_window(file, RealParts(), args.seconds, args.fit, started_s)
    else:
        from hrn_studio.face.landmarks import load_embedding
        from hrn_studio.face.model import load_head
        from hrn_studio.live.benchmark import flat_out
        from hrn_studio.models.live import make_estimator

        maps = make_estimator(args.engine, load_head(), load_embedding(), args.network)
        measured = flat_out(file, args.seconds, maps=maps)
    values = dataclasses.asdict(measured)
    if args.json:
        print(json.dumps(values))
        return 0
    for name, value in values.items():
        if measured.window or name not in ("visible_s", "first_face_s", "heartbeat_worst_ms"):
            print(f"{name.replace('_', ' '):<20}{value}")
    return 0


def _film(source: Path | None) -> Path:
    if source is not None:
        return source
    from hrn_studio.live.spec import demo

    bundled = demo()
    if bundled is None:
        raise UsageError("this installation has no demo film; give one with --source FILE")
    return Path(bundled.where)
