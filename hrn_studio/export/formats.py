"""The formats there are, and the one call that exports a head to a folder."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

from hrn_studio import licenses, paths
from hrn_studio.errors import UsageError
from hrn_studio.export.asset import Asset, make_asset
from hrn_studio.export.dressing import dressed, with_parts
from hrn_studio.export.exr import write_exr
from hrn_studio.export.fbx import write_fbx
from hrn_studio.export.folder import writing_folder
from hrn_studio.export.gltf import write_glb
from hrn_studio.export.gutters import padded
from hrn_studio.export.levels import at_level
from hrn_studio.export.manifest import describe_file, make_manifest, manifest_bytes
from hrn_studio.export.names import file_stem
from hrn_studio.export.obj import write_obj
from hrn_studio.export.options import PLAIN, ExportOptions
from hrn_studio.export.ply import write_ply
from hrn_studio.export.presets import Preset, describe
from hrn_studio.export.sheet import shapes_png
from hrn_studio.export.stl import write_stl
from hrn_studio.export.usd import write_usd, write_usdz
from hrn_studio.export.webpage import write_html
from hrn_studio.face.model import HeadModel
from hrn_studio.records import Progress, Reconstruction

Writer: TypeAlias = Callable[[Asset, ExportOptions], Mapping[str, bytes]]
"""From a dressed asset to files, by plain name.  Pure: nothing is read from or written to disk,
and the same input gives the same bytes."""


def write_maps(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME_albedo.png`` and the others."""
    return {asset.texture_file(role): texture.png for role, texture in asset.textures.items()}


FORMATS: Mapping[str, Writer] = MappingProxyType(
    {
        "obj": write_obj,
        "maps": write_maps,
        "glb": write_glb,
        "fbx": write_fbx,
        "ply": write_ply,
        "stl": write_stl,
        "exr": write_exr,
        "usd": write_usd,
        "usdz": write_usdz,
        "html": write_html,
    }
)
"""A new format is one module and one line here."""
_WHOLE = ("stl",)
"""A body needs all parts to be closed."""
USUAL = ("obj", "maps", "glb")
"""Written with every reconstruction."""


def export(
    reconstruction: Reconstruction,
    head: HeadModel,
    target: str | Path,
    *,
    name: str,
    preset: Preset | None = None,
    formats: Sequence[str] | None = None,
    settings: ExportOptions | None = None,
    extra: Mapping[str, bytes] | None = None,
    manifest_name: str = "manifest.json",
    options: Mapping[str, Any] | None = None,
    created: str | None = None,
) -> Generator[Progress, None, Path]:
    """Write a head into the folder ``target``: everything or nothing.

    ``shapes.png``, which shows every shape, is always among the files.

    What is guaranteed when something goes wrong is said in :mod:`hrn_studio.export.folder`.  To
    cancel is to close the generator.

    Parameters
    ----------
    name
        What the files are called; made fit for file names.
    preset
        A program's formats and settings, and the files that go with them.
    formats
        Names from :data:`FORMATS`; the preset's, or :data:`USUAL`, when not given.
    settings
        How to write it; the preset's, or a viewer's, when not given.
    extra
        Files to put beside, by name: the preview, for example.
    manifest_name
        Give each head its own when several share a folder.
    options
        For the manifest: what the user asked for when the head was made.
    created
        ISO 8601 time for the manifest; now when not given.

    Yields
    ------
    Progress
        Stage ``export``, the fraction of this task.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    UsageError
        A format is unknown.
    ExportError
        The folder cannot be written; nothing was changed.
    """
    wanted, how = chosen(preset, formats, settings)
    started = datetime.now(UTC).isoformat(timespec="seconds") if created is None else created
    yield Progress("export", 0.0, "shapes and textures")
    whole = padded(make_asset(reconstruction, head, file_stem(name)))
    asset = with_parts(whole, how.parts)
    assets, files = yield from _written(whole, wanted, how)
    if preset is not None:
        files.update(preset.files(asset.name, assets[0], how))
    files[manifest_name.removesuffix("manifest.json") + "shapes.png"] = shapes_png(asset)
    files.update(extra or {})
    manifest = make_manifest(
        reconstruction,
        head,
        asset.name,
        assets,
        [describe_file(*item) for item in files.items()],
        licenses=licenses.read(paths.resources() / "licenses.json"),
        options=options or {},
        export=describe(how, wanted, preset.name if preset else None),
        created=started,
    )
    contents = {**files, manifest_name: manifest_bytes(manifest)}
    with closing(writing_folder(target, contents)) as writing:
        for done, written in enumerate(writing, 1):
            yield Progress("export", 0.8 + 0.2 * done / len(contents), written)
    return Path(target).expanduser().absolute()


def chosen(
    preset: Preset | None, formats: Sequence[str] | None, settings: ExportOptions | None
) -> tuple[Sequence[str], ExportOptions]:
    """The formats and settings of an export: those given, else the preset's, else the usual ones.

    Raises ``UsageError`` for a format that is unknown, or a wish that the preset's program cannot
    read.
    """
    wanted = formats or (preset.formats if preset else USUAL)
    for unknown in wanted:
        if unknown not in FORMATS:
            raise UsageError(f"no format is called '{unknown}'; there are {', '.join(FORMATS)}")
    how = settings or (preset.options if preset else PLAIN)
    if preset is not None and preset.name == "blender" and how.compress != "none":
        raise UsageError("Blender does not read compressed GLB files; leave the compression out")
    return wanted, how


def _written(
    asset: Asset, formats: Sequence[str], how: ExportOptions
) -> Generator[Progress, None, tuple[list[Asset], dict[str, bytes]]]:
    """The dressed asset of each level of detail, and all their files."""
    assets: list[Asset] = []
    files: dict[str, bytes] = {}
    steps = len(how.levels) * len(formats)
    for number, level in enumerate(how.levels):
        yield Progress("export", 0.2 + 0.6 * number * len(formats) / steps, level)
        whole = dressed(at_level(asset, level), how)
        assets.append(with_parts(whole, how.parts))
        for done, one in enumerate(formats, number * len(formats)):
            yield Progress("export", 0.2 + 0.6 * done / steps, one)
            files.update(FORMATS[one](whole if one in _WHOLE else assets[-1], how))
    return assets, files
