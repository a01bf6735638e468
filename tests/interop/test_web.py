"""glTF by Khronos' validator and by three.js in Chromium."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from hrn_studio.export.gltf import write_glb
from hrn_studio.export.options import ExportOptions
from hrn_studio.export.presets import PRESETS

VALIDATE = """
const validator = require("gltf-validator");
const bytes = new Uint8Array(require("fs").readFileSync(process.argv[1]));
const options = { maxIssues: 0, severityOverrides: { ACCESSOR_INDEX_TRIANGLE_DEGENERATE: 0 } };
validator.validateBytes(bytes, options).then((report) => console.log(JSON.stringify(report)));
"""


@pytest.mark.parametrize("preset", [*PRESETS, None])
def test_khronos_validator(preset, node, exports, tools):
    """Also for presets that do not write one: whoever adds the format gets a clean file."""
    file = exports(preset, ("glb",)) / f"{'jane_dense' if preset == 'print' else 'jane'}.glb"
    report = json.loads(tools.run(["node", "-e", VALIDATE, file], cwd=node))
    issues = report["issues"]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]


@pytest.fixture(scope="module")
def compressed(asset, tmp_path_factory):
    """The head as it is and compressed."""
    folder = tmp_path_factory.mktemp("compressed")
    for how in ("none", "meshopt"):
        options = ExportOptions(skeleton="full", compress=how)
        (folder / f"{how}.glb").write_bytes(write_glb(asset, options)["jane.glb"])
    return folder


def test_khronos_validator_takes_a_compressed_head(node, compressed, tools):
    """It cannot look inside: that is said as a remark, neither an error nor a warning."""
    said = tools.run(["node", "-e", VALIDATE, compressed / "meshopt.glb"], cwd=node)
    issues = json.loads(said)["issues"]
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]
    assert [m["code"] for m in issues["messages"]] == ["UNSUPPORTED_EXTENSION"]


def test_three_unpacks_a_compressed_head(node, chromium, compressed, asset, tools):
    if not (node / "node_modules" / "three").is_dir():
        pytest.skip(f"three.js is not there; {tools.HOW}")
    script = compressed / "unpack_probe.mjs"  # modules are looked for beside the script
    script.write_text((tools.HERE / "unpack_probe.mjs").read_text())
    (compressed / "node_modules").symlink_to(node / "node_modules")
    said = tools.run(
        ["node", script, compressed / "none.glb", compressed / "meshopt.glb"],
        env={**os.environ, "HRN_CHROMIUM": str(chromium)},
    )
    found = json.loads(said)
    assert found["complaints"] == []
    assert len(found["meshes"]) == len({part.material for part in asset.parts})
    for mesh in found["meshes"]:
        assert mesh["shapes"] == len(asset.morphs)
        assert mesh["index"] == 0
        assert max(mesh["position"], mesh["shape position"]) < 1e-5
        assert mesh["uv"] < 1 / 2**15
        assert max(mesh["normal"], mesh["shape normal"]) < 1e-3


@pytest.fixture(scope="module")
def shown(node, chromium, exports, tools, tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    page = exports("web", ("html",)) / "jane.html"
    script = folder / "three_probe.mjs"  # modules are looked for beside the script
    script.write_text((tools.HERE / "three_probe.mjs").read_text())
    (folder / "node_modules").symlink_to(node / "node_modules")
    plan = json.dumps({**tools.VIEW, "weights": tools.WEIGHTS})
    said = tools.run(
        ["node", script, page, folder / "flat.png", plan],
        env={**os.environ, "HRN_CHROMIUM": str(chromium)},
    )
    return json.loads(said), np.asarray(Image.open(folder / "flat.png")), folder


def test_three_reads_shapes_maps_and_tangents(shown, asset):
    facts, _, _ = shown
    assert facts["shapes"] == [morph.name for morph in asset.morphs]
    assert facts["sliders"] == len(asset.morphs)
    assert all(mesh["targets"] == len(asset.morphs) for mesh in facts["meshes"])
    assert sum(mesh["maps"][1] for mesh in facts["meshes"]) == 1
    assert all(mesh["tangents"] == mesh["maps"][1] for mesh in facts["meshes"])


def test_the_page_asks_for_nothing_and_complains_of_nothing(shown):
    facts, _, _ = shown
    assert facts["asked"] == []
    assert [text for text in facts["complaints"] if "GPU stall" not in text] == []


def test_five_shapes_look_as_ours(shown, asset, tools):
    _, picture, folder = shown
    tools.agree(picture, tools.flat(asset, tools.WEIGHTS), "three.js", folder)
