"""``hrn-studio export``: from a kept head to a folder, or one clear sentence."""

import json
import shutil

import numpy as np
import pytest

from hrn_studio.cli import main
from hrn_studio.commands import export as command
from hrn_studio.export import archive
from hrn_studio.export.presets import PRESETS
from hrn_studio.pipeline import Options, finish, write_head
from hrn_studio.results import export_result, open_result


@pytest.fixture(scope="module")
def kept(models, result, tmp_path_factory):
    """A result folder as ``reconstruct`` writes it."""
    folder = tmp_path_factory.mktemp("result") / "out"
    finish(write_head(models, result, folder, "me", Options(stage="coarse", texture_px=256)))
    return folder


def said(capsys):
    captured = capsys.readouterr()
    return captured.out, captured.err


def run(*args):
    return main(["export", *map(str, args)])


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_presets_on_the_command_line_are_all_there_are():
    assert tuple(PRESETS) == command._PRESETS


def test_a_kept_head_exports_the_files_it_was_made_with(kept, tmp_path):
    assert run(kept, "-o", tmp_path / "again") == 0
    first, again = contents(kept), contents(tmp_path / "again")
    for name in ("me.obj", "me_neutral.obj", "me.mtl", "me.glb", "me_albedo.png", "me_normal.png"):
        assert again[name] == first[name], name
    old, new = (json.loads(c["manifest.json"]) for c in (first, again))
    for key in ("created", "geometry", "views", "options", "frames", "morphs", "maps"):
        assert old[key] == new[key]


def test_a_preset_is_exported_and_told(kept, tmp_path, capsys):
    assert run(kept, "--preset", "unreal", "-o", tmp_path / "ue") == 0
    out, _ = said(capsys)
    assert out.startswith(f"me: {tmp_path / 'ue'}\n")
    assert "  me.fbx  " in out
    assert (tmp_path / "ue" / "README.txt").is_file()


def test_the_same_command_writes_the_same_bytes(kept, tmp_path):
    for out in ("a", "b"):
        assert run(kept, "--preset", "unity", "-o", tmp_path / out) == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_options_change_what_the_preset_chose(kept, tmp_path, capsys):
    args = ("--preset", "unity", "--formats", "fbx,glb", "--naming", "sides", "--json")
    assert run(kept, *args, "--skeleton", "full", "--texture", "1k", "-o", tmp_path / "u") == 0
    facts = json.loads(said(capsys)[0])
    assert facts["export"]["formats"] == ["fbx", "glb"]
    assert facts["export"]["naming"] == "sides"
    assert facts["export"]["texture_px"] == 1024
    assert facts["export"]["skeleton"] == "full"
    assert set(facts["files"]) == {path.name for path in (tmp_path / "u").iterdir()} - {
        "manifest.json"
    }
    assert b"eyeBlink_L" in (tmp_path / "u" / "me.fbx").read_bytes()


def test_levels_of_detail_lie_side_by_side(kept, tmp_path):
    out = tmp_path / "u"
    args = ("--formats", "glb,fbx", "--levels", "fitted,light")
    assert run(kept, "--preset", "unity", *args, "-o", out) == 0
    levels = json.loads((out / "manifest.json").read_text())["levels"]
    assert list(levels) == ["me", "me_light"]
    assert levels["me_light"]["triangles"] < 0.5 * levels["me"]["triangles"]
    for name in ("me.glb", "me.fbx", "me_light.glb", "me_light.fbx", "README.txt"):
        assert (out / name).is_file()


def test_eyes_and_tongue_can_be_left_out(kept, tmp_path):
    out = tmp_path / "u"
    args = ("--formats", "glb,fbx", "--parts", "skin,teeth")
    assert run(kept, "--preset", "unity", *args, "-o", out) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["geometry"]["parts"]) == {"skin", "teeth_upper", "teeth_lower"}
    assert manifest["export"]["parts"] == ["skin", "teeth"]
    assert "eyes" not in [m["name"] for m in glb_document(out / "me.glb")["materials"]]


def test_a_glb_can_be_compressed(kept, tmp_path, capsys):
    sizes = []
    for how in ("none", "meshopt"):
        assert run(kept, "--formats", "glb", "--compress", how, "-o", tmp_path / how) == 0
        sizes.append((tmp_path / how / "me.glb").stat().st_size)
    assert sizes[1] < 0.7 * sizes[0]
    extension = glb_document(tmp_path / "meshopt" / "me.glb")["extensionsRequired"]
    assert extension == ["EXT_meshopt_compression"]
    said(capsys)
    blender = ("--preset", "blender", "--compress", "meshopt")
    assert run(kept, *blender, "-o", tmp_path / "b") == 2
    assert "Blender does not read compressed GLB files" in said(capsys)[1]


def glb_document(path):
    data = path.read_bytes()
    return json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])


def test_sizes_are_told_and_nothing_is_written(kept, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(kept, "--preset", "unity", "--sizes") == 0
    out, _ = said(capsys)
    assert "  me.fbx  about " in out
    assert "  together about " in out
    assert list(tmp_path.iterdir()) == []
    assert run(kept, "--preset", "unity") == 2
    assert "give the folder to write to: -o FOLDER" in said(capsys)[1]


def test_a_recording_goes_along(kept, tmp_path):
    take = tmp_path / "take.csv"
    take.write_text("Timecode,N,JawOpen,HeadYaw\n00:00:00:00.000,2,0,0\n00:00:00:30.000,2,1,0.3\n")
    out = tmp_path / "u"
    assert run(kept, "--preset", "unity", "--animation", take, "-o", out) == 0
    assert (out / "me_take.csv").read_text() == take.read_text()
    assert b"AnimationCurve" in (out / "me.fbx").read_bytes()
    assert json.loads((out / "manifest.json").read_text())["export"]["animation"] == "take"


def test_several_heads_in_a_folder_are_told_apart(kept, tmp_path, capsys):
    shutil.copytree(kept, tmp_path / "two")
    shutil.copy(kept / "me.head.npz", tmp_path / "two" / "you.head.npz")
    assert run(tmp_path / "two", "-o", tmp_path / "out") == 2
    assert "several heads (me, you)" in said(capsys)[1]
    assert run(tmp_path / "two", "--name", "you", "--formats", "glb", "-o", tmp_path / "out") == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nowhere"], "there is no 'nowhere'"),
        (["."], "holds no finished head"),
        (["RESULT", "--formats", "vrml"], "no format is called 'vrml'"),
        (["RESULT", "--formats", ","], "--formats names nothing"),
        (["RESULT", "--levels", "big"], "no level of detail 'big'"),
        (["RESULT", "--animation", "none.csv"], "'none.csv' cannot be read"),
        (["RESULT", "--parts", "nose"], "no part 'nose'"),
        (["RESULT", "--wall", "900"], "cannot be printed"),
        (["RESULT", "-o", "RESULT"], "holds the finished head itself"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    kept, tmp_path, monkeypatch, capsys, args, message
):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    args = [kept if arg == "RESULT" else arg for arg in args]
    before = contents(kept)
    assert run("-o", tmp_path / "out", *args) == 2
    assert contents(kept) == before
    out, err = said(capsys)
    assert out == ""
    lines = [line for line in err.splitlines() if line.startswith("hrn-studio:")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "out").exists()


def test_a_failed_export_leaves_the_one_before_untouched(kept, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    assert run(kept, "--preset", "unity", "-o", out) == 0
    before = contents(out)
    damaged = tmp_path / "damaged.head.npz"
    data = bytearray((kept / "me.head.npz").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 60] = bytes(60)
    damaged.write_bytes(data)
    assert run(damaged, "--preset", "unity", "-o", out) == 2
    assert "is damaged; make it again" in said(capsys)[1]
    assert contents(out) == before


def test_a_cancelled_export_leaves_the_one_before_untouched(kept, tmp_path):
    finish(export_result(kept, tmp_path / "out", preset="unity"))
    before = contents(tmp_path / "out")

    def again(where):
        return export_result(kept, tmp_path / where, preset="unreal", formats=("fbx",))

    steps = len(list(again("count")))
    for stop in (2, steps // 2, steps - 1):
        task = again("out")
        for _ in range(stop):
            next(task)
        task.close()
        assert contents(tmp_path / "out") == before


def test_a_head_of_a_model_that_is_not_here_is_refused(kept, tmp_path, result, capsys):
    path = tmp_path / "a.head.npz"
    path.write_bytes(archive.archive_bytes(result, "strange", "a", "now"))
    assert run(path, "-o", tmp_path / "out") == 2
    assert "head model 'strange', which this program does not have" in said(capsys)[1]
    path.write_bytes(archive.archive_bytes(result, "ICT", "a", "now"))
    assert run(path, "-o", tmp_path / "out") == 2
    assert "models add" in said(capsys)[1]


def test_a_head_of_another_size_is_refused(tmp_path, result, capsys):
    import dataclasses

    cut = dataclasses.replace(
        result,
        neutral=result.neutral[:-1],
        spread_mm=result.spread_mm[:-1],
        stages={name: head[:-1] for name, head in result.stages.items()},
        views=tuple(dataclasses.replace(v, vertices=v.vertices[:-1]) for v in result.views),
    )
    path = tmp_path / "a.head.npz"
    path.write_bytes(archive.archive_bytes(cut, "MakeHuman", "a", "now"))
    assert run(path, "-o", tmp_path / "out") == 2
    assert "another version of the head model" in said(capsys)[1]


def test_a_result_is_opened_from_python(kept, result):
    opened, head = open_result(kept)
    assert head.vertex_count == len(opened.result.neutral)
    np.testing.assert_array_equal(opened.result.neutral, result.neutral)
    np.testing.assert_array_equal(opened.result.views[0].frame.image, result.views[0].frame.image)
    assert opened.options["stage"] == "coarse"
