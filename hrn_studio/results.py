"""Finished heads on disk: opened again, and exported for one program or another.

>>> from hrn_studio.pipeline import finish
>>> from hrn_studio.results import export_result
>>> finish(export_result("out", "for-unity", preset="unity"))   # doctest: +SKIP
PosixPath('/home/me/for-unity')
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from hrn_studio.errors import ArchiveError, ModelDataError, UsageError
from hrn_studio.export.archive import KeptHead, find, read
from hrn_studio.export.folder import check_folder
from hrn_studio.export.options import ExportOptions
from hrn_studio.export.presets import preset_of
from hrn_studio.face.model import HeadModel, load_head
from hrn_studio.records import Progress

__all__ = ["export_result", "open_result", "result_sizes"]


def open_result(source: str | Path, name: str | None = None) -> tuple[KeptHead, HeadModel]:
    """A head kept by ``hrn-studio reconstruct``, and the model it was fitted with.

    Parameters
    ----------
    source
        The result folder, or the ``NAME.head.npz`` in it.
    name
        Which head, when the folder holds several.

    Raises
    ------
    ArchiveError
        There is no such head, or its file is damaged, foreign, or not of this model.
    ModelDataError
        The model is one of the user's own and not there any more.
    """
    kept = read(source, name)
    try:
        model = _model(kept.head)
    except UsageError as error:
        raise ArchiveError(
            f"'{find(source, name)}' was made with the head model '{kept.head}', which this "
            "program does not have"
        ) from error
    if len(kept.result.neutral) != model.vertex_count:
        raise ArchiveError(
            f"'{find(source, name)}' was made with another version of the head model; make it "
            "again with 'hrn-studio reconstruct'"
        )
    return kept, model


def export_result(
    source: str | Path,
    out: str | Path,
    *,
    preset: str | None = None,
    formats: Sequence[str] | None = None,
    options: ExportOptions | None = None,
    name: str | None = None,
) -> Generator[Progress, None, Path]:
    """Export a kept head; all or nothing.  The same input gives the same bytes.

    Parameters
    ----------
    source, name
        As in :func:`open_result`.
    out
        The folder to write to.
    preset
        ``unity``, ``unreal``, ``blender``, ``web``, ``metahuman`` or ``print``.
    formats, options
        Instead of the preset's; start from ``preset_of(...).options`` and
        :func:`hrn_studio.export.presets.changed`.

    Raises
    ------
    StudioError
        See :mod:`hrn_studio.errors`; nothing was changed.
    """
    from hrn_studio.export.formats import export

    wishes = None if preset is None else preset_of(preset)
    if Path(out).expanduser().resolve() == find(source, name).resolve().parent:
        raise UsageError(f"'{out}' holds the finished head itself; give another folder")
    check_folder(out)
    yield Progress("export", 0.0, "reading")
    kept, model = open_result(source, name)
    return (
        yield from export(
            kept.result,
            model,
            out,
            name=kept.name,
            preset=wishes,
            formats=formats,
            settings=options,
            options=kept.options,
            created=kept.created,
        )
    )


def result_sizes(
    source: str | Path,
    *,
    preset: str | None = None,
    formats: Sequence[str] | None = None,
    options: ExportOptions | None = None,
    name: str | None = None,
) -> dict[str, int]:
    """About how many bytes each file of :func:`export_result` would have, by name.

    See :func:`hrn_studio.export.sizes.estimate_sizes`; nothing is written.

    Raises
    ------
    StudioError
        See :mod:`hrn_studio.errors`.
    """
    from hrn_studio.export.formats import chosen
    from hrn_studio.export.sizes import estimate_sizes

    wishes = None if preset is None else preset_of(preset)
    wanted, how = chosen(wishes, formats, options)
    kept, model = open_result(source, name)
    return estimate_sizes(kept.result, model, kept.name, wanted, how)


def _model(name: str) -> HeadModel:
    if name == "default":
        return load_head()
    from hrn_studio.models.heads import load_chosen

    try:
        return load_chosen(name)[0]
    except ModelDataError as error:
        raise ModelDataError(f"the head cannot be exported: {error}") from error
