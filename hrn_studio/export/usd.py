"""USD with UsdSkel blend shapes, as a crate (``.usdc``) and as one package (``.usdz``).

``/NAME`` is a SkelRoot with the mesh ``Head``, a skeleton (one joint, or those the options ask
for), an animation that holds the weights (or plays a recording), and UsdPreviewSurface materials,
one for each subset of faces.  Shapes are stored sparsely.  Both ``metersPerUnit`` and ``upAxis``
are written: unset they would mean 0.01 and Y.

Needs the package ``usd-core``, which is installed only when asked for.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np

from hrn_studio import __version__
from hrn_studio.errors import ExportError
from hrn_studio.export._usdz import packaged
from hrn_studio.export.asset import Asset
from hrn_studio.export.options import PLAIN, ExportOptions
from hrn_studio.export.skeleton import Skeleton
from hrn_studio.face.appearance import Material
from hrn_studio.records import AnyFloats, Ints

_STILL = 1e-7
_REMEDY = (
    "USD needs the package usd-core, which is not installed; install it with "
    "'pip install \"hrn-studio[usd]\"', or choose another format"
)


def write_usd(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME.usdc`` and the textures it names.

    Raises
    ------
    ExportError
        ``usd-core`` is not installed.
    """
    files = {f"{asset.name}.usdc": _layer(asset, options)}
    for role in _roles(asset):
        files[asset.texture_file(role)] = asset.textures[role].png
    return files


def write_usdz(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME.usdz``: everything in one file; raises like :func:`write_usd`."""
    return {f"{asset.name}.usdz": packaged(write_usd(asset, options))}


def _layer(asset: Asset, options: ExportOptions) -> bytes:
    """The crate's bytes; the library writes to files only, so it passes through a private one."""
    try:
        stages = importlib.import_module("pxr.Usd")
    except ImportError as error:
        raise ExportError(_REMEDY) from error
    with tempfile.TemporaryDirectory(prefix="hrn-studio-") as folder:
        path = Path(folder) / "head.usdc"
        stage = stages.Stage.CreateNew(str(path))
        _Author(stage, asset, options).write()
        stage.GetRootLayer().Save()
        del stage
        return path.read_bytes()


def _roles(asset: Asset) -> list[str]:
    """The textures a material names."""
    wanted = {
        "albedo": any(material.textured for material in asset.materials),
        "normal": any(material.detailed for material in asset.materials),
    }
    return [role for role, use in wanted.items() if use and role in asset.textures]


class _Author:
    """Writes one head onto a stage."""

    def __init__(self, stage: Any, asset: Asset, options: ExportOptions) -> None:
        names = ("Gf", "Sdf", "Tf", "UsdGeom", "UsdShade", "UsdSkel", "Vt")
        modules = [importlib.import_module(f"pxr.{name}") for name in names]
        self.Gf, self.Sdf, self.Tf, self.UsdGeom, self.UsdShade, self.UsdSkel, self.Vt = (
            cast(Any, module) for module in modules
        )
        self.stage, self.asset, self.options, self.space = stage, asset, options, options.space
        self.root = "/" + self.Tf.MakeValidIdentifier(asset.name)
        self.names = [self.Tf.MakeValidIdentifier(morph.name) for morph in asset.morphs]

    def write(self) -> None:
        stage = self.stage
        self.UsdGeom.SetStageUpAxis(stage, self.space.up.upper())
        self.UsdGeom.SetStageMetersPerUnit(stage, self.space.metres_per_unit)
        layer = stage.GetRootLayer()
        layer.comment = f"HRN Studio {__version__}"
        data = {"copyright": self.asset.notice} if self.asset.notice else {}
        layer.customLayerData = {"creator": f"HRN Studio {__version__}", **data}
        root = self.UsdSkel.Root.Define(stage, self.root)
        stage.SetDefaultPrim(root.GetPrim())
        skeleton = self._skeleton()
        mesh = self._mesh()
        self._materials(mesh)
        binding = self.UsdSkel.BindingAPI.Apply(mesh.GetPrim())
        binding.CreateSkeletonRel().SetTargets([f"{self.root}/Skeleton"])
        self._influences(binding, skeleton)
        self._shapes(binding)
        self._animation(skeleton)

    def _points(self, metres: AnyFloats) -> Any:
        return self.Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(self.space.points(metres)))

    def _directions(self, vectors: AnyFloats) -> Any:
        return self.Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(self.space.directions(vectors)))

    # --- surface ---

    def _mesh(self) -> Any:
        asset, kinds = self.asset, self.Sdf.ValueTypeNames
        triangles = np.concatenate([part.triangles for part in asset.parts])
        uv_triangles = np.concatenate([part.uv_triangles for part in asset.parts])
        mesh = self.UsdGeom.Mesh.Define(self.stage, f"{self.root}/Head")
        mesh.CreatePointsAttr(self._points(asset.vertices))
        mesh.CreateFaceVertexCountsAttr(self._ints(np.full(len(triangles), 3)))
        mesh.CreateFaceVertexIndicesAttr(self._ints(triangles.ravel()))
        mesh.CreateSubdivisionSchemeAttr("none")
        mesh.CreateOrientationAttr("rightHanded")
        mesh.CreateDoubleSidedAttr(False)
        mesh.CreateNormalsAttr(self._directions(asset.normals))
        mesh.SetNormalsInterpolation("vertex")
        places = self.space.points(asset.vertices)
        reach = [places] + [places + self.space.points(m.deltas) for m in asset.morphs]
        low = np.min([p.min(0) for p in reach], axis=0)
        high = np.max([p.max(0) for p in reach], axis=0)
        mesh.CreateExtentAttr([self.Gf.Vec3f(*low.tolist()), self.Gf.Vec3f(*high.tolist())])
        st = self.UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
            "st", kinds.TexCoord2fArray, "faceVarying"
        )
        st.Set(self.Vt.Vec2fArray.FromNumpy(np.ascontiguousarray(asset.uv)))
        st.SetIndices(self._ints(uv_triangles.ravel()))
        return mesh

    def _ints(self, values: Any) -> Any:
        return self.Vt.IntArray.FromNumpy(np.ascontiguousarray(values, np.int32))

    def _materials(self, mesh: Any) -> None:
        """Subsets are named after the parts' materials and bound to them."""
        binding = self.UsdShade.MaterialBindingAPI
        binding.Apply(mesh.GetPrim())
        first, faces = 0, dict[str, list[Ints]]()
        for part in self.asset.parts:
            count = len(part.triangles)
            faces.setdefault(part.material, []).append(
                np.arange(first, first + count, dtype=np.int32)
            )
            first += count
        for material in self.asset.materials:
            if material.name not in faces:
                continue
            shaded = self._material(material)
            subset = self.UsdGeom.Subset.CreateGeomSubset(
                mesh,
                material.name,
                "face",
                self._ints(np.concatenate(faces[material.name])),
                "materialBind",
                "partition",
            )
            binding.Apply(subset.GetPrim()).Bind(shaded)
        binding(mesh.GetPrim()).SetMaterialBindSubsetsFamilyType("partition")

    def _material(self, material: Material) -> Any:
        kinds, path = self.Sdf.ValueTypeNames, f"{self.root}/Materials/{material.name}"
        shaded = self.UsdShade.Material.Define(self.stage, path)
        surface = self._shader(f"{path}/surface", "UsdPreviewSurface")
        surface.CreateInput("roughness", kinds.Float).Set(material.roughness)
        surface.CreateInput("metallic", kinds.Float).Set(0.0)
        surface.CreateInput("ior", kinds.Float).Set(1.4)
        color = surface.CreateInput("diffuseColor", kinds.Color3f)
        textures, asset = asset_roles(self.asset, material), self.asset
        if textures:
            reader = self._shader(f"{path}/uv", "UsdPrimvarReader_float2")
            reader.CreateInput("varname", kinds.String).Set("st")
            place = reader.CreateOutput("result", kinds.Float2)
        for role in textures:
            sampler = self._shader(f"{path}/{role}", "UsdUVTexture")
            sampler.CreateInput("file", kinds.Asset).Set(
                self.Sdf.AssetPath(f"./{asset.texture_file(role)}")
            )
            sampler.CreateInput("st", kinds.Float2).ConnectToSource(place)
            for axis in ("wrapS", "wrapT"):
                sampler.CreateInput(axis, kinds.Token).Set("clamp")
            space = "sRGB" if role == "albedo" else "raw"
            sampler.CreateInput("sourceColorSpace", kinds.Token).Set(space)
            out = sampler.CreateOutput("rgb", kinds.Float3)
            if role == "albedo":
                tint = (*material.color_linear, 1.0)
                sampler.CreateInput("scale", kinds.Float4).Set(self.Gf.Vec4f(*tint))
                color.ConnectToSource(out)
            else:
                sampler.CreateInput("scale", kinds.Float4).Set(self.Gf.Vec4f(2, 2, 2, 1))
                sampler.CreateInput("bias", kinds.Float4).Set(self.Gf.Vec4f(-1, -1, -1, 0))
                surface.CreateInput("normal", kinds.Normal3f).ConnectToSource(out)
        if "albedo" not in textures:
            color.Set(self.Gf.Vec3f(*material.color_linear))
        out = surface.CreateOutput("surface", kinds.Token)
        shaded.CreateSurfaceOutput().ConnectToSource(out)
        return shaded

    def _shader(self, path: str, kind: str) -> Any:
        shader = self.UsdShade.Shader.Define(self.stage, path)
        shader.CreateIdAttr(kind)
        return shader

    # --- movement ---

    def _skeleton(self) -> Skeleton | None:
        """UsdSkel drives blend shapes through a skeleton, so there is one joint at least."""
        asset, Gf = self.asset, self.Gf
        skeleton = asset.skeleton
        if skeleton is not None and self.options.skeleton != "full":
            skeleton = skeleton.head_only
        prim = self.UsdSkel.Skeleton.Define(self.stage, f"{self.root}/Skeleton")
        prim.CreateJointsAttr(self._joints(skeleton))
        bind, rest = [], []
        joints = skeleton.joints if skeleton else ()
        for joint in joints:
            place = self.space.points(joint.position)
            above = joints[joint.parent].position if joint.parent >= 0 else np.zeros(3)
            local = self.space.points(joint.position - above)
            bind.append(Gf.Matrix4d().SetTranslate(Gf.Vec3d(*place.tolist())))
            rest.append(Gf.Matrix4d().SetTranslate(Gf.Vec3d(*local.tolist())))
        prim.CreateBindTransformsAttr(bind or [Gf.Matrix4d(1)])
        prim.CreateRestTransformsAttr(rest or [Gf.Matrix4d(1)])
        return skeleton

    def _joints(self, skeleton: Skeleton | None) -> list[str]:
        names: list[str] = []
        for joint in skeleton.joints if skeleton else ():
            names.append(f"{names[joint.parent]}/{joint.name}" if joint.parent >= 0 else joint.name)
        return names or ["head"]

    def _influences(self, binding: Any, skeleton: Skeleton | None) -> None:
        count = 1 if skeleton is None else len(skeleton.joints)
        if skeleton is None or count == 1:
            binding.CreateJointIndicesPrimvar(True, 1).Set(self._ints([0]))
            binding.CreateJointWeightsPrimvar(True, 1).Set(self.Vt.FloatArray([1.0]))
            return
        width = min(4, count)
        order = np.argsort(-skeleton.weights, axis=1, kind="stable")[:, :width]
        weights = np.take_along_axis(skeleton.weights, order, 1)
        weights = weights / weights.sum(1, keepdims=True)
        binding.CreateJointIndicesPrimvar(False, width).Set(self._ints(order.ravel()))
        floats = np.ascontiguousarray(weights.ravel(), np.float32)
        binding.CreateJointWeightsPrimvar(False, width).Set(self.Vt.FloatArray.FromNumpy(floats))

    def _shapes(self, binding: Any) -> None:
        if not self.names:
            return
        targets = []
        for name, morph in zip(self.names, self.asset.morphs, strict=True):
            path = f"{self.root}/Head/{name}"
            shape = self.UsdSkel.BlendShape.Define(self.stage, path)
            moved = np.flatnonzero(
                (np.abs(morph.deltas).max(1) > _STILL) | (np.abs(morph.normal_deltas).max(1) > 0)
            )
            shape.CreateOffsetsAttr(self._points(morph.deltas[moved]))
            shape.CreateNormalOffsetsAttr(self._directions(morph.normal_deltas[moved]))
            shape.CreatePointIndicesAttr(self._ints(moved))
            targets.append(path)
        binding.CreateBlendShapesAttr(self.names)
        binding.CreateBlendShapeTargetsRel().SetTargets(targets)

    def _animation(self, skeleton: Skeleton | None) -> None:
        """The weights at rest, or those of the recording, in its time."""
        path = f"{self.root}/Skeleton/Animation"
        animation = self.UsdSkel.Animation.Define(self.stage, path)
        animation.CreateBlendShapesAttr(self.names)
        weights = animation.CreateBlendShapeWeightsAttr([0.0] * len(self.names))
        prim = self.stage.GetPrimAtPath(f"{self.root}/Skeleton")
        self.UsdSkel.BindingAPI.Apply(prim).CreateAnimationSourceRel().SetTargets([path])
        take = self.options.animation
        if take is None or not self.names:
            return
        rate = 60.0
        self.stage.SetTimeCodesPerSecond(rate)
        self.stage.SetFramesPerSecond(rate)
        self.stage.SetStartTimeCode(0.0)
        self.stage.SetEndTimeCode(float(take.duration_s * rate))
        columns = np.stack([take.weights_of(morph.arkit) for morph in self.asset.morphs], 1)
        for time_s, row in zip(take.times_s.tolist(), columns, strict=True):
            values = self.Vt.FloatArray.FromNumpy(np.ascontiguousarray(row, np.float32))
            weights.Set(values, time_s * rate)


def asset_roles(asset: Asset, material: Material) -> list[str]:
    """The textures of one material."""
    wanted = {"albedo": material.textured, "normal": material.detailed}
    return [role for role, use in wanted.items() if use and role in asset.textures]
