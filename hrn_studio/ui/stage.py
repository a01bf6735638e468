"""The stage: two pane headers with their tools, and the viewport below them."""

from __future__ import annotations

import dataclasses
from typing import Any

from PySide6.QtCore import QRect, QRectF, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from hrn_studio.session.state import Step
from hrn_studio.ui.build import Elided, label
from hrn_studio.ui.options import Layout, Options
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.view import Orbit
from hrn_studio.ui.viewport import Viewport
from hrn_studio.ui.widgets.controls import Segmented, Slider, ToolButton

LAYOUTS: tuple[tuple[Layout, str, str], ...] = (
    ("split", "split", "Split (1)"),
    ("overlay", "overlay", "Overlay (2)"),
    ("picture", "picture", "Picture (3)"),
    ("mesh", "cube", "3D (4)"),
)
CAMERA_STEPS: tuple[Step, ...] = ("live", "capture", "fit")
LOOK_CHOICES = (
    ("clay", "Clay"),
    ("textured", "Texture"),
    ("wireframe", "Wire"),
    ("normals", "Normals"),
)
REVIEW_CHOICES = (
    ("clay", "Clay"),
    ("textured", "Texture"),
    ("displacement", "Displacement"),
    ("deformation", "Deformation"),
    ("confidence", "Confidence"),
    ("spread", "Spread"),
)


REVIEW_WORDS = {
    "displacement": ("Displacement", "Relief", "Displacement: fine relief, millimetres"),
    "deformation": ("Deformation", "Bend", "Deformation: what bent the coarse head, millimetres"),
    "confidence": ("Confidence", "Seen", "Confidence: seen by the frames, or invented"),
}
"""Looks by their full name, the one for a narrow window, and in a sentence."""


class PaneHeader(QFrame):
    """Title, what it shows, and tools; 36 px."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        set_role(self, "pane_header")
        self.setFixedHeight(theme.tokens.size["pane_header"])
        # Panes are equally wide, whatever their headers hold.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.title = label("", "label")
        self.note = Elided("", "small")
        self.tools = QHBoxLayout()
        self.tools.setSpacing(6)
        box = QHBoxLayout(self)
        box.setContentsMargins(12, 0, 8, 0)
        box.setSpacing(6)
        box.addWidget(self.title)
        box.addWidget(self.note, 1)
        box.addLayout(self.tools)

    def say(self, title: str, note: str = "") -> None:
        if self.title.text() != title:
            self.title.setText(title)
        self.note.say(note)


class Stage(QWidget):
    """Headers and viewport.

    Signals
    -------
    changed
        The :class:`Options` are others.
    menu_opened
        The picture's ⋯ menu was asked for: the menu to fill.
    """

    changed = Signal()
    menu_opened = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.options = Options()
        self.step: Step = "live"
        self._narrow = False
        self._has_result = self._refining = False
        self._gap = theme.tokens.size["gap"]
        self.left, self.right = PaneHeader(theme), PaneHeader(theme)
        self.viewport = Viewport(theme)
        self.over = QStackedWidget(self)
        """Pages over the right pane."""
        self.over.hide()
        self.beneath = QStackedWidget(self)
        """Pages over the left pane."""
        self.beneath.hide()
        self._make_tools()
        box = QGridLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setHorizontalSpacing(self._gap)
        box.setVerticalSpacing(0)
        box.addWidget(self.left, 0, 0)
        box.addWidget(self.right, 0, 1)
        box.addWidget(self.viewport, 1, 0, 1, 2)
        box.setColumnStretch(0, 1)
        box.setColumnStretch(1, 1)
        self._grid = box
        self.viewport.dragged.connect(self._on_dragged)
        self.viewport.wheeled.connect(self._on_wheeled)
        self.viewport.double_clicked.connect(self._on_double_clicked)
        self._show_tools()

    # --- tools ---

    def _make_tools(self) -> None:
        theme = self._theme
        self.mirror = ToolButton(theme, "mirror", "Mirror (M)", True)
        self.zebra = ToolButton(theme, "zebra", "Zebra: lost detail (Z)", True)
        self.grid = ToolButton(theme, "grid", "Grid (G)", True)
        self.more = ToolButton(theme, "more", "More")
        for tool, name in ((self.mirror, "mirror"), (self.zebra, "zebra"), (self.grid, "grid")):
            tool.clicked.connect(lambda on, n=name: self.set_options(**{n: on}))
        self.more.clicked.connect(self._on_more)
        self.compare = Segmented(
            (("photo", "Photo"), ("wipe", "Wipe"), ("blend", "Blend")), "Compare"
        )
        self.compare.chosen.connect(lambda key: self.set_options(compare=key))
        self._mesh_label = label("Mesh", "small")
        self.opacity = Slider(theme, "Mesh opacity", 1.0)
        self.opacity.setFixedWidth(80)
        self.opacity.moved.connect(lambda value: self.set_options(mesh_opacity=value))
        self.asset = Segmented(
            (("clay", "Clay"), ("textured", "Texture"), ("wireframe", "Wire")), "Look"
        )
        self.asset.choose("textured")
        self.asset.chosen.connect(lambda key: self.set_options(asset=key))
        self.looks = Segmented(LOOK_CHOICES, "Look")
        self.looks.chosen.connect(lambda key: self.set_options(look=key))
        self.review = Segmented(REVIEW_CHOICES, "Look")
        self.review.chosen.connect(lambda key: self.set_options(review=key))
        self.light = ToolButton(theme, "sun", "Move the key light: drag in the 3D pane (L)", True)
        self.light.clicked.connect(lambda on: self.set_options(move_light=on))
        self.reset = ToolButton(theme, "reset", "Reset the view (R)")
        self.reset.clicked.connect(self.reset_view)
        self.layouts: dict[Layout, ToolButton] = {}
        for key, icon, tip in LAYOUTS:
            tool = ToolButton(theme, icon, tip, True)
            tool.clicked.connect(lambda _=False, k=key: self.choose_layout(k))
            self.layouts[key] = tool
        self.folded = ToolButton(theme, "split", "Layout (1 to 4)")
        self.folded.clicked.connect(self._on_folded)
        self._bar = QFrame()
        set_role(self._bar, "line")
        self._bar.setFixedSize(1, 18)
        self.stages = Segmented(
            (("coarse", "Coarse"), ("mid", "Middle"), ("fine", "Fine")), "Stage", parent=self
        )
        self.stages.choose("fine")
        self.stages.chosen.connect(lambda key: self.set_options(stage=key))
        self.stages.hide()
        left: tuple[QWidget, ...] = (self.mirror, self.zebra, self.grid, self.more)
        for part in (*left, self.compare, self._mesh_label, self.opacity, self.asset):
            self.left.tools.addWidget(part)
        self._right_tools: tuple[QWidget, ...] = (
            *(self.looks, self.review, self.light, self.reset, self._bar),
            *self.layouts.values(),
            self.folded,
        )
        for part in self._right_tools:
            self.right.tools.addWidget(part)

    @property
    def layout_now(self) -> Layout:
        if self.step == "capture":
            return self.options.capture_layout
        return self.options.layout if self.step in CAMERA_STEPS and not self.fusing else "split"

    @property
    def fusing(self) -> bool:
        """Whether Fit shows how several frames agree."""
        return self.step == "fit" and self.options.fusing

    @property
    def single(self) -> bool:
        return self.layout_now != "split"

    def set_options(self, **values: Any) -> None:
        """Change how things are shown."""
        new = dataclasses.replace(self.options, **values)
        if new != self.options:
            self.options = new
            self._show_tools()
            self.changed.emit()

    def choose_layout(self, key: Layout) -> None:
        if self.step == "capture":
            self.set_options(capture_layout=key)
        elif self.step in CAMERA_STEPS:
            self.set_options(layout=key)
        self._show_tools()

    def reset_view(self) -> None:
        self.set_options(orbit=Orbit())

    def show_step(self, step: Step, has_result: bool, several: bool) -> None:
        """Other tools for another step."""
        self.step, self._has_result = step, has_result
        self.review.button("spread").setVisible(several)
        self._show_tools()

    def show_refining(self, on: bool) -> None:
        """A fit is running and shows its mesh, in a look of its own."""
        if on != self._refining:
            self._refining = on
            self._show_tools()

    def fold(self, narrow: bool) -> None:
        if narrow != self._narrow:
            self._narrow = narrow
            for key, (full, short, tip) in REVIEW_WORDS.items():
                self.review.label(key, short if narrow else full)
                self.review.button(key).setToolTip(tip)
            self.looks.label("normals", "Normal" if narrow else "Normals")
            self._show_tools()

    def _show_tools(self) -> None:
        o, step = self.options, self.step
        fusing = self.fusing
        camera = step in CAMERA_STEPS and not fusing
        layout = self.layout_now
        picture = layout != "mesh"
        single = self.single
        # One pane has one header; the tools of both are in it.
        home = self.left.tools if single else self.right.tools
        if home.indexOf(self.folded) < 0:
            for part in self._right_tools:
                home.addWidget(part)
        for tool, on in ((self.mirror, o.mirror), (self.zebra, o.zebra), (self.grid, o.grid)):
            tool.setChecked(on)
            tool.setVisible(camera and picture)
        self.more.setVisible(camera and picture)
        self.compare.choose(o.compare)
        for part in (self.compare, self._mesh_label, self.opacity):
            part.setVisible(step == "review" and not o.other)
        blending = step == "review" and o.compare == "blend" and not o.other
        self._mesh_label.setVisible(blending)
        self.opacity.setVisible(blending)
        self.opacity.set_amount(o.mesh_opacity)
        self.asset.setVisible(step == "export")
        self.asset.choose(o.asset)
        self.looks.setVisible(camera and layout != "picture" and not self._refining)
        self.looks.choose(o.look)
        self.looks.button("textured").setVisible(self._has_result)
        self.review.setVisible(step == "review" or fusing)
        for key in ("displacement", "deformation"):
            self.review.button(key).setVisible(not fusing)
        self.review.choose(o.review)
        self.light.setVisible(camera and layout in ("split", "mesh"))
        self.light.setChecked(o.move_light)
        self.reset.setVisible(step != "export" and layout in ("split", "mesh"))
        self._bar.setVisible(camera and not self._narrow)
        for key, button in self.layouts.items():
            button.setVisible(camera and not self._narrow)
            button.setChecked(key == layout)
        self.folded.setVisible(camera and self._narrow)
        self.folded.show_icon(next(icon for key, icon, _ in LAYOUTS if key == layout))
        self.stages.choose(o.stage)
        self.stages.setVisible(step == "review")
        self.over.setVisible(step == "export")
        self.beneath.setVisible(fusing)
        self._place()

    # --- places ---

    def rects(self) -> tuple[QRectF, QRectF]:
        """Left and right pane in the viewport; the right one is empty when there is one pane."""
        w, h = float(self.viewport.width()), float(self.viewport.height())
        if self.single:
            return QRectF(0, 0, w, h), QRectF()
        half = float(int((w - self._gap) / 2))
        return QRectF(0, 0, half, h), QRectF(w - half, 0, half, h)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        self.right.setVisible(not self.single)
        self._grid.setColumnStretch(1, 0 if self.single else 1)
        self._grid.setHorizontalSpacing(0 if self.single else self._gap)
        left, right = self.rects()
        if right.width() > 0:
            top = self.left.height()
            self.beneath.setGeometry(left.toRect().translated(0, top))
            self.beneath.raise_()
            corner = right.topLeft().toPoint()
            place = QRect(corner.x(), top, int(right.width()), int(right.height()))
            self.over.setGeometry(place)
            self.over.raise_()
            self.stages.adjustSize()
            bottom = place.bottom() - 12 - self.stages.height()
            self.stages.move(place.x() + 12, bottom)
            self.stages.raise_()
        self.right.setVisible(not self.single)

    # --- the mouse ---

    def _on_dragged(self, key: str, dx: float, dy: float, button: str, x: float, y: float) -> None:
        o = self.options
        if key == "mesh" and o.move_light and button == "left":
            self.set_options(key=light_at(x, y))
        elif key == "mesh" and button == "left":
            mirrored = o.mirror and self.step in CAMERA_STEPS
            self.set_options(orbit=o.orbit.turned(-dx if mirrored else dx, dy))
        elif key == "mesh":
            self.set_options(orbit=o.orbit.moved(dx, dy, 0.0006 / o.orbit.zoom))
        elif key == "picture" and self.step in CAMERA_STEPS and o.reference:
            # The pane that is held is the part left of the line.
            self.set_options(wipe=min(max(x * o.wipe, 0.05), 0.95))
        elif key == "picture" and (self.step == "review" and o.compare == "wipe"):
            self.set_options(wipe=min(max(x, 0.0), 1.0))

    def _on_wheeled(self, key: str, steps: float) -> None:
        if key == "mesh":
            self.set_options(orbit=self.options.orbit.zoomed(steps))

    def _on_double_clicked(self, key: str) -> None:
        if key == "mesh":
            self.reset_view()

    def _on_more(self) -> None:
        menu = QMenu(self)
        o = self.options
        for text, name in (("Fill the pane", "fill"), ("Guides", "guides")):
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setChecked(getattr(o, name))
            action.toggled.connect(lambda on, n=name: self.set_options(**{n: on}))
        self.menu_opened.emit(menu)
        menu.exec(self.more.mapToGlobal(self.more.rect().bottomLeft()))
        menu.deleteLater()

    def _on_folded(self) -> None:
        menu = QMenu(self)
        for key, _, tip in LAYOUTS:
            menu.addAction(tip).triggered.connect(lambda _=False, k=key: self.choose_layout(k))
        menu.exec(self.folded.mapToGlobal(self.folded.rect().bottomLeft()))
        menu.deleteLater()


def light_at(x: float, y: float) -> tuple[float, float, float]:
    """The direction of a light for a place in the pane (0..1), viewer's axes."""
    u, v = 2 * x - 1, 1 - 2 * y
    length = (u * u + v * v) ** 0.5
    if length > 0.98:
        u, v = u / length * 0.98, v / length * 0.98
    return u, v, max(0.1, 1 - u * u - v * v) ** 0.5
