"""``hrn-studio stream``: the live face sent over the network, as Live Link Face does."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from hrn_studio.commands import Commands
from hrn_studio.errors import UsageError

if TYPE_CHECKING:
    from hrn_studio.live.livelink_udp import Sender
    from hrn_studio.live.stream import LiveFace

_TELL_S = 2.0


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "stream",
        help="send the live face to Unreal and others, as Live Link Face does",
        description="Follow a face and send its 52 expressions, head and eyes as Live Link Face "
        "datagrams (UDP), until Ctrl-C. In Unreal, enable the plug-in Apple ARKit Face Support "
        "and choose the subject in the Live Link window.",
    )
    add = parser.add_argument
    add(
        "--live-link",
        required=True,
        metavar="HOST[:PORT]",
        help="the computer that listens; port 11111 unless given",
    )
    add(
        "--source",
        default="camera",
        metavar="SOURCE",
        help="camera, a camera's name, demo, an http:// address, a video, a picture or a folder "
        "(default: %(default)s)",
    )
    add("--subject", default="HRNStudio", metavar="NAME", help="name in the receiver's list")
    add("--hfov", type=float, metavar="DEG", help="horizontal field of view of the camera")
    add("--network", action="store_true", help="let the face network look at the face, too")
    add("--once", action="store_true", help="stop at the end of a film instead of starting again")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.hfov is not None and not 5 <= args.hfov <= 150:
        raise UsageError(f"--hfov {args.hfov:g} is no camera's view; give 5 to 150 degrees")
    from hrn_studio.live.livelink_udp import parsed_target

    parsed_target(args.live_link)  # before the slow parts are loaded
    from hrn_studio.face.landmarks import load_embedding
    from hrn_studio.face.model import load_head
    from hrn_studio.live.broadcast import broadcast, chosen_source
    from hrn_studio.live.estimator import load_estimator
    from hrn_studio.live.livelink_udp import Sender

    head = load_head()
    with Sender(args.live_link, head.expression_names, subject=args.subject) as sender:
        spec = chosen_source(args.source)
        print(f"sending '{sender.subject}' to {sender.host}:{sender.port}; Ctrl-C stops")
        task = broadcast(
            spec,
            sender,
            head,
            load_embedding(),
            load_estimator(args.network),
            hfov_deg=args.hfov,
            loop=not args.once,
        )
        with closing(task), suppress(KeyboardInterrupt):
            _follow(task, sender)
        print(f"{sender.sent} faces sent to {sender.host}:{sender.port}")
        return 0 if sender.sent else 1


def _follow(task: Iterable[LiveFace | None], sender: Sender) -> None:
    """Say every other second how it goes, or why no face is sent."""
    told, reason = time.monotonic(), ""
    for live in task:
        now = time.monotonic()
        if live is None or now - told < _TELL_S:
            continue
        told = now
        if live.reason and live.reason != reason:
            print(f"hrn-studio: {live.reason}", file=sys.stderr)
        elif sys.stdout.isatty():
            rate, late = live.pace.fps, live.pace.latency_p50_ms
            print(f"\r\x1b[K{sender.sent} sent, {rate:.0f} a second, {late:.0f} ms late", end="")
        reason = live.reason
