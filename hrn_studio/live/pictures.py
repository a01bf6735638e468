"""The pictures of one person: those that can be read, and why others cannot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hrn_studio.errors import StudioError
from hrn_studio.live.images import read_image
from hrn_studio.records import Frame, FrameReport


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Frames that could be read, and why others could not."""

    frames: tuple[Frame, ...]
    refused: tuple[FrameReport, ...] = ()


def read_pictures(files: Iterable[str | Path]) -> Pictures:
    """Read picture files; what cannot be read is reported, not raised, when others can.

    Frames are called by their files' names, told apart where those are the same.

    Raises
    ------
    ImageError
        None of the files can be read.
    """
    given = [Path(file) for file in files]
    frames, refused, first = [], [], None
    for index, (file, name) in enumerate(zip(given, _names(given), strict=True)):
        try:
            frames.append(replace(read_image(file, index), name=name))
        except StudioError as error:
            refused.append(FrameReport(name, False, str(error)))
            first = first or error
    if not frames and first is not None:
        raise none_usable(first, refused)
    return Pictures(tuple(frames), tuple(refused))


def none_usable(first: StudioError, refused: Sequence[FrameReport]) -> StudioError:
    """What to raise when no picture is left: its reason, or all of theirs."""
    if len(refused) == 1:
        return first
    reasons = "; ".join(f"({n}) {report.reason}" for n, report in enumerate(refused, 1))
    return type(first)(f"none of the {len(refused)} pictures can be used: {reasons}")


def _names(files: Sequence[Path]) -> list[str]:
    """The files' names; with their folder, or a number, where two are the same."""
    plain = [file.name for file in files]
    names = [
        f"{file.absolute().parent.name}/{name}" if plain.count(name) > 1 else name
        for file, name in zip(files, plain, strict=True)
    ]
    return [
        f"{name} ({names[: i + 1].count(name)})" if name in names[:i] else name
        for i, name in enumerate(names)
    ]
