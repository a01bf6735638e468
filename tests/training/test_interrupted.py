"""Training from the command line that is stopped, fails or is given the wrong things."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from hrn_studio.cli import main
from hrn_studio.errors import FitError
from hrn_studio.face.model import HeadModel
from hrn_studio.training import campaign
from hrn_studio.training.checkpoint import read_checkpoint, write_checkpoint
from hrn_studio.training.learn import Learner
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.restore import restored
from hrn_studio.training.shards import ShardSpec, render_shard, write_shard
from hrn_studio.training.stage import make_stage
from hrn_studio.training.steps import descend, follow
from hrn_studio.training.targets import make_layout

State = dict[str, Any]


@pytest.fixture(scope="module")
def folder(head: HeadModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard to learn from and one that is held back."""
    path, stage = tmp_path_factory.mktemp("renders"), make_stage(head, columns=256)
    for number in range(2):
        spec = ShardSpec(5, number, size=96)
        write_shard(render_shard(stage, spec, 6), spec, path)
    return path


@pytest.fixture(autouse=True)
def _short_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "_ROUND", 2)


def fit(folder: Path, checkpoint: Path, *more: str) -> int:
    """Six steps in three rounds, a checkpoint after each."""
    argv = ["train", "fit", str(folder), "--pictures-seed", "5", "--checkpoint", str(checkpoint)]
    return main([*argv, "--steps", "6", "--batch", "4", *more])


def step_of(checkpoint: Path) -> int:
    return int(read_checkpoint(checkpoint)["step"])


def fail_in_second_round(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    learn = Learner.learn
    rounds = []

    def once(self: Learner, *args: Any) -> dict[str, float]:
        rounds.append(args)
        if len(rounds) == 2:
            learn(self, args[0], 1)  # in the middle of it
            raise error
        return learn(self, *args)

    monkeypatch.setattr(Learner, "learn", once)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "is kept, and the same command goes on from it"),
        (MemoryError(), 2, "too little memory for this; give a smaller --batch"),
        (RuntimeError("CUDA error: unspecified launch failure"), 2, "graphics processor stopped"),
        (OSError(28, "No space left on device", "net.csv"), 2, "No space left on device"),
    ],
)
def test_what_stops_training_loses_a_round_at_most(
    error: BaseException,
    code: int,
    said: str,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkpoint = tmp_path / "net.pt"
    with monkeypatch.context() as patch:
        fail_in_second_round(patch, error)
        assert fit(folder, checkpoint) == code
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert step_of(checkpoint) == 2
    assert fit(folder, checkpoint) == 0
    assert "step 6" in capsys.readouterr().out
    assert fit(folder, tmp_path / "whole.pt") == 0
    ours, whole = (
        read_checkpoint(path)["network"]["places.weight"]
        for path in (checkpoint, tmp_path / "whole.pt")
    )
    torch.testing.assert_close(ours, whole, rtol=0, atol=2e-3)
    assert sorted(p.name for p in tmp_path.iterdir() if "partial" in p.name) == []


def test_numbers_that_are_none_never_reach_a_checkpoint(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tmp_path / "net.pt"
    assert fit(folder, checkpoint) == 0
    state = read_checkpoint(checkpoint)
    state["network"]["rest.bias"][:] = float("nan")
    write_checkpoint({**state, "step": 4}, checkpoint)
    kept = checkpoint.read_bytes()
    assert fit(folder, checkpoint) == 2
    assert "loss of step 4 is not a number; give the same command" in capsys.readouterr().err
    assert checkpoint.read_bytes() == kept


def test_a_gradient_that_is_no_number_moves_nothing(head: HeadModel) -> None:
    network = FaceNetwork(make_layout(head))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), 1.0)
    bias = network.rest.bias
    loss = (bias - bias).abs().sum().sqrt()  # 0, and its slope is not a number
    assert float(loss.detach()) == 0
    with pytest.raises(FitError, match="step 7 is not a number"):
        descend(network, optimizer, loss, 0.1, 5.0, 7)
    assert all(torch.equal(before[n], v) for n, v in network.state_dict().items())


def test_steps_go_down_and_the_average_follows(head: HeadModel) -> None:
    network, average = (FaceNetwork(make_layout(head)) for _ in range(2))
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.SGD(network.parameters(), 9.0)
    with torch.no_grad():
        network.rest.bias.fill_(1.0)
        average.rest.bias.fill_(0.0)
    count = len(network.rest.bias)
    descend(network, optimizer, network.rest.bias.sum(), 0.5, 1.0, 0)
    # the gradient, a vector of ones, is shortened to length 1
    expected = torch.full((count,), 1 - 0.5 / count**0.5)
    torch.testing.assert_close(network.rest.bias.detach(), expected, rtol=0, atol=1e-4)
    follow(average, network, 0.25)
    torch.testing.assert_close(average.rest.bias.detach(), 0.25 * expected, rtol=0, atol=1e-4)


def test_a_full_disk_keeps_the_last_checkpoint(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    checkpoint = tmp_path / "net.pt"
    assert fit(folder, checkpoint, "--seed", "3") == 0
    kept = checkpoint.read_bytes()

    def full(self: Path, data: object) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    capsys.readouterr()
    monkeypatch.setattr(Path, "write_bytes", full)
    argv = ["train", "fit", str(folder), "--pictures-seed", "5", "--checkpoint", str(checkpoint)]
    assert main([*argv, "--steps", "8", "--batch", "4"]) == 2
    told = capsys.readouterr().err
    assert "net.pt' cannot be written (No space left on device); make room" in told
    assert "the last one is kept" in told
    assert checkpoint.read_bytes() == kept
    assert not list(tmp_path.glob("*.partial"))


def shorter(state: State) -> State:
    name = next(iter(state["network"]))
    network = {**state["network"], name: state["network"][name][:3]}
    return {**state, "network": network, "average": network}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: {**s, "format": 7}, "has version 7, this program needs 1"),
        (lambda s: {**s, "vertices": s["vertices"] + 1}, "head; give"),
        (lambda s: {k: v for k, v in s.items() if k != "optimizer"}, "is damaged or no checkpoint"),
        (lambda s: {**s, "plan": "no plan"}, "is damaged or no checkpoint"),
        (lambda s: {**s, "plan": '{"kind": "huge"}'}, "is damaged or no checkpoint"),
        (shorter, "is damaged or no checkpoint"),
    ],
)
def test_checkpoints_of_others_are_refused_by_each_command(
    change: Callable[[State], State],
    said: str,
    folder: Path,
    head: HeadModel,
    resources: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("onnx", reason="onnx, which reads networks, is missing")
    checkpoint, out = tmp_path / "net.pt", str(tmp_path / "out.npz")
    torch.save(change({"format": 1, **restored(resources / "network.npz", head)}), checkpoint)
    kept = checkpoint.read_bytes()
    commands = [
        ["fit", str(folder), "--pictures-seed", "5", "--checkpoint", str(checkpoint), "-o", out],
        ["refine", str(tmp_path), "--checkpoint", str(checkpoint), "-o", out],
        ["measure", str(checkpoint), str(folder), "--seed", "5"],
        ["ship", str(checkpoint), "-o", out],
    ]
    for command in commands:
        assert main(["train", *command]) == 2, command[0]
        told = capsys.readouterr().err.splitlines()[-1]
        assert "net.pt" in told
        assert said in told
    assert checkpoint.read_bytes() == kept
    assert not Path(out).exists()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["fit", "R", "--checkpoint", "T/gone/net.pt"], "folder of '.*net.pt' is missing"),
        (["fit", "R", "--checkpoint", "T/n.pt", "-o", "T/gone/n.npz"], "is missing; make it first"),
        (["fit", "R", "--checkpoint", "T/n.pt", "-o", "T/n.pt"], "would be overwritten"),
        (["fit", "R", "--checkpoint", "T"], "is a folder; give the name of a file"),
        (["fit", "T", "--checkpoint", "T/n.pt"], "no training pictures of seed 7"),
        (["fit", "R", "--checkpoint", "T/n.pt", "--device", "cuda"], "no CUDA device"),
        (["refine", "T", "-o", "T/gone/n.npz"], "is missing; make it first"),
        (["refine", "T/gone", "-o", "T/n.npz"], "is not a folder"),
        (["refine", "T", "--checkpoint", "T/n.npz", "-o", "T/n.npz"], "would be overwritten"),
        (["refine", "T", "--renders", "T", "-o", "T/n.npz"], "has no renders of seed 7"),
        (["ship", "T/n.npz", "-o", "T/n.npz"], "would be overwritten"),
        (["ship", "T/gone.pt", "-o", "T/n.npz"], "there is no checkpoint '.*gone.pt'"),
        (["gain", "T/n.pt", "R"], "is no network as it ships"),
        (["gain", "T"], "no held-back pictures of seed 7"),
        (["restore", "T/gone.npz", "--checkpoint", "T/n.pt"], "gone.npz' is missing"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    argv: list[str],
    said: str,
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("onnx", reason="onnx, which writes networks, is missing")
    if "cuda" in argv and torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    words = [str(tmp_path) + w[1:] if w.split("/")[0] == "T" else w for w in argv]
    words = [str(folder) if w == "R" else w for w in words]
    assert main(["train", *words]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("hrn-studio: ")
    assert re.search(said, told), told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["nan", "0", "-1", "fast"])
def test_a_rate_is_a_small_number(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["train", "fit", "renders", "--checkpoint", "net.pt", "--rate", text])
    assert "is no learning rate" in capsys.readouterr().err


def test_photos_without_a_face_leave_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx", reason="onnx, which reads networks, is missing")
    photos = tmp_path / "photos"
    photos.mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photos / "noise.png")
    (photos / "broken.jpg").write_bytes(b"\xff\xd8 cut")
    assert main(["train", "refine", str(photos), "-o", str(tmp_path / "out.npz")]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "no picture or video with a usable face (2 files" in told
    assert "broken.jpg" in told
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == []
