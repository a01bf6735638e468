"""What the panes show of finished heads: Review, Export, and the fitted mesh in Fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from hrn_studio.records import Floats
from hrn_studio.render.panes import Pane, mesh_size
from hrn_studio.session.state import Result
from hrn_studio.ui import overlay
from hrn_studio.ui.heat import Heat
from hrn_studio.ui.options import Options
from hrn_studio.ui.scale_bar import scale_bar
from hrn_studio.ui.scenes import Heads
from hrn_studio.ui.stage import Stage
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.viewport import Shown

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


class ShowResults:
    """Builds :class:`Shown` panes of results."""

    def __init__(
        self, theme: Theme, stage: Stage, studio: Studio, heads: Heads, moment: Moment
    ) -> None:
        self._theme, self._stage, self._studio = theme, stage, studio
        self.heads, self.moment = heads, moment
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

    def _kept(self, name: str, key: object, make: object) -> object:
        """A scene that is made again only when what it shows is another."""
        if name not in self._still or self._still[name][0] != key:
            self._still[name] = (key, make())  # type: ignore[operator]
        return self._still[name][1]

    def forget(self) -> None:
        """Drop the scenes that were kept."""
        self._still.clear()

    def review(self, left: QRectF, right: QRectF) -> list[Shown]:
        result = self._studio.session.shown
        o = self.options
        if result is None:
            return []
        other = next((r for r in self._studio.session.results if r.id == o.other), None)
        first = (
            self.result(left, other, o.review, o, "picture")
            if other is not None and other is not result
            else self._photo(left, result)
        )
        return [first, self.result(right, result, o.review, o)]

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

    def result(
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
                scale_bar(painter, theme, colors.scale, area)
                if self.moment.pointer and name == "mesh":
                    overlay.pill(painter, theme, self.moment.pointer, area, "tl")
            overlay.pill(painter, theme, "50 mm", area, "br")
            if name != "mesh":
                overlay.pill(painter, theme, result.name, area, "tl")

        return Shown(name, pane, paint)

    def export(self, rect: QRectF) -> list[Shown]:
        result, o = self._studio.session.shown, self.options
        if result is None:
            return []
        shown = self.result(rect, result, o.asset, o)
        top = float(np.ptp(result.head.neutral[:, 1])) * 1000
        triangles = len(self.heads.model.triangles)
        shapes = self.heads.model.expression_count

        def paint(painter: QPainter, area: QRectF) -> None:
            theme = self._theme
            overlay.pill(painter, theme, f"{triangles:,} triangles · {shapes} shapes", area, "bl")
            high, low = bounds(shown.pane)
            overlay.height_mark(painter, theme, area, area.y() + high, area.y() + low)
            overlay.height_label(painter, theme, area, (high + low) / 2, f"{top:.0f} mm")
            overlay.pill(painter, theme, "50 mm", area, "br")

        return [Shown("mesh", shown.pane, paint)]

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


def bounds(pane: Pane) -> tuple[float, float]:
    """Top and bottom of a pane's head, pixels from the pane's top."""
    scene = pane.scene
    assert scene is not None
    T, camera = scene.T_camera_head, scene.camera
    seen = scene.vertices @ T[:3, :3].T + T[:3, 3]
    y = camera.focal_px * seen[:, 1] / seen[:, 2] + camera.center_px[1]
    scale = pane.rect[3] / camera.height
    return float(y.min()) * scale, float(y.max()) * scale


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


def _before(stage: str) -> str:
    return {"fine": "mid", "mid": "coarse"}.get(stage, "coarse")
