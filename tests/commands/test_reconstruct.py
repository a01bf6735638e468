"""``hrn-studio reconstruct`` as its user meets it: exit codes, sentences, what is on the disk."""

from __future__ import annotations

import errno
import json
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from hrn_studio import cli, paths, pipeline, preview
from hrn_studio.export import folder as disk
from hrn_studio.geometry.transforms import rigid, rotation_from_angles
from hrn_studio.records import Camera, Progress

QUICK = ("--stage", "coarse", "--texture", "1024")


class Kept(pipeline.Models):
    """Models that outlive the command."""

    def close(self):
        pass


@pytest.fixture
def loaded(models, monkeypatch):
    """The command uses the models that are there."""
    kept = Kept(models.head, models.embedding, models.estimator, models.tracker)
    monkeypatch.setattr(pipeline.Models, "load", classmethod(lambda cls, *_: kept))
    monkeypatch.setattr(preview, "preview_png", lambda *_: b"preview")


@pytest.fixture
def fitted(loaded, result, monkeypatch):
    """... and the fit is done already: pictures are read, and that is all."""

    def reconstruct(models, pictures, options=None):
        yield Progress("track", 0.0)
        yield Progress("coarse", 0.3, "first")
        yield Progress("coarse", 0.4, "second")
        yield Progress("texture", 0.9)
        return result

    monkeypatch.setattr(pipeline, "reconstruct", reconstruct)


@pytest.fixture
def run(tmp_path, capfd, monkeypatch):
    """Runs the command into ``out``: code, stdout, lines on stderr that are no progress."""

    def call(*args, out="out"):
        capfd.readouterr()
        target = tmp_path / out
        code = cli.main(["reconstruct", *map(str, args), "-o", str(target)])
        said = capfd.readouterr()
        lines = [line for line in said.err.splitlines() if line.startswith("hrn-studio: ")]
        return code, said.out, lines

    return call


def left(tmp_path):
    """What is on the disk that was not there before."""
    return sorted(p.name for p in tmp_path.iterdir() if p.name.startswith((".", "out")))


# --- pictures that cannot be used ---


def drawn(size=400):
    image = Image.new("RGB", (size, size), (235, 240, 250))
    draw = ImageDraw.Draw(image)
    draw.ellipse([90, 60, 310, 350], fill=(250, 215, 180), outline=(0, 0, 0), width=4)
    for x in (155, 245):
        draw.ellipse([x - 24, 160, x + 24, 190], fill=(255, 255, 255), outline=(0, 0, 0), width=3)
        draw.ellipse([x - 9, 166, x + 9, 184], fill=(60, 40, 20))
        draw.arc([x - 30, 130, x + 30, 160], 200, 340, fill=(60, 40, 20), width=6)
    draw.line([200, 190, 190, 245, 208, 248], fill=(120, 80, 60), width=4)
    draw.chord([150, 270, 250, 315], 0, 180, fill=(200, 60, 70), outline=(0, 0, 0))
    return image


@pytest.fixture(scope="session")
def stage(models):
    from hrn_studio.training.stage import make_stage

    return make_stage(models.head, columns=256)


@pytest.fixture(scope="session")
def portrait(stage):
    """A render of an invented person at any pose and with any expression."""
    from hrn_studio.training.render import draw_person, picture

    def take(yaw_deg=0.0, expression=None, seed=5, size=480):
        rng = np.random.default_rng(seed)
        zero = stage.head.zero()
        posed = replace(zero, expression=stage.head.weights(expression or {}))
        T = rigid(rotation_from_angles(np.radians(yaw_deg), 0, 0), np.array([0, 0.02, 0.6]))
        camera = Camera(size, size, 1.5 * size, (size / 2, size / 2))
        person = draw_person(rng, stage)
        shown = picture(stage, rng, person, posed, T, camera, flaws=0.0, detail=1.0)
        return Image.fromarray(np.asarray(shown.image))

    return take


def half_covered(image):
    covered = image.copy()
    ImageDraw.Draw(covered).rectangle(
        [0, image.height * 0.42, image.width, image.height], fill=(90, 120, 150)
    )
    return covered


@pytest.fixture
def bad(tmp_path, stills, request, portrait):
    """A picture that cannot be used, by kind."""
    kind, path = request.param, tmp_path / "bad.jpg"
    if kind == "text":
        path.write_text("hello")
    elif kind == "empty":
        path.touch()
    elif kind == "truncated":
        content = stills[0].read_bytes()
        path.write_bytes(content[: len(content) // 2])
    elif kind == "folder":
        path.mkdir()
    elif kind == "tiny":
        Image.new("RGB", (20, 20)).save(path)
    elif kind == "small face":
        with Image.open(stills[0]) as image:
            scene = Image.new("RGB", (600, 400), (90, 100, 110))
            scene.paste(image.convert("RGB").resize((108, 60)), (250, 150))
            scene.save(path)
    elif kind == "no face":
        Image.new("RGB", (400, 300), (120, 130, 90)).save(path)
    elif kind == "drawing":
        drawn().save(path)
    elif kind == "profile":
        portrait(yaw_deg=80).save(path)
    elif kind == "covered":
        half_covered(portrait()).save(path)
    return path


WORDS = {
    "missing": "does not exist",
    "text": "not a picture",
    "empty": "is empty",
    "truncated": "damaged or cut short",
    "folder": "is a folder",
    "tiny": "pixels",
    "small face": "no face was found|only .* px large",
    "no face": "no face was found",
    "drawing": "no face was found|drawing|drawn|covered",
    "profile": "no face was found|turned .* degrees",
    "covered": "no face was found|covered|hidden",
}


@pytest.mark.parametrize(("bad", "words"), WORDS.items(), indirect=["bad"])
def test_what_cannot_be_used_is_refused_in_one_sentence(loaded, run, tmp_path, bad, words):
    code, out, lines = run(bad, *QUICK)
    assert code == 2
    assert out == ""
    assert len(lines) == 1
    assert "bad.jpg" in lines[0]
    assert re.search(words, lines[0])
    assert left(tmp_path) == []


def test_closed_eyes_are_said_and_fitted(loaded, run, tmp_path, portrait):
    shut = {"eyeBlinkLeft": 1.0, "eyeBlinkRight": 1.0}
    portrait(expression=shut).save(tmp_path / "asleep.png")
    code, out, lines = run(tmp_path / "asleep.png", *QUICK)
    assert (code, lines) == (0, [])
    assert "asleep.png: the eyes are closed" in out


def test_in_a_batch_the_others_go_on(loaded, run, tmp_path, stills):
    (tmp_path / "note.jpg").write_text("hello")
    drawn().save(tmp_path / "drawn.png")
    code, out, lines = run(
        tmp_path / "note.jpg", stills[0], tmp_path / "drawn.png", "--each", *QUICK
    )
    assert code == 1
    assert out.splitlines()[0] == f"1_front: {tmp_path / 'out' / '1_front.glb'}"
    assert "note.jpg" in lines[0]
    assert "not a picture" in lines[0]
    assert "drawn.png" in lines[1]
    assert lines[2] == "hrn-studio: heads made: 1; pictures that failed: 2"
    written = {p.name for p in (tmp_path / "out").iterdir()}
    assert {"1_front.glb", "1_front_manifest.json", "1_front_preview.png"} <= written
    assert all(name.startswith("1_front") for name in written)


def test_a_batch_without_a_head(loaded, run, tmp_path):
    drawn().save(tmp_path / "a.png")
    code, out, lines = run(tmp_path / "a.png", tmp_path / "gone.png", "--each", *QUICK)
    assert (code, out) == (2, "")
    assert "gone.png' does not exist" in lines[1]
    assert "no head could be made" in lines[-1]
    assert left(tmp_path) == []


def test_bad_pictures_among_those_of_one_person_are_named(loaded, run, tmp_path, stills):
    code, _, lines = run(stills[0], tmp_path / "gone.png", *QUICK)
    assert code == 0
    assert lines == [
        f"hrn-studio: left out gone.png: '{tmp_path / 'gone.png'}' does not exist; "
        "check the name and the folder"
    ]


# --- folders and files that cannot be used ---


def test_a_file_in_the_folders_place(loaded, run, tmp_path, stills):
    (tmp_path / "out").write_text("mine")
    code, _, lines = run(stills[0], *QUICK)
    assert (code, len(lines)) == (2, 1)
    assert "in the way; choose another folder" in lines[0]
    assert (tmp_path / "out").read_text() == "mine"


def test_a_full_disk(fitted, run, tmp_path, stills, monkeypatch):
    write, space = disk._write, [3]

    def fill(path, content):
        space[0] -= 1
        if space[0] < 0:
            raise OSError(errno.ENOSPC, "no space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(disk, "_write", fill)
    code, out, lines = run(stills[0], *QUICK)
    assert (code, out, len(lines)) == (2, "", 1)
    assert "the disk is full" in lines[0]
    assert left(tmp_path) == []


PARTS = ("head.npz", "landmarks.npz", "regression.npz", "expressions.npz")
"""What a fit reads first."""


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("harm", ["cut", "gone", "other"])
def test_a_damaged_file_of_the_program(run, tmp_path, resources, stills, monkeypatch, name, harm):
    copy = tmp_path / "resources"
    copy.mkdir()
    for file in PARTS:
        shutil.copyfile(resources / file, copy / file)
    target = copy / name
    if harm == "cut":
        target.write_bytes(target.read_bytes()[: target.stat().st_size // 2])
    elif harm == "gone":
        target.unlink()
    else:
        np.savez(target, version=999, counts=np.array([1, 1]))
    monkeypatch.setattr(paths, "resources", lambda: copy)
    code, out, lines = run(stills[0])
    assert (code, out, len(lines)) == (2, "", 1)
    assert name in lines[0]
    assert "install HRN Studio again" in lines[0]
    assert left(tmp_path) == []


def test_maps_for_other_features_are_refused(run, tmp_path, resources, stills, monkeypatch):
    copy = tmp_path / "resources"
    copy.mkdir()
    for file in ("head.npz", "landmarks.npz"):
        shutil.copyfile(resources / file, copy / file)
    with np.load(resources / "regression.npz") as archive:
        arrays = {key: archive[key] for key in archive.files}
    for key in ("mean", "deviation", "weights"):
        arrays[key] = arrays[key][:-1]
    np.savez(copy / "regression.npz", **arrays)
    monkeypatch.setattr(paths, "resources", lambda: copy)
    code, _, lines = run(stills[0])
    assert (code, len(lines)) == (2, 1)
    assert "another version" in lines[0]


# --- stopping ---


def test_stopping_while_fitting(loaded, run, tmp_path, stills, monkeypatch):
    def interrupted(*_args):
        yield Progress("track", 0.0)
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "reconstruct", interrupted)
    code, out, lines = run(stills[0])
    assert (code, out) == (130, "")
    assert lines == ["hrn-studio: stopped; nothing was written"]
    assert left(tmp_path) == []


def test_stopping_while_writing(fitted, run, tmp_path, stills, monkeypatch):
    write, count = disk._write, [4]

    def interrupted(path, content):
        count[0] -= 1
        if count[0] < 0:
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(disk, "_write", interrupted)
    code, out, lines = run(stills[0])
    assert (code, out) == (130, "")
    assert lines == ["hrn-studio: stopped; nothing was written"]
    assert left(tmp_path) == []


def test_stopping_a_batch_tells_what_is_there(fitted, run, tmp_path, stills, monkeypatch):
    export, calls = pipeline.write_head, []

    def second_is_stopped(*args, **options):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return export(*args, **options)

    monkeypatch.setattr(pipeline, "write_head", second_is_stopped)
    code, out, lines = run(*stills[:3], "--each")
    assert code == 130
    assert out.startswith("1_front: ")
    assert lines == ["hrn-studio: stopped; the heads above were written"]
    assert (tmp_path / "out" / "1_front.glb").is_file()
    assert not list((tmp_path / "out").glob("2_left*"))


# --- what is printed ---


def test_json_is_all_there_is_on_stdout(fitted, run, tmp_path, stills):
    code, out, _ = run(stills[0], "--json", "--name", "Jane Doe")
    assert code == 0
    (head,) = json.loads(out)["heads"]
    assert (head["name"], head["folder"]) == ("Jane_Doe", str(tmp_path / "out"))
    assert head["pictures_used"][0]["picture"] == stills[0].name
    assert (tmp_path / "out" / "Jane_Doe.glb").is_file()


def test_json_tells_failures_too(loaded, run, tmp_path):
    code, out, lines = run(tmp_path / "gone.png", "--json")
    assert (code, len(lines)) == (2, 1)
    told = json.loads(out)
    assert told["heads"] == []
    assert "does not exist" in told["failed"][0]["reason"]
    code, out, _ = run(tmp_path / "gone.png", tmp_path / "too.png", "--json", "--each")
    assert code == 2
    assert len(json.loads(out)["failed"]) == 2


def test_progress_is_a_line_for_each_stage(fitted, tmp_path, stills, capfd):
    assert cli.main(["reconstruct", str(stills[0]), "-o", str(tmp_path / "out")]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert lines == [f"1_front: {stage}" for stage in ("track", "coarse", "texture", "export")]


def test_a_terminal_gets_a_bar(fitted, tmp_path, stills, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert cli.main(["reconstruct", str(stills[0]), "-o", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert "\n" not in said
    assert "█" in said
    assert said.endswith("\r\x1b[K")


def test_pictures_of_the_same_name_make_two_heads(fitted, run, tmp_path, stills):
    for place, name in (("a", "me.jpg"), ("b", "me.jpg"), ("c", "ME.png")):
        (tmp_path / place).mkdir()
        shutil.copy(stills[0], tmp_path / place / name)
    given = [tmp_path / p for p in ("a/me.jpg", "b/me.jpg", "c/ME.png")]
    code, out, _ = run(*given, "--each")
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines() if ".glb" in line] == [
        *("me", "me_2", "ME_3"),
    ]


def test_no_cuda_is_said_and_auto_does_without(loaded, run, tmp_path, stills, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code, _, lines = run(stills[0], "--device", "cuda", *QUICK)
    assert (code, len(lines)) == (2, 1)
    assert "no CUDA device" in lines[0]
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--hfov", "0"], "--hfov 0 is no camera's view"),
        (["--hfov", "nan"], "--hfov nan is no camera's view"),
        (["--eye-distance", "6"], "--eye-distance 6 is no person's"),
        (["--sharpen", "2"], "--sharpen 2 is out of range"),
        (["--each", "--name", "x"], "--name names one head"),
    ],
)
def test_options_that_make_no_sense(run, stills, args, words, tmp_path):
    code, _, lines = run(stills[0], *args)
    assert (code, len(lines)) == (2, 1)
    assert words in lines[0]
    assert left(tmp_path) == []


def test_the_demo_says_where_the_head_is(fitted, tmp_path, capfd, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo"]) == 0
    said = capfd.readouterr().out
    assert said.startswith("demo: ")
    assert said.splitlines()[0].endswith(str(tmp_path / "hrn-studio-demo" / "demo.glb"))
    assert (tmp_path / "hrn-studio-demo" / "demo.glb").is_file()
