"""A network's report: errors on held-back renders, by kind of picture, and the model card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from hrn_studio.cli import main
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.face.landmarks import LandmarkEmbedding
from hrn_studio.face.model import HeadModel
from hrn_studio.training.augment import vary
from hrn_studio.training.card import BEGIN, END, card, told_by, worst, write_card
from hrn_studio.training.groups import groups
from hrn_studio.training.learn import Learner, Plan, batch_of
from hrn_studio.training.measure import Report, measure
from hrn_studio.training.pool import Preparer
from hrn_studio.training.shards import (
    TRAITS,
    Shard,
    ShardSpec,
    read_shard,
    render_shard,
    write_shard,
)
from hrn_studio.training.stage import make_stage
from hrn_studio.training.targets import make_layout, make_metric, make_mirror

COUNT = 5


@pytest.fixture(scope="module")
def folder(head: HeadModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One shard that is held back."""
    path = tmp_path_factory.mktemp("renders")
    shard = render_shard(make_stage(head, columns=256), ShardSpec(5, 0, size=128), COUNT)
    write_shard(shard, ShardSpec(5, 0, size=128), path)
    return path


@pytest.fixture(scope="module")
def learner(head: HeadModel, embedding: LandmarkEmbedding, folder: Path) -> Learner:
    layout = make_layout(head)
    pictures = Preparer(head, embedding, layout).prepare(read_shard(folder / "5-00000.npz"))
    made = Learner(
        layout,
        make_mirror(head, layout),
        make_metric(head, layout),
        Plan(steps=4, batch=4, warm_up=1, half=False),
    )
    made.begin([pictures])
    made.learn([pictures], 2)
    return made


@pytest.fixture(scope="module")
def network(
    head: HeadModel,
    embedding: LandmarkEmbedding,
    learner: Learner,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    pytest.importorskip("onnx", reason="onnx, which only writing networks needs, is missing")
    from hrn_studio.training.ship import ship

    path = tmp_path_factory.mktemp("network") / "network.npz"
    ship(learner.average, head, embedding, path)
    return path


@pytest.fixture(scope="module")
def report(head: HeadModel, embedding: LandmarkEmbedding, network: Path, folder: Path) -> Report:
    task = measure(network, folder, 5, head, embedding)
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value


def test_the_errors_are_those_of_the_network_that_was_trained(
    head: HeadModel, embedding: LandmarkEmbedding, learner: Learner, folder: Path, report: Report
) -> None:
    layout = make_layout(head)
    pictures = Preparer(head, embedding, layout).prepare(read_shard(folder / "5-00000.npz"))
    batch = batch_of(pictures, np.arange(COUNT))
    truth = vary(batch, make_mirror(head, layout), np.random.default_rng(0))
    with torch.no_grad():
        answer = learner.average.answer(learner.average.eval()(truth.crops))
    error = (answer.identity - truth.identity).numpy().astype(np.float64)
    weights = make_metric(head, layout).identity
    expected = np.einsum("bi,ij,bj->b", error, weights, error).mean() ** 0.5
    assert report.everything["shape_mm"] == pytest.approx(expected, rel=0.01)
    relative = np.square(error) / np.exp(2 * answer.log_coefficient[:, : error.shape[1]].numpy())
    assert report.everything["identity_calibration"] == pytest.approx(
        relative.mean() ** 0.5, rel=0.01
    )
    assert report.pictures == COUNT
    assert report.everything["mirror_points_mm"] > 0


def test_groups_part_the_pictures(report: Report) -> None:
    assert "skin tone" in report.groups
    for parts in report.groups.values():
        assert sum(figures["pictures"] for figures in parts.values()) == COUNT


def test_groups_follow_the_traits() -> None:
    traits = np.full((3, len(TRAITS)), np.nan)
    traits[:, TRAITS.index("melanin")] = 0.1, 0.9, 2.0
    traits[:, TRAITS.index("beard")] = 0, 0.2, 0.9
    found = groups(traits, np.radians([[0, 0, 0], [-20, 0, 0], [40, 15, 0]]), np.array([1, 0, 0]))
    assert [list(mask) for mask in found["skin tone"].values()] == np.eye(3).astype(bool).tolist()
    assert list(found["beard"]["full"]) == [False, False, True]
    assert list(found["turned aside"]["15° to 30°"]) == [False, True, False]
    assert list(found["tilted"]["up over 10°"]) == [False, False, True]
    assert "glasses" not in found, "what was not recorded is not told apart"


def test_shards_without_the_newer_traits_are_read(folder: Path, tmp_path: Path) -> None:
    shard = read_shard(folder / "5-00000.npz")
    old = Shard(
        *(getattr(shard, n) for n in ("images", "identity", "expression", "gaze")),
        shard.T_camera_head,
        shard.camera,
        shard.traits[:, :5],
    )
    again = read_shard(write_shard(old, ShardSpec(5, 3), tmp_path))
    assert again.traits.shape == (COUNT, len(TRAITS))
    np.testing.assert_array_equal(again.traits[:, :5], shard.traits[:, :5])
    assert np.isnan(again.traits[:, 5:]).all()


def test_the_card_goes_between_its_markers(
    report: Report, learner: Learner, tmp_path: Path
) -> None:
    learner.save(tmp_path / "net.pt")
    text = card(report, [*told_by(tmp_path / "net.pt"), "It took an hour."])
    path = tmp_path / "card.md"
    path.write_text(f"# Card\n{BEGIN}\nold\n{END}\nend\n", "utf-8")
    for _ in range(2):
        write_card(text, path)
    written = path.read_text("utf-8")
    assert written.startswith("# Card\n")
    assert written.endswith("\nend\n")
    assert "\nold\n" not in written
    assert "Trained for 2 steps of 4 renders" in written
    assert "| skin tone: " in written
    assert worst(report) == "no group has 20 pictures"
    (tmp_path / "bare.md").write_text("# Card\n")
    with pytest.raises(UsageError, match=r"bare\.md.*lacks the lines"):
        write_card(text, tmp_path / "bare.md")


def test_bad_input_is_named(
    head: HeadModel, embedding: LandmarkEmbedding, network: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no held-back pictures of seed 5"):
        next(measure(network, tmp_path, 5, head, embedding))
    with pytest.raises(ModelDataError, match=r"none\.npz.*missing"):
        next(measure(tmp_path / "none.npz", tmp_path, 5, head, embedding))
    with np.load(network) as arrays:
        kept = {name: arrays[name] for name in arrays.files}
    np.savez(tmp_path / "old.npz", **{**kept, "version": np.int64(0)})
    with pytest.raises(ModelDataError, match="version 0"):
        next(measure(tmp_path / "old.npz", tmp_path, 5, head, embedding))
    np.savez(tmp_path / "bad.npz", **{**kept, "model": np.zeros(9, np.uint8)})
    with pytest.raises(ModelDataError, match=r"bad\.npz.*damaged"):
        next(measure(tmp_path / "bad.npz", tmp_path, 5, head, embedding))


def test_the_command_prints_json_and_fills_the_card(
    network: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "card.md"
    path.write_text(f"{BEGIN}\n{END}\n", "utf-8")
    argv = ["train", "measure", str(network), str(folder), "--seed", "5", "--json"]
    assert main([*argv, "--card", str(path), "--note", "A note."]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pictures"] == COUNT
    assert told["everything"]["shape_mm"] > 0
    assert "- A note." in path.read_text("utf-8")
