"""The user's copies of HRN's files: checked on the way in, loaded when a fit starts.

What the catalogue (:mod:`hrn_studio.models`) lists as ``hrn`` lies in one folder.  Weights are
kept as safetensors without optimiser state, everything else as published.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hrn_studio.detail.hrn import checkpoint
from hrn_studio.detail.hrn.alignment import load_standard
from hrn_studio.detail.hrn.bfm import load_face_model
from hrn_studio.detail.hrn.checkpoint import AGAIN, Tensors
from hrn_studio.detail.hrn.detector import RetinaFace, official_keys
from hrn_studio.detail.hrn.generator import Generator
from hrn_studio.detail.hrn.hierarchy import Canvas, Networks
from hrn_studio.detail.hrn.landmarks import Landmarks106
from hrn_studio.detail.hrn.plain import (
    read_albedo_basis,
    read_albedo_mean,
    read_triangles,
    read_uv,
)
from hrn_studio.detail.hrn.resnet import Regression
from hrn_studio.detail.hrn.retouch import Retouch
from hrn_studio.detail.hrn.texels import Unwrap
from hrn_studio.errors import ModelDataError

REGRESSION, MIDDLE, HIGH = "regression.safetensors", "middle.safetensors", "high.safetensors"
RETOUCH, LANDMARKS = "retouch.safetensors", "landmarks.safetensors"
DETECTOR = "detector.safetensors"
FACE, STANDARD = "BFM_model_front.mat", "similarity_Lm3D_all.mat"
UV, TEMPLATE = "bfm_uvs2.npy", "template_bfm.obj"
ALBEDO_BASIS, ALBEDO_MEAN = "bfm_texmap_base2.npy", "bfm_tex_mean2.npy"

_MAKERS: dict[str, Callable[[], nn.Module]] = {
    REGRESSION: Regression,
    MIDDLE: lambda: Generator(6, 3),
    HIGH: lambda: Generator(9, 1),
    RETOUCH: Retouch,
    LANDMARKS: Landmarks106,
    DETECTOR: RetinaFace,
}
_SCALES = {MIDDLE: "alpha", HIGH: "beta"}


# --- on the way in ---


def take(kind: str, source: Path, folder: Path, *, link: bool = False) -> tuple[str, ...]:
    """Check one of the user's files and put what is needed of it into a folder.

    Parameters
    ----------
    kind
        ``checkpoint``, ``retouch``, ``landmarks``, ``detector``, ``face``, ``standard``, ``uv``,
        ``template``, ``albedo_basis`` or ``albedo_mean``.
    folder
        A temporary one: a failure leaves it in any state.
    link
        Make a hard link instead of a copy where the file is kept as it is and the disk allows.

    Returns
    -------
    Names of the files written.

    Raises
    ------
    ModelDataError
        The file is not what it should be; the message says in what.
    """
    if kind == "checkpoint":
        return _take_checkpoint(source, folder)
    if kind in ("retouch", "landmarks", "detector"):
        content = checkpoint.read_pickle(source)
        name = f"{kind}.safetensors"
        if kind == "detector":
            tensors = official_keys(checkpoint.tensors_under(content, "", source.name))
        elif kind == "retouch":
            tensors = checkpoint.tensors_under(content, "generator", source.name)
        else:
            tensors = checkpoint.tensors_under(content, "state_dict", source.name, "module.")
        keep(name, tensors, source, folder)
        return (name,)
    names = {"face": FACE, "standard": STANDARD, "uv": UV, "template": TEMPLATE}
    name = (names | {"albedo_basis": ALBEDO_BASIS, "albedo_mean": ALBEDO_MEAN})[kind]
    _CHECKS[name](source)
    copy(source, folder / name, link)
    return (name,)


def _take_checkpoint(source: Path, folder: Path) -> tuple[str, ...]:
    content = checkpoint.read_pickle(source)
    wanted = {"net_recon": REGRESSION}
    if "mid_net" in content or "high_net" in content:  # else Deep3DFaceRecon's, the first net only
        wanted |= {"mid_net": MIDDLE, "high_net": HIGH}
    for key, name in wanted.items():
        tensors = checkpoint.tensors_under(content, key, source.name)
        if name in _SCALES:
            tensors[_SCALES[name]] = _scale(content, _SCALES[name], source.name)
        keep(name, tensors, source, folder)
    return tuple(wanted.values())


def _scale(content: Mapping[str, Any], key: str, name: str) -> Tensor:
    value = content.get(key)
    if not isinstance(value, Tensor) or value.shape != (1,) or not bool(torch.isfinite(value)):
        raise ModelDataError(f"'{name}': '{key}' must be one number; {AGAIN}")
    return value.float()


def keep(name: str, tensors: Tensors, source: Path, folder: Path) -> None:
    """Check a network's weights and write them as safetensors.  Raises ``ModelDataError``."""
    network = {key: t for key, t in tensors.items() if key != _SCALES.get(name)}
    checkpoint.check(network, _blank(name), f"'{source.name}'")
    checkpoint.save(folder / name, tensors, {"source": source.name})


def copy(source: Path, target: Path, link: bool) -> None:
    """Copy a file, or link it where that is asked for and the disk allows."""
    if link:
        with contextlib.suppress(OSError):  # another disk
            target.hardlink_to(source.resolve())
            return
    shutil.copyfile(source, target)


# --- loading ---


def verify(path: Path) -> None:
    """Check one file of the folder as strictly as when it came in.

    Raises
    ------
    ModelDataError
        It is missing or damaged.
    """
    if path.name in _MAKERS:
        _network(path.parent, path.name)
    elif path.name in _CHECKS:
        _CHECKS[path.name](path)


def load_networks(folder: Path) -> Networks:
    """The networks of a single-view reconstruction.

    Raises
    ------
    ModelDataError
        A file is missing or damaged.
    """
    regression, _ = _network(folder, REGRESSION)
    middle, alpha = _network(folder, MIDDLE)
    high, beta = _network(folder, HIGH)
    retouch, _ = _network(folder, RETOUCH)
    assert isinstance(regression, Regression)
    assert isinstance(middle, Generator)
    assert isinstance(high, Generator)
    assert isinstance(retouch, Retouch)
    return Networks(regression, middle, high, retouch, alpha, beta)


def load_regression(folder: Path) -> Regression:
    """The regression network alone, for a live preview."""
    network, _ = _network(folder, REGRESSION)
    assert isinstance(network, Regression)
    return network


def load_landmarks(folder: Path) -> Landmarks106:
    """The 106-point network."""
    network, _ = _network(folder, LANDMARKS)
    assert isinstance(network, Landmarks106)
    return network


def load_detector(folder: Path) -> RetinaFace:
    """The face detector."""
    network, _ = _network(folder, DETECTOR)
    assert isinstance(network, RetinaFace)
    return network


def load_canvas(folder: Path) -> Canvas:
    """The face model with its UV layout and albedo; 0.5 GB in memory with the official files.

    Raises
    ------
    ModelDataError
        A file is missing or damaged, or the files do not belong together.
    """
    face = load_face_model(folder / FACE)
    uv, triangles = read_uv(folder / UV), read_triangles(folder / TEMPLATE)
    if len(uv) != face.vertex_count:
        raise ModelDataError(
            f"'{UV}' has {len(uv)} points and '{FACE}' {face.vertex_count} vertices, so they do "
            f"not belong together; {AGAIN}"
        )
    if triangles.max() >= len(uv):
        raise ModelDataError(f"'{TEMPLATE}' has more vertices than '{FACE}'; {AGAIN}")
    basis = read_albedo_basis(folder / ALBEDO_BASIS).reshape(-1, 80)
    mean = read_albedo_mean(folder / ALBEDO_MEAN).reshape(-1)
    return Canvas(
        face,
        torch.from_numpy(uv.astype(np.float32)),
        Unwrap.of(uv, triangles),
        torch.from_numpy(np.array(basis, np.float32)),
        torch.from_numpy(np.array(mean, np.float32)),
    )


def _blank(name: str) -> nn.Module:
    with checkpoint.blank():
        return _MAKERS[name]()


def _network(folder: Path, name: str) -> tuple[nn.Module, Tensor]:
    tensors = checkpoint.load(folder / name)
    scale = tensors.pop(_SCALES[name]) if _SCALES.get(name) in tensors else torch.ones(1)
    network = _blank(name)
    checkpoint.fill(network, tensors, f"'{name}'")
    return network, scale


_CHECKS: dict[str, Callable[[Path], object]] = {
    FACE: load_face_model,
    STANDARD: load_standard,
    UV: read_uv,
    TEMPLATE: read_triangles,
    ALBEDO_BASIS: read_albedo_basis,
    ALBEDO_MEAN: read_albedo_mean,
}
