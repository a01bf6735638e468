"""What the two panes show, step by step: builds the viewport's panes from the studio's state."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from hrn_studio.face.model import HeadModel
from hrn_studio.live.feed import FeedStatus
from hrn_studio.live.stream import Face, LiveFace
from hrn_studio.live.zebra import clipping
from hrn_studio.records import Floats
from hrn_studio.render.panes import BUDGET_PX, Hatching, Pane, mesh_size
from hrn_studio.session.state import Result
from hrn_studio.ui import overlay
from hrn_studio.ui.heat import Heat
from hrn_studio.ui.options import Options
from hrn_studio.ui.scenes import Heads, picture_place
from hrn_studio.ui.stage import Stage
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.viewport import Shown

Paint = Callable[[QPainter, QRectF], None]
LIVE_BUDGET_PX = 200_000
"""Pixels of the live head where the processor draws it."""
STILL_BUDGET_PX = 420_000
_SOFTWARE = ("llvmpipe", "softpipe", "swiftshader", "software")


@dataclass(slots=True)
class Moment:
    """What passes: told by the window, painted over the picture."""

    countdown: int = 0
    shutter: bool = False
    pointer: str = ""
    """The heat map's value under the pointer."""
    turn: float = 0.0
    """Turntable, radians."""
    driven: Mapping[str, float] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    """Expression sliders."""


class Show:
    """Builds :class:`Shown` panes."""

    def __init__(self, theme: Theme, stage: Stage, studio: Studio, model: HeadModel) -> None:
        self._theme, self._stage, self._studio = theme, stage, studio
        self.heads = Heads(model, theme.tokens)
        self.moment = Moment()
        self._scene_of: tuple[object, ...] = ()
        self._hatch: tuple[object, Hatching | None] = (None, None)
        self._still: dict[str, tuple[object, object]] = {}
        self.heat: Heat | None = None

    @property
    def options(self) -> Options:
        return self._stage.options

    @property
    def software(self) -> bool:
        """Whether the processor draws."""
        name = self._stage.viewport.renderer.lower()
        return any(word in name for word in _SOFTWARE)

    def panes(self) -> list[Shown]:
        """What to show now."""
        step = self._studio.session.step
        left, right = self._stage.rects()
        self.heat = None
        if step == "review":
            return self._review(left, right)
        if step == "export":
            return self._export(left)
        layout = self._stage.layout_now
        if layout == "mesh":
            return [self._mesh(left)]
        if layout == "overlay":
            return [self._picture(left, over=True)]
        if layout == "picture":
            return [self._picture(left)]
        return [self._picture(left), self._mesh(right)]

    # --- camera steps ---

    def _face(self) -> Face | None:
        live = self._studio.live.face
        return live.face if live is not None else None

    def _picture(self, rect: QRectF, over: bool = False) -> Shown:
        o, live = self.options, self._studio.live
        frame, status = live.newest, live.status()
        lost = status is not None and status.phase in ("lost", "refused", "failed")
        box = (rect.width(), rect.height())
        bounds = (rect.x(), rect.y(), *box)
        if frame is None:
            return Shown("picture", Pane(bounds), self._painter(status, None))
        # A portrait is never cropped to a landscape pane by default of Fill: faces would go.
        portrait = frame.height > frame.width and rect.width() > rect.height()
        place = picture_place((frame.width, frame.height), box, o.fill and not portrait)
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
        return Shown("picture", pane, self._painter(status, live.face))

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
            return self._result(rect, shown, "clay", o)
        look = o.look
        if session.step == "fit" and running is not None:
            look = "wireframe" if running.fraction < 0.6 else "clay"
        key = (face, look, o.orbit, o.key, size)
        if self._scene_of[:-1] != key:
            scene = self.heads.live_scene(face, look, o.orbit, o.key, box, size, shown)
            self._scene_of = (*key, scene)
        pane = Pane((rect.x(), rect.y(), *box), scene=self._scene_of[-1], mirrored=o.mirror)  # type: ignore[arg-type]
        return Shown("mesh", pane, self._mesh_painter())

    # --- review and export ---

    def _kept(self, name: str, key: object, make: object) -> object:
        """A scene that is made again only when what it shows is another."""
        if name not in self._still or self._still[name][0] != key:
            self._still[name] = (key, make())  # type: ignore[operator]
        return self._still[name][1]

    def _review(self, left: QRectF, right: QRectF) -> list[Shown]:
        result = self._studio.session.shown
        o = self.options
        if result is None:
            return []
        other = next((r for r in self._studio.session.results if r.id == o.other), None)
        first = (
            self._result(left, other, o.review, o, "picture")
            if other is not None and other is not result
            else self._photo(left, result)
        )
        return [first, self._result(right, result, o.review, o)]

    def _photo(self, rect: QRectF, result: Result) -> Shown:
        o = self.options
        box = (rect.width(), rect.height())
        view = result.head.views[0]
        image = view.frame.image
        place = face_place(view.track.points_px, (image.shape[1], image.shape[0]), box)
        size = mesh_size(*box, self._stage.viewport.ratio, STILL_BUDGET_PX)
        scene = self._kept(
            "photo",
            (result.id, box, size),
            lambda: self.heads.photo_scene(result, place, box, size),
        )
        photo_only = o.photo_only or o.compare == "photo"
        pane = Pane(
            (rect.x(), rect.y(), *box),
            image,
            place,
            scene=scene,  # type: ignore[arg-type]
            fine=True,
            mesh_opacity=0.0 if photo_only else 1.0 if o.compare == "wipe" else o.mesh_opacity,
            wipe=o.wipe if o.compare == "wipe" else 0.0,
        )

        def paint(painter: QPainter, area: QRectF) -> None:
            if o.compare == "wipe" and not photo_only:
                overlay.wipe_line(painter, self._theme, area, o.wipe, labels=True)
            elif photo_only:
                overlay.pill(painter, self._theme, view.frame.name, area, "tl")

        return Shown("picture", pane, paint)

    def _result(
        self, rect: QRectF, result: Result, look: str, o: Options, name: str = "mesh"
    ) -> Shown:
        box = (rect.width(), rect.height())
        size = mesh_size(*box, self._stage.viewport.ratio, STILL_BUDGET_PX)
        stage = _before(o.stage) if o.before else o.stage
        reviewing = self._studio.session.step == "review"
        weights = {**self.moment.weights, **self.moment.driven} if reviewing else {}
        orbit = o.orbit.turned(-self.moment.turn / 0.008, 0.0)
        key = (result.id, look, stage, tuple(sorted(weights.items())), orbit, o.key, size)
        fine = not self.moment.driven and not (self.software and self.moment.turn)
        scene = self._kept(
            f"result {name}",
            key,
            lambda: self.heads.result_scene(
                result,
                look,  # type: ignore[arg-type]
                stage,
                weights,
                orbit,
                o.key,
                box,
                size,
                fine,
            ),
        )
        colors = self.heads.heat(result, look)
        if name == "mesh":
            self.heat = colors
        pane = Pane((rect.x(), rect.y(), *box), scene=scene, fine=fine)  # type: ignore[arg-type]

        def paint(painter: QPainter, area: QRectF) -> None:
            theme = self._theme
            if colors is not None:
                overlay.scale_bar(painter, theme, colors.scale, area)
                if self.moment.pointer and name == "mesh":
                    overlay.pill(painter, theme, self.moment.pointer, area, "tl")
            overlay.pill(painter, theme, "50 mm", area, "br")
            if name != "mesh":
                overlay.pill(painter, theme, result.name, area, "tl")

        return Shown(name, pane, paint)

    def _export(self, rect: QRectF) -> list[Shown]:
        result, o = self._studio.session.shown, self.options
        if result is None:
            return []
        shown = self._result(rect, result, o.asset, o)
        top = float(np.ptp(result.head.neutral[:, 1])) * 1000
        triangles = len(self.heads.model.triangles)
        shapes = self.heads.model.expression_count

        def paint(painter: QPainter, area: QRectF) -> None:
            theme = self._theme
            overlay.pill(painter, theme, f"{triangles:,} triangles · {shapes} shapes", area, "bl")
            overlay.pill(painter, theme, f"{top:.0f} mm high", area, "tr")
            overlay.pill(painter, theme, "50 mm", area, "br")

        return [Shown("mesh", shown.pane, paint)]

    # --- overlays ---

    def _painter(self, status: FeedStatus | None, live: LiveFace | None) -> Paint:
        o, studio, theme = self.options, self._studio, self._theme
        step = studio.session.step

        def paint(painter: QPainter, area: QRectF) -> None:
            spec = studio.live.spec
            if status is None:
                overlay.waiting(painter, theme, area, "No source is open")
                return
            if status.phase in ("lost", "refused", "failed"):
                overlay.veil(painter, theme, area, *veil_words(status, spec is not None))
                return
            if studio.live.newest is None:
                text = "Waiting for a new picture" if spec and spec.kind == "folder" else "Opening"
                overlay.waiting(painter, theme, area, text)
                return
            if o.grid:
                overlay.grid(painter, theme, area)
            guided = studio.guided
            if step == "capture" and guided is not None:
                pose = live.face.quality.pose_deg if live is not None and live.face else None
                overlay.coverage_ring(painter, theme, guided, pose, area, o.mirror)
            elif o.guides:
                overlay.guides(painter, theme, area)
            advice = studio.advice
            if advice is not None and step == "live" and advice.state in ("warn", "bad"):
                overlay.cue(painter, theme, advice, area, o.mirror)
            text = self._picture_pill(live)
            if text:
                overlay.pill(painter, theme, text, area, "bl")
            if self.moment.countdown:
                overlay.countdown(painter, theme, self.moment.countdown, area)
            if self.moment.shutter:
                overlay.shutter(painter, theme, area)

        return paint

    def _picture_pill(self, live: LiveFace | None) -> str:
        if self._studio.fits.running is not None:
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
            live = studio.live.face
            if live is not None and live.face is not None:
                age = max(0.0, live.done_s - live.frame.time_s) * 1000
                overlay.pill(painter, theme, f"Face {age:.0f} ms old", area, "bl")
            elif live is not None:
                overlay.pill(painter, theme, "No face", area, "bl")
            overlay.pill(painter, theme, "50 mm", area, "br")

        return paint

    def value_at(self, x: float, y: float) -> str:
        """The heat map's value under a place in the mesh pane (0..1); empty off the head."""
        kept = self._still.get("result mesh")
        if self.heat is None or kept is None:
            return ""
        scene = kept[1]
        camera, T = scene.camera, scene.T_camera_head  # type: ignore[attr-defined]
        seen = scene.vertices @ T[:3, :3].T + T[:3, 3]  # type: ignore[attr-defined]
        at = camera.focal_px * seen[:, :2] / seen[:, 2:] + np.array(camera.center_px)
        away = np.hypot(*(at - (x * camera.width, y * camera.height)).T)
        near = np.flatnonzero(away < max(6.0, 0.015 * camera.width))
        if not len(near):
            return ""
        front = near[np.argmin(seen[near, 2] + 0.0004 * away[near])]
        value = float(self.heat.values[front])
        if not np.isfinite(value):
            return "Pointer: unseen"
        unit = "mm" if self.heat.scale.title == "mm" else "seen"
        return f"Pointer: {value:.2f} {unit}".replace("-", "−")


def face_place(
    points_px: Floats,
    image: tuple[int, int],
    pane: tuple[float, float],
) -> tuple[float, float, float]:
    """The place of a photograph that shows the head large: the face takes half the height."""
    low, high = np.asarray(points_px).min(axis=0), np.asarray(points_px).max(axis=0)
    height = float(high[1] - low[1])
    middle = (low + high) / 2 - (0, 0.12 * height)
    wanted = 0.52 * pane[1] / max(height, 1)
    fill = max(pane[0] / image[0], pane[1] / image[1])
    scale = max(wanted, min(fill, wanted * 2))
    x, y = (p / 2 - float(m) * scale for p, m in zip(pane, middle, strict=True))
    # Show no emptiness where there is picture left.
    if image[0] * scale >= pane[0]:
        x = min(0.0, max(x, pane[0] - image[0] * scale))
    if image[1] * scale >= pane[1]:
        y = min(0.0, max(y, pane[1] - image[1] * scale))
    return scale, x, y


def veil_words(status: FeedStatus, has_source: bool) -> tuple[str, list[str], str]:
    """Title, lines and icon of the card over a source that is gone."""
    if status.phase == "refused":
        title, first = "Camera not available", "It is in use, missing or not allowed"
    elif status.phase == "failed":
        title, first = "Source gone", "It was moved, or its drive was removed"
    else:
        when = datetime.now().timestamp() - (time.monotonic() - status.since_s)
        title = "Camera lost"
        first = f"Last picture, {datetime.fromtimestamp(when):%H:%M:%S}"
    lines = [first]
    left = status.retry_at_s - time.monotonic()
    if status.retry_at_s:
        lines.append(f"Trying again in {max(1, round(left))} s" if left > 0 else "Trying again")
    return title, lines, "plug"


def _before(stage: str) -> str:
    return {"fine": "mid", "mid": "coarse"}.get(stage, "coarse")
