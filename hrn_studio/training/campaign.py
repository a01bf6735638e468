"""A whole training: pictures in, a checkpoint and a network out, with a curve on the way."""

from __future__ import annotations

import csv
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from hrn_studio.errors import UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Progress
from hrn_studio.training.guard import guarded
from hrn_studio.training.learn import Learner, Plan
from hrn_studio.training.pool import Pool, Preparer
from hrn_studio.training.targets import make_layout, make_metric, make_mirror

_ROUND = 100
"""Steps between two checkpoints, and looks at the folder for new pictures."""
_NOTE = 500
"""Steps between two lines in the curve."""
_NEW = 12
"""Shards taken in between two rounds, so that training goes on meanwhile."""
COLUMNS = ("step", "pictures", "rate", "points_mm", "shape_mm", "expression_mm", "angle_deg")


@dataclass(frozen=True, slots=True)
class Campaign:
    """Where everything is."""

    folder: Path
    """Of shards; more may be rendered into it while training runs."""
    seed: int
    """Of the pictures."""
    checkpoint: Path
    """Written every 100 steps and at the end; training goes on from it when it is there."""
    plan: Plan
    device: str = "cpu"

    @property
    def curve(self) -> Path:
        """A table of the errors on held-back pictures while training goes on."""
        return self.checkpoint.with_suffix(".csv")


def train(
    campaign: Campaign, head: HeadModel, embedding: LandmarkEmbedding
) -> Generator[Progress, None, Learner]:
    """Train to the end of the plan, or go on where a checkpoint left off.

    To stop is to close the generator: the last checkpoint is kept.

    Raises
    ------
    UsageError
        The folder has no pictures of that seed.
    ModelDataError
        The checkpoint or a picture file is damaged or of another head.
    FitError
        The loss stopped being a number, or memory or the graphics processor gave out; the last
        checkpoint is kept.
    """
    with guarded(campaign.checkpoint):
        return (yield from _train(campaign, head, embedding))


def _train(
    campaign: Campaign, head: HeadModel, embedding: LandmarkEmbedding
) -> Generator[Progress, None, Learner]:
    layout = make_layout(head)
    pool = Pool(campaign.folder, campaign.seed, Preparer(head, embedding, layout))
    yield Progress("pictures", 0.0, "reading")
    if not pool.refresh():
        raise UsageError(
            f"'{campaign.folder}' has no training pictures of seed {campaign.seed} (at least two "
            f"shards are needed); make them with 'hrn-studio train render {campaign.folder}'"
        )
    plan = campaign.plan
    learner = Learner(
        layout, make_mirror(head, layout), make_metric(head, layout), plan, campaign.device
    )
    if campaign.checkpoint.is_file():
        learner.load(campaign.checkpoint)
    learner.begin(pool.learn)
    while learner.step < plan.steps:
        parts = learner.learn(pool.learn, min(_ROUND, plan.steps - learner.step))
        message = ", ".join(f"{n} {v:.2f}" for n, v in parts.items() if n != "loss")
        yield Progress("train", learner.step / plan.steps, f"step {learner.step}: {message}")
        learner.save(campaign.checkpoint)
        if learner.leads and (learner.step % _NOTE == 0 or learner.step >= plan.steps):
            _note(campaign, learner, pool)
        pool.refresh(_NEW)
    return learner


def _note(campaign: Campaign, learner: Learner, pool: Pool) -> None:
    """A line in the curve: errors on held-back pictures."""
    errors = learner.measure(pool.held or pool.learn[:1])
    new = not campaign.curve.is_file()
    with campaign.curve.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        if new:
            writer.writeheader()
        writer.writerow(
            {
                "step": learner.step,
                "pictures": sum(len(p) for p in pool.learn),
                "rate": f"{campaign.plan.rate_at(learner.step):.2g}",
                **{name: f"{value:.4f}" for name, value in errors.items()},
            }
        )
