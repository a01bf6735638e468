"""What other programs make of our files.

The programs are installed by ``bash packaging/test.sh --interop`` into a folder of their own,
``.interop`` in the checkout or ``HRN_INTEROP``; without them these tests are skipped.
"""

import importlib.util
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hrn_studio.export.asset import make_asset
from hrn_studio.export.formats import export
from hrn_studio.export.presets import PRESETS
from hrn_studio.face.model import load_head
from hrn_studio.geometry.raster import rasterize
from hrn_studio.geometry.transforms import apply
from hrn_studio.geometry.uv import sample
from hrn_studio.pipeline import finish
from hrn_studio.records import Camera

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("HRN_INTEROP", ROOT / ".interop"))
HERE = Path(__file__).parent
HOW = "'bash packaging/test.sh --interop' installs it"
MOLE_AT = np.array([0.032, -0.045, 0.02])
"""On the subject's left cheek, about."""
VIEW = {"eye": [0.0, -0.03, 0.75], "fov_deg": 24.0, "size": 240}
WEIGHTS = {
    "jawOpen": 0.6,
    "eyeBlinkLeft": 1.0,
    "mouthSmileRight": 0.7,
    "browInnerUp": 0.8,
    "cheekPuff": 0.5,
}


@pytest.fixture(scope="session")
def blender():
    """The Python that has Blender."""
    for python in (
        TOOLS / "python" / "bin" / "python",
        TOOLS / "python" / "Scripts" / "python.exe",
    ):
        if python.is_file():
            return python
    pytest.skip(f"Blender (the package bpy) is not there; {HOW}")


@pytest.fixture(scope="session")
def node():
    """The folder with node_modules; node itself is on the path."""
    if shutil.which("node") is None or not (TOOLS / "node_modules").is_dir():
        pytest.skip(f"node with gltf-validator and puppeteer-core is not there; {HOW}")
    return TOOLS


@pytest.fixture(scope="session")
def chromium():
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if found := os.environ.get("HRN_CHROMIUM") or shutil.which(name):
            return found
    pytest.skip(f"Chromium is not there; {HOW}")


@pytest.fixture(scope="session")
def head():
    return load_head()


@pytest.fixture(scope="session")
def person(head):
    """Somebody made up, with a mole on the left cheek, and a spike beside it."""
    spec = importlib.util.spec_from_file_location("made_up", ROOT / "tests/export/conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.made_up(head, size=512)
    skin = head.part_vertices("skin")
    spot = skin[np.linalg.norm(made.neutral[skin] - MOLE_AT, axis=1).argmin()]
    corner = np.flatnonzero(head.triangles.ravel() == spot)[0]
    u, v = head.uv[head.uv_triangles.ravel()[corner]]
    rows, columns = np.mgrid[:512, :512]
    mole = np.hypot(columns + 0.5 - 512 * u, rows + 0.5 - 512 * (1 - v)) < 9
    albedo = made.maps.albedo_srgb.copy()
    albedo[mole] = (40, 20, 15)
    neutral = made.neutral.copy()
    neutral[spot] += [0.004, 0, 0.004]
    return replace(made, neutral=neutral, maps=replace(made.maps, albedo_srgb=albedo))


@pytest.fixture(scope="session")
def asset(person, head):
    return make_asset(person, head, "jane")


@pytest.fixture(scope="session")
def exports(person, head, tmp_path_factory):
    """A folder for each preset, made when it is asked for."""
    made = {}

    def folder(preset, formats=None):
        key = (preset, formats)
        if key not in made:
            out = tmp_path_factory.mktemp(preset or "plain")
            finish(
                export(
                    person,
                    head,
                    out,
                    name="jane",
                    preset=PRESETS.get(preset),
                    formats=formats,
                    created="2026-01-01T00:00:00+00:00",
                )
            )
            made[key] = out
        return made[key]

    return folder


def flat(asset, weights, view=None):
    """(S, S, 4) the albedo without light, as our own rasteriser sees it; 3 x 3 samples a pixel."""
    view = view or VIEW
    side = 3
    size = side * view["size"]
    focal = 0.5 * size / np.tan(np.radians(view["fov_deg"]) / 2)
    camera = Camera(size, size, focal, (size / 2, size / 2))
    T = np.diag([1.0, -1.0, -1.0, 1.0])
    T[:3, 3] = -T[:3, :3] @ np.array(view["eye"])
    vertices = asset.vertices + sum(
        weights[m.arkit] * m.deltas for m in asset.morphs if m.arkit in weights
    )
    triangles = np.concatenate([part.triangles for part in asset.parts])
    corners = np.concatenate([part.uv_triangles for part in asset.parts])
    fragments = rasterize(apply(T, vertices), triangles, camera)
    seen = fragments.covered
    uv = np.einsum(
        "pc,pcx->px", fragments.barycentric[seen], asset.uv[corners[fragments.triangle[seen]]]
    )
    picture = np.zeros((size, size, 4))
    colors = sample(asset.textures["albedo"].pixels.astype(np.float32), uv)
    picture[seen, :3] = (colors / 255) ** 2.2
    picture[seen, 3] = 1
    blocks = picture.reshape(view["size"], side, view["size"], side, 4).mean((1, 3))
    blocks[..., :3] /= np.maximum(blocks[..., 3:], 1e-6)
    blocks[..., :3] **= 1 / 2.2
    return np.rint(255 * blocks).astype(np.uint8)


def agree(theirs, ours, name, folder):
    """Silhouette, colours and the mole are where ours are; pictures are left in ``folder``."""
    Image.fromarray(np.concatenate([theirs, ours], 1)).save(folder / f"{name}_and_ours.png")
    a, b = theirs[..., 3] > 127, ours[..., 3] > 127
    assert (a & b).sum() / (a | b).sum() > 0.99, f"{name}: the outline differs"
    inside = a & b
    for _ in range(2):  # edges are sampled differently
        inside = (
            inside
            & np.roll(inside, 1, 0)
            & np.roll(inside, -1, 0)
            & np.roll(inside, 1, 1)
            & np.roll(inside, -1, 1)
        )
    difference = np.abs(theirs[..., :3].astype(int) - ours[..., :3])[inside].max(1)
    assert np.median(difference) <= 4, f"{name}: colours differ by {np.median(difference)}"
    assert np.percentile(difference, 97) < 25, f"{name}: {np.percentile(difference, 97)}"
    spots = [np.argwhere(inside & (p[..., :3].sum(2) < 250)) for p in (theirs, ours)]
    assert len(spots[1]) > 5
    centers = [s.mean(0) for s in spots]
    assert centers[1][1] > VIEW["size"] / 2 + 5, "our own mole is not on the subject's left"
    assert np.linalg.norm(centers[0] - centers[1]) < 1.5, f"{name}: the mole is elsewhere"


def run(command, **options):
    """A program's answer; its complaint when it fails."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=400, **options
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    return done.stdout


def probe(blender, file, folder, weights=None, units=1):
    """What Blender makes of a file: facts, arrays, and a picture.

    ``units`` is how many of Blender's metres one of ours has become.
    """
    eye = [units * x for x in VIEW["eye"]]
    plan = {**VIEW, "eye": eye, "weights": weights or {}}
    run([blender, HERE / "blender_probe.py", file, folder, json.dumps(plan)])
    facts = json.loads((folder / "found.json").read_text())
    with np.load(folder / "found.npz") as arrays:
        return facts, dict(arrays), np.asarray(Image.open(folder / "flat.png"))


@pytest.fixture(scope="session")
def tools():
    """This module: what the tests share."""
    import sys

    return sys.modules[__name__]
