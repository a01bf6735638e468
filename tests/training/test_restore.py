"""A network as it ships, read back: it answers the same, and goes on learning from there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hrn_studio.cli import main
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.facecrop import SIDE_PX
from hrn_studio.training.augment import Batch, vary
from hrn_studio.training.card import told_by
from hrn_studio.training.checkpoint import read_checkpoint, write_checkpoint
from hrn_studio.training.folding import settle
from hrn_studio.training.learn import Learner, Plan, batch_of
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.pool import MM_PER_UNIT, Prepared, Preparer
from hrn_studio.training.refine import RefinePlan, Refiner
from hrn_studio.training.restore import beginning, restored
from hrn_studio.training.shards import ShardSpec, render_shard, write_shard
from hrn_studio.training.ship import ship
from hrn_studio.training.shipped import KeptNetwork, ShippedNetwork
from hrn_studio.training.stage import make_stage
from hrn_studio.training.targets import make_layout, make_metric, make_mirror

pytest.importorskip("onnx", reason="onnx, which only reading networks back needs, is missing")
COUNT = 24


@pytest.fixture(scope="module")
def network_file(resources: Path) -> Path:
    return resources / "network.npz"


@pytest.fixture(scope="module")
def folder(head: HeadModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shard to learn from and one that is held back."""
    path, stage = tmp_path_factory.mktemp("renders"), make_stage(head, columns=256)
    for number in range(2):
        spec = ShardSpec(5, number, size=128)
        write_shard(render_shard(stage, spec, COUNT if number else 4), spec, path)
    return path


@pytest.fixture(scope="module")
def pictures(head: HeadModel, embedding: LandmarkEmbedding, folder: Path) -> Prepared:
    from hrn_studio.training.shards import read_shard

    shard = read_shard(folder / "5-00001.npz")
    return Preparer(head, embedding, make_layout(head)).prepare(shard)


@pytest.fixture(scope="module")
def batch(head: HeadModel, pictures: Prepared) -> Batch:
    mirror = make_mirror(head, make_layout(head))
    return vary(batch_of(pictures, np.arange(COUNT)), mirror, np.random.default_rng(0))


@pytest.fixture
def checkpoint(network_file: Path, head: HeadModel, tmp_path: Path) -> Path:
    write_checkpoint(restored(network_file, head), tmp_path / "face.pt")
    return tmp_path / "face.pt"


def make_learner(head: HeadModel, **plan: object) -> Learner:
    layout = make_layout(head)
    settings = replace(Plan(steps=20, batch=COUNT, half=False, rate=3e-4), **plan)
    return Learner(layout, make_mirror(head, layout), make_metric(head, layout), settings)


def apart_mm(network: FaceNetwork, other: FaceNetwork, batch: Batch) -> float:
    """Mean distance between the landmarks of two networks, as they are set."""
    with torch.no_grad():
        one, two = (n.answer(n(batch.crops)).points for n in (network, other))
    return float((one - two).norm(dim=2).mean()) * MM_PER_UNIT


def test_what_is_read_back_answers_as_the_file(
    network_file: Path, head: HeadModel, batch: Batch, checkpoint: Path
) -> None:
    crops = batch.crops.numpy()
    expected = ShippedNetwork.open(network_file).read(crops)
    np.testing.assert_allclose(KeptNetwork(checkpoint, head).read(crops), expected, atol=5e-3)


def test_normalisation_is_taken_out_of_the_convolutions_again(
    head: HeadModel, checkpoint: Path, pictures: Prepared, batch: Batch
) -> None:
    folded, learner = make_learner(head), make_learner(head)
    folded.load(checkpoint)
    learner.load(checkpoint)
    learner.begin([pictures])
    asked = folded.network.eval()
    assert apart_mm(learner.network.eval(), asked, batch) < 0.05, "no answer changes"
    assert apart_mm(learner.average.eval(), asked, batch) < 0.05
    spread = [m.running_var for m in learner.network.modules() if isinstance(m, nn.BatchNorm2d)]
    assert not torch.allclose(spread[0], torch.ones_like(spread[0]), atol=0.01)
    lengths = torch.cat(
        [
            m.weight.detach().flatten(1).norm(dim=1)
            for m in learner.network.modules()
            if isinstance(m, nn.Conv2d)
        ]
    )
    torch.testing.assert_close(lengths, torch.full_like(lengths, 2.0), rtol=1e-4, atol=0)
    # in training each batch has its own statistics, and the answers stay near
    near = apart_mm(learner.network.train(), asked, batch)
    with torch.no_grad():
        far = folded.network.train().answer(folded.network(batch.crops)).points
        points = asked.eval().answer(asked(batch.crops)).points
    assert near < 3.0
    assert near < 0.2 * float((far - points).norm(dim=2).mean()) * MM_PER_UNIT


def test_training_goes_on_from_where_the_network_was(
    head: HeadModel, checkpoint: Path, pictures: Prepared, tmp_path: Path
) -> None:
    learner = make_learner(head)
    learner.load(checkpoint)
    before = learner.measure([pictures])["shape_mm"]
    learner.begin([pictures])
    learner.learn([pictures], 3)
    assert learner.measure([pictures])["shape_mm"] < 1.2 * before, "5 mm from nothing"
    learner.save(tmp_path / "more.pt")
    again = make_learner(head)
    again.load(tmp_path / "more.pt")
    again.begin([pictures])
    assert again.step == 3
    ours, theirs = (n.network.state_dict().values() for n in (again, learner))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True)), "settled once"
    assert again.learn([pictures], 1) == pytest.approx(learner.learn([pictures], 1), rel=1e-4)
    told = told_by(tmp_path / "more.pt")
    assert "from the network 'network.npz' as it shipped" in told[0]
    assert "Trained for 3 steps" in told[1]


def test_refinement_begins_with_what_comes_with_the_program(
    head: HeadModel, embedding: LandmarkEmbedding, checkpoint: Path, network_file: Path
) -> None:
    plan = RefinePlan(steps=1)
    digests = {
        Refiner(source, head, embedding, plan).digest for source in (None, network_file, checkpoint)
    }
    assert len(digests) == 1


@pytest.mark.slow
def test_a_large_network_comes_back_too(
    head: HeadModel, embedding: LandmarkEmbedding, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    network = FaceNetwork(make_layout(head), "large").eval()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.bias, -0.2, 0.2)
            nn.init.uniform_(norm.running_mean, -0.2, 0.2)
            nn.init.uniform_(norm.running_var, 0.5, 2.0)
    ship(network, head, embedding, tmp_path / "large.npz")
    state = restored(tmp_path / "large.npz", head)
    assert json.loads(state["plan"])["kind"] == "large"
    network.load_state_dict(state["network"])
    crops = torch.randn(3, 1, SIDE_PX, SIDE_PX)
    with torch.no_grad():
        before = network(crops)
        settle(network, [crops])
        torch.testing.assert_close(network(crops), before, rtol=0.01, atol=0.01)


@pytest.fixture(scope="module")
def arrays(network_file: Path) -> dict[str, np.ndarray]:
    with np.load(network_file) as file:
        return {name: file[name] for name in file.files}


def changed_model(arrays: dict[str, np.ndarray], change: Callable[[object], None]) -> np.ndarray:
    onnx = pytest.importorskip("onnx")
    model = onnx.load_from_string(arrays["model"].tobytes())
    change(model.graph)
    return np.frombuffer(model.SerializeToString(), np.uint8)


def without_its_last_layer(graph: object) -> None:
    last = next(n for n in reversed(graph.node) if n.op_type == "Gemm")
    inputs = [last.output[0]]
    graph.node.remove(last)
    for node in graph.node:
        if node.op_type == "Concat":
            kept = [k for k in node.input if k not in inputs]
            del node.input[:]
            node.input.extend(kept)


def with_numbers_that_are_none(graph: object) -> None:
    onnx = pytest.importorskip("onnx")
    tensor = next(t for t in graph.initializer if t.name == "rest.bias.half")
    values = onnx.numpy_helper.to_array(tensor).copy()
    values[:] = np.nan
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: {"version": np.int64(9)}, "has version 9, this program needs 1 or 2"),
        (lambda a: {"model": a["model"][:5000]}, "is damaged"),
        (lambda a: {"vertices": a["vertices"] + 1}, "of another head"),
        (lambda a: {"counts": a["counts"] - 1}, "of another head"),
        (lambda a: {"model": changed_model(a, without_its_last_layer)}, "built like none"),
        (
            lambda a: {"model": changed_model(a, with_numbers_that_are_none)},
            "cannot be read back",
        ),
    ],
)
def test_bad_networks_are_named(
    arrays: dict[str, np.ndarray],
    change: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, out = tmp_path / "other.npz", tmp_path / "face.pt"
    np.savez(path, **{**arrays, **change(arrays)})
    assert main(["train", "restore", str(path), "--checkpoint", str(out)]) == 2
    told = capsys.readouterr().err
    assert "other.npz" in told
    assert said in told
    assert told.count("\n") == 1
    assert not out.exists()


def test_what_is_missing_or_there_already_is_said(
    network_file: Path, head: HeadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ModelDataError, match=r"gone\.npz' is missing"):
        beginning(tmp_path / "gone.npz", head)
    with pytest.raises(UsageError, match="holds 1 network, so there is no number 2"):
        restored(network_file, head, 2)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match="needs the package 'onnx'"):
        restored(network_file, head)


def test_the_commands_go_on_from_one_another(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, out = str(tmp_path / "face.pt"), tmp_path / "more.npz"
    assert main(["train", "restore", "--checkpoint", checkpoint]) == 0
    assert "the small network" in capsys.readouterr().out
    kept = (tmp_path / "face.pt").read_bytes()
    assert main(["train", "restore", "--checkpoint", checkpoint]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "face.pt").read_bytes() == kept

    def shape_mm(network: str) -> float:
        argv = ["train", "measure", network, str(folder), "--seed", "5", "--json"]
        assert main(argv) == 0
        return float(json.loads(capsys.readouterr().out)["everything"]["shape_mm"])

    before = shape_mm(checkpoint)
    assert before == pytest.approx(shape_mm(str(load_default())), rel=0.01)
    argv = ["train", "fit", str(folder), "--pictures-seed", "5", "--checkpoint", checkpoint]
    argv += ["--steps", "2", "--batch", "8", "--rate", "1e-4", "-o", str(out)]
    assert main(argv) == 0
    assert "step 2" in capsys.readouterr().out
    assert shape_mm(str(out)) == pytest.approx(shape_mm(checkpoint), rel=0.02)
    assert read_checkpoint(tmp_path / "face.pt")["step"] == 2


def test_the_command_refines_what_comes_with_the_program(
    stills: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photos = tmp_path / "photos" / "one"
    photos.mkdir(parents=True)
    for still in stills[:2]:
        (photos / still.name).write_bytes(still.read_bytes())
    out = tmp_path / "mine.npz"
    argv = ["train", "refine", str(tmp_path / "photos"), "-o", str(out), "--batch", "2"]
    assert main([*argv, "--steps", "1"]) == 0
    assert "pictures: 2, people: 1" in capsys.readouterr().out
    assert main([*argv, "--steps", "2"]) == 0, "the same command goes on"
    curve = (tmp_path / "mine.refine.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in curve] == ["step", "1", "2"]
    told = told_by(tmp_path / "mine.refine.pt")
    assert "from the network 'network.npz' as it shipped" in told[0]
    assert "Refined without ground truth for 2 steps on 2 pictures" in told[-1]
    assert not any("Trained for" in sentence for sentence in told)


def load_default() -> Path:
    from hrn_studio.training.restore import default_network

    return default_network()
