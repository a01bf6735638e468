"""The GLB holds exactly the asset, and the Khronos validator has nothing to say."""

import json
import os
import shutil
import struct
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from hrn_studio.export._glb import Buffer
from hrn_studio.export.animation import parse_take
from hrn_studio.export.asset import make_asset
from hrn_studio.export.gltf import write_glb
from hrn_studio.export.options import ExportOptions

VALIDATE = """
const fs = require("fs"), validator = require("gltf-validator");
validator.validateBytes(new Uint8Array(fs.readFileSync(process.argv[1])))
  .then(report => console.log(JSON.stringify(report)));
"""


_TYPES = {5121: "<u1", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Glb:
    """A reader written from the specification.

    ``document`` is the JSON, ``accessor(n)`` an array, sparse ones filled in.
    """

    def __init__(self, data):
        magic, version, length = struct.unpack_from("<4sII", data)
        assert (magic, version, length) == (b"glTF", 2, len(data))
        size, kind = struct.unpack_from("<I4s", data, 12)
        assert kind == b"JSON"
        assert size % 4 == 0
        self.document = json.loads(data[20 : 20 + size])
        binary, kind = struct.unpack_from("<I4s", data, 20 + size)
        assert kind == b"BIN\0"
        self.binary = data[28 + size :]
        assert len(self.binary) == binary == self.document["buffers"][0]["byteLength"]

    @property
    def mesh(self):
        (mesh,) = self.document["meshes"]
        return mesh

    def view(self, number):
        view = self.document["bufferViews"][number]
        return self.binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]

    def _array(self, where, kind, count, width):
        dtype = np.dtype(_TYPES[kind])
        offset = where.get("byteOffset", 0)
        assert offset % dtype.itemsize == 0
        flat = np.frombuffer(self.view(where["bufferView"]), dtype, count * width, offset)
        return flat.reshape(count, width).copy()

    def accessor(self, number):
        accessor = self.document["accessors"][number]
        kind, count = accessor["componentType"], accessor["count"]
        width = _WIDTHS[accessor["type"]]
        if "bufferView" in accessor:
            result = self._array(accessor, kind, count, width)
        else:
            result = np.zeros((count, width), _TYPES[kind])
        if sparse := accessor.get("sparse"):
            n = sparse["count"]
            index = self._array(sparse["indices"], sparse["indices"]["componentType"], n, 1)[:, 0]
            assert (np.diff(index.astype(int)) > 0).all()
            result[index] = self._array(sparse["values"], kind, n, width)
        for name, bound in (("min", result.min(0)), ("max", result.max(0))):
            if name in accessor:
                np.testing.assert_array_equal(np.float32(accessor[name]), bound)
        return result


@pytest.fixture(scope="module")
def data(asset):
    (content,) = write_glb(asset).values()
    return content


@pytest.fixture(scope="module")
def glb(data):
    return Glb(data)


def corners(glb, attribute, target=None):
    """(3T, C) an attribute, or a shape's change of it, at all triangle corners."""
    result = []
    for primitive in glb.mesh["primitives"]:
        index = glb.accessor(primitive["indices"])[:, 0]
        source = primitive["attributes"] if target is None else primitive["targets"][target]
        result.append(glb.accessor(source[attribute])[index])
    return np.concatenate(result)


def asset_corners(asset, values, uv=False):
    """The same from the asset, in the order of the materials."""
    order = [p for m in asset.materials for p in asset.parts if p.material == m.name]
    index = [(p.uv_triangles if uv else p.triangles).ravel() for p in order]
    return values[np.concatenate(index)]


def test_geometry_is_the_assets(asset, glb):
    np.testing.assert_array_equal(corners(glb, "POSITION"), asset_corners(asset, asset.vertices))
    np.testing.assert_array_equal(corners(glb, "NORMAL"), asset_corners(asset, asset.normals))
    uv = corners(glb, "TEXCOORD_0")
    np.testing.assert_allclose(
        np.stack([uv[:, 0], 1 - uv[:, 1]], 1), asset_corners(asset, asset.uv, uv=True), atol=1e-6
    )


def test_every_shape_is_the_assets(asset, glb):
    assert glb.mesh["extras"]["targetNames"] == [morph.name for morph in asset.morphs]
    assert glb.mesh["weights"] == [0.0] * 52
    for primitive in glb.mesh["primitives"]:
        assert len(primitive["targets"]) == 52
    for number, morph in enumerate(asset.morphs):
        for attribute, deltas in (("POSITION", morph.deltas), ("NORMAL", morph.normal_deltas)):
            np.testing.assert_array_equal(
                corners(glb, attribute, number), asset_corners(asset, deltas)
            )


def test_one_primitive_for_each_material_and_no_transforms(asset, glb):
    materials = glb.document["materials"]
    assert [p["material"] for p in glb.mesh["primitives"]] == list(range(len(materials)))
    assert [m["name"] for m in materials][:2] == ["skin", "eyes"]
    (node,) = glb.document["nodes"]
    assert not {"translation", "rotation", "scale", "matrix"} & set(node)


def test_tangents_stand_on_the_normals(glb):
    skin = glb.mesh["primitives"][0]["attributes"]
    tangents, normals = glb.accessor(skin["TANGENT"]), glb.accessor(skin["NORMAL"])
    np.testing.assert_allclose(np.linalg.norm(tangents[:, :3], axis=1), 1, atol=1e-5)
    assert np.abs(np.einsum("ij,ij->i", tangents[:, :3], normals)).max() < 1e-4
    assert set(np.unique(tangents[:, 3])) <= {-1.0, 1.0}


def test_textures_are_inside(asset, glb):
    color, normal, packed = glb.document["images"]
    read = np.asarray(Image.open(BytesIO(glb.view(color["bufferView"]))))
    assert np.abs(read.astype(int) - asset.textures["albedo"].pixels).mean() < 2
    read = np.asarray(Image.open(BytesIO(glb.view(normal["bufferView"]))))
    np.testing.assert_array_equal(read, asset.textures["normal"].pixels)
    read = np.asarray(Image.open(BytesIO(glb.view(packed["bufferView"]))))
    np.testing.assert_array_equal(read, asset.textures["orm"].pixels)


def test_occlusion_and_roughness_are_used_as_packed(glb):
    for material in glb.document["materials"]:
        surface = material["pbrMetallicRoughness"]
        assert surface["metallicRoughnessTexture"] == material["occlusionTexture"] == {"index": 2}
        assert (surface["roughnessFactor"], surface["metallicFactor"]) == (1.0, 0.0)


def test_primitives_say_which_parts_they_hold(asset, glb):
    named = [p["extras"]["parts"] for p in glb.mesh["primitives"]]
    assert sorted(name for names in named for name in names) == sorted(p.name for p in asset.parts)


def test_the_same_head_gives_the_same_bytes(head, person, data):
    assert list(write_glb(make_asset(person, head, "jane")).values()) == [data]


def test_trimesh_reads_it(asset, data, glb):
    scene = trimesh.load(BytesIO(data), file_type="glb")
    assert len(scene.geometry) == len(glb.mesh["primitives"])
    np.testing.assert_allclose(
        scene.bounds, [asset.vertices.min(0), asset.vertices.max(0)], atol=1e-6
    )


def test_shapes_are_stored_sparsely(asset, data):
    dense = sum(2 * 12 * len(asset.vertices) for _ in asset.morphs)
    assert len(data) < 0.6 * dense


def test_a_small_head(tiny_asset):
    glb = Glb(write_glb(tiny_asset)["tiny.glb"])
    for number, morph in enumerate(tiny_asset.morphs):
        np.testing.assert_array_equal(
            corners(glb, "POSITION", number), asset_corners(tiny_asset, morph.deltas)
        )


@pytest.mark.parametrize("moving", [0, 1, 3, 400, 499, 500])
def test_deltas_of_every_density(moving):
    rng = np.random.default_rng(moving)
    tables = []
    for _ in range(3):
        table = np.zeros((500, 3), np.float32)
        table[rng.permutation(500)[:moving]] = rng.normal(size=(moving, 3))
        tables.append(table)
    buffer = Buffer()
    numbers = buffer.deltas(tables, bounds=True)
    glb = Glb(buffer.glb({"asset": {"version": "2.0"}}))
    for number, table in zip(numbers, tables, strict=True):
        np.testing.assert_array_equal(glb.accessor(number), table)


def recording():
    """The mouth opens while the head turns to its left and nods; then half a second of rest."""
    lines = ["Timecode,N,JawOpen,EyeBlinkLeft,HeadYaw,HeadPitch,HeadRoll"]
    for frame, share in enumerate((0, 0.25, 0.5, 0.75, 1, 1)):
        lines.append(f"00:00:00:{6 * frame:02d}.000,5,{share},0.5,{3 * share},{0.2 * share},0")
    return parse_take("\n".join(lines), "hello")


def animated(glb, path):
    """(times, values) of what is played on a path, and the node's name."""
    (animation,) = glb.document["animations"]
    (channel,) = (c for c in animation["channels"] if c["target"]["path"] == path)
    sampler = animation["samplers"][channel["sampler"]]
    node = glb.document["nodes"][channel["target"]["node"]]
    times = glb.accessor(sampler["input"])[:, 0]
    return times, glb.accessor(sampler["output"]), node["name"]


@pytest.mark.parametrize(("which", "count"), [("head", 1), ("full", 4)])
def test_skin_at_rest_is_the_head(asset, which, count):
    glb = Glb(write_glb(asset, ExportOptions(skeleton=which))["jane.glb"])
    nodes, (skin,) = glb.document["nodes"], glb.document["skins"]
    assert [nodes[n]["name"] for n in skin["joints"]] == ["head", "jaw", "eye_left", "eye_right"][
        :count
    ]
    assert glb.document["scenes"][0]["nodes"] == [0, skin["joints"][0]]
    inverse = glb.accessor(skin["inverseBindMatrices"]).reshape(-1, 4, 4)
    place = {}
    for number in skin["joints"]:
        above = [n for n in skin["joints"] if number in nodes[n].get("children", [])]
        place[number] = np.array(nodes[number]["translation"]) + (place[above[0]] if above else 0)
    for number, matrix in zip(skin["joints"], inverse, strict=True):
        np.testing.assert_allclose(matrix[3, :3], -place[number], atol=1e-7)
        np.testing.assert_array_equal(matrix[:3, :3], np.eye(3))
    shown = (asset.skeleton if which == "full" else asset.skeleton.head_only).weights
    weights = np.zeros((0, count))
    for primitive in glb.mesh["primitives"]:
        joints = glb.accessor(primitive["attributes"]["JOINTS_0"])
        values = glb.accessor(primitive["attributes"]["WEIGHTS_0"])
        np.testing.assert_allclose(values.sum(1), 1, atol=1e-6)
        assert (joints[values == 0] == 0).all()
        table = np.zeros((len(joints), count))
        np.add.at(table, (np.arange(len(joints))[:, None], joints.astype(int)), values)
        weights = np.concatenate([weights, table[glb.accessor(primitive["indices"])[:, 0]]])
    np.testing.assert_allclose(weights, asset_corners(asset, shown), atol=1e-6)


def test_a_recording_plays_on_shapes_and_the_head_joint(asset):
    options = ExportOptions(skeleton="head", animation=recording())
    glb = Glb(write_glb(asset, options)["jane.glb"])
    times, weights, node = animated(glb, "weights")
    np.testing.assert_allclose(times, np.arange(6) / 10, atol=1e-6)
    table = weights.reshape(6, 52)
    assert node == "jane"
    names = glb.mesh["extras"]["targetNames"]
    np.testing.assert_allclose(table[:, names.index("jawOpen")], [0, 0.25, 0.5, 0.75, 1, 1])
    np.testing.assert_allclose(table[:, names.index("eyeBlinkLeft")], 0.5)
    assert np.count_nonzero(table.any(0)) == 2
    _, turns, node = animated(glb, "rotation")
    assert node == "head"
    np.testing.assert_allclose(np.linalg.norm(turns, axis=1), 1, atol=1e-6)
    assert (np.einsum("ij,ij->i", turns[1:], turns[:-1]) > 0).all(), "the shorter way round"
    from scipy.spatial.transform import Rotation

    face = Rotation.from_quat(turns[1]).apply([0, 0, 1])
    assert face[0] > 0.5, "to the subject's left"
    assert face[1] > 0.03, "up"


def test_a_skinless_head_turns_about_its_neck(asset):
    glb = Glb(write_glb(asset, ExportOptions(animation=recording()))["jane.glb"])
    from scipy.spatial.transform import Rotation

    _, turns, _ = animated(glb, "rotation")
    _, moves, _ = animated(glb, "translation")
    neck = asset.skeleton.joints[0].position.copy()
    np.testing.assert_allclose(Rotation.from_quat(turns).apply(neck) + moves, [neck] * 6, atol=1e-6)


def test_khronos_validator(data, asset, tiny_asset, tmp_path):
    folder = Path(os.environ.get("HRN_NODE_MODULES", "node_modules")).absolute()
    if shutil.which("node") is None or not (folder / "gltf-validator").is_dir():
        pytest.skip(
            "needs node and 'npm install gltf-validator@2.0.0-dev.3.10'; "
            "HRN_NODE_MODULES names the folder node_modules"
        )
    moving = ExportOptions(skeleton="full", naming="unreal", animation=recording())
    skinless = ExportOptions(animation=recording())
    for content in (
        data,
        *write_glb(tiny_asset).values(),
        *write_glb(asset, moving).values(),
        *write_glb(asset, skinless).values(),
    ):
        (tmp_path / "head.glb").write_bytes(content)
        report = subprocess.run(
            ["node", "-e", VALIDATE, str(tmp_path / "head.glb")],
            cwd=folder.parent,
            capture_output=True,
            check=True,
            text=True,
        )
        issues = json.loads(report.stdout)["issues"]
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]
