"""Several networks in one file: how they are averaged, how sure they are, what that brings."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from hrn_studio.cli import main
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.live.facecrop import SIDE_PX
from hrn_studio.live.network import load_network
from hrn_studio.training.checkpoint import write_checkpoint
from hrn_studio.training.gain import gain_table, gains
from hrn_studio.training.measure import Report, measure
from hrn_studio.training.networks import FaceNetwork
from hrn_studio.training.restore import restored
from hrn_studio.training.shards import ShardSpec, render_shard, write_shard
from hrn_studio.training.shipped import ShippedNetwork
from hrn_studio.training.stage import make_stage
from hrn_studio.training.together import ship_together

pytest.importorskip("onnx", reason="onnx, which only writing networks needs, is missing")
COUNT = 12


@pytest.fixture(scope="module")
def folder(head: HeadModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("renders")
    spec = ShardSpec(5, 0, size=128)
    write_shard(render_shard(make_stage(head, columns=256), spec, COUNT), spec, path)
    return path


@pytest.fixture(scope="module")
def sources(
    shipped: FaceNetwork,
    head: HeadModel,
    resources: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path]:
    """The network that ships, and one that says other things of identity and is less sure."""
    state = restored(resources / "network.npz", head)
    other = copy.deepcopy(shipped)
    sizes = np.cumsum(other.layout.sizes[1:])
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        rest = other.rest.weight[sizes[0] : sizes[1]]
        rest += 0.1 * torch.randn(rest.shape, generator=generator)
        other.rest.bias[: sizes[0]] += 0.3
        other.rest.bias[sizes[2] : sizes[3]] += 0.3
        other.places.bias += 0.01
    path = tmp_path_factory.mktemp("sources")
    write_checkpoint(state, path / "a.pt")
    weights = other.state_dict()
    write_checkpoint({**state, "network": weights, "average": weights}, path / "b.pt")
    return path / "a.pt", path / "b.pt"


@pytest.fixture(scope="module")
def pair(
    sources: tuple[Path, Path], folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("pair") / "two.npz"
    argv = ["train", "ship", *map(str, sources), "-o", str(path)]
    assert main([*argv, "--renders", str(folder), "--seed", "5"]) == 0
    return path


def report_of(path: Path, folder: Path, head: HeadModel, embedding: LandmarkEmbedding) -> Report:
    task = measure(path, folder, 5, head, embedding)
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value


def test_the_common_answer_is_the_mean_by_inverse_variance(pair: Path) -> None:
    crops = np.random.default_rng(0).standard_normal((2, 1, SIDE_PX, SIDE_PX)).astype(np.float32)
    both = ShippedNetwork.open(pair)
    one, two = (ShippedNetwork.open(pair, number).read(crops) for number in (1, 2))
    answer = both.read(crops)
    k, i, e = len(both.layout.vertices), both.layout.identity_count, both.layout.expression_count
    logs = [np.clip(a[:, 3 * k + i + e :][:, :i], -3, 0.3) for a in (one, two)]
    share = 1 / (1 + np.exp(2 * (logs[0] - logs[1])))
    values = [a[:, 3 * k : 3 * k + i] for a in (one, two)]
    expected = share * values[0] + (1 - share) * values[1]
    np.testing.assert_allclose(answer[:, 3 * k : 3 * k + i], expected, atol=1e-4)
    stated = share * np.exp(logs[0]) + (1 - share) * np.exp(logs[1])
    factor = both.members.deviations[1]
    np.testing.assert_allclose(
        np.exp(answer[:, 3 * k + i + e :][:, :i]), stated * factor, rtol=1e-3
    )


def test_the_common_answer_is_as_sure_as_was_measured(
    pair: Path,
    sources: tuple[Path, Path],
    folder: Path,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    tmp_path: Path,
) -> None:
    told = report_of(pair, folder, head, embedding).everything
    for name in ("points", "identity"):
        assert told[f"{name}_calibration"] == pytest.approx(1, abs=0.03), name
    plain = tmp_path / "plain.npz"
    for _ in ship_together(sources, head, embedding, plain):
        pass
    unmeasured = report_of(plain, folder, head, embedding).everything
    assert unmeasured["shape_mm"] == pytest.approx(told["shape_mm"], rel=1e-3), "the same mean"
    with np.load(pair) as arrays:
        for value, name in zip(arrays["deviations"], ("points", "identity"), strict=False):
            assert unmeasured[f"{name}_calibration"] == pytest.approx(value, rel=0.03)
    with np.load(plain) as arrays:
        np.testing.assert_array_equal(arrays["deviations"], 1)


def test_files_can_be_put_together_and_taken_apart(
    pair: Path, sources: tuple[Path, Path], resources: Path, head: HeadModel, tmp_path: Path
) -> None:
    three, one = tmp_path / "three.npz", tmp_path / "one.npz"
    network = resources / "network.npz"
    assert main(["train", "ship", str(network), str(pair), "-o", str(three)]) == 0
    with np.load(three) as arrays:
        assert len(arrays["ends"]) == 3
    assert main(["train", "ship", str(sources[0]), "-o", str(one)]) == 0
    with np.load(one) as arrays, np.load(network) as known:
        assert sorted(arrays.files) == sorted(known.files)
        assert int(arrays["version"]) == 1
    load_network(one)
    taken = tmp_path / "second.pt"
    argv = ["train", "restore", str(pair), "--member", "2", "--checkpoint", str(taken)]
    assert main(argv) == 0
    weights = torch.load(taken, weights_only=True)["average"]["rest.bias"]
    expected = torch.load(sources[1], weights_only=True)["average"]["rest.bias"]
    torch.testing.assert_close(weights, expected, rtol=0, atol=2e-3)
    with pytest.raises(UsageError, match="holds 2 networks, so there is no number 3"):
        restored(pair, head, 3)


def test_networks_of_other_heads_are_refused(
    resources: Path, head: HeadModel, embedding: LandmarkEmbedding, tmp_path: Path
) -> None:
    with np.load(resources / "network.npz") as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(tmp_path / "other.npz", **{**arrays, "vertices": arrays["vertices"][::-1]})
    task = ship_together([tmp_path / "other.npz"], head, embedding, tmp_path / "out.npz")
    with pytest.raises(ModelDataError, match=r"other\.npz' is of another head"):
        list(task)
    assert not (tmp_path / "out.npz").exists()


def test_what_more_looks_and_networks_bring_is_told(
    pair: Path,
    folder: Path,
    head: HeadModel,
    embedding: LandmarkEmbedding,
    resources: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    task = gains(pair, folder, 5, head, embedding, [1, 2])
    while True:
        try:
            next(task)
        except StopIteration as stop:
            found = stop.value
            break
    assert [(g.networks, g.looks) for g in found] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    expected = report_of(resources / "network.npz", folder, head, embedding).everything
    assert found[0].shape_mm == pytest.approx(expected["shape_mm"], rel=0.1), "cut once, not twice"
    assert found[0].points_mm == pytest.approx(expected["points_mm"], rel=0.1)
    assert found[0].points_stated == pytest.approx(expected["points_calibration"], rel=0.1)
    assert found[0].shape_gain == found[0].shape_gain_error == 0
    for gain in found:
        assert gain.shape_gain == pytest.approx(found[0].shape_mm - gain.shape_mm)
        assert gain.cpu_ms > 0
    assert gain_table(found).count("\n") == 5
    assert main(["train", "gain", str(folder), "--looks", "1", "--seed", "5", "--most", "2"]) == 0
    assert "| 1 | 1 |" in capsys.readouterr().out
