"""The training loop: restartable at any moment, on whatever pictures are there.

A checkpoint holds everything (weights, their running average, optimiser, step, random state), is
written whole or not at all, and says which head, layout and pictures it belongs to.  One step
after a restart is the step that would have come.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hrn_studio.errors import FitError, ModelDataError, UsageError
from hrn_studio.records import Doubles, Ints
from hrn_studio.training.augment import Batch, Variation, vary
from hrn_studio.training.losses import Loss
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.pool import Prepared
from hrn_studio.training.targets import Layout, Metric, Mirror

_FORMAT = 1
_AVERAGE = 0.999
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
    decay: float = 0.02
    seed: int = 1
    kind: str = "small"
    half: bool = True
    """Convolutions in bfloat16."""
    variation: Variation = field(default_factory=Variation)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        part = (step - self.warm_up) / max(self.steps - self.warm_up, 1)
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
        self._started = False
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), plan.rate, weight_decay=plan.decay
        )

    @property
    def leads(self) -> bool:
        """Whether this process writes files: alone, or the first of a team."""
        return self._team.rank == 0

    def begin(self, first: Sequence[Prepared]) -> None:
        """Start the landmarks from the mean and the main variations of some pictures."""
        if self._started:
            return
        points = np.concatenate([p.points for p in first]).astype(np.float64)
        mean, basis = principal(points.reshape(len(points), -1)[:4000], _MODES)
        self.network.start_from(mean, basis)
        self._team.agree(self.network.parameters())
        self.average.load_state_dict(self.network.state_dict())
        self._started = True

    def learn(self, pictures: Sequence[Prepared], steps: int) -> dict[str, float]:
        """Take some steps; the loss's parts, averaged over them.

        Raises
        ------
        FitError
            The loss is not a number: the last checkpoint is good.
        """
        total: dict[str, float] = {}
        self.network.train()
        for _ in range(steps):
            for name, value in self._one(pictures).items():
                total[name] = total.get(name, 0.0) + value / steps
        return total

    def _one(self, pictures: Sequence[Prepared]) -> dict[str, float]:
        rng = np.random.default_rng([self.plan.seed, self.step, self._team.rank])
        chosen = drawn(pictures, self.plan.batch, rng).to(self.device)
        truth = vary(chosen, self._mirror, rng, self.plan.variation)
        for group in self._optimizer.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        crops = truth.crops.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.plan.half):
            output = self.network(crops)
        loss, parts = self._loss(self.network.answer(output), truth)
        if not math.isfinite(parts["loss"]):
            raise FitError(
                f"the loss of step {self.step} is not a number; go on from the last checkpoint "
                "with a lower --rate"
            )
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._team.share(self.network.parameters())
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 20.0)
        self._optimizer.step()
        self.step += 1
        self._follow()
        return parts

    def _follow(self) -> None:
        """Move the running average of the weights."""
        share = max(1 - _AVERAGE, 1 / (1 + 0.1 * self.step))
        with torch.no_grad():
            for mean, value in zip(
                self.average.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if mean.dtype.is_floating_point:
                    mean.lerp_(value, share)
                else:
                    mean.copy_(value)

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
        partial = path.with_suffix(".partial")
        torch.save(
            {
                "format": _FORMAT,
                "plan": json.dumps(asdict(self.plan)),
                "step": self.step,
                "vertices": torch.as_tensor(layout.vertices.copy()),
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self._optimizer.state_dict(),
            },
            partial,
        )
        partial.replace(path)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same layout and kind.

        Raises
        ------
        ModelDataError
            It is damaged, of another version, or of another network.
        """
        state = read_checkpoint(path)
        kind = json.loads(state["plan"])["kind"]
        vertices = np.asarray(state["vertices"])
        if kind != self.plan.kind or not np.array_equal(vertices, self.network.layout.vertices):
            raise ModelDataError(
                f"the checkpoint '{path}' is of another network or head; give another file or "
                "start anew"
            )
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self._started = int(state["step"]), True


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What :meth:`Learner.save` wrote; nothing in it is run.

    Raises
    ------
    ModelDataError
        It is missing, damaged or of another version.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        version = state["format"]
    except FileNotFoundError as error:
        raise ModelDataError(f"there is no checkpoint '{path}'; check the name") from error
    except Exception as error:  # torch raises all kinds for a damaged file
        raise ModelDataError(
            f"the checkpoint '{path}' is damaged; give another one or start anew"
        ) from error
    if version != _FORMAT:
        raise ModelDataError(
            f"the checkpoint '{path}' has version {version}, this program needs {_FORMAT}; start "
            "anew"
        )
    return state


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


@dataclass(frozen=True, slots=True)
class Team:
    """The processes that ``torchrun`` started to train one network; alone without it."""

    rank: int = 0
    size: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Team:
        """Meet the others, when there are any."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        return cls(torch.distributed.get_rank(), size)

    def agree(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Give all the first one's values: each may have seen other pictures."""
        if self.size == 1:
            return
        for parameter in parameters:
            torch.distributed.broadcast(parameter.data, 0)

    def share(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Average the gradients of all, so that every process takes the same step."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                torch.distributed.all_reduce(parameter.grad)
                parameter.grad /= self.size


def check_device(device: str) -> None:
    """Raises ``UsageError`` when the device is not there."""
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "there is no CUDA device that PyTorch can use; leave --device out or give 'cpu', and "
            "see 'hrn-studio doctor'"
        )
