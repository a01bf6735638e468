"""ICT's and FLAME's files, made up in their layouts, from ``models add`` to an exported head."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from hrn_studio import cli
from hrn_studio.face import ict
from hrn_studio.face.model import load_head

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def default():
    return load_head()


@pytest.fixture(scope="module")
def bare(default):
    """Skin and eyes of the default head in that order: vertices, triangles, ends of the parts."""
    parts = ("skin", "eye_left", "eye_right")
    kept = np.concatenate([np.unique(default.triangles[default.part_triangles(p)]) for p in parts])
    number = np.full(default.vertex_count, -1)
    number[kept] = np.arange(len(kept))
    triangles = number[default.triangles[default.part_triangles(*parts)]]
    ends = np.cumsum([len(np.unique(default.triangles[default.part_triangles(p)])) for p in parts])
    return kept, triangles, ends.tolist()


@pytest.fixture
def flame_file(default, bare, tmp_path):
    kept, triangles, (skin, left, right) = bare
    count = len(kept)
    mean = default.mean[kept].astype(np.float64)
    moves = np.concatenate([default.identity[:6, kept], 0.5 * default.expression[:2, kept]])
    jaw = default.expression[default.expression_names.index("jawOpen")][kept]
    opened = np.linalg.norm(jaw, axis=1)
    weights = np.zeros((count, 5))
    weights[:, 2] = np.clip(opened / opened.max(), 0, 1)
    weights[:, 1] = 1 - weights[:, 2]
    joints = np.zeros((5, count))
    joints[0, 0] = joints[1, 1] = 1
    joints[2, np.linalg.norm(mean[:skin] - [0, -0.02, 0.0], axis=1).argmin()] = 1
    for joint, span in ((3, slice(skin, left)), (4, slice(left, right))):
        weights[span] = np.eye(5)[joint]
        joints[joint, span] = 1 / (span.stop - span.start)
    path = tmp_path / "flame2023_Open.npz"
    np.savez(
        path,
        v_template=mean + np.array([0.01, 0.03, -0.02]),
        f=triangles.astype(np.uint32),
        shapedirs=np.moveaxis(moves, 0, 2),
        posedirs=np.zeros((count, 3, 36)),
        J_regressor=joints,
        weights=weights,
        kintree_table=np.array([[4294967295, 0, 1, 1, 1], [0, 1, 2, 3, 4]]),
    )
    return path


@pytest.fixture
def ict_folder(default, bare, tmp_path, monkeypatch):
    kept, triangles, (skin, left, right) = bare
    layout = ict.Layout(
        parts=(("skin", skin), ("eye_left", left), ("eye_right", right)), total=right
    )
    monkeypatch.setattr(ict.read_ict, "__defaults__", (layout,))
    home = tmp_path / "ICT-FaceKit" / "FaceXModel"
    home.mkdir(parents=True)
    neutral = 100 * default.mean[kept].astype(np.float64) + [0, 150, 3]  # centimetres
    corners = default.uv_triangles[default.part_triangles("skin", "eye_left", "eye_right")]
    pairs = np.stack([triangles, corners], axis=2).reshape(-1, 6) + 1
    places = "\n".join(f"vt {u:.6f} {v:.6f}" for u, v in default.uv)
    faces = "\n".join("f {}/{} {}/{} {}/{}".format(*row) for row in pairs.tolist())

    def write(name, vertices, tail=""):
        rows = "\n".join(f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in vertices)
        (home / f"{name}.obj").write_text(f"{rows}\n{tail}\n")

    write("generic_neutral_mesh", neutral, f"{places}\n{faces}")
    for number in range(4):
        write(f"identity{number:03d}", neutral + 100 * default.identity[number, kept])
    names = default.expression_names
    for file in ict.FILES:
        own = file.replace("_L", "Left").replace("_R", "Right")
        moved = default.expression[names.index(own)][kept] if own in names else 0.0
        write(file, neutral + 100 * moved)
    return home.parent


def gltf_of(path):
    content = path.read_bytes()
    (size,) = struct.unpack("<I", content[12:16])
    return json.loads(content[20 : 20 + size])


@pytest.mark.parametrize("name", ["flame", "ict"])
def test_a_users_head_is_fitted_and_exported(request, name, stills, tmp_path, default, bare):
    source = request.getfixturevalue({"flame": "flame_file", "ict": "ict_folder"}[name])
    assert cli.main(["models", "add", str(source)]) == 0
    assert cli.main(["models", "verify", name]) == 0
    out = tmp_path / "out"
    command = ["reconstruct", str(stills[0]), "-o", str(out), "--head", name]
    assert cli.main([*command, "--stage", "mid", "--texture", "1024"]) == 0
    gltf = gltf_of(out / "1_front.glb")
    targets = set(gltf["meshes"][0]["extras"]["targetNames"])
    assert targets >= set(default.expression_names) - {"tongueOut"}
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["head_model"]["name"].lower().startswith(name)
    lines = (out / "1_front.obj").read_text().splitlines()
    points = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], float)
    assert len(points) == len(bare[0])
    size = np.ptp(points, axis=0)
    truth = np.ptp(default.mean[bare[0]], axis=0)
    assert (np.abs(size / truth - 1) < 0.15).all()  # a head in metres
