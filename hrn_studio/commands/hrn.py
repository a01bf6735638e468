"""``hrn-studio hrn``: HRN by itself, on the Basel topology, as its authors run it."""

from __future__ import annotations

import argparse
from pathlib import Path

from hrn_studio.commands import Commands
from hrn_studio.errors import UsageError


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "hrn",
        help="run HRN by itself, when you have its weights",
        description="Write HRN's own face (Basel topology), dense mesh and textures of each "
        "picture, without eyes or shapes. For an animatable head use 'reconstruct --engine hrn'.",
    )
    add = parser.add_argument
    add("images", nargs="+", type=Path, metavar="IMAGE", help="JPEG, PNG or WebP pictures")
    add("-o", "--out", type=Path, required=True, help="output folder")
    add(
        "--method",
        choices=("single", "fitted", "multi", "head"),
        default="single",
        help="each picture alone; the older regression plus fitting; all of one person together; "
        "a head with neck",
    )
    add(
        "--faces",
        choices=("studio", "hrn"),
        default="studio",
        help="who finds the face: the studio's tracker, or HRN's detector and 106 landmarks",
    )
    add(
        "--texture",
        type=int,
        choices=(256, 512, 1024, 2048, 4096),
        help="texture size (default: 512 of fitted, 2048 of head and of the fused face of multi; "
        "single is 256)",
    )
    add("--hair", action="store_true", help="paint hair around the face of a head")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hrn_studio.commands.progress import follow
    from hrn_studio.export.folder import check_folder, write_folder
    from hrn_studio.export.names import file_stem
    from hrn_studio.live.images import read_image
    from hrn_studio.models.engines import checked_device
    from hrn_studio.models.reproduction import ReproductionOptions, reproduce

    if args.texture is not None and args.method == "single":
        raise UsageError("--texture is of no use to the method single: HRN's textures are 256 px")
    if args.hair and args.method != "head":
        raise UsageError("--hair is for heads; add --method head")
    check_folder(args.out)
    frames = [read_image(image, number) for number, image in enumerate(args.images)]
    names: list[str] = []
    for image in args.images:
        base, number = file_stem(image.stem), 2
        name = base
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    options = ReproductionOptions(
        method=args.method,
        faces=args.faces,
        texture_px=args.texture,
        hair=args.hair,
        device=checked_device(args.device),
    )
    files = follow(reproduce(frames, names, options), "hrn")
    folder = write_folder(args.out, files)
    print("\n".join(str(folder / name) for name in sorted(files) if name.endswith(".obj")))
    return 0
