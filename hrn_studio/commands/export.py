"""``hrn-studio export``: a finished head once more, for a game engine, a browser or a printer."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from hrn_studio.commands import Commands
from hrn_studio.commands.progress import follow
from hrn_studio.errors import UsageError

if TYPE_CHECKING:
    from hrn_studio.export.options import ExportOptions

_PRESETS = ("unity", "unreal", "blender", "web", "metahuman", "print")
_SIZES = {"1k": 1024, "2k": 2048, "4k": 4096}


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "export",
        help="write a finished head for Unity, Unreal, Blender, the web, MetaHuman or a printer",
        description="Export a head that 'hrn-studio reconstruct' made. A preset sets formats, "
        "units, axes, names and maps; every other option changes what the preset chose.",
    )
    add = parser.add_argument
    add("result", type=Path, metavar="RESULT_FOLDER", help="its folder, or NAME.head.npz")
    add("-o", "--out", type=Path, help="output folder")
    add("--preset", choices=_PRESETS)
    add("--formats", metavar="A,B,...", help="instead of the preset's, for example glb,fbx,maps")
    add("--name", help="which head, when the folder holds several")
    add("--texture", choices=tuple(_SIZES), help="size of the textures")
    add("--levels", metavar="A,B,...", help="levels of detail: fitted, dense, light")
    add("--animation", type=Path, metavar="CSV", help="a recording of 'hrn-studio track' to play")
    add("--skeleton", choices=("none", "head", "full"), help="no joint, one, or jaw and eyes too")
    add("--naming", choices=("arkit", "unreal", "sides"), help="eyeBlinkLeft, EyeBlinkLeft, _L")
    add("--normal", choices=("gl", "dx"), help="flavour of the normal map beside the model")
    add("--embed", action="store_true", default=None, help="put the textures into the FBX as well")
    add(
        "--parts",
        metavar="A,B,...",
        help="besides the skin: eyes, teeth, tongue; 'skin' for nothing else (default: all)",
    )
    add("--compress", choices=("none", "meshopt"), help="pack the GLB's geometry")
    add("--wall", type=float, metavar="MM", help="thickness of a printed wall; 0 is solid")
    add("--sizes", action="store_true", help="only say about how large it would be; write nothing")
    add("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from hrn_studio.results import export_result

    formats = None if args.formats is None else _listed(args.formats, "--formats")
    options = _options(args)
    if args.sizes:
        return _show_sizes(args, formats, options)
    if args.out is None:
        raise UsageError("give the folder to write to: -o FOLDER")
    task = export_result(
        args.result,
        args.out,
        preset=args.preset,
        formats=formats,
        options=options,
        name=args.name,
    )
    folder = follow(task, args.preset or "export")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = [entry["name"] for entry in manifest["files"]]
    if args.json:
        facts = {"folder": str(folder), "name": manifest["name"], "files": files}
        print(json.dumps({**facts, "export": manifest["export"]}, indent=1))
        return 0
    print(f"{manifest['name']}: {folder}")
    for entry in manifest["files"]:
        print(f"  {entry['name']}  {entry['bytes'] / 1e6:.1f} MB")
    return 0


def _show_sizes(
    args: argparse.Namespace, formats: tuple[str, ...] | None, options: ExportOptions
) -> int:
    from hrn_studio.results import result_sizes

    sizes = result_sizes(
        args.result, preset=args.preset, formats=formats, options=options, name=args.name
    )
    if args.json:
        print(json.dumps({"about_bytes": sizes}, indent=1))
        return 0
    for name, size in sizes.items():
        print(f"  {name}  about {size / 1e6:.1f} MB")
    print(f"  together about {sum(sizes.values()) / 1e6:.1f} MB")
    return 0


def _options(args: argparse.Namespace) -> ExportOptions:
    from hrn_studio.export.animation import read_take
    from hrn_studio.export.options import PLAIN
    from hrn_studio.export.presets import changed, preset_of

    return changed(
        PLAIN if args.preset is None else preset_of(args.preset).options,
        texture_px=None if args.texture is None else _SIZES[args.texture],
        levels=None if args.levels is None else _listed(args.levels, "--levels"),
        animation=None if args.animation is None else read_take(args.animation),
        skeleton=args.skeleton,
        naming=args.naming,
        normal=args.normal,
        embed=args.embed,
        compress=args.compress,
        parts=None if args.parts is None else _parts(args.parts),
        wall_m=None if args.wall is None else args.wall / 1000,
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in _listed(text, "--parts") if part != "skin")


def _listed(text: str, option: str) -> tuple[str, ...]:
    """``a,b`` as names, each once."""
    names = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    if not names:
        raise UsageError(f"{option} names nothing; give one or more, separated by commas")
    return names
