"""``hrn-studio reconstruct``: pictures in, a head on disk out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Generator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrn_studio.commands import Commands
from hrn_studio.commands.progress import follow
from hrn_studio.errors import StudioError, UsageError

if TYPE_CHECKING:
    from hrn_studio.pipeline import Models, Options
    from hrn_studio.records import Progress, Reconstruction


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
    add("--texture", type=int, choices=(1024, 2048, 4096), default=2048, help="texture size")
    add("--no-white-balance", action="store_true", help="keep the colours of the picture")
    add("--sharpen", type=float, default=0.0, metavar="0..1", help="sharpen the texture")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add("--seed", type=int, default=0, help="of all random choices (default: %(default)s)")
    add("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Returns 0, or 1 when some of several heads could not be made."""
    options = _options(args)
    from hrn_studio.export.folder import check_folder
    from hrn_studio.export.names import file_stem
    from hrn_studio.pipeline import Models

    check_folder(args.out)
    models = Models.load()
    try:
        if not args.each:
            name = file_stem(args.name or args.images[0].stem)
            done = [_one(models, args.images, args.out, name, options, alone=True)]
            failed: list[tuple[Path, str]] = []
        else:
            done, failed = _each(models, args, options)
    finally:
        models.close()
    _report(args, done, failed)
    if not done:
        raise StudioError("no head could be made; each picture's reason is given above")
    return 1 if failed else 0


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
        texture_px=args.texture,
        white_balance=not args.no_white_balance,
        sharpen=args.sharpen,
        force=args.force,
        device=args.device,
        seed=args.seed,
    )


def _each(
    models: Models, args: argparse.Namespace, options: Options
) -> tuple[list[dict[str, Any]], list[tuple[Path, str]]]:
    from hrn_studio.export.names import file_stem

    done, failed, taken = [], [], set()
    for image in args.images:
        name = base = file_stem(image.stem)
        number = 2
        while name in taken:
            name, number = f"{base}_{number}", number + 1
        taken.add(name)
        try:
            done.append(_one(models, [image], args.out, name, options, alone=False))
        except StudioError as error:
            failed.append((image, str(error)))
    return done, failed


def _one(
    models: Models, images: Sequence[Path], out: Path, name: str, options: Options, alone: bool
) -> dict[str, Any]:
    """Make and write one head; what to say about it."""
    from hrn_studio.pipeline import read_pictures, reconstruct

    result = follow(reconstruct(models, read_pictures(images), options), name)
    folder = follow(write(models, result, out, name, options, alone), name)
    left_out = [r for r in result.reports if not r.used]
    return {
        "name": name,
        "folder": str(folder),
        "pictures_used": [r.name for r in result.reports if r.used],
        "pictures_left_out": {r.name: r.reason for r in left_out},
        "scale_source": result.scale_source,
        "residual_px": [round(v.state.residual_px, 2) for v in result.views],
        "seconds": {k: round(v, 2) for k, v in result.timings_s.items()},
        "notes": list(result.notes),
    }


def write(
    models: Models, result: Reconstruction, out: Path, name: str, options: Options, alone: bool
) -> Generator[Progress, None, Path]:
    """Write a head with its preview; ``alone`` in its folder or beside others."""
    from hrn_studio.export.formats import export
    from hrn_studio.preview import preview_png

    prefix = "" if alone else f"{name}_"
    return export(
        result,
        models.head,
        out,
        name=name,
        extra={f"{prefix}preview.png": preview_png(result, models.head)},
        manifest_name=f"{prefix}manifest.json",
        options=asdict(options),
    )


def _report(
    args: argparse.Namespace, done: list[dict[str, Any]], failed: list[tuple[Path, str]]
) -> None:
    if args.json:
        failures = [{"picture": str(p), "reason": reason} for p, reason in failed]
        print(json.dumps({"heads": done, "failed": failures}, indent=1))
    for head in done:
        if not args.json:
            print(f"{head['name']}: {Path(head['folder']) / (head['name'] + '.glb')}")
            for note in head["notes"]:
                print(f"  {note}")
        for picture, reason in head["pictures_left_out"].items():
            print(f"hrn-studio: left out {picture}: {reason}", file=sys.stderr)
    for picture, reason in failed:
        print(f"hrn-studio: {picture}: {reason}", file=sys.stderr)
    if failed:
        print(f"hrn-studio: {len(done)} heads made, {len(failed)} pictures failed", file=sys.stderr)
