"""``hrn-studio track``: a video in, pose and expressions for every frame out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hrn_studio.commands import Commands
from hrn_studio.commands.progress import follow
from hrn_studio.errors import ExportError, UsageError

if TYPE_CHECKING:
    from hrn_studio.live.offline import Take


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "track",
        help="write a video's pose and 52 expressions as CSV",
        description="Write head pose and the 52 ARKit expressions of every frame, in the layout "
        "of Live Link Face's CSV files. Frames without a usable face are left out.",
    )
    add = parser.add_argument
    add("video", type=Path, metavar="VIDEO")
    add("-o", "--out", type=Path, required=True, help="the CSV file")
    add("--hfov", type=float, metavar="DEG", help="horizontal field of view of the camera")
    add(
        "--engine",
        choices=("studio", "hrn"),
        default="studio",
        help="what sees the expressions; hrn needs 'hrn-studio models add' first",
    )
    add(
        "--network",
        action="store_true",
        help="let the face network look too, besides the learned maps",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.hfov is not None and not 5 <= args.hfov <= 150:
        raise UsageError(f"--hfov {args.hfov:g} is no camera's view; give 5 to 150 degrees")
    out: Path = args.out.expanduser().absolute()
    if out.is_dir():
        raise ExportError(f"'{args.out}' is a folder; give the name of a CSV file in it")
    from hrn_studio.export.folder import check_folder, write_folder
    from hrn_studio.face.landmarks import load_embedding
    from hrn_studio.face.model import load_head
    from hrn_studio.live.livelink import livelink_csv
    from hrn_studio.live.offline import track_video
    from hrn_studio.models.live import make_estimator

    check_folder(out.parent)
    head, embedding = load_head(), load_embedding()
    maps = make_estimator(args.engine, head, embedding, args.network)
    task = track_video(args.video, head, embedding, maps, hfov_deg=args.hfov)
    take = follow(task, args.video.name)
    text = livelink_csv(take.states, head.expression_names)
    write_folder(out.parent, {out.name: text.encode()})
    print(f"{len(take.states)} of {take.frames} frames written to {args.out}")
    for line in left_out(take):
        print(f"hrn-studio: {line}", file=sys.stderr)
    return 0


def left_out(take: Take) -> list[str]:
    """What to say about frames without a face: runs of frames with one reason, a line each."""
    runs: list[list[int]] = []
    reasons: list[str] = []
    for index, reason in take.missed:
        if runs and runs[-1][1] == index - 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
            reasons.append(reason)
    lines = []
    for (first, last), reason in zip(runs[:5], reasons, strict=False):
        span = f"frame {first}" if first == last else f"frames {first} to {last}"
        lines.append(f"left out {span}: {reason}")
    if len(runs) > 5:
        rest = sum(last - first + 1 for first, last in runs[5:])
        lines.append(f"left out {rest} more frames")
    return lines
