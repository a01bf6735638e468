"""The FBX holds exactly the asset, as ufbx reads it; and what ufbx does not show, by hand."""

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

from hrn_studio.export.animation import ANGLES, parse_take
from hrn_studio.export.asset import make_asset
from hrn_studio.export.dressing import dressed
from hrn_studio.export.fbx import write_fbx
from hrn_studio.export.options import ExportOptions, Space

pytest.importorskip("ufbx", reason="the tests' extra is not installed")

UNITY = ExportOptions(skeleton="head")
UNREAL = ExportOptions(
    space=Space(0.01, "z"), naming="unreal", normal="dx", skeleton="full", embed=True
)


class Read:
    """A file as ``read_fbx.py`` saw it."""

    def __init__(self, content, folder):
        (folder / "a.fbx").write_bytes(content)
        script = Path(__file__).with_name("read_fbx.py")
        run = [sys.executable, str(script), str(folder / "a.fbx"), str(folder / "a.npz")]
        done = subprocess.run(run, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        with np.load(folder / "a.npz") as file:
            self.arrays = dict(file)
        self.facts = json.loads(self.arrays["facts"].tobytes())

    def __getitem__(self, name):
        return self.arrays[name]


def recording():
    """Two seconds: the mouth opens, the left eye closes, the head turns left and nods."""
    lines = ["Timecode,BlendShapeCount,JawOpen,EyeBlinkLeft," + ",".join(ANGLES)]
    for frame in range(61):
        share = frame / 60
        angles = [0.6 * share, 0.2 * share, 0.1 * share, 0.3, 0, 0, 0, 0, 0]
        values = [share, 1 - share, *angles]
        stamp = f"00:00:{frame // 30:02d}:{2 * (frame % 30):02d}.000"
        lines.append(f"{stamp},61," + ",".join(f"{v:.9f}" for v in values))
    return parse_take("\n".join(lines), "hello")


@pytest.fixture(scope="module")
def unity(asset, tmp_path_factory):
    files = write_fbx(dressed(asset, UNITY), UNITY)
    return Read(files["jane.fbx"], tmp_path_factory.mktemp("unity"))


@pytest.fixture(scope="module")
def unreal_bytes(asset):
    from dataclasses import replace

    options = replace(UNREAL, animation=recording())
    return write_fbx(dressed(asset, options), options)["jane.fbx"]


@pytest.fixture(scope="module")
def unreal(unreal_bytes, tmp_path_factory):
    return Read(unreal_bytes, tmp_path_factory.mktemp("unreal"))


def corners(asset, uv=False):
    return np.concatenate([p.uv_triangles if uv else p.triangles for p in asset.parts]).ravel()


def test_the_file_says_its_units_and_axes(unity, unreal):
    # numbers of axes: +x 0, -x 1, +y 2, -y 3, +z 4, -z 5
    assert (unity.facts["unit_m"], unity.facts["axes"]) == (1.0, [0, 2, 4])
    assert (unreal.facts["unit_m"], unreal.facts["axes"]) == (0.01, [0, 4, 3])
    assert unity.facts["warnings"] == unreal.facts["warnings"] == []


def test_vertex_by_vertex(asset, unity, unreal):
    np.testing.assert_array_equal(unity["vertices"], asset.vertices)
    x, y, z = (100 * asset.vertices.astype(float)).T
    np.testing.assert_allclose(unreal["vertices"], np.stack([x, -z, y], 1), atol=1e-5)


def test_triangles_normals_uv_and_materials(asset, unity):
    np.testing.assert_array_equal(unity["index"], corners(asset))
    assert set(unity["faces"]) == {3}
    np.testing.assert_array_equal(unity["normals"], asset.normals[corners(asset)])
    np.testing.assert_array_equal(unity["uv"], asset.uv[corners(asset, uv=True)])
    assert unity["smooth"].all()
    names = [unity.facts["materials"][k] for k in unity["material"]]
    assert names == [part.material for part in asset.parts for _ in part.triangles]


def test_faces_still_look_outwards_in_another_space(asset, unreal):
    a, b, c = unreal["vertices"][unreal["index"].reshape(-1, 3)].transpose(1, 0, 2)
    outwards = np.einsum("ij,ij->i", np.cross(b - a, c - a), unreal["normals"][::3])
    assert (outwards > 0).mean() > 0.97


def test_shape_by_shape(asset, unity, unreal):
    assert [s[0] for s in unity.facts["shapes"]] == [m.name for m in asset.morphs]
    named = [m.name[0].upper() + m.name[1:] for m in asset.morphs]
    assert [s[0] for s in unreal.facts["shapes"]] == named
    for number, morph in enumerate(asset.morphs):
        _, _, target, weight = unity.facts["shapes"][number]
        assert (target, weight) == (1.0, 0.0)
        for name, truth in (("moves", morph.deltas), ("turns", morph.normal_deltas)):
            whole = np.zeros_like(truth)
            whole[unity[f"shape{number}"]] = unity[f"{name}{number}"]
            np.testing.assert_array_equal(whole, truth)
        x, y, z = (100 * morph.deltas[unreal[f"shape{number}"]].astype(float)).T
        np.testing.assert_allclose(unreal[f"moves{number}"], np.stack([x, -z, y], 1), atol=1e-5)


def test_no_name_is_cut_by_unreal(unreal):
    from hrn_studio.export.fbx import SHAPES_NODE

    for name, *_ in unreal.facts["shapes"]:
        assert not name.casefold().startswith(SHAPES_NODE.casefold())


def test_one_root_carries_everything(asset, unity):
    assert unity.facts["nodes"] == {"": 0, "jane": 1, "head": 1}
    assert unity.facts["joints"] == ["head"]
    np.testing.assert_array_equal(np.sort(unity["joint0"]), np.arange(len(asset.vertices)))
    assert (unity["weight0"] == 1).all()


def test_jaw_and_eyes_hang_on_the_head(asset, unreal):
    skeleton = asset.skeleton
    names = [joint.name for joint in skeleton.joints]
    assert unreal.facts["joints"] == names == ["head", "jaw", "eye_left", "eye_right"]
    assert [unreal.facts["nodes"][n] for n in names] == [1, 2, 2, 2]
    total = np.zeros(len(asset.vertices))
    for number, joint in enumerate(skeleton.joints):
        whole = np.zeros(len(total))
        whole[unreal[f"joint{number}"]] = unreal[f"weight{number}"]
        np.testing.assert_allclose(whole, skeleton.weights[:, number], atol=1e-6)
        total += whole
        x, y, z = 100 * joint.position
        np.testing.assert_allclose(unreal[f"bind{number}"][:3, 3], [x, -z, y], atol=1e-4)
        np.testing.assert_allclose(unreal[f"node{number}"], unreal[f"bind{number}"], atol=1e-4)
        product = np.vstack([unreal[f"from{number}"], [0, 0, 0, 1]])
        bind = np.vstack([unreal[f"bind{number}"], [0, 0, 0, 1]])
        np.testing.assert_allclose(bind @ product, np.eye(4), atol=1e-4)
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_textures_are_named_beside_or_inside(asset, unity, unreal):
    assert [t[0] for t in unity.facts["textures"]] == ["jane_albedo.png", "jane_normal.png"]
    assert [t[1] for t in unity.facts["textures"]] == [0, 0]
    inside = unreal.facts["textures"]
    assert [t[0] for t in inside] == ["jane_albedo.png", "jane_normal_dx.png"]
    assert inside[0][1] == len(asset.textures["albedo"].png)
    files = write_fbx(dressed(asset, UNITY), UNITY)
    assert files["jane_albedo.png"] == asset.textures["albedo"].png
    assert set(files) == {"jane.fbx", "jane_albedo.png", "jane_normal.png"}


def test_the_recording_plays(unreal):
    assert [t[0] for t in unreal.facts["takes"]] == ["hello"]
    assert unreal.facts["takes"][0][2] == pytest.approx(2.0)
    assert unreal.facts["rate"] == 30
    share = unreal["times"] / 2
    shapes = [s[0] for s in unreal.facts["shapes"]]
    played = dict(zip(shapes, unreal["weights"].T, strict=True))
    np.testing.assert_allclose(played["JawOpen"], share, atol=1e-4)
    np.testing.assert_allclose(played["EyeBlinkLeft"], 1 - share, atol=1e-4)
    assert not played["EyeBlinkRight"].any()
    np.testing.assert_allclose(unreal["HeadYaw"], 0.6 * share, atol=1e-5)
    np.testing.assert_allclose(unreal["LeftEyeYaw"], 0.3, atol=1e-6)


def test_the_head_turns_to_where_it_did(unreal):
    from scipy.spatial.transform import Rotation

    last = Rotation.from_quat(unreal["turns"][-1]).as_matrix()
    # the face looks along -Y, its left is +X, up is +Z: yawed to the left and up
    face = last @ [0, -1, 0]
    assert np.degrees(np.arctan2(face[0], -face[1])) == pytest.approx(np.degrees(0.6), abs=2)
    assert np.degrees(np.arcsin(face[2])) == pytest.approx(np.degrees(0.2), abs=4)
    assert (last @ [0, 0, 1])[0] < 0, "its top leans to the subject's right"


def test_the_same_head_gives_the_same_bytes(head, person, asset):
    again = write_fbx(dressed(make_asset(person, head, "jane"), UNITY), UNITY)
    assert again == write_fbx(dressed(asset, UNITY), UNITY)


def test_a_head_with_neither_skeleton_nor_shapes(tiny_asset, tmp_path):
    from dataclasses import replace

    bare = replace(tiny_asset, morphs=(), skeleton=None, textures={})
    read = Read(write_fbx(bare)["tiny.fbx"], tmp_path)
    assert read.facts["shapes"] == read.facts["joints"] == read.facts["textures"] == []
    np.testing.assert_array_equal(read["vertices"], bare.vertices)


def test_a_head_called_like_a_joint_keeps_names_apart(tiny_asset, tmp_path):
    from dataclasses import replace

    read = Read(write_fbx(replace(tiny_asset, name="Head"), UNITY)["Head.fbx"], tmp_path)
    assert read.facts["nodes"] == {"": 0, "Head_mesh": 1, "head": 1}


# --- the records themselves ---


def records(data, at, end):
    """(name, values, children) of the records between two offsets."""
    while at < end:
        stop, count, size, length = struct.unpack_from("<IIIB", data, at)
        if stop == 0:
            return
        name = data[at + 13 : at + 13 + length].decode()
        values, place = [], at + 13 + length
        for _ in range(count):
            value, place = _value(data, place)
            values.append(value)
        assert place == at + 13 + length + size
        yield name, values, list(records(data, place, stop))
        at = stop


def _value(data, at):
    kind = chr(data[at])
    if kind in "SR":
        (size,) = struct.unpack_from("<I", data, at + 1)
        return data[at + 5 : at + 5 + size], at + 5 + size
    if kind in "dfli":
        count, packed, size = struct.unpack_from("<III", data, at + 1)
        raw = data[at + 13 : at + 13 + size]
        dtype = {"d": "<f8", "f": "<f4", "l": "<i8", "i": "<i4"}[kind]
        values = np.frombuffer(zlib.decompress(raw) if packed else raw, dtype)
        assert len(values) == count
        return values, at + 13 + size
    form = {"C": "<?", "Y": "<h", "I": "<i", "L": "<q", "F": "<f", "D": "<d"}[kind]
    return struct.unpack_from(form, data, at + 1)[0], at + 1 + struct.calcsize(form)


def test_records_numbers_and_links_are_sound(unreal_bytes):
    data = unreal_bytes
    assert data.startswith(b"Kaydara FBX Binary  \0\x1a\0" + struct.pack("<I", 7400))
    assert (len(data) - 140) % 16 == 0  # the footer begins on a multiple of 16
    top = {name: (values, children) for name, values, children in records(data, 27, len(data))}
    objects = top["Objects"][1]
    numbers = [values[0] for _, values, _ in objects]
    assert len(set(numbers)) == len(numbers)
    for name, values, _ in top["Connections"][1]:
        assert name == "C"
        assert {values[1], values[2]} <= {0, *numbers}
    counted = {v[0].decode(): c[0][1][0] for n, v, c in top["Definitions"][1] if n == "ObjectType"}
    for kind in {name for name, *_ in objects}:
        assert counted[kind] == sum(name == kind for name, *_ in objects)
    slots = {v[3].decode() for _, v, _ in top["Connections"][1] if v[0] == b"OP"}
    assert {"DiffuseColor", "NormalMap", "DeformPercent", "Lcl Rotation", "HeadYaw"} <= slots


def test_nothing_of_this_machine_is_in_the_file(asset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home-of-somebody"))
    for name in ("USER", "LOGNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody")
    data = write_fbx(dressed(asset, UNREAL), UNREAL)["jane.fbx"]
    for text in (str(tmp_path), "somebody"):
        assert text.encode() not in data
