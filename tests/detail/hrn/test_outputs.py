"""HRN's own result as files."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from hrn_studio import cli, paths
from hrn_studio.detail.hrn import hierarchy, store, tiny
from hrn_studio.detail.hrn.alignment import Crop
from hrn_studio.detail.hrn.outputs import hrn_files
from hrn_studio.detail.hrn.result import collect
from hrn_studio.errors import FitError, ModelDataError, UsageError
from hrn_studio.models import shelf
from hrn_studio.models.reproduction import ReproductionOptions, reproduce


@pytest.fixture(scope="module")
def canvas(tmp_path_factory):
    download = tiny.write_download(tmp_path_factory.mktemp("download"))
    folder = tmp_path_factory.mktemp("hrn")
    for kind in ("face", "uv", "template", "albedo_basis", "albedo_mean"):
        store.take(kind, download / tiny.GITHUB[kind], folder)
    return store.load_canvas(folder)


@pytest.fixture(scope="module")
def face(canvas):
    parts = tiny.parts()
    placed = hierarchy.place(canvas, parts)
    displacement = torch.full((1, 1, 256, 256), 0.02)
    albedo = torch.full((1, 3, 256, 256), 0.6)
    layers = hierarchy.detail(canvas, placed, displacement, albedo, parts.light)
    empty = np.zeros((224, 224, 3), np.uint8)
    return collect(
        *(placed, parts, layers),
        texture=layers.fine_colour,
        albedo=albedo,
        deformation=torch.zeros(1, 3, 64, 64),
        displacement=displacement,
        valid=torch.ones(1, 1, 256, 256),
        canvas=canvas,
        crop=Crop(empty, np.zeros((68, 2)), 1.0, 0, 0, (224, 224)),
    )


def rows(content, key):
    lines = [line.split()[1:] for line in content.decode().splitlines() if line.startswith(key)]
    return np.array([[float(value) for value in line] for line in lines])


def test_meshes_are_in_metres_without_pose(face):
    files = hrn_files(face, "me")
    assert set(files) == {
        f"me_hrn{end}"
        for end in (
            *(".obj", "_neutral.obj", "_dense.obj", ".mtl", "_texture.png", "_albedo.png"),
            *("_normal.png", "_coefficients.csv"),
        )
    }
    for name, wanted in (("me_hrn.obj", face.shape), ("me_hrn_neutral.obj", face.neutral)):
        np.testing.assert_allclose(rows(files[name], "v "), 0.1 * wanted, atol=1e-6)
        assert len(rows(files[name], "vt ")) == len(wanted)
        assert b"mtllib me_hrn.mtl" in files[name]
        assert b"usemtl face" in files[name]
    assert b"newmtl face" in files["me_hrn.mtl"]
    assert b"map_Kd me_hrn_texture.png" in files["me_hrn.mtl"]


def test_the_dense_mesh_lies_outside_the_smooth_one_by_its_displacement(face):
    dense = hrn_files(face, "me")["me_hrn_dense.obj"]
    vertices, normals, uv = (rows(dense, key) for key in ("v ", "vn ", "vt "))
    assert len(vertices) == len(normals) == len(uv)
    assert (uv >= 0).all()
    assert (uv <= 1).all()
    middle = np.abs(uv - 0.5).max(1) < 0.3
    assert normals[middle, 2].mean() > 0.5  # the pose is undone
    # where the dome's UV is known: x = 0.75 (u - 0.5) / 0.45 dm before the offset
    flat = 0.075 * (uv[middle, 0] - 0.5) / 0.45
    away = vertices[middle, 0] - flat
    assert np.abs(away).max() < 0.004
    smooth = 0.1 * face.shape
    front = smooth[:, 2].max()
    assert front + 0.0015 < vertices[:, 2].max() < front + 0.0025  # 0.02 dm = 2 mm


def test_pictures_and_numbers_can_be_read(face):
    files = hrn_files(face, "me")
    texture = np.asarray(Image.open(io.BytesIO(files["me_hrn_texture.png"])))
    assert texture.shape == (256, 256, 3)
    lines = files["me_hrn_coefficients.csv"].decode().splitlines()
    assert len(lines) == 257
    assert lines[0] == "identity_0,1"
    assert lines[225].startswith("angle_1,-0.1")


def test_what_is_missing_is_said():
    frame = object()
    with pytest.raises(ModelDataError, match=r"the method 'multi' needs epoch_10\.pth"):
        next(reproduce([frame], ["a"], ReproductionOptions(method="multi")))
    with pytest.raises(UsageError, match="no method 'none'; choose one of single, fitted"):
        next(reproduce([frame], ["a"], ReproductionOptions(method="none")))
    with pytest.raises(UsageError, match="no finder of faces 'none'"):
        next(reproduce([frame], ["a"], ReproductionOptions(faces="none")))
    with pytest.raises(FitError, match="no picture"):
        next(reproduce([], []))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["single", "fitted", "multi"])
def test_the_command_writes_every_method(tmp_path, root, method):
    download = tiny.write_download(tmp_path / "download")
    for _ in shelf.add(download, paths.user_models_dir()):
        pass
    picture = root / "resources" / "demo" / "1_front.jpg"
    out = tmp_path / "out"
    command = ["hrn", str(picture), "-o", str(out), "--method", method]
    assert cli.main(command + ([] if method == "single" else ["--texture", "256"])) == 0
    assert (out / "1_front_hrn.obj").is_file()
    assert (out / "1_front_fused_hrn.obj").is_file() == (method == "multi")
    assert cli.main(["hrn", str(tmp_path / "none.jpg"), "-o", str(out)]) == 2
