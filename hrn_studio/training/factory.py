"""Many renders: a folder of shards filled by several processes, and contact sheets to look at."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from hrn_studio.errors import UsageError
from hrn_studio.face.model import load_head
from hrn_studio.live._cv import cv2
from hrn_studio.records import Bytes, Progress
from hrn_studio.training.render import render_sample
from hrn_studio.training.shards import SHARD_PICTURES, ShardSpec, render_shard, write_shard
from hrn_studio.training.stage import Stage, make_stage
from hrn_studio.training.variety import Variety


@dataclass(frozen=True, slots=True)
class Order:
    """What to render."""

    folder: Path
    count: int
    """Pictures; rounded up to whole shards."""
    seed: int = 1
    jobs: int = 1
    varied: bool = True
    """As in :class:`~hrn_studio.training.shards.ShardSpec`."""


def render_folder(order: Order) -> Generator[Progress, None, int]:
    """Fill a folder with shards; those that are there already are kept.

    Returns
    -------
    int
        Pictures in the folder.

    Raises
    ------
    UsageError
        The folder cannot be written to.
    """
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"'{order.folder}' cannot be made ({error.strerror}); choose another folder"
        ) from error
    shards = -(-order.count // SHARD_PICTURES)
    specs = [ShardSpec(order.seed, number, varied=order.varied) for number in range(shards)]
    missing = [s for s in specs if not s.file(order.folder).is_file()]
    done = len(specs) - len(missing)
    yield Progress("render", done / max(shards, 1), f"{done * SHARD_PICTURES} pictures are there")
    if order.jobs <= 1:
        for spec in missing:
            render_one(spec, order.folder)
            done += 1
            yield _state(done, shards)
        return shards * SHARD_PICTURES
    # spawned, for OpenCV's and numba's threads do not survive a fork
    pool = ProcessPoolExecutor(order.jobs, mp_context=get_context("spawn"))
    try:
        running: set[Future[Path]] = {pool.submit(render_one, s, order.folder) for s in missing}
        while running:
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                future.result()
            done += len(finished)
            yield _state(done, shards)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return shards * SHARD_PICTURES


def _state(done: int, shards: int) -> Progress:
    return Progress("render", done / shards, f"{done * SHARD_PICTURES} pictures")


def render_one(spec: ShardSpec, folder: Path) -> Path:
    """Render a shard of the default head into a folder."""
    cv2.setNumThreads(1)
    return write_shard(render_shard(default_stage(), spec), spec, folder)


@cache
def default_stage() -> Stage:
    """The default head, ready for rendering; made once in a process."""
    return make_stage(load_head())


def contact_sheet(
    seed: int, count: int = 48, columns: int = 8, size: int = 192, varied: bool = True
) -> Bytes:
    """(H, W, 3) RGB: the first pictures of a seed side by side."""
    stage = default_stage()
    images = [
        render_sample(
            stage,
            np.random.default_rng([seed, k]),
            size=size,
            neutral=0.5,
            yaw_deg=45,
            pitch_deg=25,
            variety=Variety() if varied else None,
        ).image
        for k in range(count)
    ]
    return tiled(images, columns)


def tiled(images: Sequence[Bytes], columns: int) -> Bytes:
    """Pictures of one size (h, w, 3) in rows; empty places are black."""
    rows = -(-len(images) // columns)
    height, width = images[0].shape[:2]
    sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
    for k, image in enumerate(images):
        row, column = divmod(k, columns)
        sheet[row * height :, column * width :][:height, :width] = image
    return sheet


def write_sheet(sheet: Bytes, path: Path) -> None:
    """Write a contact sheet as the file's ending says.

    Raises
    ------
    UsageError
        The file cannot be written, or its ending is that of no picture.
    """
    try:
        Image.fromarray(sheet).save(path, quality=90)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"'{path}' cannot be written ({error}); give a .png or .jpg in a folder that exists"
        ) from error
