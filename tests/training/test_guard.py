"""Interrupted training, too little memory, a lost graphics processor: said, and nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hrn_studio.cli import main
from hrn_studio.errors import FitError, UsageError
from hrn_studio.training import campaign, guard


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "too little memory.*smaller --batch"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate"), "too little memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you"), "too little"),
        (RuntimeError("CUDA error: unspecified launch failure\nmore"), "stopped working.*failure"),
        (OSError(28, "No space left on device", "net.csv"), "'net.csv' cannot be .*No space left"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "graphics processor"),
    ],
)
def test_what_the_machine_runs_out_of_is_one_sentence(
    error: Exception, said: str, tmp_path: Path
) -> None:
    kept = tmp_path / "net.pt"
    kept.write_bytes(b"good")
    with pytest.raises(FitError, match=said) as caught, guard.guarded(kept):
        raise error
    assert "is kept" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert kept.read_bytes() == b"good"
    kept.unlink()
    with pytest.raises(FitError, match="nothing was written"), guard.guarded(kept):
        raise error


def test_bugs_and_sentences_pass(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes"), guard.guarded(tmp_path / "net.pt"):
        raise RuntimeError("the shapes do not match")
    with pytest.raises(UsageError), guard.guarded(tmp_path / "net.pt"):
        raise UsageError("give a folder")


def test_training_says_that_memory_ran_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(campaign.Pool, "refresh", full)
    argv = ["train", "fit", str(tmp_path), "--checkpoint", str(tmp_path / "net.pt")]
    assert main(argv) == 2
    assert "too little memory" in capsys.readouterr().err


@pytest.mark.parametrize("kept", [True, False])
def test_stopping_tells_what_is_left(
    kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(campaign.Pool, "refresh", stopped)
    checkpoint = tmp_path / "net.pt"
    if kept:
        checkpoint.write_bytes(b"good")
    assert main(["train", "fit", str(tmp_path), "--checkpoint", str(checkpoint)]) == 130
    told = capsys.readouterr().err
    assert ("goes on from it" in told) is kept
    assert ("nothing was written" in told) is not kept
