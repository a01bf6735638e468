"""``hrn-studio reconstruct``: pictures in, a head on disk out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrn_studio.commands import Commands
from hrn_studio.commands.progress import follow
from hrn_studio.errors import StudioError, UsageError

if TYPE_CHECKING:
    from hrn_studio.pipeline import Models, Options


@dataclass
class _Done:
    """What has been made so far."""

    heads: list[dict[str, Any]] = field(default_factory=list)
    failed: list[tuple[Path, str]] = field(default_factory=list)


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
    add("--each", action="store_true", help="one head for each picture, all in the output folder")
    add("--force", action="store_true", help="go on although the pictures show different people")
    add("--hfov", type=float, metavar="DEG", help="horizontal field of view of the camera")
    add(
        "--eye-distance",
        type=float,
        metavar="MM",
        help="measured distance between the pupils (default: the irises tell the size)",
    )
    add("--stage", choices=("coarse", "mid", "fine"), default="fine", help="how far to go")
    add(
        "--network",
        action="store_true",
        help="let the face network look too, besides the learned maps",
    )
    add(
        "--engine",
        choices=("studio", "hrn", "hrn-mv"),
        default="studio",
        help="what shapes the head; hrn and hrn-mv need 'hrn-studio models add' first",
    )
    add(
        "--head",
        choices=("default", "ict", "flame"),
        default="default",
        help="which head to fit; ict and flame need 'hrn-studio models add' first",
    )
    add("--texture", type=int, choices=(1024, 2048, 4096), default=2048, help="texture size")
    add("--no-white-balance", action="store_true", help="keep the colours of the picture")
    add("--sharpen", type=float, default=0.0, metavar="0..1", help="sharpen the texture")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add("--seed", type=int, default=0, help="of all random choices (default: %(default)s)")
    add("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Returns 0, 1 when some of several heads could not be made, 130 when stopped after some."""
    options = _options(args)
    from hrn_studio.export.folder import check_folder
    from hrn_studio.pipeline import Models

    check_folder(args.out)
    models = Models.load(args.head, args.network)
    done = _Done()
    try:
        if args.each:
            _each(models, args, options, done)
        else:
            _one(models, args.images, args.out, args.name, options, done, alone=True)
    except (StudioError, KeyboardInterrupt) as error:
        if args.json and isinstance(error, StudioError):
            done.failed += [(image, str(error)) for image in args.images]
            _print_json(done)
        if done.heads:  # of several; those are there
            _report(args, done)
            print("hrn-studio: stopped; the heads above were written", file=sys.stderr)
            return 130
        raise
    finally:
        models.close()
    _report(args, done)
    if not done.heads:
        raise StudioError("no head could be made; each picture's reason is given above")
    return 1 if done.failed else 0


def _options(args: argparse.Namespace) -> Options:
    from hrn_studio.pipeline import Options

    if args.hfov is not None and not 5 <= args.hfov <= 150:
        raise UsageError(f"--hfov {args.hfov:g} is no camera's view; give 5 to 150 degrees")
    if args.eye_distance is not None and not 40 <= args.eye_distance <= 85:
        raise UsageError(
            f"--eye-distance {args.eye_distance:g} is no person's; give 40 to 85 millimetres"
        )
    if not 0 <= args.sharpen <= 1:
        raise UsageError(f"--sharpen {args.sharpen:g} is out of range; give 0 to 1")
    if args.name and args.each:
        raise UsageError("--name names one head; leave it out with --each")
    return Options(
        hfov_deg=args.hfov,
        eye_distance_m=None if args.eye_distance is None else args.eye_distance / 1000,
        stage=args.stage,
        engine=args.engine,
        texture_px=args.texture,
        white_balance=not args.no_white_balance,
        sharpen=args.sharpen,
        force=args.force,
        device=args.device,
        seed=args.seed,
    )


def _each(models: Models, args: argparse.Namespace, options: Options, done: _Done) -> None:
    from hrn_studio.export.names import file_stem

    taken: set[str] = set()
    for image in args.images:
        name = base = file_stem(image.stem)
        number = 2
        while name.casefold() in taken:  # some disks do not tell A from a
            name, number = f"{base}_{number}", number + 1
        taken.add(name.casefold())
        try:
            _one(models, [image], args.out, name, options, done, alone=False)
        except StudioError as error:
            done.failed.append((image, str(error)))


def _one(
    models: Models,
    images: Sequence[Path],
    out: Path,
    name: str | None,
    options: Options,
    done: _Done,
    alone: bool,
) -> None:
    """Make and write one head, and note what to say about it."""
    from hrn_studio.pipeline import reconstruct_to

    label = name or images[0].stem
    saved = follow(reconstruct_to(models, images, out, name, options, alone=alone), label)
    result = saved.result
    done.heads.append(
        {
            "name": saved.name,
            "folder": str(saved.folder),
            "pictures_used": [
                {"picture": r.name, "note": r.reason} for r in result.reports if r.used
            ],
            "pictures_left_out": [
                {"picture": r.name, "reason": r.reason} for r in result.reports if not r.used
            ],
            "scale_source": result.scale_source,
            "residual_px": [round(v.state.residual_px, 2) for v in result.views],
            "seconds": {k: round(v, 2) for k, v in result.timings_s.items()},
            "notes": list(result.notes),
        }
    )


def _print_json(done: _Done) -> None:
    failures = [{"picture": str(p), "reason": reason} for p, reason in done.failed]
    print(json.dumps({"heads": done.heads, "failed": failures}, indent=1))


def _report(args: argparse.Namespace, done: _Done) -> None:
    if args.json:
        _print_json(done)
    for head in done.heads:
        if not args.json:
            print(f"{head['name']}: {Path(head['folder']) / (head['name'] + '.glb')}")
            for used in head["pictures_used"]:
                if used["note"]:
                    print(f"  {used['picture']}: {used['note']}")
            for note in head["notes"]:
                print(f"  {note}")
        for left in head["pictures_left_out"]:
            print(f"hrn-studio: left out {left['picture']}: {left['reason']}", file=sys.stderr)
    for picture, reason in done.failed:
        print(f"hrn-studio: {picture}: {reason}", file=sys.stderr)
    if done.failed:
        print(
            f"hrn-studio: heads made: {len(done.heads)}; pictures that failed: {len(done.failed)}",
            file=sys.stderr,
        )
