"""What is refused on the way in, and in which words."""

from __future__ import annotations

import collections
import os
import pickle

import numpy as np
import pytest
import torch
from torch import nn

from hrn_studio.detail.hrn import checkpoint
from hrn_studio.errors import ModelDataError


@pytest.fixture
def net():
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))


@pytest.fixture
def weights(net):
    return {key: torch.ones_like(tensor) for key, tensor in net.state_dict().items()}


class Malicious:
    """Unpickled freely, it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


def test_numbers_of_numpy_are_let_in(tmp_path):
    file = tmp_path / "a.pth"
    scalars = {"loss": np.float64(1.5), "step": np.int64(3), "flag": np.bool_(True)}
    counts = collections.Counter({10: 1})
    torch.save({"net": {"w": torch.ones(2)}, "old": counts, **scalars}, file)
    content = checkpoint.read_pickle(file)
    assert content["loss"] == 1.5
    assert content["step"] == 3


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused_by_name(tmp_path, zipped):
    file, trace = tmp_path / "a.pth", tmp_path / "trace"
    torch.save({"x": Malicious(trace)}, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelDataError, match=r"'a\.pth' is refused .*system.* could run code"):
        checkpoint.read_pickle(file)
    assert not trace.exists()


def test_a_whole_network_is_refused_by_name(tmp_path, net):
    torch.save(net, tmp_path / "a.pth")
    with pytest.raises(ModelDataError, match=r"torch\.nn\.modules\.container\.Sequential"):
        checkpoint.read_pickle(tmp_path / "a.pth")


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.95])
def test_a_truncated_file_is_refused(tmp_path, share):
    whole, file = tmp_path / "whole.pth", tmp_path / "a.pth"
    torch.save({"x": torch.arange(5000.0)}, whole)
    content = whole.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelDataError, match=r"'a\.pth' is truncated or not a PyTorch checkpoint"):
        checkpoint.read_pickle(file)


@pytest.mark.parametrize(
    "content",
    [
        b"not a checkpoint",
        b"\x80\x02}q\x00.",
        pickle.dumps([1, 2]),
        b"PK\x03\x04 broken",
        b"\x89PNG",
    ],
)
def test_another_kind_of_file_is_refused(tmp_path, content):
    file = tmp_path / "a.pth"
    file.write_bytes(content)
    with pytest.raises(ModelDataError, match=r"a\.pth"):
        checkpoint.read_pickle(file)


def test_a_checkpoint_that_is_no_dictionary_is_refused(tmp_path):
    torch.save(torch.ones(3), tmp_path / "a.pth")
    with pytest.raises(ModelDataError, match="holds a Tensor, not network weights"):
        checkpoint.read_pickle(tmp_path / "a.pth")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelDataError, match=r"a\.pth' is missing"):
        checkpoint.read_pickle(tmp_path / "a.pth")


def test_a_foreign_checkpoint_is_told_by_what_it_has():
    with pytest.raises(
        ModelDataError, match=r"'a.pth' has no 'net_recon' \(it has: epoch, model\)"
    ):
        checkpoint.tensors_under({"model": {}, "epoch": 3}, "net_recon", "a.pth")
    with pytest.raises(ModelDataError, match="'lr' is not a tensor"):
        checkpoint.tensors_under({"net_recon": {"lr": 0.1}}, "net_recon", "a.pth")


def test_a_wrong_shape_names_the_key_and_both_shapes(net, weights):
    weights["0.weight"] = torch.ones(4, 3, 3, 3)
    with pytest.raises(
        ModelDataError, match=r"'0\.weight' is \(4, 3, 3, 3\) and must be \(4, 3, 1"
    ):
        checkpoint.check(weights, net, "'a.pth'")


def test_missing_and_unknown_keys_are_named(net, weights):
    with pytest.raises(ModelDataError, match=r"has '2\.bias', which the network does not know"):
        checkpoint.check(weights | {"2.bias": torch.ones(1)}, net, "'a.pth'")
    del weights["1.running_var"]
    with pytest.raises(ModelDataError, match=r"lacks '1\.running_var' \(4,\)"):
        checkpoint.check(weights, net, "'a.pth'")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers_are_refused(net, weights, value):
    weights["0.bias"][2] = value
    with pytest.raises(ModelDataError, match=r"'0\.bias' contains values that are not numbers"):
        checkpoint.check(weights, net, "'a.pth'")


def test_what_is_kept_comes_back(tmp_path, net, weights):
    file = tmp_path / "net.safetensors"
    checkpoint.save(file, weights, {"source": "a.pth"})
    with checkpoint.blank():
        empty = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    checkpoint.fill(empty, checkpoint.load(file), "'net'")
    assert not empty.training
    torch.testing.assert_close(dict(empty.state_dict()), weights)


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"{}"])
def test_a_damaged_kept_file_is_refused(tmp_path, content):
    file = tmp_path / "net.safetensors"
    file.write_bytes(content)
    with pytest.raises(ModelDataError, match="add it anew"):
        checkpoint.load(file)
    with pytest.raises(ModelDataError, match="is missing"):
        checkpoint.load(tmp_path / "other.safetensors")
