"""Read network weights without running anything that is stored beside them.

The published files are pickles, and a pickle may call any function.  They are opened with
``torch.load(weights_only=True)``, which knows tensors and plain containers; beyond these only the
numpy scalars are let in that some of the files carry (losses of the training).  What was read is
kept as safetensors, which cannot hold anything but numbers.
"""

from __future__ import annotations

import contextlib
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hrn_studio.errors import ModelDataError

AGAIN = "download it again from where its authors publish it"

Tensors = dict[str, Tensor]
"""A state dict: tensors by key."""


def read_pickle(path: Path) -> dict[str, Any]:
    """The dictionary in a ``.pth`` or ``.pt`` file, on the CPU.

    Raises
    ------
    ModelDataError
        The file is missing, truncated, not a checkpoint, or holds objects of a class that is
        not data (the message names the class).
    """
    if not path.is_file():
        raise ModelDataError(f"the checkpoint '{path}' is missing; check the path")
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(_numpy_scalars()):
            warnings.simplefilter("ignore")  # torch's thoughts on old formats
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        foreign = re.search(r"GLOBAL ([\w.]+)", str(error))
        if foreign is not None:
            raise ModelDataError(
                f"'{path.name}' is refused because it contains '{foreign[1]}', which is not plain "
                f"data and could run code; {AGAIN}"
            ) from error
        raise ModelDataError(_damaged(path)) from error
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelDataError(_damaged(path)) from error
    except (AttributeError, IndexError, TypeError, AssertionError) as error:  # a foreign pickle
        raise ModelDataError(_damaged(path)) from error
    if not isinstance(content, dict):
        kind = type(content).__name__
        raise ModelDataError(f"'{path.name}' holds a {kind}, not network weights; {AGAIN}")
    return content


def _damaged(path: Path) -> str:
    return f"'{path.name}' is truncated or not a PyTorch checkpoint; {AGAIN}"


def _numpy_scalars() -> list[Any]:
    """What unpickling ``numpy.float64(1.5)`` and its like calls; it builds numbers only."""
    kinds = (np.float16, np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_)
    build = np.float64(0).__reduce__()[0]
    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    return [
        *((build, name) for name in names),
        np.dtype,
        *kinds,
        *{type(np.dtype(kind)) for kind in kinds},
    ]


def tensors_under(content: Mapping[str, Any], key: str, name: str, prefix: str = "") -> Tensors:
    """The state dict stored under ``key``, with ``prefix`` taken off its keys.

    ``key`` may be empty for a file that is itself a state dict; ``name`` is the file's, for
    messages.
    """
    found = content.get(key) if key else content
    if not isinstance(found, Mapping):
        keys = ", ".join(sorted(map(str, content))[:6])
        raise ModelDataError(
            f"'{name}' has no '{key}' (it has: {keys}), so it is another checkpoint; {AGAIN}"
        )
    result = {}
    for entry, tensor in found.items():
        if not isinstance(tensor, Tensor):
            raise ModelDataError(
                f"'{name}' is another checkpoint: its '{entry}' is not a tensor; {AGAIN}"
            )
        result[str(entry).removeprefix(prefix)] = tensor
    return result


def check(tensors: Mapping[str, Tensor], wanted: nn.Module, name: str) -> None:
    """Refuse weights that are not exactly those of a network.

    Parameters
    ----------
    wanted
        The network; only its keys and shapes are used, so it may live on the meta device.
    name
        The file and network, for the message.

    Raises
    ------
    ModelDataError
        A key is missing, unknown or of another shape (the message names the key and both
        shapes), or a value is not a finite number.
    """
    expected = wanted.state_dict()
    for key, tensor in expected.items():
        if key not in tensors:
            raise ModelDataError(f"{name} lacks '{key}' {tuple(tensor.shape)}; {AGAIN}")
        if tensors[key].shape != tensor.shape:
            raise ModelDataError(
                f"{name}: '{key}' is {tuple(tensors[key].shape)} and must be "
                f"{tuple(tensor.shape)}; {AGAIN}"
            )
    for key, tensor in tensors.items():
        if key not in expected:
            raise ModelDataError(f"{name} has '{key}', which the network does not know; {AGAIN}")
        if not bool(torch.isfinite(tensor).all()):
            raise ModelDataError(f"{name}: '{key}' contains values that are not numbers; {AGAIN}")


def fill(network: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Put weights into a network made by :func:`blank`, and set it to evaluation.

    Raises
    ------
    ModelDataError
        See :func:`check`.
    """
    check(tensors, network, name)
    expected = network.state_dict()
    network.load_state_dict(
        {key: tensor.to(expected[key].dtype) for key, tensor in tensors.items()}, assign=True
    )
    network.eval().requires_grad_(False)


@contextlib.contextmanager
def blank() -> Iterator[None]:
    """Networks made inside have shapes but no values yet, which takes no time."""
    with torch.device("meta"):
        yield


def save(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """Write tensors and some words about them as safetensors."""
    safetensors = _safetensors()
    safetensors.save_file(
        {key: tensor.contiguous() for key, tensor in tensors.items()}, path, metadata=dict(facts)
    )


def load(path: Path) -> Tensors:
    """The tensors :func:`save` wrote.

    Raises
    ------
    ModelDataError
        The file is missing or damaged.
    """
    safetensors = _safetensors()
    if not path.is_file():
        raise ModelDataError(f"'{path}' is missing; add it with 'hrn-studio models add PATH'")
    try:
        found: Tensors = safetensors.load_file(path)
    except Exception as error:
        if not type(error).__module__.startswith("safetensors"):
            raise
        raise ModelDataError(
            f"'{path}' is damaged; add it anew with 'hrn-studio models add PATH'"
        ) from error
    return found


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError as error:
        raise ModelDataError(
            "the package safetensors, which keeps network weights, is not installed; "
            "run: pip install 'hrn-studio[hrn]'"
        ) from error
    return safetensors.torch


def group(tensors: Mapping[str, Tensor], prefix: str) -> Tensors:
    """The tensors whose key begins with ``prefix`` and a dot, without it."""
    start = f"{prefix}."
    return {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
