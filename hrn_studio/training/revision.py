"""A whole refinement: a folder of photos in, a network out, with what it changed."""

from __future__ import annotations

import csv
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hrn_studio.errors import UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.tracker import LandmarkTracker
from hrn_studio.records import Progress
from hrn_studio.training.guard import guarded
from hrn_studio.training.photos import Photos, held_back, read_photos
from hrn_studio.training.pool import Pool, Prepared, Preparer
from hrn_studio.training.refine import FIGURES, RefinePlan, Refiner
from hrn_studio.training.targets import make_layout

_ROUND = 20
_SAVE = 100
"""Steps between two checkpoints."""
_SHARDS = 8
"""Of renders that are mixed in."""


@dataclass(frozen=True, slots=True)
class Revision:
    """Where everything is."""

    folder: Path
    """Of photos and videos."""
    source: Path | None
    """The checkpoint to begin from, or a network as it ships (.npz); it is not changed.  None: the
    one that comes with the program."""
    checkpoint: Path
    """Written every 100 steps and at the end; goes on from it when it is there."""
    plan: RefinePlan
    device: str = "cpu"
    renders: Path | None = None
    """Folder of shards to mix in."""
    renders_seed: int = 7

    @property
    def curve(self) -> Path:
        """A table of the losses."""
        return self.checkpoint.with_suffix(".csv")


@dataclass(frozen=True, slots=True, eq=False)
class Refined:
    """What came of it."""

    refiner: Refiner
    photos: Photos
    before: dict[str, float]
    """:meth:`Refiner.look` on pictures held back (all where there are fewer than 40)."""
    after: dict[str, float]


def refine(
    revision: Revision, head: HeadModel, embedding: LandmarkEmbedding, tracker: LandmarkTracker
) -> Generator[Progress, None, Refined]:
    """Refine to the end of the plan, or go on where a checkpoint left off.

    To stop is to close the generator: the last checkpoint is kept.

    Raises
    ------
    UsageError
        The folder is missing or empty, the renders are missing, or the checkpoint to go on from
        began from another network.
    NoFaceError
        Nothing in the folder shows a face.
    ModelDataError
        A checkpoint is damaged, of another version or of another head.
    FitError
        The loss stopped being a number, or memory or the graphics processor gave out; the last
        checkpoint is kept.
    """
    with guarded(revision.checkpoint):
        refiner = Refiner(revision.source, head, embedding, revision.plan, revision.device)
        start = Refiner(revision.source, head, embedding, revision.plan, revision.device)
        if revision.checkpoint.is_file():
            refiner.load(revision.checkpoint)
        renders = _renders(revision, head, embedding)
        photos = yield from read_photos(revision.folder, head, embedding, tracker)
        learned, looked_at = held_back(photos)
        before = start.look(looked_at)
        steps = revision.plan.steps
        rows: list[tuple[int, dict[str, float]]] = []
        while refiner.step < steps:
            parts = refiner.learn(learned, min(_ROUND, steps - refiner.step), renders)
            told = ", ".join(f"{n} {parts[n]:.3f}" for n in ("landmarks", "photometric", "person"))
            yield Progress("refine", refiner.step / steps, f"step {refiner.step}: {told}")
            rows.append((refiner.step, parts))
            if refiner.step % _SAVE == 0 or refiner.step >= steps:
                refiner.save(revision.checkpoint, photos)
                _note(revision.curve, rows)
                rows.clear()
        return Refined(refiner, photos, before, refiner.look(looked_at))


def _renders(
    revision: Revision, head: HeadModel, embedding: LandmarkEmbedding
) -> Sequence[Prepared]:
    if revision.renders is None:
        return ()
    preparer = Preparer(head, embedding, make_layout(head))
    pool = Pool(revision.renders, revision.renders_seed, preparer)
    if not pool.refresh(_SHARDS):
        raise UsageError(
            f"'{revision.renders}' has no renders of seed {revision.renders_seed} (at least two "
            f"shards are needed); make them with 'hrn-studio train render {revision.renders}'"
        )
    return pool.learn


def _note(curve: Path, rows: Sequence[tuple[int, dict[str, float]]]) -> None:
    """Lines in the curve, of steps that a checkpoint has: what is repeated is told once."""
    new = not curve.is_file()
    with curve.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", *rows[0][1]])
        for step, parts in rows:
            writer.writerow([step, *(f"{value:.5f}" for value in parts.values())])


def change(refined: Refined) -> str:
    """A line on what the refinement changed."""
    names = {
        "landmarks_mm": "landmarks",
        "person_mm": "shapes of one person",
        "mirror_mm": "mirror image",
    }
    return ", ".join(
        f"{names[k]} {refined.before[k]:.2f} → {refined.after[k]:.2f} mm"
        for k in FIGURES
        if refined.before[k] > 0  # nobody may have two pictures
    )
