"""From picture files to a folder: what is written, what is left out, what is refused."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from PIL import Image, ImageDraw

from hrn_studio import pipeline
from hrn_studio.errors import ImageError, NoFaceError, UsageError
from hrn_studio.live.estimator import StudioEstimator
from hrn_studio.live.network import load_network
from hrn_studio.live.pictures import read_pictures
from hrn_studio.pipeline import Options, finish, make_shot, reconstruct, reconstruct_files
from hrn_studio.records import Frame, Progress


def gltf_of(path):
    data = path.read_bytes()
    magic, version, size = struct.unpack("<4sII", data[:12])
    assert (magic, version, size) == (b"glTF", 2, len(data))
    return json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])


@pytest.fixture(scope="module")
def folder(models, stills, tmp_path_factory):
    """A finished head of three bundled pictures."""
    out = tmp_path_factory.mktemp("done") / "out"
    written = reconstruct_files(
        stills[:3], out, "demo head", Options(texture_px=1024), models=models
    )
    assert written == out
    return out


def test_everything_is_there(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("demo_head.obj", "demo_head.mtl", "demo_head_neutral.obj", "demo_head.glb"),
        *(
            f"demo_head_{role}.png"
            for role in (
                *("albedo", "normal", "displacement", "confidence", "deformation"),
                *("orm", "masks"),
            )
        ),
        "preview.png",
        "shapes.png",
        "manifest.json",
        "demo_head.head.npz",
    }
    assert not list(folder.parent.glob(".*")), "nothing is left beside it"


def test_the_manifest_tells_the_truth(folder, stills):
    manifest = json.loads((folder / "manifest.json").read_text())
    for entry in manifest["files"]:
        content = (folder / entry["name"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["bytes"] == len(content)
    listed = {entry["name"] for entry in manifest["files"]}
    assert listed == {path.name for path in folder.iterdir()} - {"manifest.json"}
    assert [frame["name"] for frame in manifest["frames"]] == [p.name for p in stills[:3]]
    assert all(frame["used"] for frame in manifest["frames"])
    assert manifest["units"] == "metres"
    assert manifest["scale"]["source"] in ("iris", "population_mean")
    assert manifest["options"]["texture_px"] == 1024
    assert 0.055 < manifest["geometry"]["eye_distance_m"] < 0.072
    cameras = [view["camera"] for view in manifest["views"]]
    assert len({(c["focal_px"], c["source"]) for c in cameras}) == 1
    assert {"coarse", "mid", "texture"} <= set(manifest["timings_s"])


def test_engines_find_all_shapes(folder):
    gltf = gltf_of(folder / "demo_head.glb")
    skin = max(gltf["meshes"], key=lambda mesh: len(mesh["primitives"][0].get("targets", ())))
    assert len(skin["primitives"][0]["targets"]) == 52
    assert len(skin["extras"]["targetNames"]) == 52
    assert gltf["images"]


def test_the_mesh_is_a_head_in_metres(folder):
    captured, neutral = (
        trimesh.load(folder / f"demo_head{kind}.obj", force="mesh", process=False)
        for kind in ("", "_neutral")
    )
    assert captured.faces.shape == neutral.faces.shape
    wide, tall, deep = neutral.extents
    assert 0.13 < wide < 0.24
    assert 0.2 < tall < 0.4
    assert 0.15 < deep < 0.3


def test_the_maps_have_the_size_asked_for(folder):
    for role, mode in (("albedo", "RGB"), ("normal", "RGB"), ("displacement", "I;16")):
        with Image.open(folder / f"demo_head_{role}.png") as picture:
            assert picture.size == (1024, 1024)
            assert picture.mode == mode
    with Image.open(folder / "preview.png") as preview:
        assert preview.width > 1500


def test_the_head_lies_on_the_truth(models, stills, resources):
    """The bundled stills are renders: their cameras and poses are known."""
    truth = json.loads((resources / "demo" / "demo.json").read_text())["stills"][0]
    shot = make_shot(models, read_pictures(stills[:1]).frames[0], Options())
    from hrn_studio.detail.coarse import CoarseSettings, solve_coarse
    from hrn_studio.face.solver import LandmarkSolver

    solver = LandmarkSolver(models.head, models.embedding)
    found = solve_coarse(models.head, solver, [shot], CoarseSettings()).states[0]
    R, true = found.T_camera_head[:3, :3], np.array(truth["T_camera_head"])[:3, :3]
    assert np.degrees(np.arccos((np.trace(R.T @ true) - 1) / 2)) < 6


# --- reading ---


@pytest.fixture
def still(stills):
    with Image.open(stills[0]) as image:
        return image.convert("RGB")


def grey16(image, path):
    deep = np.asarray(image.convert("L"), np.uint16) * 257
    Image.fromarray(deep).save(path)


def turned(image, path):
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif, quality=95)


def see_through(image, path):
    layered = image.convert("RGBA")
    alpha = Image.new("L", image.size, 0)
    ImageDraw.Draw(alpha).rectangle([30, 0, image.width, image.height], fill=255)
    layered.putalpha(alpha)
    layered.save(path)


KINDS = {
    "deep.png": grey16,
    "grey.jpg": lambda image, path: image.convert("L").save(path, quality=95),
    "ink.jpg": lambda image, path: image.convert("CMYK").save(path, quality=95),
    "alpha.png": see_through,
    "turned.jpg": turned,
    "few.gif": lambda image, path: image.convert("P", palette=Image.Palette.ADAPTIVE).save(path),
    "web.webp": lambda image, path: image.save(path, quality=95),
}


@pytest.mark.parametrize("kind", KINDS)
def test_other_kinds_of_files_show_the_same_face(models, still, tmp_path, kind):
    KINDS[kind](still, tmp_path / kind)
    plain = make_shot(models, Frame(np.asarray(still)), Options())
    shot = make_shot(models, read_pictures([tmp_path / kind]).frames[0], Options())
    assert (shot.frame.width, shot.frame.height) == still.size
    off = np.linalg.norm(shot.track.points_px - plain.track.points_px, axis=1)
    assert np.median(off) < 0.015 * plain.track.size_px
    assert np.isfinite(shot.estimate.identity).all()


def test_huge_pictures_are_scaled_down_and_it_is_said(models, still, tmp_path):
    wide = Image.new("L", (20_000, 1400), 90)
    tall = round(1400 * still.width / still.height)
    wide.paste(still.convert("L").resize((tall, 1400)), (9000, 0))
    wide.save(tmp_path / "wide.png", compress_level=1)
    shot = make_shot(models, read_pictures([tmp_path / "wide.png"]).frames[0], Options())
    assert shot.frame.width == 5000
    assert any("scaled" in note for note in shot.frame.notes)


# --- what is left out, and what is said ---


def test_bad_pictures_among_good_ones_are_left_out(models, stills, tmp_path):
    (tmp_path / "note.jpg").write_text("not a picture")
    Image.new("RGB", (300, 300), (40, 60, 80)).save(tmp_path / "wall.png")
    pictures = read_pictures([tmp_path / "note.jpg", stills[0], tmp_path / "wall.png"])
    done = finish(reconstruct(models, pictures, Options(stage="coarse", texture_px=256)))
    assert [(r.name, r.used) for r in done.reports] == [
        (stills[0].name, True),
        ("note.jpg", False),
        ("wall.png", False),
    ]
    assert "not a picture" in done.reports[1].reason
    assert "no face" in done.reports[2].reason


def test_when_none_is_left_each_reason_is_given(models, tmp_path):
    (tmp_path / "note.jpg").write_text("not a picture")
    Image.new("RGB", (300, 300), (40, 60, 80)).save(tmp_path / "wall.png")
    with pytest.raises(NoFaceError, match=r"^none of the 2 .*not a picture.*no face was found"):
        finish(reconstruct(models, read_pictures([tmp_path / "note.jpg", tmp_path / "wall.png"])))
    with pytest.raises(ImageError, match=r"^none of the 2 pictures .*\(1\).*\(2\)"):
        read_pictures([tmp_path / "note.jpg", tmp_path / "gone.jpg"])
    with pytest.raises(ImageError, match=r"^'.*gone\.jpg' does not exist"):
        read_pictures([tmp_path / "gone.jpg"])


def test_pictures_of_the_same_name_are_told_apart(tmp_path, still):
    for place in ("monday", "tuesday"):
        (tmp_path / place).mkdir()
        still.save(tmp_path / place / "me.jpg")
    still.save(tmp_path / "other.jpg")
    files = [tmp_path / p for p in ("monday/me.jpg", "tuesday/me.jpg", "other.jpg")]
    names = [f.name for f in read_pictures([*files, files[0]]).frames]
    assert names == ["monday/me.jpg", "tuesday/me.jpg", "other.jpg", "monday/me.jpg (2)"]


def test_nothing_given(models, tmp_path):
    with pytest.raises(UsageError, match="no picture"):
        reconstruct_files([], tmp_path / "out", models=models)
    assert not (tmp_path / "out").exists()


def test_cuda_is_refused_where_there_is_none(models, stills, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    task = reconstruct(models, read_pictures(stills[:1]), Options(device="cuda"))
    with pytest.raises(UsageError, match="no CUDA device"):
        next(task)
    assert isinstance(next(reconstruct(models, read_pictures(stills[:1]))), Progress)


def test_the_fraction_of_the_whole_only_grows(models, stills, result, monkeypatch, tmp_path):
    def fitted(*_args):
        yield Progress("track", 0.0)
        yield Progress("texture", 1.0)
        return result

    monkeypatch.setattr(pipeline, "reconstruct", fitted)
    task = pipeline.reconstruct_to(models, stills[:1], tmp_path / "out", alone=False)
    steps = []
    while True:
        try:
            steps.append(next(task))
        except StopIteration as stop:
            saved = stop.value
            break
    assert (np.diff([s.fraction for s in steps]) >= 0).all()
    assert steps[-1].fraction == pytest.approx(1.0)
    assert saved.name == stills[0].stem
    assert (saved.folder / f"{saved.name}_preview.png").is_file()
    assert (saved.folder / f"{saved.name}_manifest.json").is_file()


def test_closing_midway_leaves_nothing(models, stills, result, monkeypatch, tmp_path):
    def fitted(*_args):
        yield Progress("texture", 1.0)
        return result

    monkeypatch.setattr(pipeline, "reconstruct", fitted)
    for steps in (1, 4, 9):
        task = pipeline.reconstruct_to(models, stills[:1], tmp_path / "out")
        for _ in range(steps):
            next(task)
        task.close()
        assert [p for p in tmp_path.iterdir() if not p.name.startswith("user-")] == []


def test_notes_on_a_used_picture_are_kept(models, stills):
    frame = read_pictures(stills[:1]).frames[0]
    noted = replace(frame, notes=("turned upright",))
    done = finish(reconstruct(models, [noted], Options(stage="coarse", texture_px=256)))
    assert done.reports[0].used
    assert "turned upright" in done.reports[0].reason


def test_without_the_network_people_are_not_told_apart_and_it_is_said(models, stills, monkeypatch):
    missing = "the face network is missing; install HRN Studio again"
    monkeypatch.setattr(pipeline, "network_reason", lambda: missing)
    assert pipeline._likeness() is None
    alone = replace(models, likeness=None)
    options = Options(stage="coarse", texture_px=1024)
    done = finish(reconstruct(alone, read_pictures(stills[:2]), options))
    assert sum(report.used for report in done.reports) == 2
    assert any("was not checked" in note and missing in note for note in done.notes)


def test_a_shot_carries_what_the_network_sees(models, stills):
    frame = read_pictures(stills[:1]).frames[0]
    assert make_shot(models, frame, Options()).dense is None
    network = load_network()
    seeing = StudioEstimator(models.estimator.maps, network)
    shot = make_shot(replace(models, estimator=seeing), frame, Options())
    assert shot.dense is not None
    np.testing.assert_array_equal(shot.dense.vertices, network.vertices)
    assert shot.dense.points_px.shape == (len(network.vertices), 2)
