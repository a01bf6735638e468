"""Two processes that train one network together stay in step."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from hrn_studio.face.model import load_head
from hrn_studio.training.pool import STORED_PX
from hrn_studio.training.targets import IDENTITIES, make_layout
from hrn_studio.training.team import Team

MEMBER = """
import sys
from pathlib import Path
import numpy as np
import torch
from hrn_studio.face.model import load_head
from hrn_studio.training.learn import Learner, Plan
from hrn_studio.training.pool import Prepared
from hrn_studio.training.targets import make_layout, make_metric, make_mirror

torch.set_num_threads(1)
folder, head = Path(sys.argv[1]), load_head()
layout = make_layout(head)
plan = Plan(steps=4, batch=2, warm_up=1, half=False)
learner = Learner(layout, make_mirror(head, layout), make_metric(head, layout), plan)
rank = torch.distributed.get_rank()
with np.load(folder / f"{rank}.npz") as arrays:
    pictures = Prepared(**arrays)
learner.begin([pictures])
learner.learn([pictures], 2)
weights = torch.cat([p.detach().flatten() for p in learner.network.parameters()])
np.save(folder / f"weights{rank}.npy", weights.numpy())
learner.save(folder / f"checkpoint{rank}.pt")
torch.distributed.barrier()
torch.distributed.destroy_process_group()
"""


def test_alone_nothing_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    team = Team.join(torch.device("cpu"))
    assert (team.rank, team.size) == (0, 1)
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.full((2,), 3.0)
    team.share([weight])
    team.agree([weight])
    torch.testing.assert_close(weight.grad, torch.full((2,), 3.0))


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="PyTorch without distributed")
def test_two_processes_take_the_same_steps(tmp_path: Path) -> None:
    layout = make_layout(load_head())
    for rank in range(2):  # each sees other pictures
        rng = np.random.default_rng(rank)
        np.savez(
            tmp_path / f"{rank}.npz",
            crops=rng.integers(0, 256, (5, STORED_PX, STORED_PX), dtype=np.uint8),
            points=rng.uniform(-1, 1, (5, len(layout.vertices), 2)).astype(np.float16),
            identity=rng.normal(size=(5, IDENTITIES)).astype(np.float32),
            expression=rng.random((5, layout.expression_count)).astype(np.float32),
            angles=rng.normal(size=(5, 3)).astype(np.float32),
            traits=np.zeros((5, 8), np.float32),
        )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {
        **os.environ,
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    members = [
        subprocess.Popen(
            [sys.executable, "-c", MEMBER, str(tmp_path)],
            env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for rank in range(2)
    ]
    try:
        said = [member.communicate(timeout=240)[0].decode() for member in members]
    finally:
        for member in members:
            member.kill()
            member.wait()
    assert [member.returncode for member in members] == [0, 0], said
    first, second = (np.load(tmp_path / f"weights{rank}.npy") for rank in range(2))
    np.testing.assert_array_equal(first, second)
    assert np.isfinite(first).all()
    assert (tmp_path / "checkpoint0.pt").is_file()
    assert not (tmp_path / "checkpoint1.pt").exists(), "the first one writes for all"
