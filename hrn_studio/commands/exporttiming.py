"""``hrn-studio bench export``: from a finished head to GLB and FBX on the disk."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hrn_studio.commands import Commands
from hrn_studio.commands.timing import TOTAL, Laps, check_repeat, demo_file, show

if TYPE_CHECKING:
    from hrn_studio.face.model import HeadModel
    from hrn_studio.records import Reconstruction

_SIZES = (2048, 4096)


def add_export(commands: Commands) -> None:
    parser = commands.add_parser("export", help="GLB and FBX with 52 shapes, 2k and 4k maps")
    add = parser.add_argument
    add("--image", type=Path, metavar="IMAGE", help="whose head; default: the bundled one")
    add("--repeat", type=int, default=3, metavar="N", help="runs of each (default: %(default)s)")
    add("--json", action="store_true", help="print the table as JSON")
    parser.set_defaults(run=run_export)


def run_export(args: argparse.Namespace) -> int:
    check_repeat(args.repeat)
    image = args.image or sorted(demo_file("").glob("*.jpg"))[0]
    from hrn_studio.pipeline import Models, Options, finish, read_pictures, reconstruct

    models = Models.load()
    tables: dict[str, Laps] = {}
    try:
        for size in _SIZES:
            options = Options(texture_px=size)
            result = finish(reconstruct(models, read_pictures([image]), options))
            laps: dict[str, list[float]] = defaultdict(list)
            for _ in range(args.repeat):
                for step, seconds in time_export(result, models.head).items():
                    laps[step].append(seconds)
            tables[f"{size} px maps"] = laps
    finally:
        models.close()
    show(args.json, tables, 1.0, "s")
    return 0


def time_export(result: Reconstruction, head: HeadModel) -> dict[str, float]:
    """Seconds of each step of one export with joints, shapes and textures; ``on the CPU`` is what
    the whole took of one core, whatever else ran."""
    from hrn_studio.export.asset import make_asset
    from hrn_studio.export.dressing import dressed
    from hrn_studio.export.fbx import write_fbx
    from hrn_studio.export.folder import write_folder
    from hrn_studio.export.gltf import write_glb
    from hrn_studio.export.options import ExportOptions

    options = ExportOptions(skeleton="head")
    used, start = time.process_time(), time.perf_counter()
    asset = dressed(make_asset(result, head, "head"), options)
    made = time.perf_counter()
    files = write_glb(asset, options)
    glb = time.perf_counter()
    files |= write_fbx(asset, options)
    fbx = time.perf_counter()
    with TemporaryDirectory() as folder:
        write_folder(Path(folder) / "head", files)
        done = time.perf_counter()
    return {
        "shapes and maps": made - start,
        "GLB": glb - made,
        "FBX and textures": fbx - glb,
        "to the disk": done - fbx,
        TOTAL: done - start,
        "on the CPU": time.process_time() - used,
    }
