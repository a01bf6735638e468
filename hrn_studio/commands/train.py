"""``hrn-studio train``: make the face network: renders, training, refinement, its report."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from hrn_studio.commands import Commands
from hrn_studio.commands.progress import follow
from hrn_studio.errors import UsageError


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "train",
        help="make the network that sees faces",
        description="Render invented people, train a network on them, and write it for use.",
    )
    kinds = parser.add_subparsers(metavar="WHAT", required=True)
    _add_render(kinds)
    _add_sheet(kinds)
    _add_fit(kinds)


def _add_render(kinds: Commands) -> None:
    parser = kinds.add_parser("render", help="render pictures to train on")
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="where to; what is there already is kept")
    add("--count", type=_positive, default=20000, help="pictures (default: %(default)s)")
    add("--seed", type=int, default=7, help="the same seed gives the same pictures")
    add("--jobs", type=_positive, default=os.cpu_count() or 1, help="processes")
    parser.set_defaults(run=run_render)


def _add_sheet(kinds: Commands) -> None:
    parser = kinds.add_parser("sheet", help="a contact sheet of such pictures")
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="PNG or JPEG")
    add("--count", type=_positive, default=48, help="pictures (default: %(default)s)")
    add("--seed", type=int, default=7)
    parser.set_defaults(run=run_sheet)


def _add_fit(kinds: Commands) -> None:
    parser = kinds.add_parser(
        "fit",
        help="train a network on rendered pictures",
        description="Train, or go on from the checkpoint; Ctrl-C keeps the last checkpoint.",
    )
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="what 'train render' filled")
    add("-o", "--out", type=Path, metavar="FILE", help="write the network here when done (.npz)")
    add("--checkpoint", type=Path, required=True, metavar="FILE", help="kept every 500 steps")
    add("--net", choices=("small", "large"), default="small", help="large is a ResNet-50")
    add("--steps", type=_positive, default=9000, help="in all (default: %(default)s)")
    add("--batch", type=_positive, default=128, help="pictures a step (default: %(default)s)")
    add("--rate", type=float, default=2e-3, help="highest learning rate (default: %(default)s)")
    add("--pictures-seed", type=int, default=7, help="seed given to 'train render'")
    add("--seed", type=int, default=1, help="of the training")
    add("--device", choices=("cpu", "cuda"), default="cpu")
    parser.set_defaults(run=run_fit)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def run_render(args: argparse.Namespace) -> int:
    from hrn_studio.training.factory import Order, render_folder

    count = follow(render_folder(Order(args.folder, args.count, args.seed, args.jobs)), "pictures")
    print(f"{args.folder}: {count} pictures")
    return 0


def run_sheet(args: argparse.Namespace) -> int:
    from hrn_studio.training.factory import contact_sheet, write_sheet

    write_sheet(contact_sheet(args.seed, args.count), args.file)
    print(args.file)
    return 0


def run_fit(args: argparse.Namespace) -> int:
    from hrn_studio.face.landmarks import load_embedding
    from hrn_studio.face.model import load_head
    from hrn_studio.training.campaign import Campaign, train
    from hrn_studio.training.learn import Plan, check_device
    from hrn_studio.training.ship import ship

    if not args.checkpoint.parent.is_dir():
        raise UsageError(f"the folder of '{args.checkpoint}' is missing; make it first")
    check_device(args.device)
    head, embedding = load_head(), load_embedding()
    plan = Plan(args.steps, args.batch, args.rate, seed=args.seed, kind=args.net)
    campaign = Campaign(args.folder, args.pictures_seed, args.checkpoint, plan, args.device)
    learner = follow(train(campaign, head, embedding), "training")
    print(f"{args.checkpoint}: step {learner.step}; the curve is in {campaign.curve}")
    if args.out is not None:
        ship(learner.average, head, embedding, args.out)
        print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB")
    return 0
