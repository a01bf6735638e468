"""The whole export: files, manifest, and nothing half-written."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from hrn_studio.errors import ExportError, UsageError
from hrn_studio.export.asset import make_asset
from hrn_studio.export.formats import FORMATS, export
from hrn_studio.geometry.uv import texel_map


def run(*args, **kwargs):
    """The folder and the progress of an export."""
    steps = []
    task = export(*args, **kwargs)
    while True:
        try:
            steps.append(next(task))
        except StopIteration as stop:
            return stop.value, steps


@pytest.fixture(scope="module")
def folder(tiny, tiny_person, tmp_path_factory):
    target = tmp_path_factory.mktemp("export") / "out"
    extra = {"preview.png": b"picture"}
    written, _ = run(
        tiny_person,
        tiny,
        target,
        name="Jane Doe",
        extra=extra,
        options={"texture": 64, "stage": "fine"},
        created="2026-01-01T00:00:00+00:00",
    )
    assert written == target
    return written


@pytest.fixture(scope="module")
def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


def test_the_folder_holds_what_was_promised(folder):
    names = {path.name for path in folder.iterdir()}
    maps = ("albedo", "normal", "displacement", "confidence", "deformation", "orm", "masks")
    assert names == {
        *("Jane_Doe.obj", "Jane_Doe.mtl", "Jane_Doe_neutral.obj", "Jane_Doe.glb"),
        *(f"Jane_Doe_{role}.png" for role in maps),
        *("preview.png", "shapes.png", "manifest.json"),
    }


def test_the_manifest_lists_every_other_file(folder, manifest):
    listed = {entry["name"]: entry for entry in manifest["files"]}
    assert set(listed) == {p.name for p in folder.iterdir()} - {"manifest.json"}
    for name, entry in listed.items():
        content = (folder / name).read_bytes()
        assert entry["bytes"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()


def test_the_manifest_says_how_to_use_the_files(manifest, tiny, tiny_person):
    assert manifest["units"] == "metres"
    assert manifest["scale"] == {"source": "iris", "value": 1.0}
    assert manifest["morphs"]["names"] == list(tiny.expression_names)
    assert len(manifest["morphs"]["missing_arkit"]) == 52 - 5
    assert [frame["used"] for frame in manifest["frames"]] == [True, False]
    assert manifest["frames"][1]["note"] == "no face"
    assert manifest["views"][0]["camera"]["hfov_deg"] == 60
    assert manifest["views"][0]["head_pose"]["yaw_deg"] == pytest.approx(np.degrees(0.2), rel=1e-4)
    assert manifest["timings_s"] == {"coarse": 1.235, "mid": 2.0}
    assert manifest["options"] == {"texture": 64, "stage": "fine"}
    assert {"hrn-studio", "python", "numpy"} <= set(manifest["versions"])
    assert any(entry["licence"] == "CC0-1.0" for entry in manifest["licences"])
    size = np.ptp(tiny_person.neutral, axis=0)
    np.testing.assert_allclose(manifest["geometry"]["bounds_m"]["size"], size, rtol=1e-4)
    assert 0.055 < manifest["geometry"]["eye_distance_m"] < 0.072


@pytest.mark.parametrize("role", ["displacement", "deformation"])
def test_lengths_can_be_read_back_from_the_manifest_alone(
    folder, manifest, tiny, tiny_person, role
):
    import cv2

    entry = manifest["maps"][role]
    image = cv2.imread(str(folder / entry["file"]), cv2.IMREAD_UNCHANGED)
    code = image[..., ::-1] if image.ndim == 3 else image
    assert entry["bits"] == 16
    metres = (code / 65535 - entry["mid_level"]) * entry["scale_m"]
    truth = getattr(tiny_person.maps, role)
    shown = np.ones(truth.shape[:2], bool)
    if role == "displacement":  # around its islands the map is carried on
        shown = texel_map(tiny.uv, tiny.uv_triangles, len(truth)).covered
    np.testing.assert_allclose(metres[shown], truth[shown], atol=entry["scale_m"] / 65535)


def test_the_albedo_is_the_map(folder, tiny_person):
    image = np.asarray(Image.open(folder / "Jane_Doe_albedo.png"))
    np.testing.assert_array_equal(image, tiny_person.maps.albedo_srgb)


def test_the_same_input_gives_the_same_folder(folder, tiny, tiny_person, tmp_path):
    again, steps = run(
        tiny_person,
        tiny,
        tmp_path / "again",
        name="Jane Doe",
        extra={"preview.png": b"picture"},
        options={"texture": 64, "stage": "fine"},
        created="2026-01-01T00:00:00+00:00",
    )
    for path in folder.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name
    fractions = [step.fraction for step in steps]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)


def test_two_heads_share_a_folder(tiny, tiny_person, tmp_path):
    for name in ("a", "b"):
        run(tiny_person, tiny, tmp_path, name=name, manifest_name=f"{name}_manifest.json")
    names = {path.name for path in tmp_path.iterdir()}
    assert {"a.glb", "b.glb", "a_manifest.json", "b_manifest.json"} <= names


def test_cancelled_anywhere_it_changes_nothing(tiny, tiny_person, tmp_path):
    run(tiny_person, tiny, tmp_path / "out", name="a", created="first")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    _, steps = run(tiny_person, tiny, tmp_path / "other", name="a")
    for stop in range(1, len(steps)):
        task = export(tiny_person, tiny, tmp_path / "out", name="a", created="second")
        for _ in range(stop):
            next(task)
        task.close()
        after = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
        assert after == before


def test_only_some_formats(tiny, tiny_person, tmp_path):
    run(tiny_person, tiny, tmp_path / "out", name="a", formats=["glb"])
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "a.glb",
        "manifest.json",
        "shapes.png",
    }


def test_an_unknown_format_is_refused_before_anything_is_made(tiny, tiny_person, tmp_path):
    with pytest.raises(UsageError, match=f"'vrml'; there are {', '.join(FORMATS)}"):
        run(tiny_person, tiny, tmp_path / "out", name="a", formats=["glb", "vrml"])
    assert not (tmp_path / "out").exists()


def test_broken_numbers_are_refused(tiny, tiny_person, tmp_path):
    import dataclasses

    vertices = tiny_person.neutral.copy()
    vertices[3, 1] = np.nan
    broken = dataclasses.replace(tiny_person, neutral=vertices)
    with pytest.raises(ExportError, match="fit it again"):
        make_asset(broken, tiny, "a")
