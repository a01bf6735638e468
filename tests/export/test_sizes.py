"""Sizes told beforehand are about those of the files that are then written."""

import pytest

from hrn_studio.export.dressing import with_parts
from hrn_studio.export.formats import export
from hrn_studio.export.options import ExportOptions
from hrn_studio.export.presets import PRESETS, changed
from hrn_studio.export.sizes import estimate_sizes

SMALL = ("README.txt", "manifest.json", "FaceTakePlayer.cs")


def sizes_written(person, head, folder, preset, formats, options):
    task = export(person, head, folder, name="jane", preset=preset, formats=formats,
                  settings=options, created="2026-01-01")  # fmt: skip
    for _ in task:
        pass
    return {f.name: f.stat().st_size for f in folder.iterdir() if f.name not in SMALL}


@pytest.mark.parametrize(
    ("name", "formats", "wishes"),
    [
        ("unity", None, {}),
        ("web", None, {"parts": ()}),
        ("unreal", ("fbx", "maps", "usd"), {"embed": True, "levels": ("fitted", "light")}),
        ("metahuman", None, {}),
        ("blender", ("glb", "ply", "exr", "usdz"), {"texture_px": 512, "shapes": False}),
    ],
)
def test_every_file_is_foretold(person, head, tmp_path, name, formats, wishes):
    preset = PRESETS[name]
    formats, options = formats or preset.formats, changed(preset.options, **wishes)
    told = estimate_sizes(person, head, "jane", formats, options)
    written = sizes_written(person, head, tmp_path, preset, formats, options)
    assert set(told) == set(written)
    for file, size in written.items():
        if file.endswith((".fbx", ".usdc", ".obj", ".ply", ".mtl")):  # without pictures
            assert 0.7 < told[file] / size < 1.4, file
    # these pictures are painted smooth and have 64 px: little to go by
    assert 0.5 < sum(told.values()) / sum(written.values()) < 1.7


def test_larger_wishes_are_larger(person, head):
    def total(formats, **wishes):
        options = ExportOptions(**wishes)
        return sum(estimate_sizes(person, head, "jane", formats, options).values())

    plain = total(("glb",))
    assert total(("glb",), texture_px=1024) > plain
    assert total(("glb", "fbx")) > plain
    assert total(("glb",), shapes=False) < plain
    assert total(("glb",), parts=()) < plain
    assert total(("glb",), compress="meshopt") < 0.8 * plain
    assert total(("glb",), levels=("dense",)) > 5 * plain
    assert total(("stl",), wall_m=0.002) > total(("stl",))


def test_parts_left_out_leave_the_others_as_they_are(asset):
    some = with_parts(asset, ("teeth",))
    assert {part.material for part in some.parts} == {"skin", "teeth"}
    for part in some.parts:
        old = next(p for p in asset.parts if p.name == part.name)
        for mine, theirs, at, was in (
            (some.vertices, asset.vertices, part.triangles, old.triangles),
            (some.normals, asset.normals, part.triangles, old.triangles),
            (some.captured, asset.captured, part.triangles, old.triangles),
            (some.uv, asset.uv, part.uv_triangles, old.uv_triangles),
            (some.skeleton.weights, asset.skeleton.weights, part.triangles, old.triangles),
            (some.morphs[20].deltas, asset.morphs[20].deltas, part.triangles, old.triangles),
        ):
            assert (mine[at] == theirs[was]).all()
    used = set(range(len(some.vertices)))
    assert used == {v for part in some.parts for v in part.triangles.ravel().tolist()}
    assert with_parts(asset, ("eyes", "teeth", "tongue")) is asset


def test_a_printed_head_has_all_parts(tiny_person, tiny, tmp_path):
    folder = tmp_path / "out"
    written = []
    for parts in ((), ("eyes", "teeth", "tongue")):
        options = ExportOptions(parts=parts, shapes=False)
        sizes_written(tiny_person, tiny, folder, None, ("stl",), options)
        written.append((folder / "jane.stl").read_bytes())
    assert written[0] == written[1]
