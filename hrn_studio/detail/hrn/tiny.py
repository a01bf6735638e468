"""A made-up download of HRN for tests: the official layout, a dome for a face, empty networks.

Every network has its full shape and no weights, so that it answers with its biases: the regression
gives :data:`COEFFICIENTS`, the maps nothing, de-retouching no blemish.  On disk a tensor is one
number repeated, so the checkpoints are small.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from hrn_studio.detail.hrn import checkpoint
from hrn_studio.detail.hrn.generator import Generator
from hrn_studio.detail.hrn.landmarks import Landmarks106
from hrn_studio.detail.hrn.plain import ALBEDO_SIDE
from hrn_studio.detail.hrn.resnet import HEADS, Parts, Regression
from hrn_studio.detail.hrn.retouch import Retouch
from hrn_studio.records import Doubles, Floats, Ints

ACROSS = 25
"""Vertices along a side of the dome."""
GITHUB = {
    "checkpoint": "assets/pretrained_models/hrn_v1.1/epoch_10.pth",
    "retouch": "assets/pretrained_models/de-retouching.pth",
    "landmarks": "assets/pretrained_models/large_base_net.pth",
    "face": "assets/3dmm_assets/BFM/BFM_model_front.mat",
    "standard": "assets/3dmm_assets/BFM/similarity_Lm3D_all.mat",
    "uv": "assets/3dmm_assets/template_mesh/bfm_uvs2.npy",
    "template": "assets/3dmm_assets/template_mesh/template_bfm.obj",
    "albedo_basis": "assets/3dmm_assets/bfm_albedo_map_basis/bfm_texmap_base2.npy",
    "albedo_mean": "assets/3dmm_assets/bfm_albedo_map_basis/bfm_tex_mean2.npy",
}
MODELSCOPE = {
    "checkpoint": "pytorch_model.pt",
    "retouch": "de_retouching_model.pth",
    "landmarks": "large_base_net.pth",
    **{
        kind: f"assets/{Path(GITHUB[kind]).name}"
        for kind in ("face", "standard", "uv", "template", "albedo_basis", "albedo_mean")
    },
}


def coefficients() -> Tensor:
    """(1, 257) what the regression answers: a little identity, a slight turn."""
    result = torch.zeros(1, 257)
    result[0, :4] = torch.tensor([1.0, -1.0, 0.5, 0.0])
    result[0, 224:227] = torch.tensor([0.05, -0.1, 0.02])
    result[0, 254:257] = torch.tensor([0.02, -0.03, 0.1])
    return result


def parts() -> Parts:
    """:func:`coefficients` by what they mean."""
    return Parts.split(coefficients())


def write_download(folder: Path, layout: dict[str, str] | None = None) -> Path:
    """Write all files below a folder; returns it.  30 MB on disk, most of it in one sparse file."""
    places = {kind: folder / place for kind, place in (layout or GITHUB).items()}
    for place in places.values():
        place.parent.mkdir(parents=True, exist_ok=True)
    write_checkpoint(places["checkpoint"])
    torch.save({"generator": empty(Retouch)}, places["retouch"])
    landmark = {f"module.{key}": tensor for key, tensor in empty(Landmarks106).items()}
    torch.save({"state_dict": landmark}, places["landmarks"])
    write_face(places["face"])
    _save_mat(places["standard"], {"lm": _standard()})
    np.save(places["uv"], dome()[1])
    lines = [f"f {a} {b} {c}" for a, b, c in dome_triangles() + 1]
    places["template"].write_text("\n".join(["v 0 0 0", *lines]) + "\n", "utf-8")
    texels = ALBEDO_SIDE * ALBEDO_SIDE * 3
    write_zeros(places["albedo_basis"], (texels, 80))
    np.save(places["albedo_mean"], np.full((1, texels), 150, np.float32))
    return folder


def write_checkpoint(path: Path, *, training: bool = True) -> None:
    """``epoch_10.pth``; with ``training`` also what an optimiser leaves behind."""
    regression = empty(Regression)
    for number, values in enumerate(torch.split(coefficients()[0], list(HEADS))):
        regression[f"final_layers.{number}.bias"] = values.clone()
    content: dict[str, object] = {"net_recon": regression}
    content["mid_net"] = empty(lambda: Generator(6, 3))
    content["high_net"] = empty(lambda: Generator(9, 1))
    content |= {"alpha": torch.tensor([0.01]), "beta": torch.tensor([0.01])}
    if training:
        content["opt_00"] = {"state": {0: {"step": 10, "exp_avg": torch.zeros(4)}}}
        content["sched_00"] = {"last_epoch": 10, "_last_lr": [np.float64(1e-4)]}
    torch.save(content, path)


def empty(make: Callable[[], nn.Module]) -> dict[str, Tensor]:
    """A state dict of zeros (ones for variances), each a single number on disk."""
    with checkpoint.blank():
        network = make()
    result = {}
    for key, tensor in network.state_dict().items():
        one = torch.full((1,), float(key.endswith("running_var"))).to(tensor.dtype)
        result[key] = one.reshape([1] * tensor.ndim).expand(tensor.shape)
    return result


def write_zeros(path: Path, shape: tuple[int, ...]) -> None:
    """An ``.npy`` file of float32 zeros that takes no room on most disks."""
    with path.open("wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
        file.truncate(file.tell() + 4 * int(np.prod(shape)))


def write_face(path: Path, **changes: object) -> None:
    """``BFM_model_front.mat`` of the dome; ``changes`` replace arrays, None leaves one out."""
    write_model(path, dome()[0], dome_triangles(), landmarks(), **changes)


def write_model(
    path: Path, points: Doubles, triangles: Ints, marks: Ints, **changes: object
) -> None:
    """A model of points (N, 3), 68 of them landmarks; its components are smooth in x and y."""
    count, rng = len(points), np.random.default_rng(5)
    waves = np.stack([np.cos(k * points[:, :2] @ rng.normal(0, 2, 2)) for k in range(1, 81)], 1)
    basis = (waves[:, None, :] * rng.normal(0, 0.004, (1, 3, 80))).reshape(3 * count, 80)
    arrays: dict[str, object] = {
        "meanshape": points.reshape(1, -1),
        "meantex": np.full((1, 3 * count), 150.0),
        "idBase": basis,
        "exBase": basis[:, 10:74][:, ::-1],
        "texBase": 1000 * basis,
        "tri": triangles + 1,
        "point_buf": _around(triangles, count) + 1,
        "keypoints": marks[None] + 1,
    }
    arrays |= changes
    _save_mat(path, {key: value for key, value in arrays.items() if value is not None})


def _save_mat(path: Path, arrays: dict[str, object]) -> None:
    from scipy.io import savemat

    savemat(path, {key: np.asarray(value, np.float32) for key, value in arrays.items()})


def dome() -> tuple[Doubles, Doubles]:
    """Points (N, 3) of a dome the size of a face, decimetres, and texture points (N, 2)."""
    steps = np.linspace(-1, 1, ACROSS)
    x, y = (values.ravel() for values in np.meshgrid(steps, -steps))
    nose = 0.25 * np.exp(-((x / 0.25) ** 2) - (y / 0.3) ** 2)
    points = np.stack([0.75 * x, 0.95 * y, 0.5 - 0.45 * x**2 - 0.3 * y**2 + nose], axis=1)
    return points, np.stack([0.5 + 0.45 * x, 0.5 + 0.45 * y], axis=1)


def dome_triangles() -> Ints:
    """(T, 3) of the dome, facing out."""
    corner = (np.arange(ACROSS - 1)[:, None] * ACROSS + np.arange(ACROSS - 1)).ravel()
    first = np.stack([corner, corner + ACROSS, corner + 1], axis=1)
    second = np.stack([corner + 1, corner + ACROSS, corner + ACROSS + 1], axis=1)
    return np.asarray(np.stack([first, second], axis=1).reshape(-1, 3), np.int32)


def _around(triangles: Ints, count: int) -> Ints:
    result = np.full((count, 8), len(triangles), np.int32)
    used = np.zeros(count, np.int64)
    for number, triangle in enumerate(triangles):
        result[triangle, used[triangle]] = number
        used[triangle] += 1
    return result


def landmarks() -> Ints:
    """(68,) vertices: jaw, brows, nose, eyes and lips where a face has them."""
    turn = np.linspace(-0.5, 0.5, 17) * np.pi
    places = [np.stack([0.95 * np.sin(turn), -0.9 * np.cos(turn)], axis=1)]
    for x, width in ((-0.45, 0.4), (0.45, 0.4)):
        places.append(np.stack([np.linspace(x - width / 2, x + width / 2, 5), np.full(5, 0.5)], 1))
    places.append(np.stack([np.zeros(4), np.linspace(0.35, 0.0, 4)], axis=1))
    places.append(np.stack([np.linspace(-0.2, 0.2, 5), np.full(5, -0.15)], axis=1))
    for x in (-0.45, 0.45):
        places.append(np.array([x, 0.3]) + _ring(6, 0.2, 0.09))
    places += [
        np.array([0, -0.5]) + _ring(12, 0.35, 0.18),
        np.array([0, -0.5]) + _ring(8, 0.2, 0.1),
    ]
    wanted = np.concatenate(places)
    steps = np.linspace(-1, 1, ACROSS)
    columns = np.abs(wanted[:, :1] - steps).argmin(1)
    rows = np.abs(-wanted[:, 1:] - steps).argmin(1)
    return np.asarray(rows * ACROSS + columns, np.int32)


def _ring(count: int, width: float, height: float) -> Doubles:
    """Points around an ellipse, from the picture's left, first over the top."""
    turn = np.pi - np.arange(count) * 2 * np.pi / count
    return np.stack([width * np.cos(turn), height * np.sin(turn)], axis=1)


def _standard() -> Floats:
    return np.asarray(dome()[0][landmarks()], np.float32)
