"""Checkpoints: everything that a training is, in one file that is written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hrn_studio.errors import FitError, ModelDataError
from hrn_studio.training.targets import Layout

FORMAT = 1
_NEEDED = ("plan", "step", "vertices", "network", "average", "optimizer")


def write_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write a state; a file that is there stays as it is until the new one is whole.

    Raises
    ------
    FitError
        The disk is full, or the folder cannot be written to.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        torch.save({"format": FORMAT, **state}, partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch raises the latter for a full disk
        partial.unlink(missing_ok=True)
        kept = "the last one is kept" if path.is_file() else "nothing was written"
        raise FitError(
            f"the checkpoint '{path}' cannot be written ({_reason(error)}); make room, or give a "
            f"folder that can be written to ({kept})"
        ) from error


def _reason(error: OSError | RuntimeError) -> str:
    told = error.strerror if isinstance(error, OSError) else None
    return told or next(iter(str(error).strip().splitlines()), "no reason given")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What :func:`write_checkpoint` wrote; nothing in it is run.

    Raises
    ------
    ModelDataError
        It is missing, damaged or of another version.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        version = state["format"]
        whole = version != FORMAT or all(name in state for name in _NEEDED)
    except FileNotFoundError as error:
        raise ModelDataError(f"there is no checkpoint '{path}'; check the name") from error
    except Exception as error:  # torch raises all kinds for a damaged file
        raise _damaged(path) from error
    if version != FORMAT:
        raise ModelDataError(
            f"the checkpoint '{path}' has version {version}, this program needs {FORMAT}; start "
            "anew"
        )
    if not whole:
        raise _damaged(path)
    return state


def _damaged(path: Path) -> ModelDataError:
    return ModelDataError(
        f"'{path}' is damaged or no checkpoint; give what 'train fit', 'train refine' or 'train "
        "restore' kept, or start anew"
    )


def kind_of(state: dict[str, Any]) -> str:
    """Which of :data:`hrn_studio.training.networks.KINDS` a checkpoint is of."""
    return str(json.loads(state["plan"])["kind"])


def is_of(state: dict[str, Any], layout: Layout) -> bool:
    """Whether a checkpoint has the landmarks of a layout."""
    return np.array_equal(np.asarray(state["vertices"]), layout.vertices)
