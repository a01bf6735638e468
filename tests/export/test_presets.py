"""Every preset: what it writes, what it promises, and that the promise holds in the files."""

import json
import re
import struct

import numpy as np
import pytest

from hrn_studio.errors import UsageError
from hrn_studio.export.arkit import ARKIT_NAMES
from hrn_studio.export.dressing import dressed, shape_name
from hrn_studio.export.formats import FORMATS, export
from hrn_studio.export.options import PLAIN, ExportOptions, Space
from hrn_studio.export.presets import PRESETS, changed, preset_of
from hrn_studio.export.readmes import readme
from hrn_studio.live.livelink import SHAPES, arkit_name


def run(*args, **kwargs):
    task = export(*args, **kwargs)
    while True:
        try:
            next(task)
        except StopIteration as stop:
            return stop.value


@pytest.fixture(scope="module", params=["unity", "unreal", "metahuman"])
def exported(request, head, person, tmp_path_factory):
    target = tmp_path_factory.mktemp(request.param) / "out"
    preset = PRESETS[request.param]
    run(person, head, target, name="jane", preset=preset, created="2026-01-01")
    return preset, target, json.loads((target / "manifest.json").read_text())


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_uses_formats_that_are_there(name):
    assert set(PRESETS[name].formats) <= set(FORMATS)
    assert preset_of(name) is PRESETS[name]


def test_readmes_warn_of_what_a_program_leaves_out(asset):
    def text(name, **wishes):
        preset = PRESETS[name]
        options = changed(preset.options, **wishes)
        return readme(name, preset.title, "jane", dressed(asset, options), options)

    assert "OBJ, if you import one instead, comes without its normal map" in text("blender")
    assert "setMeshoptDecoder" in text("web", compress="meshopt")
    assert "setMeshoptDecoder" not in text("web")


def test_an_unknown_preset_is_refused():
    with pytest.raises(UsageError, match="'godot'; there are unity, unreal"):
        preset_of("godot")


@pytest.mark.parametrize("name", PRESETS)
def test_every_readme_says_what_to_expect(name, asset):
    preset = PRESETS[name]
    text = readme(name, preset.title, "jane", dressed(asset, preset.options), preset.options)
    assert text.startswith(f"jane for {preset.title}\r\n")
    assert "EXPECT" in text
    unit = {"unreal": 100, "metahuman": 100, "print": 1000}.get(name, 1)
    size = unit * np.ptp(asset.vertices.astype(float), axis=0)
    x, y, z = map(float, re.search(r"bounds .*: (\S+) x (\S+) x (\S+)", text).groups())
    order = [0, 1, 2] if name in ("unity", "web") else [0, 2, 1]
    np.testing.assert_allclose([x, y, z], size[order], atol=0.051 if unit > 1 else 0.00051)
    eyes = float(re.search(r"eyes' centres: (\S+)", text)[1]) / unit
    assert 0.055 < eyes < 0.072
    assert ("shapes: 52" in text) == preset.options.shapes
    for line in text.splitlines():
        assert len(line) < 100 or line.startswith("Head model:")


def test_files_beside(exported):
    preset, target, manifest = exported
    names = {path.name for path in target.iterdir()}
    assert {"README.txt", "manifest.json", "jane.fbx", "jane_albedo.png"} <= names
    assert names == {entry["name"] for entry in manifest["files"]} | {"manifest.json"}
    assert ("FaceTakePlayer.cs" in names) == (preset.name == "unity")
    assert ("jane_normal_dx.png" in names) == (preset.options.normal == "dx")
    assert manifest["export"]["preset"] == preset.name
    assert manifest["export"]["metres_per_unit"] == preset.options.space.metres_per_unit
    assert manifest["morphs"]["missing_arkit"] == ([] if preset.options.shapes else [*ARKIT_NAMES])


def test_every_texture_the_readme_names_is_there(exported):
    _, target, _ = exported
    text = (target / "README.txt").read_text()
    for file in re.findall(r"(jane_\w+\.\w+)", text):
        assert (target / file).is_file()


def test_metahuman_gets_one_neutral_head(exported):
    preset, target, _ = exported
    if preset.name != "metahuman":
        pytest.skip("about one preset")
    data = (target / "jane.fbx").read_bytes()
    assert b"BlendShape" not in data
    assert b"LimbNode" not in data
    assert not (target / "jane.obj").exists()
    rows = re.findall(rb"^v (\S+) (\S+) (\S+)$", (target / "jane_neutral.obj").read_bytes(), re.M)
    size = np.ptp(np.array(rows, float), axis=0)
    assert 20 < size[1] < 32, "centimetres, +Y up"


def test_unreal_gets_the_names_of_live_link():
    assert sorted(shape_name(n, "unreal") for n in ARKIT_NAMES) == sorted(SHAPES)
    assert all(arkit_name(shape_name(n, "unreal")) == n for n in ARKIT_NAMES)


def test_sides_are_marked_where_there_are_two():
    assert shape_name("eyeBlinkLeft", "sides") == "eyeBlink_L"
    assert shape_name("mouthSmileRight", "sides") == "mouthSmile_R"
    for name in ("jawLeft", "mouthRight", "jawOpen"):
        assert shape_name(name, "sides") == name
    assert len({shape_name(n, "sides") for n in ARKIT_NAMES}) == 52


@pytest.mark.parametrize("size", [32, 64, 128])
def test_textures_take_the_size_asked_for(tiny_asset, size):
    options = changed(PLAIN, texture_px=size)
    made = dressed(tiny_asset, options).textures
    for role in ("albedo", "normal", "displacement", "confidence"):
        assert made[role].pixels.shape[:2] == (size, size)
        assert made[role].pixels.dtype == tiny_asset.textures[role].pixels.dtype
        was = tiny_asset.textures[role].pixels.astype(float)
        assert abs(made[role].pixels.mean() / was.mean() - 1) < 0.02
    unit = made["normal"].pixels / 127.5 - 1
    np.testing.assert_allclose(np.linalg.norm(unit, axis=-1), 1, atol=0.02)


def test_directx_turns_green_over(tiny_asset):
    made = dressed(tiny_asset, changed(PLAIN, normal="dx")).textures
    gl, dx = made["normal"].pixels.astype(int), made["normal_dx"].pixels.astype(int)
    np.testing.assert_array_equal(gl[..., [0, 2]], dx[..., [0, 2]])
    leaning = gl[..., 1] != 128
    np.testing.assert_array_equal(dx[..., 1][leaning], 255 - gl[..., 1][leaning])
    assert (dx[..., 1][~leaning] == 128).all()


def test_spaces_keep_left_and_right():
    space = Space(0.01, "z")
    np.testing.assert_allclose(space.points([[0.1, 0.2, 0.3]]), [[10, -30, 20]], rtol=1e-6)
    assert np.linalg.det(space.directions(np.eye(3))) == pytest.approx(1), "no mirror image"


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        ({"naming": "maya"}, "no naming of shapes 'maya'; choose one of arkit"),
        ({"normal": "up"}, "no flavour of normal maps 'up'"),
        ({"skeleton": "hand"}, "no skeleton 'hand'"),
        ({"texture_px": 1000}, "cannot be 1000 px; choose a power of two"),
        ({"levels": ("huge",)}, "no level of detail 'huge'"),
        ({"levels": ()}, "no level of detail is chosen"),
        ({"parts": ("hair",)}, "no part 'hair'; choose one of eyes, teeth, tongue"),
        ({"wall_m": 0.5}, "500 mm cannot be printed"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused(wishes, said):
    with pytest.raises(UsageError, match=said):
        changed(ExportOptions(), **wishes)


def test_a_wish_changes_only_what_it_names():
    options = changed(PRESETS["unreal"].options, texture_px=1024, naming=None)
    assert (options.texture_px, options.naming, options.normal) == (1024, "unreal", "dx")


def test_unity_player_reads_what_track_writes():
    """The script's own conventions, checked against the recording's."""
    from hrn_studio.export.samples import UNITY_PLAYER

    assert UNITY_PLAYER.count("{") == UNITY_PLAYER.count("}")
    assert UNITY_PLAYER.count("(") == UNITY_PLAYER.count(")")
    for column in ("HeadYaw", "HeadPitch", "HeadRoll"):
        assert f'"{column}"' in UNITY_PLAYER
    # a turn by (yaw, pitch, roll), as the script composes it, is the head's mirrored in x
    from hrn_studio.export.animation import Take

    angles = np.array([[0.3, 0.2, 0.1] + [0.0] * 6])
    take = Take("a", [0.0], (), np.zeros((1, 0)), angles)
    mirror = np.diag([-1.0, 1, 1])

    def about(axis, angle):
        from scipy.spatial.transform import Rotation

        return Rotation.from_rotvec(np.array(axis) * angle).as_matrix()

    turn = about([0, 0, 1], -0.1) @ about([0, 1, 0], -0.3) @ about([1, 0, 0], -0.2)
    np.testing.assert_allclose(turn, mirror @ take.head_rotations()[0] @ mirror, atol=1e-6)


def test_png_sizes_are_what_the_file_says(exported):
    _, target, manifest = exported
    assert {"albedo", "normal", "orm", "masks", "displacement"} <= set(manifest["maps"])
    for entry in manifest["maps"].values():
        data = (target / entry["file"]).read_bytes()
        assert struct.unpack_from(">II", data, 16) == (entry["size_px"], entry["size_px"])
