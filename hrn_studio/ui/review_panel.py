"""The Review inspector: 52 expression sliders, drive with my face, light, turntable."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from hrn_studio.ui import words
from hrn_studio.ui.build import button, frame, label, line, row, scrolled
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.controls import Slider, Switch, ToolButton
from hrn_studio.ui.widgets.instruments import LightBall

GROUPS = (
    ("Brows", ("brow",)),
    ("Eyes", ("eye",)),
    ("Jaw", ("jaw",)),
    ("Mouth", ("mouth",)),
    ("Cheeks, nose, tongue", ("cheek", "nose", "tongue")),
)
_PART = re.compile(r"^(brow|eye|jaw|mouth|cheek|nose|tongue)")


def spoken(name: str) -> str:
    """``mouthSmileLeft`` as ``Smile``; a middle shape as ``Upper lip up``'s like."""
    stem = _stem(name)
    rest = _PART.sub("", stem) or stem
    text = re.sub(r"(?<!^)(?=[A-Z])", " ", rest).lower()
    if name.startswith(("cheek", "nose", "tongue")):
        text = re.sub(r"(?<!^)(?=[A-Z])", " ", stem).lower()
    return text[0].upper() + text[1:]


def _stem(name: str) -> str:
    """Without its side, when it has a partner."""
    pair = re.match(r"(.*?)(Left|Right)$", name)
    return pair.group(1) if pair and pair.group(1) not in ("jaw", "mouth") else name


class ShapeRow(QWidget):
    """A slider for one shape, or for a pair that moves together while the link is on.

    Signals
    -------
    moved
        Names and amount.
    """

    moved = Signal(tuple, float)

    def __init__(self, theme: Theme, title: str, names: tuple[str, ...]) -> None:
        super().__init__()
        self.names = names
        self.title = title
        self.setFixedHeight(27)
        self._title = label(title, "small")
        self._title.setFixedWidth(102)
        self.slider = Slider(theme, title)
        self.value = QLineEdit("0.00")
        self.value.setFixedWidth(40)
        self.value.setAlignment(Qt.AlignmentFlag.AlignRight)
        set_role(self.value, "value")
        self.value.setAccessibleName(f"{title}, value")
        self.link = ToolButton(theme, "link", "Move both sides together", True, (22, 24))
        set_role(self.link, "ghost")
        self.link.setChecked(True)
        kept = self.link.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.link.setSizePolicy(kept)
        self.link.setVisible(len(names) == 2)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(6)
        box.addWidget(self._title)
        box.addWidget(self.slider, 1)
        box.addWidget(self.value)
        box.addWidget(self.link)
        self.slider.moved.connect(self._on_moved)
        self.value.editingFinished.connect(self._on_typed)

    def show_amount(self, amount: float) -> None:
        self.slider.set_amount(amount)
        self._show_text(amount)

    def _show_text(self, amount: float) -> None:
        text = f"{amount:.2f}"
        if self.value.text() != text:
            self.value.setText(text)
        role = "strong_small" if amount > 0.004 else "small"
        if self._title.property("role") != role:
            set_role(self._title, role)

    def _on_moved(self, amount: float) -> None:
        self._show_text(amount)
        linked = len(self.names) == 1 or self.link.isChecked()
        self.moved.emit(self.names if linked else self.names[:1], amount)

    def _on_typed(self) -> None:
        try:
            amount = min(max(float(self.value.text().replace(",", ".")), 0.0), 1.0)
        except ValueError:
            amount = self.slider.amount
        self.slider.setValue(round(100 * amount))
        self._show_text(amount)


class ReviewPanel(QWidget):
    """The Review inspector.

    Signals
    -------
    shaped
        Names and amount.
    reset, driven, turned
        Everything to zero; drive with my face; turntable.
    lit
        Direction of the key light.
    """

    shaped = Signal(tuple, float)
    reset = Signal()
    driven = Signal(bool)
    turned = Signal(bool)
    lit = Signal(tuple)

    def __init__(
        self, theme: Theme, names: tuple[str, ...] = (), parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        reset = button("Reset all", "flat")
        reset.clicked.connect(self.reset)
        self.drive = Switch(theme, "Drive with my face")
        self.drive.toggled.connect(self.driven)
        drive = frame("card")
        inner = QHBoxLayout(drive)
        inner.setContentsMargins(12, 6, 12, 6)
        inner.addWidget(label("Drive with my face", "label"), 1)
        inner.addWidget(label("D", "small"))
        inner.addWidget(self.drive)
        drive.setFixedHeight(40)
        self._find = QLineEdit()
        self._find.setPlaceholderText(f"Find one of {len(names) or 52} shapes")
        self._find.setClearButtonEnabled(True)
        self._find.textChanged.connect(self._on_find)
        self.rows: list[ShapeRow] = []
        self._heads: list[tuple[QWidget, QLabel, list[ShapeRow]]] = []
        shapes = QWidget()
        self._shapes = QVBoxLayout(shapes)
        self._shapes.setContentsMargins(0, 0, 8, 0)
        self._shapes.setSpacing(0)
        self._fill(names)
        self._ball = LightBall(theme, draggable=True)
        self._ball.setFixedSize(60, 60)
        self._ball.dragged.connect(self._on_lit)
        self._key = label("", "strong_small")
        self.turntable = Switch(theme, "Turntable")
        self.turntable.toggled.connect(self.turned)
        light = QHBoxLayout()
        light.setSpacing(16)
        light.addWidget(self._ball)
        side = QVBoxLayout()
        side.setSpacing(0)
        side.addLayout(row(label("Key", "small"), None, self._key))
        side.addLayout(row(label("Turntable", "small"), None, self.turntable))
        light.addLayout(side, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 10, 16, 16)
        box.setSpacing(8)
        box.addLayout(row(label("Expressions", "title"), None, reset))
        box.addWidget(drive)
        box.addWidget(self._find)
        box.addWidget(scrolled(shapes), 1)
        box.addWidget(line())
        box.addLayout(
            row(label("Light on the mesh", "section"), None, label("drag the ball", "small"))
        )
        box.addLayout(light)

    def _fill(self, names: tuple[str, ...]) -> None:
        for title, parts in GROUPS:
            stems: dict[str, list[str]] = {}
            for name in names:
                if name.startswith(parts):
                    stems.setdefault(_stem(name), []).append(name)
            used = label("", "small")
            head = QWidget()
            head.setFixedHeight(28)
            inner = QHBoxLayout(head)
            inner.setContentsMargins(0, 4, 0, 0)
            inner.addWidget(label(title, "section"), 1)
            inner.addWidget(used)
            self._shapes.addWidget(head)
            rows = []
            for group in stems.values():
                shape = ShapeRow(self._theme, spoken(group[0]), tuple(group))
                shape.moved.connect(self._on_shaped)
                self._shapes.addWidget(shape)
                rows.append(shape)
            self._heads.append((head, used, rows))
            self.rows += rows
        self._shapes.addStretch(1)

    def show_weights(self, weights: Mapping[str, float]) -> None:
        """All sliders, and how many are in use."""
        for shape in self.rows:
            shape.show_amount(max(weights.get(name, 0.0) for name in shape.names))
        self._count()

    def show_light(self, direction: tuple[float, float, float]) -> None:
        self._ball.show_direction(direction)
        x, y, z = direction
        side = math.degrees(math.atan2(x, max(z, 1e-6)))
        up = math.degrees(math.asin(max(-1.0, min(1.0, y))))
        # On the mesh the screen's right is the subject's left.
        self._key.setText(f"{words.side(side)}, {words.up_down(up)}")

    def show_drive(self, possible: bool) -> None:
        self.drive.setEnabled(possible)
        self.drive.setToolTip("" if possible else "Open a camera first")

    def _count(self) -> None:
        for _, used, rows in self._heads:
            count = sum(r.slider.value() > 0 for r in rows)
            text = f"{count} in use" if count else ""
            if used.text() != text:
                used.setText(text)

    def _on_shaped(self, names: tuple[str, ...], amount: float) -> None:
        self._count()
        self.shaped.emit(names, amount)

    def _on_find(self, text: str) -> None:
        wanted = text.lower().strip()
        for head, _, rows in self._heads:
            found = False
            for shape in rows:
                names = " ".join((shape.title, *shape.names)).lower()
                hit = not wanted or wanted in names
                shape.setVisible(hit)
                found = found or hit
            head.setVisible(found)

    def _on_lit(self, direction: tuple[float, float, float]) -> None:
        self.show_light(direction)
        self.lit.emit(direction)
