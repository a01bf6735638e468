"""A network as it ships, asked about many crops at once: for measuring it.

:class:`hrn_studio.live.network.FaceNetwork` is what the program uses; this reads the same file, and
gives all of the network's numbers for crops that are cut already.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.face.arrays import opened
from hrn_studio.face.model import HeadModel
from hrn_studio.live._cv import cv2
from hrn_studio.live.ensemble import Members, averaged, take_members
from hrn_studio.records import AnyFloats, Doubles, Floats
from hrn_studio.training.checkpoint import is_of, kind_of, read_checkpoint, taken_from
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.targets import Layout, Mirror, make_layout, make_mirror

_REMEDY = "write it anew with 'hrn-studio train fit'"


class Asked(Protocol):
    """A network that crops can be shown to."""

    layout: Layout
    mirror: Mirror
    megabytes: float

    def read(self, crops: AnyFloats) -> Floats:
        """The numbers (B, ``layout.count``) for evened crops (B, 1, H, W)."""


class ShippedNetwork:
    """What :mod:`hrn_studio.training.ship` writes: a network, or several that answer together.

    Raises
    ------
    ValueError
        The members are no networks.
    """

    def __init__(
        self, members: Members, layout: Layout, mirror: Mirror, megabytes: float = 0.0
    ) -> None:
        self.members, self.layout, self.mirror = members, layout, mirror
        self.megabytes = megabytes
        try:
            self._nets: list[Any] = [cv2.dnn.readNetFromONNX(model) for model in members.models]
        except cv2.error as error:
            raise ValueError("not a network") from error

    @classmethod
    def open(cls, path: Path, member: int | None = None) -> ShippedNetwork:
        """The networks of a file.

        Parameters
        ----------
        member
            Only this one of them, counted from 1.

        Raises
        ------
        ModelDataError
            The file is missing, damaged or of another version.
        UsageError
            There is no such member.
        """
        with opened(path, "the face network", _REMEDY) as arrays:
            members = take_members(arrays, str(path), _REMEDY)
            counts = arrays["counts"]
            return cls(
                members if member is None else _only(members, member, path),
                Layout(arrays["vertices"], int(counts[0]), int(counts[1])),
                Mirror(
                    arrays["mirror_points"], arrays["mirror_identity"], arrays["mirror_expression"]
                ),
                path.stat().st_size / 1e6,
            )

    def read(self, crops: AnyFloats) -> Floats:
        """The numbers (B, ``layout.count``) for evened crops (B, 1, H, W)."""
        layout = self.layout
        sizes = len(layout.vertices), layout.identity_count, layout.expression_count
        answers = [averaged(each, sizes, self.members.deviations) for each in self._each(crops)]
        return np.array(answers, np.float32)

    def _each(self, crops: AnyFloats) -> Doubles:
        """The numbers of each of the M networks (B, M, ``layout.count``)."""
        rows = np.empty((len(crops), len(self._nets), self.layout.count))
        for k, crop in enumerate(np.asarray(crops, np.float32)):
            for m, net in enumerate(self._nets):
                net.setInput(crop[None])
                rows[k, m] = net.forward()[0]
        return rows


def _only(members: Members, number: int, path: Path) -> Members:
    count = len(members.models)
    if not 1 <= number <= count:
        raise UsageError(
            f"'{path}' holds {count} {'network' if count == 1 else 'networks'}, so there is no "
            f"number {number}; leave --member out or give another"
        )
    return Members((members.models[number - 1],), np.ones(3))


class KeptNetwork:
    """The averaged network of a checkpoint, as it would ship.

    Raises
    ------
    ModelDataError
        The checkpoint is missing, damaged, of another version or of another head.
    """

    def __init__(self, path: Path, head: HeadModel) -> None:
        state = read_checkpoint(path)
        self.layout = make_layout(head)
        if not is_of(state, self.layout):
            raise ModelDataError(f"the checkpoint '{path}' is of another head; give one of this")
        self.mirror = make_mirror(head, self.layout)
        self.network = FaceNetwork(self.layout, kind_of(state)).eval()
        with taken_from(path):
            self.network.load_state_dict(state["average"])
        self.megabytes = path.stat().st_size / 1e6

    def read(self, crops: AnyFloats) -> Floats:
        """The numbers (B, ``layout.count``) for evened crops (B, 1, H, W)."""
        with torch.no_grad():
            shown = np.ascontiguousarray(crops, np.float32)
            return np.asarray(self.network(torch.from_numpy(shown)).numpy(), np.float32)


def asked(path: Path, head: HeadModel) -> Asked:
    """A network as it ships (.npz), or a checkpoint's.

    Raises
    ------
    ModelDataError
        The file is missing, damaged, of another version or of another head.
    """
    if path.suffix != ".npz":
        return KeptNetwork(path, head)
    network = ShippedNetwork.open(path)
    if int(network.layout.vertices.max()) >= head.vertex_count:
        raise ModelDataError(f"the face network '{path}' is of another head; train one for this")
    return network
