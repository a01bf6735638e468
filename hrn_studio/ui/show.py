"""What the two panes show, step by step: builds the viewport's panes from the studio's state."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from hrn_studio.face.model import HeadModel
from hrn_studio.live.feed import FeedStatus
from hrn_studio.live.stream import Face, LiveFace
from hrn_studio.live.zebra import clipping
from hrn_studio.records import Floats, Frame
from hrn_studio.render.panes import BUDGET_PX, Hatching, Pane, mesh_size
from hrn_studio.session.state import Result
from hrn_studio.ui import overlay
from hrn_studio.ui.coverage_ring import coverage_ring
from hrn_studio.ui.cue import cue
from hrn_studio.ui.options import Options
from hrn_studio.ui.reference import Reference
from hrn_studio.ui.scenes import Heads, picture_place
from hrn_studio.ui.show_results import Moment, ShowResults
from hrn_studio.ui.stage import Stage
from hrn_studio.ui.studio import HEAD_STEPS, Studio
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.veil import veil_words
from hrn_studio.ui.viewport import Shown

Paint = Callable[[QPainter, QRectF], None]
LOST = ("lost", "refused", "failed")
"""Phases of a source that gives no picture."""
LIVE_BUDGET_PX = 200_000
"""Pixels of the live head where the processor draws it."""


class Show:
    """Builds :class:`Shown` panes."""

    def __init__(self, theme: Theme, stage: Stage, studio: Studio, model: HeadModel) -> None:
        self._theme, self._stage, self._studio = theme, stage, studio
        self.heads = Heads(model, theme.tokens)
        self.moment = Moment()
        self._scene_of: tuple[object, ...] = ()
        self._reading: Result | None = None
        self._hatch: tuple[object, Hatching | None] = (None, None)
        self._placed: tuple[QRectF, tuple[float, float, float], Frame, bool] | None = None
        self.reference = Reference(theme, studio)
        self.results = ShowResults(theme, stage, studio, self.heads, self.moment)

    @property
    def options(self) -> Options:
        return self._stage.options

    @property
    def software(self) -> bool:
        """Whether the processor draws."""
        return self.results.software

    def panes(self) -> list[Shown]:
        """What to show now."""
        step = self._studio.session.step
        left, right = self._stage.rects()
        self.results.heat = None
        if step == "review":
            return self.results.review(left, right)
        if step == "export":
            return self.results.export(left)
        shown = self._studio.session.shown
        if self._stage.fusing and shown is not None and self._studio.fits.running is None:
            return [self.results.result(right, shown, self.options.review, self.options)]
        layout = self._stage.layout_now
        if layout == "mesh":
            return [self._mesh(left)]
        if layout == "overlay":
            return self._pictures(left, over=True)
        if layout == "picture":
            return self._pictures(left)
        return [*self._pictures(left), self._mesh(right)]

    def rest(self) -> None:
        """Finished heads are no longer looked at: what was made for them goes."""
        self._reading = None
        self.results.forget()
        self.heads.forget(set())
        self._studio.results.give_back()

    # --- camera steps ---

    def _face(self) -> Face | None:
        live = self._studio.live.face
        return live.face if live is not None else None

    def _pictures(self, rect: QRectF, over: bool = False) -> list[Shown]:
        """The live picture, with a kept frame on its left when one is compared with."""
        live, o = self._picture(rect, over), self.options
        if not o.reference or self._studio.session.step == "capture":
            return [live]
        return self.reference.beside(live, rect, o, self._studio.live.face)

    def _picture(self, rect: QRectF, over: bool = False) -> Shown:
        o, live = self.options, self._studio.live
        frame, status = live.newest, live.status()
        lost = status is not None and status.phase in LOST
        box = (rect.width(), rect.height())
        bounds = (rect.x(), rect.y(), *box)
        if frame is None:
            return Shown("picture", Pane(bounds), self._painter(status, None))
        # A portrait is never cropped to a landscape pane by default of Fill: faces would go.
        portrait = frame.height > frame.width and rect.width() > rect.height()
        place = picture_place((frame.width, frame.height), box, o.fill and not portrait)
        self._placed = (rect, place, frame, o.mirror)
        face = self._face()
        scene = None
        if over and face is not None:
            ratio = self._mesh_ratio(box, LIVE_BUDGET_PX * 2)
            scene = self.heads.over_picture(face, o.look, place, box, ratio)
        pane = Pane(
            bounds,
            frame.image,
            place,
            mirrored=o.mirror,
            grey=lost,
            hatching=self._hatching(live.face) if o.zebra and not lost else None,
            scene=scene,
            mesh_opacity=0.85,
        )
        return Shown("picture", pane, self._painter(status, live.face, over))

    def picture_at(self, x: float, y: float) -> tuple[float, float] | None:
        """Pixels of the live picture under a place in its pane (0..1)."""
        if self._placed is None:
            return None
        rect, (scale, left, top), frame, mirrored = self._placed
        across = 1 - x if mirrored else x
        at = (across * rect.width() - left) / scale, (y * rect.height() - top) / scale
        inside = 0 <= at[0] < frame.width and 0 <= at[1] < frame.height
        return at if inside else None

    def _mesh_ratio(self, box: tuple[float, float], budget: int) -> float:
        ratio = self._stage.viewport.ratio
        if not self.software:
            return ratio
        return min(ratio, float(np.sqrt(budget / max(box[0] * box[1], 1))))

    def _hatching(self, face: LiveFace | None) -> Hatching | None:
        if face is None or face.face is None:
            return None
        if self._hatch[0] is not face:
            found = clipping(face.frame.image, face.face.track)
            self._hatch = (face, Hatching(*found) if found is not None else None)
        return self._hatch[1]

    def _mesh(self, rect: QRectF) -> Shown:
        o, face = self.options, self._face()
        box = (rect.width(), rect.height())
        budget = LIVE_BUDGET_PX if self.software else BUDGET_PX
        size = mesh_size(*box, self._stage.viewport.ratio, budget)
        session = self._studio.session
        shown = session.shown
        running = self._studio.fits.running
        if session.step == "fit" and running is None and shown is not None:
            return self.results.result(rect, shown, o.look, o)
        mesh = self._studio.fits.mesh
        if session.step == "fit" and running is not None and mesh is not None:
            return self._refining(rect, mesh, running.fraction, size)
        look = o.look
        if look == "textured" and shown is not None and not self._painted(shown):
            shown = None
        key = (face, look, o.orbit, o.key, size, shown)
        if self._scene_of[:-1] != key:
            scene = self.heads.live_scene(face, look, o.orbit, o.key, box, size, shown)
            self._scene_of = (*key, scene)
        pane = Pane((rect.x(), rect.y(), *box), scene=self._scene_of[-1], mirrored=o.mirror)  # type: ignore[arg-type]
        return Shown("mesh", pane, self._mesh_painter())

    def _painted(self, result: Result) -> bool:
        """Whether a result's textures can be shown; they are read when they are not here."""
        if self.heads.has(result) or result.kept.here:
            return True
        if self._reading is not result:
            self._reading = result
            self._studio.results.look(True)
            self._studio.results.fetch(result.id, self._on_read)
        return False

    def _on_read(self, result: Result) -> None:
        self.heads.of(result)
        self._studio.results.look(self._studio.session.step in HEAD_STEPS)

    def _refining(self, rect: QRectF, mesh: Floats, done: float, size: tuple[int, int]) -> Shown:
        """The head of the running fit as far as it has come."""
        o, box = self.options, (rect.width(), rect.height())
        share = round(done, 2)
        key = (id(mesh), share, o.orbit, o.key, size)
        if self._scene_of[:-1] != key:
            scene = self.heads.refining_scene(mesh, share, o.orbit, o.key, box, size)
            self._scene_of = (*key, scene)
        triangles = f"{len(self.heads.model.triangles):,} triangles"

        def paint(painter: QPainter, area: QRectF) -> None:
            overlay.pill(painter, self._theme, triangles, area, "bl")
            overlay.pill(painter, self._theme, "50 mm", area, "br")

        pane = Pane((rect.x(), rect.y(), *box), scene=self._scene_of[-1])  # type: ignore[arg-type]
        return Shown("mesh", pane, paint)

    # --- overlays ---

    def _painter(
        self, status: FeedStatus | None, live: LiveFace | None, over: bool = False
    ) -> Paint:
        o, studio, theme = self.options, self._studio, self._theme
        step = studio.session.step

        def paint(painter: QPainter, area: QRectF) -> None:
            spec = studio.live.spec
            if status is None:
                overlay.waiting(painter, theme, area, "No source is open")
                return
            if status.phase in LOST:
                overlay.veil(painter, theme, area, *veil_words(status, spec is not None))
                return
            if studio.live.newest is None:
                text = "Waiting for a new picture" if spec and spec.kind == "folder" else "Opening"
                overlay.waiting(painter, theme, area, text)
                return
            if o.grid:
                overlay.grid(painter, theme, area)
            guided = studio.shooting.guided
            if step == "capture" and guided is not None:
                pose = live.face.quality.pose_deg if live is not None and live.face else None
                coverage_ring(painter, theme, guided, pose, area, o.mirror)
            elif o.guides and not o.reference:
                overlay.guides(painter, theme, area)
            advice = studio.shooting.advice
            if o.picking:
                overlay.pill(painter, theme, "Click the grey card · Esc to stop", area, "tl")
            elif advice is not None and step == "live" and advice.state in ("warn", "bad"):
                cue(painter, theme, advice, area, o.mirror)
            text = self._picture_pill(live)
            if over and live is not None and live.face is not None:
                overlay.pill(painter, theme, _age(live), area, "br")
            if text:
                overlay.pill(painter, theme, text, area, "bl")
            if self.moment.countdown:
                overlay.countdown(painter, theme, self.moment.countdown, area)
            if self.moment.shutter:
                overlay.shutter(painter, theme, area)

        return paint

    def _picture_pill(self, live: LiveFace | None) -> str:
        spec = self._studio.live.spec
        still = spec is None or spec.is_still
        if self._studio.fits.running is not None and not still:
            return "Live slowed to 15 fps while fitting"
        if self.options.zebra and live is not None and live.face is not None:
            light = live.face.quality.light
            if light is not None and max(light.under, light.over) >= 0.005:
                if light.under >= light.over:
                    return f"Zebra: shadow detail lost, {100 * light.under:.1f} %"
                return f"Zebra: bright detail lost, {100 * light.over:.1f} %"
        return ""

    def _mesh_painter(self) -> Paint:
        theme, studio = self._theme, self._studio

        def paint(painter: QPainter, area: QRectF) -> None:
            live, status = studio.live.face, studio.live.status()
            if status is not None and status.phase in LOST:
                overlay.pill(painter, theme, "Face of the last picture", area, "bl")
            elif live is not None and live.face is not None:
                overlay.pill(painter, theme, _age(live), area, "bl")
            elif live is not None:
                overlay.pill(painter, theme, "No face", area, "bl")
            overlay.pill(painter, theme, "50 mm", area, "br")

        return paint


def _age(live: LiveFace) -> str:
    age = max(0.0, live.done_s - live.frame.time_s) * 1000
    return f"Face {age:.0f} ms old"
