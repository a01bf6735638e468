"""``hrn-studio models``: which downloaded models are here, and taking in more."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrn_studio import paths
from hrn_studio.commands import Commands
from hrn_studio.errors import UsageError
from hrn_studio.models.catalogue import FAMILIES, family

if TYPE_CHECKING:
    from hrn_studio.models.shelf import State


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "models",
        help="list, add, check, remove or download models that cannot be shipped",
        description="Models whose licence keeps them from being shipped: the official HRN weights, "
        "ICT-FaceKit, FLAME. Files you downloaded are checked and kept in your model folder.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="what is there, what is missing, what each enables")
    listed.add_argument("--json", action="store_true", help="print it as JSON")
    listed.set_defaults(run=run_list)
    added = actions.add_parser("add", help="take in a file or folder you downloaded")
    added.add_argument("path", type=Path, metavar="PATH", help="file or folder")
    added.add_argument("--link", action="store_true", help="hard link instead of copying")
    added.set_defaults(run=run_add)
    checked = actions.add_parser("verify", help="check kept files for damage")
    checked.add_argument("names", nargs="*", metavar="MODEL", help="default: all")
    checked.set_defaults(run=run_verify)
    removed = actions.add_parser("remove", help="delete a model from your model folder")
    removed.add_argument("name", metavar="MODEL")
    removed.set_defaults(run=run_remove)
    fetched = actions.add_parser("fetch", help="download a model")
    fetched.add_argument("name", choices=[each.name for each in FAMILIES])
    fetched.add_argument("--from", dest="base", metavar="URL", help="scheme and host of a mirror")
    fetched.add_argument(
        "--accept-licence", action="store_true", help="the model's licence covers your use"
    )
    fetched.set_defaults(run=run_fetch)


def run_list(args: argparse.Namespace) -> int:
    from hrn_studio.models import shelf

    found = shelf.states(paths.user_models_dir())
    print(as_json(found) if args.json else as_text(found, paths.user_models_dir()))
    return 0


def run_add(args: argparse.Namespace) -> int:
    from hrn_studio.commands.progress import follow
    from hrn_studio.models import shelf

    changed = follow(shelf.add(args.path, paths.user_models_dir(), link=args.link), "add")
    print(as_text(changed, paths.user_models_dir()))
    return 0


def run_verify(args: argparse.Namespace) -> int:
    from hrn_studio.commands.progress import follow
    from hrn_studio.models import shelf

    wrong = follow(shelf.verify(paths.user_models_dir(), args.names), "verify")
    for sentence in wrong:
        print(sentence)
    if not wrong:
        some = any(state.there for state in shelf.states(paths.user_models_dir()))
        print("All files are as they came." if some else "There is nothing to check.")
    return 1 if wrong else 0


def run_remove(args: argparse.Namespace) -> int:
    from hrn_studio.models import shelf

    freed = shelf.remove(paths.user_models_dir(), args.name)
    print(f"Removed {args.name}, {freed / 1e6:.0f} MB.")
    return 0


def run_fetch(args: argparse.Namespace) -> int:
    from hrn_studio.commands.progress import follow
    from hrn_studio.models import fetch, shelf

    wanted = family(args.name)
    if wanted is None:
        raise UsageError(f"'{args.name}' is not a model the studio knows")
    fetch.check_allowed(wanted, args.accept_licence)
    remotes = fetch.listing(wanted, args.base)
    folder = paths.cache_dir() / "downloads" / wanted.name
    follow(fetch.download(remotes, folder), f"fetch {wanted.name}")
    changed = follow(shelf.add(folder, paths.user_models_dir(), link=True), "add")
    for remote in remotes:
        (folder / remote.name).unlink(missing_ok=True)
    print(as_text(changed, paths.user_models_dir()))
    return 0


def as_text(found: Sequence[State], folder: Path) -> str:
    """The states for people."""
    lines = [f"Models in {folder}"]
    for state in found:
        needed = [item for item in state.family.items if item.needed]
        missing = [item for item in state.missing if item.needed]
        count = f"{len(needed) - len(missing)} of {len(needed)} files"
        word = "complete" if state.complete else count if state.there else "not there"
        size = f", {state.bytes / 1e6:.0f} MB" if state.there else ""
        lines += ["", f"{state.family.name}: {state.family.title} ({word}{size})"]
        lines.append(f"  licence: {state.family.licence}")
        lines.append(f"  source:  {state.family.source}")
        for item in state.there:
            lines.append(f"  there    {item.names[0]}: {item.what}")
        for item in state.missing:
            mark = "missing " if item.needed else "optional"
            lines.append(f"  {mark} {item.names[0]}: {item.what}")
        for use in state.enabled:
            lines.append(f"  enables  {use.name}")
        for use, why in state.disabled:
            lines.append(f"  off      {use.name}: {why}")
    return "\n".join(lines)


def as_json(found: Sequence[State]) -> str:
    """The states for programs."""
    return json.dumps({"models": [_entry(state) for state in found]}, indent=2)


def _entry(state: State) -> dict[str, Any]:
    return {
        "name": state.family.name,
        "title": state.family.title,
        "licence": state.family.licence,
        "source": state.family.source,
        "complete": state.complete,
        "bytes": state.bytes,
        "there": [item.names[0] for item in state.there],
        "missing": [item.names[0] for item in state.missing if item.needed],
        "optional": [item.names[0] for item in state.missing if not item.needed],
        "enables": [use.name for use in state.enabled],
        "disabled": {use.name: why for use, why in state.disabled},
    }
