"""Refinement without ground truth: a trained network goes on learning from photos and videos.

The network sees each picture changed (moved, mirrored, relit, blurred, covered); a running average
of it, the teacher, sees it unchanged.  What is learned is in :mod:`hrn_studio.training.weak`.
Renders can be mixed in, so that what was learned from them is not lost.  The averages inside the
network (batch normalisation) stay as they are: a few photos would not make better ones.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.facemesh import MIRROR
from hrn_studio.training.augment import (
    STILL,
    Batch,
    Variation,
    evened_batch,
    moved,
    photographed,
    vary,
)
from hrn_studio.training.checkpoint import (
    is_of,
    kind_of,
    read_checkpoint,
    taken_from,
    write_checkpoint,
)
from hrn_studio.training.evidence import TorchHead
from hrn_studio.training.learn import drawn
from hrn_studio.training.losses import Loss
from hrn_studio.training.networks import Answer, FaceNetwork
from hrn_studio.training.photos import Photos, drawn_rows
from hrn_studio.training.pool import Prepared
from hrn_studio.training.restore import beginning, default_network
from hrn_studio.training.steps import averaged, descend, follow
from hrn_studio.training.targets import Layout, Mirror, make_layout, make_metric, make_mirror
from hrn_studio.training.weak import Teaching, Views, WeakLoss, WeakWeights, person_mean

FIGURES = ("landmarks_mm", "person_mm", "mirror_mm")
_LOOKED_AT = 64
_LONGEST = 5.0
"""Of a gradient."""


@dataclass(frozen=True, slots=True)
class RefinePlan:
    """How long and how carefully."""

    steps: int = 400
    batch: int = 24
    rate: float = 1e-3
    """Highest learning rate (momentum 0.9); it rises over 20 steps and falls as a cosine."""
    teacher: float = 0.99
    """Share of the running average that a step keeps."""
    anchor: float = 3.0
    """Pull of the weights to where they started, times half their squared distance."""
    seed: int = 1
    variation: Variation = field(default_factory=Variation)
    weights: WeakWeights = field(default_factory=WeakWeights)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        rise = min(1.0, (step + 1) / 20)
        fall = 0.5 + 0.5 * math.cos(math.pi * min(step / max(self.steps, 1), 1.0))
        return self.rate * rise * (0.05 + 0.95 * fall)


class Refiner:
    """A network being refined.

    Parameters
    ----------
    source
        A checkpoint of :class:`~hrn_studio.training.learn.Learner` or of this class, or a network
        as it ships (.npz); None: the one that comes with the program.

    Raises
    ------
    ModelDataError
        The checkpoint is missing, damaged, of another version or of another head.
    """

    def __init__(
        self,
        source: Path | None,
        head: HeadModel,
        embedding: LandmarkEmbedding,
        plan: RefinePlan,
        device: str = "cpu",
    ) -> None:
        self.plan, self.step, self.device = plan, 0, torch.device(device)
        self._state = beginning(source, head)
        layout, kind = make_layout(head), kind_of(self._state)
        if not is_of(self._state, layout):
            raise ModelDataError(f"the checkpoint '{source}' is of another head; give one of this")
        with taken_from(source or default_network()):
            self.digest = _digest(self._state["average"])
            self.network, self.average = (self._network(layout, kind) for _ in range(2))
        self._start = [p.detach().clone() for p in self.network.parameters()]
        mirror, metric = make_mirror(head, layout), make_metric(head, layout)
        self._supervised = Loss(metric, device=self.device)
        self._mirror, self._layout = mirror, layout
        count = len(embedding.spread_m)
        others = np.array(MIRROR)[:count] if count <= len(MIRROR) else np.arange(count)
        points = np.concatenate([mirror.points, len(mirror.points) + others])
        self._both = Mirror(points.astype(np.int32), mirror.identity, mirror.expression)

        def tensor(values: Any) -> Tensor:
            return torch.as_tensor(np.array(values), dtype=torch.float32, device=self.device)

        self._metric = tensor(metric.identity)
        self._signs = tensor(mirror.identity)
        self._swap = torch.as_tensor(mirror.expression.astype(np.int64), device=self.device)
        self._weak = WeakLoss(
            TorchHead(head, embedding, layout, self.device),
            self._metric,
            tensor(metric.expression),
            self._signs,
            torch.as_tensor(mirror.points.astype(np.int64)),
            plan.weights,
        )
        # Not Adam: where gradients are mostly noise, its steps are as long as anywhere.
        self._optimizer = torch.optim.SGD(self.network.parameters(), plan.rate, momentum=0.9)

    def _network(self, layout: Layout, kind: str) -> FaceNetwork:
        network = FaceNetwork(layout, kind)
        network.load_state_dict(self._state["average"])
        return network.to(self.device).eval()

    def learn(
        self, photos: Photos, steps: int, renders: Sequence[Prepared] = ()
    ) -> dict[str, float]:
        """Take some steps; the loss's parts, averaged over them.

        Parameters
        ----------
        renders
            With ground truth, as many in each step as photos.

        Raises
        ------
        FitError
            The loss is not a number: the last checkpoint is good.
        """
        return averaged(lambda: self._one(photos, renders), steps)

    def _one(self, photos: Photos, renders: Sequence[Prepared]) -> dict[str, float]:
        rng = np.random.default_rng([self.plan.seed, self.step])
        rows = drawn_rows(photos.person, self.plan.batch, rng)
        seen, views, told = self._taught(photos, rows, rng)
        crops = evened_batch(photographed(seen.crops, rng, self.plan.variation))
        code = self.network.trunk(crops)
        answer = self.network.answer(self.network.told(code))
        loss, parts = self._weak(answer, code, views, told)
        if renders:
            truth = vary(
                drawn(renders, self.plan.batch, rng).to(self.device),
                self._mirror,
                rng,
                self.plan.variation,
            )
            known, _ = self._supervised(self.network.answer(self.network(truth.crops)), truth)
            loss = loss + 0.5 * known
            parts["renders"] = float(known.detach())
        loss = loss + 0.5 * self.plan.anchor * self._strayed()
        rate = self.plan.rate_at(self.step)
        descend(self.network, self._optimizer, loss, rate, _LONGEST, self.step)
        self.step += 1
        follow(self.average, self.network, 1 - self.plan.teacher)
        return parts

    def _strayed(self) -> Tensor:
        """Squared distance of the weights from where they started."""
        pairs = zip(self.network.parameters(), self._start, strict=True)
        return torch.stack([(p - q).square().sum() for p, q in pairs]).sum()

    def _taught(
        self, photos: Photos, rows: Any, rng: np.random.Generator
    ) -> tuple[Batch, Views, Teaching]:
        """Changed crops, and what the teacher says of them: the mean of its answer to the unchanged
        crop, moved along, and of its answer to the moved one, each as sure as it is."""
        kept = torch.as_tensor(photos.crops[rows][:, None].copy(), device=self.device)
        marks = torch.as_tensor(photos.landmarks[rows].copy(), device=self.device)
        with torch.no_grad():
            first = self._asked(kept)
            batch = Batch(
                kept,
                torch.cat([first.points, marks], 1),
                first.identity,
                first.expression,
                first.angles,
            )
            seen, flip = moved(batch, self._both, rng, self.plan.variation)
            clean = evened_batch(seen.crops)
            code = self.average.trunk(clean)
            second = self.average.answer(self.average.told(code))
        count = first.points.shape[1]
        told = self._averaged(first, seen, second, flip, code)
        person = torch.as_tensor(photos.person[rows].astype(np.int64), device=self.device)
        return seen, Views(seen.crops, seen.points[:, count:], flip, person), told

    def _asked(self, kept: Tensor, mirrored: float = 0.0) -> Answer:
        """The teacher's answer to kept crops as the program would cut them."""
        none = kept.new_zeros((len(kept), 0), dtype=torch.float32)
        batch = Batch(
            kept,
            none.new_zeros(len(kept), len(self._mirror.points), 2),
            none.new_zeros(len(kept), len(self._signs)),
            none.new_zeros(len(kept), len(self._swap)),
            none.new_zeros(len(kept), 3),
        )
        seen, _ = moved(batch, self._mirror, np.random.default_rng(0), STILL, mirrored)
        return self.average.answer(self.average(evened_batch(seen.crops)))

    def _averaged(
        self, first: Answer, seen: Batch, second: Answer, flip: Tensor, code: Tensor
    ) -> Teaching:
        order = torch.as_tensor(self._mirror.points.astype(np.int64), device=self.device)
        count, side = first.points.shape[1], flip[:, None]
        log_sigma = torch.where(side, first.log_sigma[:, order], first.log_sigma)
        swapped = torch.cat(
            [
                first.log_coefficient[:, : len(self._signs)],
                first.log_coefficient[:, len(self._signs) :][:, self._swap],
            ],
            1,
        )
        log_coefficient = torch.where(side, swapped, first.log_coefficient)
        identities = len(self._signs)

        def mean(a: Tensor, b: Tensor, log_a: Tensor, log_b: Tensor) -> Tensor:
            return a + (b - a) * torch.sigmoid(2 * (log_a - log_b))

        a, b = log_coefficient, second.log_coefficient
        return Teaching(
            mean(
                seen.points[:, :count],
                second.points,
                log_sigma[..., None],
                second.log_sigma[..., None],
            ),
            0.5 * (log_sigma + second.log_sigma),
            mean(seen.identity, second.identity, a[:, :identities], b[:, :identities]),
            mean(seen.expression, second.expression, a[:, identities:], b[:, identities:]),
            0.5 * (seen.angles + second.angles),
            0.5 * (a + b),
            code,
        )

    def look(self, photos: Photos) -> dict[str, float]:
        """What can be told without ground truth, of the network as it would ship.

        ``landmarks_mm``: distance of the tracker's landmarks from the head in its answer;
        ``person_mm``: root mean square distance of a person's shapes from their mean (0 where
        nobody has two pictures); ``mirror_mm``: of the shape in a picture from that in its mirror
        image.
        """
        residual, mirrored, people = [], [], []
        for start in range(0, len(photos), _LOOKED_AT):
            rows = np.arange(start, min(start + _LOOKED_AT, len(photos)))
            kept = torch.as_tensor(photos.crops[rows][:, None].copy(), device=self.device)
            marks = torch.as_tensor(photos.landmarks[rows].copy(), device=self.device)
            with torch.no_grad():
                plain, other = self._asked(kept), self._asked(kept, 1.0)
                still = torch.zeros(len(rows), dtype=torch.bool, device=self.device)
                residual.append(self._weak.residual_mm(plain, Views(kept, marks, still, still)))
                mirrored.append(self._apart(other.identity * self._signs - plain.identity))
            people.append(plain)
        identity = torch.cat([a.identity for a in people])
        sigma = torch.cat([a.log_coefficient for a in people])[:, : identity.shape[1]].exp()
        person = torch.as_tensor(photos.person.astype(np.int64), device=self.device)
        _, index, counts = torch.unique(person, return_inverse=True, return_counts=True)
        several = counts[index] > 1
        apart = self._apart(identity - person_mean(identity, sigma, person))[several]
        return {
            "landmarks_mm": float(torch.cat(residual).mean()),
            "person_mm": float(apart.mean() ** 0.5) if len(apart) else 0.0,
            "mirror_mm": float(torch.cat(mirrored).mean() ** 0.5),
        }

    def _apart(self, difference: Tensor) -> Tensor:
        """(B,) square millimetres."""
        return ((difference @ self._metric) * difference).sum(1)

    def save(self, path: Path, photos: Photos) -> None:
        """Write a checkpoint, whole or not at all; ``train fit`` and this class read it."""
        about = {
            "steps": self.step,
            "pictures": len(photos),
            "people": photos.people,
            "source": self.digest,
        }
        write_checkpoint(
            {
                **self._state,
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "refined": json.dumps(about),
                "refining": self._optimizer.state_dict(),
            },
            path,
        )

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of this refinement.

        Raises
        ------
        ModelDataError
            It is damaged or of another version.
        UsageError
            It began from another network.
        """
        state = read_checkpoint(path)
        with taken_from(path):
            about = json.loads(state.get("refined", "{}"))
        if about.get("source") != self.digest or "refining" not in state:
            raise UsageError(
                f"'{path}' is of a refinement that began from another network; delete it to begin "
                "anew, or write to another file with -o"
            )
        with taken_from(path):
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self._optimizer.load_state_dict(state["refining"])
            self.step = int(about["steps"])


def _digest(weights: dict[str, Tensor]) -> str:
    """The same for the same weights."""
    whole = hashlib.sha256()
    for name in sorted(weights):
        whole.update(name.encode())
        whole.update(weights[name].contiguous().numpy().tobytes())
    return whole.hexdigest()
