"""The full-size networks on random weights, where the folder with their outputs is present."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hrn_studio.detail.hrn import store

ROOT = Path(__file__).resolve().parents[3]
PRETRAINED = "assets/pretrained_models"
BFM = "assets/3dmm_assets/BFM"
OFFICIAL = {
    "checkpoint": f"{PRETRAINED}/hrn_v1.1/epoch_10.pth",
    "retouch": f"{PRETRAINED}/de-retouching.pth",
    "landmarks": f"{PRETRAINED}/large_base_net.pth",
    "face": f"{BFM}/BFM_model_front.mat",
    "standard": f"{BFM}/similarity_Lm3D_all.mat",
    "uv": "assets/3dmm_assets/template_mesh/bfm_uvs2.npy",
    "template": "assets/3dmm_assets/template_mesh/template_bfm.obj",
    "albedo_basis": "assets/3dmm_assets/bfm_albedo_map_basis/bfm_texmap_base2.npy",
    "albedo_mean": "assets/3dmm_assets/bfm_albedo_map_basis/bfm_tex_mean2.npy",
}


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # a busy machine makes several wait for each other
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def parity_dir() -> Path:
    """Inputs and outputs of the reference networks, and the script that makes their weights."""
    folder = Path(os.environ.get("HRN_PARITY_DIR", ROOT.parent / "shared" / "parity"))
    if not folder.is_dir():
        pytest.skip("the reference outputs are not part of the project; HRN_PARITY_DIR names them")
    return folder.resolve()


@pytest.fixture(scope="session")
def download(parity_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's download in the layout of the GitHub release, 480 MB."""
    folder = tmp_path_factory.mktemp("download")
    seed = os.environ.get("HRN_PARITY_SEED", "11")
    script = parity_dir / "make_checkpoint.py"
    command = [sys.executable, "-W", "ignore", str(script), str(folder), "--seed", seed]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="session")
def taken(download: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same files as the studio keeps them."""
    folder = tmp_path_factory.mktemp("hrn")
    for kind, place in OFFICIAL.items():
        store.take(kind, download / place, folder)
    return folder


@pytest.fixture(scope="session")
def networks(taken: Path):
    return store.load_networks(taken)


@pytest.fixture(scope="session")
def canvas(taken: Path):
    return store.load_canvas(taken)


@pytest.fixture
def reference(parity_dir: Path):
    """Read one file of reference outputs: arrays by name."""

    def read(name: str) -> dict[str, np.ndarray]:
        with np.load(parity_dir / f"{name}.npz") as archive:
            return {key: archive[key] for key in archive.files}

    return read
