"""``hrn-studio bench fit`` and ``bench regress``: where the time goes, step by step."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hrn_studio import paths
from hrn_studio.commands import Commands
from hrn_studio.errors import ModelDataError, UsageError

if TYPE_CHECKING:
    from hrn_studio.pipeline import Models, Options
    from hrn_studio.records import Frame, Track

Laps = Mapping[str, Sequence[float]]
"""Seconds by step, one for each run or frame."""

_FIT_STEPS = ("coarse", "mid", "light", "texture", "relief")
TOTAL = "total"


def add_fit(commands: Commands) -> None:
    parser = commands.add_parser("fit", help="one picture and all pictures, to finished files")
    add = parser.add_argument
    add("--images", nargs="+", type=Path, metavar="IMAGE", help="default: the bundled ones")
    add("--repeat", type=int, default=3, metavar="N", help="runs of each (default: %(default)s)")
    add("--engine", choices=("studio", "hrn", "hrn-mv"), default="studio", help="what shapes it")
    add(
        "--device",
        nargs="+",
        choices=("cpu", "cuda"),
        default=["cpu"],
        help="where; both to compare them (default: cpu)",
    )
    add("--json", action="store_true", help="print the table as JSON")
    parser.set_defaults(run=run_fit)


def add_regress(commands: Commands) -> None:
    parser = commands.add_parser("regress", help="the steps of a live frame")
    add = parser.add_argument
    add("--video", type=Path, metavar="FILE", help="default: the bundled demo")
    add("--repeat", type=int, default=1, metavar="N", help="passes (default: %(default)s)")
    add(
        "--engine",
        choices=("studio", "hrn"),
        help="the studio's steps, or every way to run HRN's regression (default: what is there)",
    )
    add("--json", action="store_true", help="print the table as JSON")
    parser.set_defaults(run=run_regress)


def run_regress(args: argparse.Namespace) -> int:
    check_repeat(args.repeat)
    file = args.video or demo_file("clip.mp4")
    from hrn_studio.models.engines import regression_times
    from hrn_studio.models.live import live_reason

    tables: dict[str, Laps] = {}
    if args.engine != "hrn":
        tables["one live frame"] = _studio_times(file, args.repeat)
    why = live_reason("hrn")
    if why is not None and args.engine == "hrn":
        raise ModelDataError(f"HRN's regression {why}")
    if why is None and args.engine != "studio":
        tables["HRN's regression, a crop"] = regression_times(_some_faces(file))
    show(args.json, tables, 1000.0, "ms")
    return 0


def _studio_times(file: Path, repeat: int) -> Laps:
    """Seconds of each step of the studio's own live frame."""
    from hrn_studio.face.landmarks import load_embedding
    from hrn_studio.face.model import load_head
    from hrn_studio.live.estimator import load_estimator
    from hrn_studio.live.network import load_network
    from hrn_studio.live.sources import VideoFile
    from hrn_studio.live.stages import time_frames
    from hrn_studio.live.tracker import MediaPipeTracker

    head, embedding, maps = load_head(), load_embedding(), load_estimator()
    network = load_network()
    laps: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeat):
        with VideoFile(file) as video, MediaPipeTracker("video") as tracker:
            for name, values in time_frames(video, tracker, head, embedding, maps, network).items():
                laps[name] += values
    if not laps["tracker"]:
        raise UsageError(f"'{file}' shows no face; give a video of one")
    return laps


def _some_faces(file: Path, count: int = 8) -> Iterator[tuple[Frame, Track]]:
    """The first faces of a video, tracked."""
    from hrn_studio.errors import NoFaceError
    from hrn_studio.live.sources import VideoFile
    from hrn_studio.live.tracker import MediaPipeTracker

    with VideoFile(file) as video, MediaPipeTracker("video") as tracker:
        for frame in video:
            try:
                yield frame, tracker.track(frame)
            except NoFaceError:
                continue
            count -= 1
            if count == 0:
                return


def run_fit(args: argparse.Namespace) -> int:
    check_repeat(args.repeat)
    images = args.images or sorted(demo_file("").glob("*.jpg"))
    from hrn_studio.models.engines import check_engine, checked_device
    from hrn_studio.pipeline import Models, Options

    check_engine(args.engine)
    devices = list(dict.fromkeys(checked_device(device) for device in args.device))
    models = Models.load()
    tables: dict[str, Laps] = {}
    peaks: dict[str, float] = {}
    try:
        for chosen in [images[:1], images] if len(images) > 1 else [images]:
            for device in devices:
                name = "one picture" if len(chosen) == 1 else f"{len(chosen)} pictures"
                name += f" on {device}" if devices != ["cpu"] else ""
                options = Options(engine=args.engine, device=device)
                laps: dict[str, list[float]] = defaultdict(list)
                for number in range(args.repeat):
                    print(f"{name}, run {number + 1} of {args.repeat}", file=sys.stderr)
                    for step, seconds in _time_fit(models, chosen, options).items():
                        laps[step].append(seconds)
                tables[name] = laps
                peaks[name] = peak_memory_mb()
    finally:
        models.close()
    show(args.json, tables, 1.0, "s", peaks)
    return 0


def _time_fit(models: Models, images: Sequence[Path], options: Options) -> dict[str, float]:
    """Seconds of each step from the pictures' files to the written head."""
    from hrn_studio.live.masks import head_masks
    from hrn_studio.pipeline import finish, read_pictures, reconstruct, write_head
    from hrn_studio.preview import preview_png

    start = time.perf_counter()
    task = reconstruct(models, read_pictures(images), options)
    tracked = start
    while True:
        try:
            step = next(task)
        except StopIteration as stop:
            result = stop.value
            break
        if step.stage == "track":
            continue
        tracked = tracked if tracked != start else time.perf_counter()
    fitted = time.perf_counter()
    with TemporaryDirectory() as folder:
        finish(write_head(models, result, Path(folder) / "head", "head", options))
    done = time.perf_counter()
    # two steps that others hold, once more by themselves
    for view in result.views:
        head_masks(view.frame, view.track)
    masked = time.perf_counter()
    preview_png(result, models.head)
    previewed = time.perf_counter()
    return {
        "track and masks": tracked - start,
        **{name: result.timings_s.get(name, 0.0) for name in _FIT_STEPS},
        "preview and export": done - fitted,
        TOTAL: done - start,
        "masks alone": masked - done,
        "preview alone": previewed - masked,
    }


def peak_memory_mb() -> float:
    """The most memory the process has held so far, MB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1024.0)


def check_repeat(repeat: int) -> None:
    if repeat < 1:
        raise UsageError(f"--repeat {repeat} measures nothing; give 1 or more")


def demo_file(name: str) -> Path:
    path = paths.resources() / "demo" / name
    if not path.exists():
        raise ModelDataError(f"the demo's file '{path}' is missing; install HRN Studio again")
    return path


def show(
    as_json: bool,
    tables: Mapping[str, Laps],
    factor: float,
    unit: str,
    peaks_mb: Mapping[str, float] | None = None,
) -> None:
    """Print median and 95th percentile of each step, for people or as JSON."""
    peaks = peaks_mb or {}
    figures = {title: summary(laps, factor) for title, laps in tables.items()}
    if as_json:
        document = {
            title: {"unit": unit, "steps": steps, "peak_memory_mb": round(peaks.get(title, 0.0))}
            for title, steps in figures.items()
        }
        print(json.dumps(document, indent=1))
        return
    for title, steps in figures.items():
        runs = len(next(iter(tables[title].values())))
        print(f"{title + f' ({runs} times)':<28}{'median':>10}{'95 %':>10}  {unit}")
        for name, row in steps.items():
            print(f"  {name:<26}{row['median']:>10.2f}{row['p95']:>10.2f}")
        if peaks.get(title):
            print(f"  {'peak memory':<26}{peaks[title]:>10.0f}            MB")


def summary(laps: Laps, factor: float) -> dict[str, dict[str, float]]:
    """``median`` and ``p95`` of each step's times, multiplied by ``factor``."""
    import numpy as np

    return {
        name: {
            "median": round(float(np.median(values)) * factor, 4),
            "p95": round(float(np.percentile(values, 95)) * factor, 4),
        }
        for name, values in laps.items()
    }
