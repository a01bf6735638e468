"""``hrn-studio train``: make the face network: renders, training, refinement, its report."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrn_studio.commands import Commands
from hrn_studio.commands.progress import follow
from hrn_studio.errors import UsageError

_OURS = "(default: the one that comes with the program)"


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
    _add_restore(kinds)
    _add_refine(kinds)
    _add_ship(kinds)
    _add_measure(kinds)
    _add_gain(kinds)


def _add_render(kinds: Commands) -> None:
    parser = kinds.add_parser("render", help="render pictures to train on")
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="where to; what is there already is kept")
    add("--count", type=_positive, default=20000, help="pictures (default: %(default)s)")
    add("--seed", type=int, default=7, help="the same seed gives the same pictures")
    add("--jobs", type=_positive, default=os.cpu_count() or 1, help="processes")
    add("--plain", action="store_true", help="rooms and webcams only, nothing before the face")
    parser.set_defaults(run=run_render)


def _add_sheet(kinds: Commands) -> None:
    parser = kinds.add_parser("sheet", help="a contact sheet of such pictures")
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="PNG or JPEG")
    add("--count", type=_positive, default=48, help="pictures (default: %(default)s)")
    add("--seed", type=int, default=7)
    add("--plain", action="store_true", help="rooms and webcams only, nothing before the face")
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
    add("--checkpoint", type=Path, required=True, metavar="FILE", help="kept every 100 steps")
    add("--net", choices=("small", "large"), default="small", help="large is a ResNet-50")
    add("--steps", type=_positive, default=9000, help="in all (default: %(default)s)")
    add("--batch", type=_positive, default=128, help="pictures a step (default: %(default)s)")
    add("--rate", type=_rate, default=2e-3, help="highest learning rate (default: %(default)s)")
    add("--pictures-seed", type=int, default=7, help="seed given to 'train render'")
    add("--seed", type=int, default=1, help="of the training")
    add("--device", choices=("cpu", "cuda"), default="cpu")
    parser.set_defaults(run=run_fit)


def _add_restore(kinds: Commands) -> None:
    parser = kinds.add_parser(
        "restore",
        help="make a checkpoint of a network as it ships",
        description="Read a network's weights back, for 'train fit' and 'train refine' to go on "
        "from.  The optimiser's state does not ship, so training begins at step 0 with a fresh "
        "one: give 'train fit' a --rate below the default, say 5e-4.",
    )
    add = parser.add_argument
    add("network", type=Path, nargs="?", metavar="NETWORK", help=f"a .npz file {_OURS}")
    add("--checkpoint", type=Path, required=True, metavar="FILE", help="write the checkpoint here")
    add("--member", type=_positive, default=1, help="which one of a file of several networks")
    parser.set_defaults(run=run_restore)


def _add_refine(kinds: Commands) -> None:
    parser = kinds.add_parser(
        "refine",
        help="go on training with photos and videos, without ground truth",
        description="Refine a trained network on any folder of face photos and videos that you "
        "have the right to use.  Pictures in a sub-folder, and the frames of a video, are taken to "
        "show one person.  Ctrl-C keeps the last checkpoint; the same command goes on from it.",
    )
    add = parser.add_argument
    add("folder", type=Path, metavar="FOLDER", help="photos and videos of faces")
    add("--checkpoint", type=Path, metavar="FILE", help=f"what 'train fit' kept, or .npz {_OURS}")
    add("-o", "--out", type=Path, required=True, metavar="FILE", help="write the network here")
    add("--steps", type=_positive, default=400, help="in all (default: %(default)s)")
    add("--batch", type=_positive, default=24, help="pictures a step (default: %(default)s)")
    add("--rate", type=_rate, default=1e-3, help="highest learning rate (default: %(default)s)")
    add("--renders", type=Path, metavar="FOLDER", help="mix in what 'train render' made")
    add("--renders-seed", type=int, default=7, help="their seed (default: %(default)s)")
    add("--seed", type=int, default=1, help="of the refinement")
    add("--device", choices=("cpu", "cuda"), default="cpu")
    parser.set_defaults(run=run_refine)


def _add_ship(kinds: Commands) -> None:
    parser = kinds.add_parser(
        "ship",
        help="write one checkpoint, or several that answer together, for use",
        description="Write checkpoints into one network file.  Several networks are asked about "
        "each crop and averaged, each weighted by the inverse of the variance that it states; the "
        "time that takes grows with their number.",
    )
    add = parser.add_argument
    add("sources", type=Path, nargs="+", metavar="CHECKPOINT", help="or networks as they ship")
    add("-o", "--out", type=Path, required=True, metavar="FILE", help="write the network here")
    add(
        "--renders",
        type=Path,
        metavar="FOLDER",
        help="measure on held-back renders how sure the common answer is (default: as sure as the "
        "networks state on average)",
    )
    add("--seed", type=int, default=7, help="of the renders (default: %(default)s)")
    add("--most", type=_positive, default=1000, help="pictures (default: %(default)s)")
    parser.set_defaults(run=run_ship)


def _add_measure(kinds: Commands) -> None:
    parser = kinds.add_parser(
        "measure",
        help="a network's errors on renders held back from training, by kind of picture",
        description="Measure a network on every tenth shard of a folder of renders, which "
        "'train fit' never learns from.",
    )
    add = parser.add_argument
    add("network", type=Path, metavar="NETWORK", help="a .npz file or a checkpoint")
    add("folder", type=Path, metavar="FOLDER", help="what 'train render' filled")
    add("--seed", type=int, default=7, help="given to 'train render' (default: %(default)s)")
    add("--most", type=_positive, default=2000, help="pictures (default: %(default)s)")
    add("--json", action="store_true", help="all figures as JSON instead of a table")
    add("--card", type=Path, metavar="FILE", help="write the table into this model card too")
    add("--checkpoint", type=Path, metavar="FILE", help="let the card tell of the training")
    add(
        "--note",
        action="append",
        default=[],
        metavar="TEXT",
        help="a sentence for the card, say on how long it took; may be given again",
    )
    parser.set_defaults(run=run_measure)


def _add_gain(kinds: Commands) -> None:
    parser = kinds.add_parser(
        "gain",
        help="what more looks at a picture, or more networks, cost and bring",
        description="Ask a network file about held-back renders in several ways.",
    )
    add = parser.add_argument
    add("network", type=Path, nargs="?", metavar="NETWORK", help=f"a .npz file {_OURS}")
    add("folder", type=Path, metavar="FOLDER", help="what 'train render' filled")
    add(
        "--looks",
        type=_positive,
        nargs="+",
        default=[1, 2, 9],
        metavar="N",
        help="1: the crop; 2: and its mirror image; more: and moved ones (default: 1 2 9)",
    )
    add("--seed", type=int, default=7, help="given to 'train render' (default: %(default)s)")
    add("--most", type=_positive, default=300, help="pictures (default: %(default)s)")
    parser.set_defaults(run=run_gain)


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 10:
        raise argparse.ArgumentTypeError(f"{text} is no learning rate; give a number like 0.001")
    return value


def run_render(args: argparse.Namespace) -> int:
    from hrn_studio.training.factory import Order, render_folder

    order = Order(args.folder, args.count, args.seed, args.jobs, not args.plain)
    count = follow(render_folder(order), "pictures")
    print(f"{args.folder}: {count} pictures")
    return 0


def run_sheet(args: argparse.Namespace) -> int:
    from hrn_studio.training.factory import contact_sheet, write_sheet

    write_sheet(contact_sheet(args.seed, args.count, varied=not args.plain), args.file)
    print(args.file)
    return 0


def run_fit(args: argparse.Namespace) -> int:
    from hrn_studio.face.landmarks import load_embedding
    from hrn_studio.face.model import load_head
    from hrn_studio.training.campaign import Campaign, train
    from hrn_studio.training.learn import Plan
    from hrn_studio.training.onnxfile import need_onnx
    from hrn_studio.training.ship import ship
    from hrn_studio.training.team import check_device

    _check_place(args.checkpoint)
    if args.out is not None:
        _check_place(args.out, args.checkpoint)
        need_onnx()
    check_device(args.device)
    head, embedding = load_head(), load_embedding()
    plan = Plan(args.steps, args.batch, args.rate, seed=args.seed, kind=args.net)
    campaign = Campaign(args.folder, args.pictures_seed, args.checkpoint, plan, args.device)
    with _kept_when_stopped(args.checkpoint):
        learner = follow(train(campaign, head, embedding), "training")
    print(f"{args.checkpoint}: step {learner.step}; the curve is in {campaign.curve}")
    if args.out is not None and learner.leads:
        ship(learner.average, head, embedding, args.out)
        print(_size(args.out))
    return 0


def run_restore(args: argparse.Namespace) -> int:
    from hrn_studio.face.model import load_head
    from hrn_studio.training.checkpoint import kind_of, write_checkpoint
    from hrn_studio.training.restore import default_network, restored

    source = args.network or default_network()
    _check_place(args.checkpoint, source)
    if args.checkpoint.exists():
        raise UsageError(
            f"'{args.checkpoint}' is there already; give another name, or delete it to begin anew"
        )
    state = restored(source, load_head(), args.member)
    write_checkpoint(state, args.checkpoint)
    print(
        f"{args.checkpoint}: the {kind_of(state)} network of {source}, at step 0 with a fresh "
        "optimiser"
    )
    return 0


def run_refine(args: argparse.Namespace) -> int:
    from hrn_studio.face.landmarks import load_embedding
    from hrn_studio.face.model import load_head
    from hrn_studio.live.tracker import MediaPipeTracker
    from hrn_studio.training.onnxfile import need_onnx
    from hrn_studio.training.refine import RefinePlan
    from hrn_studio.training.revision import Revision, change, refine
    from hrn_studio.training.ship import ship
    from hrn_studio.training.team import check_device

    kept = args.out.with_suffix(".refine.pt")
    _check_place(args.out, args.checkpoint, kept)
    need_onnx()
    check_device(args.device)
    head, embedding = load_head(), load_embedding()
    plan = RefinePlan(args.steps, args.batch, args.rate, seed=args.seed)
    revision = Revision(
        *(args.folder, args.checkpoint, kept, plan, args.device),
        renders=args.renders,
        renders_seed=args.renders_seed,
    )
    with MediaPipeTracker("still") as tracker, _kept_when_stopped(kept):
        refined = follow(refine(revision, head, embedding, tracker), "refining")
    photos = refined.photos
    for report in photos.refused:
        print(f"not used: {report.name}: {report.reason}", file=sys.stderr)
    print(f"pictures: {len(photos)}, people: {photos.people}; {change(refined)}")
    ship(refined.refiner.average, head, embedding, args.out)
    print(f"{_size(args.out)}; {kept} goes on from here")
    return 1 if photos.refused else 0


def run_ship(args: argparse.Namespace) -> int:
    from hrn_studio.face.landmarks import load_embedding
    from hrn_studio.face.model import load_head
    from hrn_studio.training.together import ship_together

    _check_place(args.out, *args.sources)
    head, embedding = load_head(), load_embedding()
    task = ship_together(
        args.sources, head, embedding, args.out, args.renders, args.seed, args.most
    )
    deviations = follow(task, "shipping")
    print(_size(args.out))
    if len(args.sources) > 1:
        told = ", ".join(
            f"{name} {value:.2f}"
            for name, value in zip(
                ("landmarks", "identity", "expressions"), deviations, strict=True
            )
        )
        how = "measured" if args.renders else "not measured, for --renders was not given"
        print(f"deviations against the mean of those stated: {told} ({how})")
    return 0


def run_gain(args: argparse.Namespace) -> int:
    from hrn_studio.face.landmarks import load_embedding
    from hrn_studio.face.model import load_head
    from hrn_studio.training.gain import gain_table, gains
    from hrn_studio.training.restore import default_network

    network = args.network or default_network()
    head, embedding = load_head(), load_embedding()
    task = gains(network, args.folder, args.seed, head, embedding, args.looks, args.most)
    print(gain_table(follow(task, "asking")))
    return 0


def run_measure(args: argparse.Namespace) -> int:
    from hrn_studio.face.landmarks import load_embedding
    from hrn_studio.face.model import load_head
    from hrn_studio.training.card import card, told_by, write_card
    from hrn_studio.training.measure import measure

    training = [*(told_by(args.checkpoint) if args.checkpoint else []), *args.note]
    task = measure(args.network, args.folder, args.seed, load_head(), load_embedding(), args.most)
    report = follow(task, "measuring")
    text = card(report, training)
    if args.card is not None:
        write_card(text, args.card)
    print(json.dumps(report.plain(), indent=1) if args.json else text)
    return 0


def _check_place(target: Path, *others: Path | None) -> None:
    """Raises ``UsageError`` where a file cannot be written, or is one that is read or kept."""
    folder = target.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"the folder of '{target}' is missing; make it first")
    if target.is_dir():
        raise UsageError(f"'{target}' is a folder; give the name of a file")
    if not os.access(folder, os.W_OK):
        raise UsageError(f"nothing can be written to '{folder}'; give a file in another folder")
    for other in others:
        if other is not None and target.absolute() == other.absolute():
            raise UsageError(f"'{target}' would be overwritten; give another name for the result")


def _size(path: Path) -> str:
    return f"{path}: {path.stat().st_size / 1e6:.1f} MB"


@contextmanager
def _kept_when_stopped(checkpoint: Path) -> Iterator[None]:
    """Tell what Ctrl-C leaves behind."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if not checkpoint.is_file():
            raise
        raise KeyboardInterrupt(
            f"'{checkpoint}' is kept, and the same command goes on from it"
        ) from stop
