"""The default head, and the face network that ships as one that can go on learning."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrn_studio.face.landmarks import LandmarkEmbedding, load_embedding
from hrn_studio.face.model import HeadModel, load_head
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.restore import restored
from hrn_studio.training.targets import make_layout


@pytest.fixture(scope="session")
def head() -> HeadModel:
    return load_head()


@pytest.fixture(scope="session")
def embedding() -> LandmarkEmbedding:
    return load_embedding()


@pytest.fixture(scope="session")
def shipped(resources: Path, head: HeadModel) -> FaceNetwork:
    """The weights of resources/network.npz; batch normalisation is part of its convolutions."""
    pytest.importorskip("onnx", reason="onnx, which reads networks, is missing")
    network = FaceNetwork(make_layout(head)).eval()
    network.load_state_dict(restored(resources / "network.npz", head)["network"])
    return network
