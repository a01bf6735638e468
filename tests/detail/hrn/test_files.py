"""HRN's other files: what of them is refused, and that ModelScope's layout is the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hrn_studio.detail.hrn import bfm, detector, plain, store, tiny
from hrn_studio.errors import ModelDataError


def refused(sentence, function, *args):
    with pytest.raises(ModelDataError, match=sentence) as info:
        function(*args)
    assert "\n" not in str(info.value)
    assert ";" in str(info.value)


def test_a_face_model_is_read(tmp_path):
    tiny.write_face(tmp_path / "BFM_model_front.mat")
    face = bfm.load_face_model(tmp_path / "BFM_model_front.mat")
    assert face.vertex_count == tiny.ACROSS**2
    normals = face.normals(face.mean[None])
    assert float(normals[..., 2].mean()) > 0.5  # towards the viewer
    torch.testing.assert_close(normals.norm(dim=2), torch.ones(1, face.vertex_count))


@pytest.mark.parametrize("key", bfm.MAT_KEYS)
def test_a_face_model_without_an_array_names_it(tmp_path, key):
    file = tmp_path / "BFM_model_front.mat"
    tiny.write_face(file, **{key: None})
    refused(f"'BFM_model_front.mat' lacks the array '{key}'", bfm.load_face_model, file)


def test_a_face_model_with_a_wrong_shape_names_both(tmp_path):
    file, n = tmp_path / "a.mat", 3 * tiny.ACROSS**2
    tiny.write_face(file, idBase=np.zeros((n, 60)))
    refused(rf"'idBase' is \({n}, 60\) and must be \({n}, 80\)", bfm.load_face_model, file)


def test_a_face_model_of_nonsense_is_refused(tmp_path):
    file, n = tmp_path / "a.mat", tiny.ACROSS**2
    tiny.write_face(file, meanshape=np.full((1, 3 * n), np.nan))
    refused("'meanshape' contains values that are not numbers", bfm.load_face_model, file)
    tiny.write_face(file, tri=np.full((10, 3), n + 1))
    refused(f"'tri' runs from {n + 1} to {n + 1} and must stay", bfm.load_face_model, file)


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file", b"\x00" * 300])
def test_a_damaged_matlab_file_is_refused(tmp_path, content):
    file = tmp_path / "a.mat"
    file.write_bytes(content)
    refused("a.mat", bfm.load_face_model, file)


def test_plain_files_are_checked(tmp_path):
    file = tmp_path / "bfm_uvs2.npy"
    np.save(file, np.zeros((5, 3)))
    refused(r"'bfm_uvs2.npy' is \(5, 3\) and must be \(vertices, 2\)", plain.read_uv, file)
    np.save(file, np.array([{"a": 1}], object), allow_pickle=True)
    refused("not an array of numbers", plain.read_uv, file)
    np.save(file, np.full((5, 2), np.nan))
    refused("not numbers", plain.read_uv, file)
    np.save(file, np.zeros(7, np.float32))
    refused(r"is \(7,\) and must be \(786432,\)", plain.read_albedo_mean, file)
    file.write_bytes(b"nothing")
    refused("not an array of numbers", plain.read_albedo_basis, file)
    refused("is missing", plain.read_uv, tmp_path / "none.npy")


@pytest.mark.parametrize("text", ["v 0 0 0\n", "f 1 2 3 4\nf 1 2 3\n", "f 0 1 2\n", "f a b c\n"])
def test_a_template_without_triangles_is_refused(tmp_path, text):
    file = tmp_path / "template_bfm.obj"
    file.write_text(text)
    refused("template_bfm.obj", plain.read_triangles, file)


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    download = tiny.write_download(tmp_path / "in")
    folder = tmp_path / "out"
    folder.mkdir()
    for kind in ("face", "uv", "template", "albedo_basis", "albedo_mean"):
        store.take(kind, download / tiny.GITHUB[kind], folder)
    np.save(folder / store.UV, np.zeros((7, 2)))
    refused("7 points and .* 625 vertices", store.load_canvas, folder)


def test_a_checkpoint_of_the_regression_alone_is_taken(tmp_path):
    file = tmp_path / "epoch_20.pth"
    torch.save({"net_recon": tiny.empty(store.Regression), "opt_00": {"lr": 0.1}}, file)
    assert store.take("checkpoint", file, tmp_path) == (store.REGRESSION,)
    coefficients = store.load_regression(tmp_path)(torch.zeros(1, 3, 224, 224))
    assert coefficients.shape == (1, 257)
    refused("is missing", store.load_networks, tmp_path)


@pytest.mark.parametrize("alpha", [None, torch.ones(2), torch.tensor([float("nan")]), "text"])
def test_a_checkpoint_without_its_scales_is_refused(tmp_path, alpha):
    file = tmp_path / "epoch_10.pth"
    content = {name: tiny.empty(store._MAKERS[kept]) for name, kept in _NETWORKS.items()}
    torch.save(content | {"alpha": alpha, "beta": torch.ones(1)}, file)
    refused("'alpha' must be one number", store.take, "checkpoint", file, tmp_path)


_NETWORKS = {"net_recon": store.REGRESSION, "mid_net": store.MIDDLE, "high_net": store.HIGH}


def test_the_optimiser_is_left_behind(tmp_path):
    tiny.write_checkpoint(tmp_path / "epoch_10.pth")
    names = store.take("checkpoint", tmp_path / "epoch_10.pth", tmp_path)
    assert names == (store.REGRESSION, store.MIDDLE, store.HIGH)
    kept = store.checkpoint.load(tmp_path / store.MIDDLE)
    assert {key.split(".")[0] for key in kept} == {"model", "alpha"}


def test_both_layouts_hold_the_same(tmp_path):
    for name, layout in (("github", tiny.GITHUB), ("modelscope", tiny.MODELSCOPE)):
        tiny.write_download(tmp_path / name, layout)
        for kind in ("face", "uv", "standard"):
            folder = tmp_path / f"{name}-kept"
            folder.mkdir(exist_ok=True)
            store.take(kind, tmp_path / name / layout[kind], folder)
    for name in (store.FACE, store.UV, store.STANDARD):
        first, second = (tmp_path / f"{layout}-kept" / name for layout in ("github", "modelscope"))
        assert first.stat().st_size == second.stat().st_size


def test_a_detector_under_other_capitals_is_taken(tmp_path):
    tensors = tiny.empty(detector.RetinaFace)
    renamed = {f"module.{key.replace('conv7x7_3', 'conv7X7_3')}": t for key, t in tensors.items()}
    file = tmp_path / "retinaface.pth"
    torch.save(renamed, file)
    store.take("detector", file, tmp_path)
    assert len(store.load_detector(tmp_path).state_dict()) == len(tensors)
