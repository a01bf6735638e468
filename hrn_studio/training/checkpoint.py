"""Checkpoints: everything that a training is, in one file that is written whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hrn_studio.errors import FitError, ModelDataError
from hrn_studio.training.guard import explained
from hrn_studio.training.networks import KINDS
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
    whole = io.BytesIO()
    torch.save({"format": FORMAT, **state}, whole)
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.write_bytes(whole.getbuffer())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        kept = "the last one is kept" if path.is_file() else "nothing was written"
        raise FitError(
            f"the checkpoint '{path}' cannot be written ({error.strerror or error}); make room, or "
            f"give a folder that can be written to ({kept})"
        ) from error


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
        whole = version != FORMAT or _is_whole(state)
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


def _is_whole(state: dict[str, Any]) -> bool:
    return all(name in state for name in _NEEDED) and kind_of(state) in KINDS


@contextmanager
def taken_from(path: Path) -> Iterator[None]:
    """A block that takes things out of a checkpoint, which may be of other sizes than it says.

    Raises
    ------
    ModelDataError
        The block stumbled over them.
    """
    try:
        yield
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if explained(error, path) is not None:  # memory or the graphics processor gave out
            raise
        raise _damaged(path) from error


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
