"""The face network that ships, as a network that can go on learning."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrn_studio.face.model import load_head
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.restore import restored
from hrn_studio.training.targets import make_layout


@pytest.fixture(scope="session")
def shipped(resources: Path) -> FaceNetwork:
    """The weights of resources/network.npz; batch normalisation is part of its convolutions."""
    pytest.importorskip("onnx", reason="onnx, which reads networks, is missing")
    head = load_head()
    network = FaceNetwork(make_layout(head)).eval()
    network.load_state_dict(restored(resources / "network.npz", head)["network"])
    return network
