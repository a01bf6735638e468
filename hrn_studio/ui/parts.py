"""What the window is put together from: the seam where tests put in their own parts.

Nothing is loaded before it is asked for; PyTorch never in this process, only in that of the fits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from hrn_studio.export.options import ExportOptions
from hrn_studio.face.model import HeadModel, load_head
from hrn_studio.live.regressor import FaceRegressor
from hrn_studio.live.tracker import LandmarkTracker
from hrn_studio.records import Frame, Progress, Reconstruction
from hrn_studio.ui.apart import Apart


@dataclass(frozen=True, slots=True)
class FitChoice:
    """What a fit does."""

    stage: str = "fine"
    texture_px: int = 2048
    device: str = "auto"
    hfov_deg: float | None = None
    white_balance: bool = True
    engine: str = "studio"
    network: bool = False


@dataclass(frozen=True, slots=True)
class MoreChoice:
    """What a preset decides unless it is told otherwise; names as in
    :class:`~hrn_studio.export.options.ExportOptions`."""

    levels: tuple[str, ...] = ("fitted",)
    normal: str = "gl"
    skeleton: str = "none"
    compress: str = "none"
    embed: bool = False
    wall_m: float = 0.0
    recording: Path | None = None
    """A CSV of ``hrn-studio track`` to play."""


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """What an export writes."""

    target: Path
    name: str
    formats: tuple[str, ...]
    preset: str = ""
    """Whose settings and extra files; empty for a viewer's."""
    texture_px: int | None = None
    """Side of all textures; None as they were fitted."""
    naming: str = "arkit"
    shapes: bool = True
    inner: bool = True
    """Eyes, teeth and tongue, too."""
    more: MoreChoice = MoreChoice()


@dataclass(frozen=True, slots=True)
class PresetChoice:
    """What one program wants."""

    key: str
    title: str
    about: str
    formats: tuple[str, ...]
    naming: str = "arkit"
    shapes: bool = True
    inner: bool = True
    more: MoreChoice = MoreChoice()


class Parts(Protocol):
    """Everything below the window that takes time or memory to make."""

    def head(self) -> HeadModel:
        """The head model, loaded once."""

    def tracker(self, still: bool) -> LandmarkTracker:
        """A new tracker; called on the thread that uses it."""

    def regressor(self) -> FaceRegressor:
        """A new regressor; called on the thread that uses it."""

    def fit(
        self, frames: Sequence[Frame], choice: FitChoice
    ) -> Generator[Progress | None, None, Reconstruction]:
        """Fit one head; yields None, too, when there is nothing to say."""

    def rest(self) -> None:
        """No fit is waiting: what they needed may go.  Returns at once."""

    def close(self) -> None:
        """The window closes: nothing may be left running."""

    def formats(self) -> tuple[str, ...]:
        """Names of the export formats."""

    def presets(self) -> tuple[PresetChoice, ...]:
        """The programs that an export can be made for."""

    def sizes(self, head: Reconstruction, choice: ExportChoice) -> Mapping[str, int]:
        """About how many bytes each file of an export will have, by its name."""

    def export(self, head: Reconstruction, choice: ExportChoice) -> Generator[Progress, None, Path]:
        """Write a head; all or nothing."""


class RealParts:
    """The default head, MediaPipe, the learned maps, and the fit of :mod:`hrn_studio.pipeline`.

    Parameters
    ----------
    live_engine
        Asked for each new regressor: one of :data:`hrn_studio.models.live.LIVE_ENGINES`.
    live_network
        Asked, too: whether the face network looks beside the studio's maps.
    """

    def __init__(
        self,
        live_engine: Callable[[], str] = lambda: "studio",
        live_network: Callable[[], bool] = lambda: False,
    ) -> None:
        self._live_engine, self._live_network = live_engine, live_network
        self._lock = threading.Lock()
        self._head: HeadModel | None = None
        self._apart = Apart()

    def head(self) -> HeadModel:
        with self._lock:
            if self._head is None:
                self._head = load_head()
            return self._head

    def tracker(self, still: bool) -> LandmarkTracker:
        from hrn_studio.live.tracker import MediaPipeTracker

        return MediaPipeTracker("still" if still else "video")

    def regressor(self) -> FaceRegressor:
        from hrn_studio.face.landmarks import load_embedding
        from hrn_studio.live.regressor import LandmarkRegressor
        from hrn_studio.models.live import make_estimator

        embedding = load_embedding()
        engine = self._live_engine()
        network = engine == "studio" and self._live_network()
        maps = make_estimator(engine, self.head(), embedding, network)
        return LandmarkRegressor(self.head(), embedding, maps)

    def fit(
        self, frames: Sequence[Frame], choice: FitChoice
    ) -> Generator[Progress | None, None, Reconstruction]:
        """In a process of its own, which waits for the next one until :meth:`rest`."""
        yield Progress("track", 0.0, "loading")
        head: Reconstruction = yield from self._apart.run(fit_here, tuple(frames), choice)
        return head

    def rest(self) -> None:
        self._apart.end()

    def close(self) -> None:
        self._apart.close()

    def formats(self) -> tuple[str, ...]:
        from hrn_studio.export.formats import FORMATS

        return tuple(FORMATS)

    def presets(self) -> tuple[PresetChoice, ...]:
        from hrn_studio.export.presets import PRESETS

        return tuple(
            PresetChoice(
                preset.name,
                f"{preset.title[0].upper()}{preset.title[1:]}",
                preset.what,
                preset.formats,
                preset.options.naming,
                preset.options.shapes,
                bool(preset.options.parts),
                _more_of(preset.options),
            )
            for preset in PRESETS.values()
        )

    def sizes(self, head: Reconstruction, choice: ExportChoice) -> Mapping[str, int]:
        from hrn_studio.export.sizes import estimate_sizes

        still = replace(choice, more=replace(choice.more, recording=None))
        settings = export_settings(still)
        return estimate_sizes(head, self.head(), choice.name, choice.formats, settings)

    def export(self, head: Reconstruction, choice: ExportChoice) -> Generator[Progress, None, Path]:
        from hrn_studio.export.formats import export
        from hrn_studio.export.presets import preset_of

        return (
            yield from export(
                head,
                self.head(),
                choice.target,
                name=choice.name,
                preset=preset_of(choice.preset) if choice.preset else None,
                formats=choice.formats,
                settings=export_settings(choice),
            )
        )


def export_settings(choice: ExportChoice) -> ExportOptions:
    """The preset's options with what was chosen.

    Raises
    ------
    UsageError
        The recording cannot be read.
    """
    from hrn_studio.export.animation import read_take
    from hrn_studio.export.options import PARTS, PLAIN
    from hrn_studio.export.presets import changed, preset_of

    more = choice.more
    return changed(
        preset_of(choice.preset).options if choice.preset else PLAIN,
        texture_px=choice.texture_px,
        naming=choice.naming,
        shapes=choice.shapes,
        parts=PARTS if choice.inner else (),
        levels=more.levels,
        normal=more.normal,
        skeleton=more.skeleton,
        compress=more.compress,
        embed=more.embed,
        wall_m=more.wall_m,
        animation=None if more.recording is None else read_take(more.recording),
    )


def _more_of(options: ExportOptions) -> MoreChoice:
    return MoreChoice(
        options.levels,
        options.normal,
        options.skeleton,
        options.compress,
        options.embed,
        options.wall_m,
    )


def fit_here(
    frames: Sequence[Frame], choice: FitChoice
) -> Generator[Progress, None, Reconstruction]:
    """Fit one head in this process."""
    from hrn_studio.pipeline import Models, Options, reconstruct

    models = Models.load(network=choice.network)
    try:
        options = Options(
            hfov_deg=choice.hfov_deg,
            stage=choice.stage,
            texture_px=choice.texture_px,
            device=choice.device,
            white_balance=choice.white_balance,
            engine=choice.engine,
        )
        return (yield from reconstruct(models, tuple(frames), options))
    finally:
        models.close()
