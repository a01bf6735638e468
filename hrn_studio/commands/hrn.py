"""``hrn-studio hrn``: HRN by itself, on the Basel topology, as its authors run it."""

from __future__ import annotations

import argparse
from pathlib import Path

from hrn_studio.commands import Commands


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "hrn",
        help="run HRN by itself, when you have its weights",
        description="Write HRN's own face (Basel topology), dense mesh and textures of each "
        "picture, without head, eyes or shapes. For a whole head use 'reconstruct --engine hrn'.",
    )
    add = parser.add_argument
    add("images", nargs="+", type=Path, metavar="IMAGE", help="JPEG, PNG or WebP pictures")
    add("-o", "--out", type=Path, required=True, help="output folder")
    add(
        "--method",
        choices=("single", "fitted", "multi"),
        default="single",
        help="each picture alone; the older regression plus fitting; all of one person together",
    )
    add(
        "--texture",
        type=int,
        choices=(256, 512, 1024, 2048),
        default=512,
        help="texture size of the method fitted (default: %(default)s)",
    )
    add("--device", choices=("cpu", "cuda"), default="cpu")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hrn_studio.commands.progress import follow
    from hrn_studio.export.folder import check_folder, write_folder
    from hrn_studio.export.names import file_stem
    from hrn_studio.live.images import read_image
    from hrn_studio.models.reproduction import reproduce

    check_folder(args.out)
    frames = [read_image(image, number) for number, image in enumerate(args.images)]
    names: list[str] = []
    for image in args.images:
        base, number = file_stem(image.stem), 2
        name = base
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    task = reproduce(frames, names, args.method, texture_px=args.texture, device=args.device)
    folder = write_folder(args.out, follow(task, "hrn"))
    print("\n".join(str(folder / f"{name}_hrn.obj") for name in names))
    return 0
