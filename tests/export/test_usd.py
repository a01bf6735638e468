"""USD files, read back with the reference library."""

import pickle
import struct
import subprocess
import sys
import zipfile
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from hrn_studio.errors import ExportError
from hrn_studio.export.animation import parse_take
from hrn_studio.export.dressing import dressed
from hrn_studio.export.options import ExportOptions, Space
from hrn_studio.export.usd import write_usd, write_usdz
from hrn_studio.live.livelink import ANGLES, SHAPES


@pytest.fixture(scope="module")
def pxr():
    return pytest.importorskip("pxr", reason="needs usd-core: pip install 'hrn-studio[usd]'")


@pytest.fixture(scope="module")
def opened(pxr, asset, tmp_path_factory):
    """The stage of the package, opened as a user would."""
    from pxr import Usd

    file = tmp_path_factory.mktemp("usd") / "jane.usdz"
    file.write_bytes(write_usdz(asset)["jane.usdz"])
    return Usd.Stage.Open(str(file))


def stage_of(files, folder):
    from pxr import Usd

    for name, content in files.items():
        (folder / name).write_bytes(content)
    (name,) = [name for name in files if name.endswith(".usdc")]
    return Usd.Stage.Open(str(folder / name))


def test_units_axes_and_root(opened):
    from pxr import UsdGeom

    assert UsdGeom.GetStageMetersPerUnit(opened) == 1.0
    assert UsdGeom.GetStageUpAxis(opened) == "Y"
    assert opened.GetDefaultPrim().GetName() == "jane"
    assert opened.GetDefaultPrim().GetTypeName() == "SkelRoot"


def test_the_mesh_is_the_asset(opened, asset):
    from pxr import UsdGeom

    mesh = UsdGeom.Mesh(opened.GetPrimAtPath("/jane/Head"))
    np.testing.assert_array_equal(np.array(mesh.GetPointsAttr().Get()), asset.vertices)
    np.testing.assert_array_equal(np.array(mesh.GetNormalsAttr().Get()), asset.normals)
    triangles = np.concatenate([part.triangles for part in asset.parts])
    np.testing.assert_array_equal(mesh.GetFaceVertexIndicesAttr().Get(), triangles.ravel())
    assert set(mesh.GetFaceVertexCountsAttr().Get()) == {3}
    st = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st")
    uv = np.concatenate([part.uv_triangles for part in asset.parts]).ravel()
    np.testing.assert_array_equal(np.array(st.ComputeFlattened()), asset.uv[uv])
    assert UsdGeom.Mesh.ValidateTopology(
        mesh.GetFaceVertexIndicesAttr().Get(),
        mesh.GetFaceVertexCountsAttr().Get(),
        len(asset.vertices),
    )


def test_every_face_has_a_material_with_its_textures(opened, asset):
    from pxr import UsdGeom, UsdShade

    mesh = UsdGeom.Mesh(opened.GetPrimAtPath("/jane/Head"))
    subsets = UsdGeom.Subset.GetGeomSubsets(mesh, UsdGeom.Tokens.face, "materialBind")
    faces = np.concatenate([np.array(s.GetIndicesAttr().Get()) for s in subsets])
    assert sorted(faces) == list(range(sum(len(p.triangles) for p in asset.parts)))
    used = {part.material for part in asset.parts}
    assert {s.GetPrim().GetName() for s in subsets} == used
    for subset in subsets:
        bound, _ = UsdShade.MaterialBindingAPI(subset.GetPrim()).ComputeBoundMaterial()
        assert bound.GetPrim().GetName() == subset.GetPrim().GetName()
        surface, _, _ = bound.ComputeSurfaceSource()
        assert surface.GetShaderId() == "UsdPreviewSurface"
        source, _, _ = surface.GetInput("diffuseColor").GetConnectedSource()
        file = UsdShade.Shader(source).GetInput("file").Get()
        assert file.resolvedPath.endswith("jane_albedo.png]")


def evaluated(stage, path, weights):
    """Points of a mesh with these weights by name, by UsdSkel's own evaluation."""
    from pxr import UsdGeom, UsdSkel

    prim = stage.GetPrimAtPath(path)
    binding = UsdSkel.BindingAPI(prim)
    query = UsdSkel.BlendShapeQuery(binding)
    names = list(binding.GetBlendShapesAttr().Get())
    values = [weights.get(name, 0.0) for name in names]
    found = query.ComputeSubShapeWeights(values)
    sub_weights, shapes, sub_shapes = found[-3:]
    points = UsdGeom.Mesh(prim).GetPointsAttr().Get()
    good = query.ComputeDeformedPoints(
        sub_weights,
        shapes,
        sub_shapes,
        query.ComputeBlendShapePointIndices(),
        query.ComputeSubShapePointOffsets(),
        points,
    )
    assert good
    return np.array(points)


def test_every_shape_moves_what_ours_does(opened, asset):
    for morph in asset.morphs:
        points = evaluated(opened, "/jane/Head", {morph.name: 1.0})
        np.testing.assert_allclose(points, asset.vertices + morph.deltas, atol=1e-6)


def test_shapes_add_up(opened, asset):
    weights = {"jawOpen": 0.5, "eyeBlinkLeft": 1.0, "mouthSmileRight": 0.25}
    wanted = asset.vertices + sum(
        weights[m.name] * m.deltas for m in asset.morphs if m.name in weights
    )
    np.testing.assert_allclose(evaluated(opened, "/jane/Head", weights), wanted, atol=1e-6)


def test_the_skeleton_drives_the_shapes(opened, asset):
    from pxr import Usd, UsdSkel

    cache = UsdSkel.Cache()
    root = UsdSkel.Root(opened.GetPrimAtPath("/jane"))
    cache.Populate(root, Usd.PrimDefaultPredicate)
    (binding,) = cache.ComputeSkelBindings(root, Usd.PrimDefaultPredicate)
    query = cache.GetSkelQuery(binding.GetSkeleton())
    assert list(query.GetAnimQuery().GetBlendShapeOrder()) == [m.name for m in asset.morphs]
    (target,) = binding.GetSkinningTargets()
    assert target.HasBlendShapes()
    assert target.IsRigidlyDeformed()


def test_centimetres_z_up(pxr, asset, tmp_path):
    from pxr import UsdGeom

    how = ExportOptions(space=Space(0.01, "z"), naming="unreal", skeleton="full")
    stage = stage_of(write_usd(dressed(asset, how), how), tmp_path)
    assert UsdGeom.GetStageMetersPerUnit(stage) == 0.01
    assert UsdGeom.GetStageUpAxis(stage) == "Z"
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/jane/Head"))
    x, y, z = 100 * asset.vertices.T
    np.testing.assert_allclose(
        np.array(mesh.GetPointsAttr().Get()), np.stack([x, -z, y], 1), atol=1e-4
    )
    jaw = next(m for m in asset.morphs if m.name == "jawOpen")
    x, y, z = 100 * (asset.vertices + jaw.deltas).T
    np.testing.assert_allclose(
        evaluated(stage, "/jane/Head", {"JawOpen": 1.0}), np.stack([x, -z, y], 1), atol=1e-4
    )
    joints = stage.GetPrimAtPath("/jane/Skeleton").GetAttribute("joints").Get()
    assert list(joints) == ["head", "head/jaw", "head/eye_left", "head/eye_right"]


def test_a_recording_plays(pxr, asset, tmp_path):
    header = ",".join(("Timecode", "BlendShapeCount", *SHAPES, *ANGLES))
    rows = [
        ",".join(
            [f"00:00:00:{frame:02d}.000", "61"]
            + [str(frame / 60 if name == "JawOpen" else 0.0) for name in (*SHAPES, *ANGLES)]
        )
        for frame in range(0, 60, 2)
    ]
    take = parse_take("\n".join([header, *rows]), "take")
    how = ExportOptions(animation=take)
    stage = stage_of(write_usd(dressed(asset, how), how), tmp_path)
    weights = stage.GetPrimAtPath("/jane/Skeleton/Animation").GetAttribute("blendShapeWeights")
    order = stage.GetPrimAtPath("/jane/Skeleton/Animation").GetAttribute("blendShapes").Get()
    jaw = list(order).index("jawOpen")
    assert stage.GetEndTimeCode() == pytest.approx(58)
    assert weights.Get(30.0)[jaw] == pytest.approx(0.5)
    assert weights.Get(31.0)[jaw] == pytest.approx(31 / 60, abs=1e-4)


def test_the_package_is_laid_out_as_specified(pxr, asset):
    data = write_usdz(asset)["jane.usdz"]
    with zipfile.ZipFile(BytesIO(data)) as archive:
        entries = archive.infolist()
        assert archive.testzip() is None
    assert [e.filename for e in entries] == ["jane.usdc", "jane_albedo.png", "jane_normal.png"]
    for entry in entries:
        name, extra = struct.unpack(
            "<HH", data[entry.header_offset + 26 : entry.header_offset + 30]
        )
        assert (entry.header_offset + 30 + name + extra) % 64 == 0
        assert entry.compress_type == zipfile.ZIP_STORED
        assert entry.file_size == entry.compress_size


def test_the_same_head_gives_the_same_bytes(pxr, tiny_asset, tmp_path):
    once = write_usdz(tiny_asset)
    assert write_usdz(tiny_asset) == once
    code = (
        "import sys, pickle; from hrn_studio.export.usd import write_usdz; "
        "sys.stdout.buffer.write(write_usdz(pickle.load(open(sys.argv[1], 'rb')))['tiny.usdz'])"
    )
    (tmp_path / "tiny.pkl").write_bytes(pickle.dumps(tiny_asset))
    again = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "tiny.pkl")],
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert again.stdout == once["tiny.usdz"]


def test_names_that_are_no_identifiers(pxr, tiny_asset, tmp_path):
    stage = stage_of(write_usd(replace(tiny_asset, name="2_jane-(doe)")), tmp_path)
    assert stage.GetDefaultPrim().IsValid()
    assert stage.GetPrimAtPath(f"{stage.GetDefaultPrim().GetPath()}/Head").IsValid()


def test_without_the_library_the_remedy_is_said(tiny_asset, monkeypatch):
    monkeypatch.setitem(sys.modules, "pxr", None)
    monkeypatch.setitem(sys.modules, "pxr.Usd", None)
    with pytest.raises(ExportError, match=r"pip install .*hrn-studio\[usd\]"):
        write_usd(tiny_asset)
