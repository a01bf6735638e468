"""FLAME from files of its layout, and pickles that are not."""

from __future__ import annotations

import os
import pickle
import sys
import types

import numpy as np
import pytest
from scipy import sparse

from hrn_studio.errors import ModelDataError
from hrn_studio.face import flame, headarrays
from hrn_studio.face.arraypickle import read_arrays
from hrn_studio.face.tiny import tiny_head

HEAD = tiny_head()
V = HEAD.vertex_count


@pytest.fixture
def arrays():
    rng = np.random.default_rng(1)
    joints = np.zeros((5, V))
    joints[0, 0] = joints[1, 17] = 1  # root and neck: somewhere on the skin
    joints[2, 24] = 1
    for joint, eye in ((3, HEAD.eyes[0]), (4, HEAD.eyes[1])):
        joints[joint, eye.vertices] = 1 / 6
    weights = np.zeros((V, 5))
    weights[:, 1] = 1
    jaw = np.flatnonzero(HEAD.mean[:35, 1] < -0.06)
    weights[jaw] = [0, 0.25, 0.75, 0, 0]
    for joint, eye in ((3, HEAD.eyes[0]), (4, HEAD.eyes[1])):
        weights[eye.vertices] = np.eye(5)[joint]
    return {
        "v_template": HEAD.mean.astype(np.float64) + np.array([0.0, 0.02, -0.01]),
        "f": HEAD.triangles.astype(np.uint32),
        "shapedirs": rng.normal(0, 1e-3, (V, 3, 8)),
        "posedirs": np.zeros((V, 3, 36)),
        "J_regressor": joints,
        "weights": weights,
        "kintree_table": np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
        "bs_type": "lrotmin",
    }


@pytest.fixture
def chumpy(monkeypatch):
    """A stand-in for the library, so that files can be written as FLAME's authors did."""
    module, inner = types.ModuleType("chumpy"), types.ModuleType("chumpy.ch")

    class Ch:
        def __init__(self, x):
            self.x = x

    Ch.__module__, Ch.__qualname__ = "chumpy.ch", "Ch"
    inner.Ch = Ch
    monkeypatch.setitem(sys.modules, "chumpy", module)
    monkeypatch.setitem(sys.modules, "chumpy.ch", inner)
    return Ch


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_the_authors_pickle_is_read_without_chumpy(tmp_path, arrays, chumpy, monkeypatch, protocol):
    stored = arrays | {
        "v_template": chumpy(arrays["v_template"]),
        "shapedirs": chumpy(arrays["shapedirs"]),
        "J_regressor": sparse.csc_matrix(arrays["J_regressor"]),
    }
    file = tmp_path / "generic_model.pkl"
    file.write_bytes(pickle.dumps(stored, protocol))
    monkeypatch.delitem(sys.modules, "chumpy")
    monkeypatch.delitem(sys.modules, "chumpy.ch")
    model = flame.read_flame(file)
    np.testing.assert_array_equal(model.template, arrays["v_template"])
    np.testing.assert_array_equal(model.joints, arrays["J_regressor"])
    assert model.shape.shape == (6, V, 3)
    assert model.expression.shape == (2, V, 3)
    assert "chumpy" not in sys.modules


def test_arrays_in_an_archive_are_read(tmp_path, arrays):
    np.savez(tmp_path / "flame2023.npz", **arrays)
    head = flame.read_flame(tmp_path / "flame2023.npz").head()
    assert head.vertex_count == V
    assert head.identity_count == 6


def test_nothing_in_a_pickle_is_run(tmp_path):
    trace, file = tmp_path / "trace", tmp_path / "generic_model.pkl"

    class Malicious:
        def __reduce__(self):
            return os.system, (f"touch {trace}",)

    file.write_bytes(pickle.dumps({"v_template": Malicious()}))
    with pytest.raises(ModelDataError, match=r"contains '\w+\.system', which is not plain data"):
        flame.read_flame(file)
    assert not trace.exists()


@pytest.mark.parametrize("name", ["builtins.eval", "numpy.save", "scipy.io.loadmat"])
def test_other_functions_are_refused_by_name(tmp_path, name):
    module, _, function = name.rpartition(".")
    file = tmp_path / "a.pkl"
    file.write_bytes(f"c{module}\n{function}\n(V1+1\ntR.".encode())
    with pytest.raises(ModelDataError, match=name):
        read_arrays(file, "get it again")


def test_reconstructing_something_else_is_refused(tmp_path):
    file = tmp_path / "a.pkl"
    file.write_bytes(b"ccopy_reg\n_reconstructor\n(cbuiltins\nobject\ncbuiltins\nobject\nNtR.")
    with pytest.raises(ModelDataError, match="no file of arrays"):
        read_arrays(file, "get it again")


@pytest.mark.parametrize("content", [b"", b"\x80\x02}", b"text", b"PK\x03\x04", pickle.dumps([1])])
def test_damaged_files_are_refused(tmp_path, content):
    file = tmp_path / "generic_model.pkl"
    file.write_bytes(content)
    with pytest.raises(ModelDataError, match=r"'generic_model\.pkl'"):
        flame.read_flame(file)


def test_what_is_not_flame_is_told(arrays):
    with pytest.raises(ModelDataError, match="lacks the array 'posedirs'"):
        flame.flame({k: v for k, v in arrays.items() if k != "posedirs"}, "a.pkl")
    with pytest.raises(ModelDataError, match=r"'weights' is \(47, 4\) and must be \(47, 5\)"):
        flame.flame(arrays | {"weights": arrays["weights"][:, :4]}, "a.pkl")
    with pytest.raises(ModelDataError, match="'f' points outside"):
        flame.flame(arrays | {"f": arrays["f"] + 40}, "a.pkl")
    broken = arrays["shapedirs"].copy()
    broken[3] = np.nan
    with pytest.raises(ModelDataError, match="'shapedirs' contains values that are not numbers"):
        flame.flame(arrays | {"shapedirs": broken}, "a.pkl")
    with pytest.raises(ModelDataError, match="not an array of numbers"):
        flame.flame(arrays | {"weights": "none"}, "a.pkl")


def test_the_head_lies_between_its_eyes(arrays, tmp_path):
    head = flame.flame(arrays, "a").head()
    np.testing.assert_allclose(head.mean, HEAD.mean - [0, 0, -0.002], atol=1e-6)
    np.testing.assert_allclose(head.eyes[0].center, [0.032, 0, 0], atol=1e-6)
    assert head.eyes[0].vertices == HEAD.eyes[0].vertices
    assert head.part_names == ("skin", "eye_left", "eye_right")
    headarrays.save(head, tmp_path / "flame.npz")
    assert headarrays.load(tmp_path / "flame.npz").eyes[1].vertices == HEAD.eyes[1].vertices
    assert (head.uv >= 0).all()
    assert (head.uv <= 1).all()
    assert len(head.uv_triangles) == len(head.triangles)


def test_joints_turn_what_hangs_on_them(arrays):
    model = flame.flame(arrays, "a")
    still = model.vertices()
    np.testing.assert_allclose(still, model.template, atol=1e-12)
    opened = model.vertices(jaw=np.array([0.3, 0, 0]))
    moved = np.linalg.norm(opened - still, axis=1)
    assert moved[arrays["weights"][:, 2] == 0].max() < 1e-12
    low = np.flatnonzero(arrays["weights"][:, 2] > 0)
    front = low[still[low, 2].argmax()]
    joint = arrays["J_regressor"][2] @ still
    # turning about +x by a takes (y, z) to (y - a z, z + a y) to first order
    expected = -0.75 * np.sin(0.3) * (still - joint)[front, 2]
    assert (opened - still)[front, 1] == pytest.approx(expected, abs=0.15 * abs(expected) + 1e-4)
    looked = model.vertices(eyes=np.array([[0, 0.2, 0], [0, 0, 0]]))
    turned = np.linalg.norm(looked - still, axis=1) > 1e-6
    assert set(np.flatnonzero(turned)) <= set(range(35, 41))
    whole = model.vertices(neck=np.array([0, 0.5, 0]))
    a, b = still - still.mean(0), whole - whole.mean(0)
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1), atol=1e-9)


def test_coefficients_are_standard_deviations(arrays):
    model = flame.flame(arrays, "a")
    moved = model.vertices(shape=np.array([2.0]), expression=np.array([0.0, 1.0]))
    expected = arrays["v_template"] + 2 * arrays["shapedirs"][:, :, 0] + arrays["shapedirs"][..., 7]
    np.testing.assert_allclose(moved, expected, atol=1e-12)
