"""ICT-FaceKit from files of its layout with few vertices."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.errors import ModelDataError
from hrn_studio.face import headarrays, ict
from hrn_studio.face.tiny import tiny_head

HEAD = tiny_head()
SKIN, EYE = 35, 6
LAYOUT = ict.Layout(
    parts=(
        ("skin", SKIN),
        ("eye_left", SKIN + EYE),
        ("eye_right", SKIN + 2 * EYE),
        ("", SKIN + 2 * EYE + 1),
    ),
    total=SKIN + 2 * EYE + 1,
)
NEUTRAL = np.concatenate([100 * HEAD.mean + [3, 140, 5], [[0, 0, 0]]])  # centimetres, elsewhere


def write(path, vertices, faces=""):
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    path.write_text("\n".join(["# ICT", *lines, "vt 0 0", "vt 1 0", "vt 0 1", faces]) + "\n")


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "FaceXModel"
    home.mkdir()
    faces = [f"f {a}/1/1 {b}/2/1 {c}/3/1" for a, b, c in HEAD.triangles[:40] + 1]
    last = LAYOUT.total
    faces += ["f 1/1 2/2 7/3 6/1", f"f {last}/1 {last}/2 {last}/3"]
    write(home / ict.NEUTRAL, NEUTRAL, "\n".join(faces))
    for number in range(3):
        moved = NEUTRAL.copy()
        moved[:, number] += 0.5
        write(home / f"identity{number:03d}.obj", moved)
    for name in ict.FILES:
        moved = NEUTRAL.copy()
        moved[2 if name.endswith("_L") else 1] += [0, 1, 0]
        if name.startswith("eyeLook"):
            moved[SKIN:] += 1.0
        write(home / f"{name}.obj", moved)
    return home


def test_the_head_is_in_metres_between_its_eyes(folder):
    head = ict.read_ict(folder, LAYOUT)
    assert head.vertex_count == SKIN + 2 * EYE
    np.testing.assert_allclose(head.mean, HEAD.mean - [0, 0, -0.002], atol=1e-6)
    np.testing.assert_allclose(head.identity[0], np.tile([0.005, 0, 0], (47, 1)), atol=1e-7)
    left, right = head.eyes
    assert (left.side, right.side) == ("Left", "Right")
    np.testing.assert_allclose(left.center, [0.032, 0, 0], atol=1e-6)
    assert left.radius == pytest.approx(0.012, abs=1e-6)
    np.testing.assert_allclose(left.center_identity[1], [0, 0.005, 0], atol=1e-7)


def test_shapes_have_arkits_names_and_eyes_do_not_move_in_them(folder):
    head = ict.read_ict(folder, LAYOUT)
    assert len(head.expression_names) == 51
    assert "browInnerUp" in head.expression_names
    assert "eyeBlinkRight" in head.expression_names
    shapes = dict(zip(head.expression_names, head.expression, strict=True))
    moved = {name: set(np.flatnonzero(shape.any(1))) for name, shape in shapes.items()}
    assert moved["browInnerUp"] == {1, 2}  # both halves
    assert moved["jawOpen"] == {1}
    assert moved["eyeLookUpLeft"] == {2}
    np.testing.assert_allclose(shapes["jawOpen"][1], [0, 0.01, 0], atol=1e-7)


def test_quads_are_cut_and_helpers_left_out(folder):
    head = ict.read_ict(folder, LAYOUT)
    np.testing.assert_array_equal(head.triangles[-2:], [[0, 1, 6], [0, 6, 5]])
    np.testing.assert_array_equal(head.uv_triangles[-2:], [[0, 1, 2], [0, 2, 0]])
    assert head.triangles.max() < SKIN + 2 * EYE
    assert head.part_names == ("skin", "eye_left", "eye_right")


def test_a_kept_head_comes_back(folder, tmp_path):
    head = ict.read_ict(folder, LAYOUT)
    headarrays.save(head, tmp_path / "ict.npz")
    again = headarrays.load(tmp_path / "ict.npz")
    np.testing.assert_array_equal(again.mean, head.mean)
    np.testing.assert_array_equal(again.expression, head.expression)
    assert again.expression_names == head.expression_names
    assert again.eyes[1].vertices == head.eyes[1].vertices
    (tmp_path / "ict.npz").write_bytes((tmp_path / "ict.npz").read_bytes()[:500])
    with pytest.raises(ModelDataError, match="is damaged"):
        headarrays.load(tmp_path / "ict.npz")


@pytest.mark.parametrize("name", ["jawOpen.obj", "identity000.obj", ict.NEUTRAL])
def test_a_folder_that_lacks_files_names_them(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelDataError, match=f"lacks {name}"):
        ict.read_ict(folder, LAYOUT)


def test_files_of_another_mesh_are_refused(folder):
    write(folder / "jawOpen.obj", NEUTRAL[:10])
    with pytest.raises(ModelDataError, match=r"'jawOpen\.obj' has 10 vertices and must have 48"):
        ict.read_ict(folder, LAYOUT)
    (folder / "jawOpen.obj").write_text("v a b c\n" * 48)
    with pytest.raises(ModelDataError, match="is not an OBJ file"):
        ict.read_ict(folder, LAYOUT)
    write(folder / "jawOpen.obj", NEUTRAL)
    write(folder / ict.NEUTRAL, NEUTRAL, "f 1//1 2//1 3//1")
    with pytest.raises(ModelDataError, match="faces without texture"):
        ict.read_ict(folder, LAYOUT)
    write(folder / ict.NEUTRAL, NEUTRAL, "f 1/1 2/2 99/3")
    with pytest.raises(ModelDataError, match="point outside the mesh"):
        ict.read_ict(folder, LAYOUT)


def test_a_mesh_that_is_no_head_is_refused(folder):
    write(folder / ict.NEUTRAL, 1e6 * NEUTRAL, "f 1/1 2/2 3/3")
    with pytest.raises(ModelDataError, match="units apart"):
        ict.read_ict(folder, LAYOUT)
