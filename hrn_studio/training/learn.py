"""The training loop: restartable at any moment, on whatever pictures are there.

A checkpoint holds everything (weights, their running average, optimiser, step, and the plan, whose
seed with the step is the random state) and says which head and layout it belongs to.  One step
after a restart is the step that would have come.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hrn_studio.errors import ModelDataError
from hrn_studio.records import Doubles, Ints
from hrn_studio.training.augment import Batch, Variation, vary
from hrn_studio.training.checkpoint import (
    is_of,
    kind_of,
    read_checkpoint,
    taken_from,
    write_checkpoint,
)
from hrn_studio.training.folding import settle
from hrn_studio.training.losses import Loss
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.pool import Prepared
from hrn_studio.training.steps import averaged, descend, follow
from hrn_studio.training.targets import Layout, Metric, Mirror
from hrn_studio.training.team import Team

_AVERAGE = 0.999
_LONGEST = 20.0
"""Of a gradient."""
_SETTLING = 6
"""Batches that batch normalisation is settled on."""
_HISTORY = ("restored", "refined")
"""What a checkpoint may say of how it came about, besides this training."""
_MODES = 96
"""Principal components that the landmarks start from."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast."""

    steps: int = 12000
    batch: int = 128
    rate: float = 2e-3
    """Highest learning rate (AdamW), after the warm-up; it falls as a cosine."""
    warm_up: int = 300
    """Steps, at most a tenth of all."""
    decay: float = 0.02
    seed: int = 1
    kind: str = "small"
    half: bool = True
    """Convolutions in bfloat16."""
    variation: Variation = field(default_factory=Variation)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        rise = min(self.warm_up, max(self.steps // 10, 1))
        if step < rise:
            return self.rate * (step + 1) / rise
        part = (step - rise) / max(self.steps - rise, 1)
        return self.rate * (0.5 + 0.5 * math.cos(math.pi * min(part, 1.0))) + 1e-6


class Learner:
    """A network being trained.

    Parameters
    ----------
    device
        ``cpu`` or ``cuda``.
    """

    def __init__(
        self, layout: Layout, mirror: Mirror, metric: Metric, plan: Plan, device: str = "cpu"
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.step, self.device = plan, 0, torch.device(device)
        self._mirror, self._loss = mirror, Loss(metric, device=self.device)
        self._team = Team.join(self.device)
        self.network = FaceNetwork(layout, plan.kind).to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = FaceNetwork(layout, plan.kind).to(self.device)
        self._started, self._history = False, dict[str, str]()
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), plan.rate, weight_decay=plan.decay
        )

    @property
    def leads(self) -> bool:
        """Whether this process writes files: alone, or the first of a team."""
        return self._team.rank == 0

    def begin(self, first: Sequence[Prepared]) -> None:
        """Start the landmarks from the mean and the main variations of some pictures.

        A network that was restored has its batch normalisation settled on them instead.
        """
        restored = json.loads(self._history.get("restored", "{}"))
        if self._started and restored.get("settled", True):
            return
        if self._started:
            settle(self.network, self._some(first))
            self._history["restored"] = json.dumps({**restored, "settled": True})
        else:
            points = np.concatenate([p.points for p in first]).astype(np.float64)
            mean, basis = principal(points.reshape(len(points), -1)[:4000], _MODES)
            self.network.start_from(mean, basis)
        self._team.agree([*self.network.parameters(), *self.network.buffers()])
        self.average.load_state_dict(self.network.state_dict())
        self._started = True

    def _some(self, pictures: Sequence[Prepared]) -> Iterator[Tensor]:
        """Crops as steps see them."""
        for number in range(_SETTLING):
            yield self._batch(pictures, np.random.default_rng([self.plan.seed, 0, number])).crops

    def _batch(self, pictures: Sequence[Prepared], rng: np.random.Generator) -> Batch:
        chosen = drawn(pictures, self.plan.batch, rng).to(self.device)
        return vary(chosen, self._mirror, rng, self.plan.variation)

    def learn(self, pictures: Sequence[Prepared], steps: int) -> dict[str, float]:
        """Take some steps; the loss's parts, averaged over them.

        Raises
        ------
        FitError
            The loss is not a number: the last checkpoint is good.
        """
        self.network.train()
        return averaged(lambda: self._one(pictures), steps)

    def _one(self, pictures: Sequence[Prepared]) -> dict[str, float]:
        rng = np.random.default_rng([self.plan.seed, self.step, self._team.rank])
        truth = self._batch(pictures, rng)
        crops = truth.crops.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.half):
            output = self.network(crops)
        loss, parts = self._loss(self.network.answer(output), truth)
        rate = self.plan.rate_at(self.step)
        descend(self.network, self._optimizer, loss, rate, _LONGEST, self.step, self._team)
        self.step += 1
        follow(self.average, self.network, max(1 - _AVERAGE, 1 / (1 + 0.1 * self.step)))
        return parts

    def measure(self, pictures: Sequence[Prepared]) -> dict[str, float]:
        """The averaged network's errors on pictures held back, nothing varied."""
        squares: dict[str, float] = {}
        count = 0
        for answer, truth in answers(self.average, pictures, self._mirror):
            _, parts = self._loss(answer, truth)
            count += len(truth.points)
            for name, value in parts.items():
                squares[name] = squares.get(name, 0.0) + value * abs(value) * len(truth.points)
        means = {name: value / count for name, value in squares.items()}
        return {name: math.copysign(abs(v) ** 0.5, v) for name, v in means.items()}

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all; in a team only the first one does."""
        if not self.leads:
            return
        layout = self.network.layout
        write_checkpoint(
            {
                "plan": json.dumps(asdict(self.plan)),
                "step": self.step,
                "vertices": torch.as_tensor(layout.vertices.copy()),
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                **self._history,
            },
            path,
        )

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same layout and kind.

        Raises
        ------
        ModelDataError
            It is damaged, of another version, or of another network.
        """
        state = read_checkpoint(path)
        if kind_of(state) != self.plan.kind or not is_of(state, self.network.layout):
            raise ModelDataError(
                f"the checkpoint '{path}' is of another network or head; give another file or "
                "start anew"
            )
        with taken_from(path):
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self._optimizer.load_state_dict(state["optimizer"])
            self.step, self._started = int(state["step"]), True
        self._history = {name: state[name] for name in _HISTORY if name in state}


def principal(rows: Doubles, most: int) -> tuple[Doubles, Doubles]:
    """Mean (D,) and principal components (M, D), each as long as its standard deviation."""
    mean = rows.mean(0)
    centred = rows - mean
    values, vectors = np.linalg.eigh(centred @ centred.T / len(rows))
    keep = np.argsort(values)[::-1][: min(most, len(rows) - 1)]
    axes = centred.T @ vectors[:, keep]
    axes /= np.linalg.norm(axes, axis=0) + 1e-12
    return mean, np.asarray((axes * np.sqrt(np.maximum(values[keep], 0))).T)


def drawn(pictures: Sequence[Prepared], count: int, rng: np.random.Generator) -> Batch:
    """Some pictures at random."""
    ends = np.cumsum([len(p) for p in pictures])
    picked = rng.integers(0, ends[-1], count)
    part = np.searchsorted(ends, picked, side="right")
    inside = picked - np.concatenate([[0], ends])[part]
    return _gathered(pictures, part, inside)


def batch_of(pictures: Prepared, rows: Ints) -> Batch:
    """The pictures in some rows (B,)."""
    return _gathered([pictures], np.zeros(len(rows), np.int32), rows)


def _gathered(pictures: Sequence[Prepared], part: Ints, inside: Ints) -> Batch:
    def take(name: str) -> Tensor:
        rows = [getattr(pictures[p], name)[k] for p, k in zip(part, inside, strict=True)]
        return torch.as_tensor(np.array(rows))

    return Batch(
        take("crops")[:, None],
        take("points").float(),
        take("identity").float(),
        take("expression").float(),
        take("angles").float(),
    )


def answers(
    network: FaceNetwork, pictures: Sequence[Prepared], mirror: Mirror, size: int = 125
) -> Iterator[tuple[Any, Batch]]:
    """A network's answers to all pictures, a batch at a time, nothing varied."""
    network.eval()
    rng = np.random.default_rng(0)
    for number, prepared in enumerate(pictures):
        for start in range(0, len(prepared), size):
            inside = np.arange(start, min(start + size, len(prepared)))
            part = np.full(len(inside), number)
            batch = _gathered(pictures, part, inside).to(next(network.parameters()).device)
            truth = vary(batch, mirror, rng)
            with torch.no_grad():
                yield network.answer(network(truth.crops)), truth
