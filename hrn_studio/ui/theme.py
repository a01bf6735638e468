"""Colours, type and style of the window, for the dark and the light theme.

:class:`Theme` is made once and passed to every widget that paints; on ``changed`` it paints
again.  There is no colour literal anywhere else in the window.
"""

from __future__ import annotations

from string import Template
from typing import Literal, TypeAlias

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from hrn_studio import paths
from hrn_studio.live.quality_limits import State
from hrn_studio.ui.tokens import Tokens

Scheme: TypeAlias = Literal["dark", "light"]


def css_color(text: str) -> QColor:
    """``#rrggbb`` or ``rgba(r,g,b,a)`` with a of 0..255."""
    if text.startswith("rgba("):
        r, g, b, a = (int(part) for part in text[5:-1].split(","))
        return QColor(r, g, b, a)
    return QColor(text)


def scheme_of_system() -> Scheme:
    """What the desktop is set to; dark when it does not say."""
    wanted = QGuiApplication.styleHints().colorScheme()
    return "light" if wanted == Qt.ColorScheme.Light else "dark"


class Theme(QObject):
    """The tokens in use.

    Signals
    -------
    changed
        Another scheme or text size: paint again.
    """

    changed = Signal()

    def __init__(self, tokens: Tokens, scheme: Scheme = "dark", text_scale: float = 1.0) -> None:
        super().__init__()
        self.tokens = tokens
        self.scheme: Scheme = scheme
        self.text_scale = text_scale
        self.reduced_motion = False
        self._colors: dict[str, QColor] = {}
        self._fill()

    def _fill(self) -> None:
        named = self.tokens.dark if self.scheme == "dark" else self.tokens.light
        self._colors = {k: css_color(v) for k, v in {**named, **self.tokens.overlay}.items()}

    def use(self, scheme: Scheme, text_scale: float = 1.0) -> None:
        """Change the scheme or the size of text; restyles everything at once."""
        if (scheme, text_scale) == (self.scheme, self.text_scale):
            return
        self.scheme, self.text_scale = scheme, text_scale
        self._fill()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            self.apply(app)
        self.changed.emit()

    def apply(self, app: QApplication) -> None:
        """Style the whole application; does nothing when it has this style already."""
        sheet = self.style_sheet()
        if app.styleSheet() == sheet:
            return
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setPalette(self.palette())
        app.setFont(self.font("body"))
        app.setStyleSheet(sheet)

    def __getitem__(self, name: str) -> QColor:
        """A colour by its token's name."""
        return self._colors[name]

    def state(self, state: State | Literal["busy"]) -> QColor:
        """The colour of a state; grey when nothing is measured, the accent while busy."""
        name = {"none": "text_quiet", "busy": "accent"}.get(state, state)
        return self._colors[name]

    def series(self, index: int) -> QColor:
        """A plot's colour."""
        colors = self.tokens.series[self.scheme]
        return QColor(colors[index % len(colors)])

    def px(self, name: str) -> int:
        """Size of a kind of text, logical pixels."""
        return round(self.tokens.type[name].px * self.text_scale)

    def font(self, name: str, weight: int | None = None) -> QFont:
        """The system's font in a kind of text; figures are as wide as each other."""
        font = QFont(QGuiApplication.font())
        font.setPixelSize(self.px(name))
        font.setWeight(QFont.Weight(weight or self.tokens.type[name].weight))
        font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def palette(self) -> QPalette:
        palette = QPalette()
        roles = {
            QPalette.ColorRole.Window: "window",
            QPalette.ColorRole.Base: "panel",
            QPalette.ColorRole.AlternateBase: "card",
            QPalette.ColorRole.Button: "card",
            QPalette.ColorRole.WindowText: "text",
            QPalette.ColorRole.Text: "text",
            QPalette.ColorRole.ButtonText: "text",
            QPalette.ColorRole.PlaceholderText: "text_quiet",
            QPalette.ColorRole.Highlight: "accent",
            QPalette.ColorRole.HighlightedText: "on_accent",
            QPalette.ColorRole.ToolTipBase: "card",
            QPalette.ColorRole.ToolTipText: "text",
            QPalette.ColorRole.Link: "accent",
        }
        for role, name in roles.items():
            palette.setColor(role, self[name])
        return palette

    def style_sheet(self) -> str:
        """``studio.qss`` with the tokens filled in."""
        text = (paths.resources() / "ui" / "studio.qss").read_text(encoding="utf-8")
        values: dict[str, str | int] = {name: _css(color) for name, color in self._colors.items()}
        values["accent_hover"] = _css(self["accent"].lighter(108))
        values["accent_key"] = _css(self["accent"].darker(128))
        if self.scheme == "light":
            values["accent_key"] = _css(self["accent"].darker(140))
        values |= {f"px_{name}": self.px(name) for name in self.tokens.type}
        values |= {f"r_{name}": radius for name, radius in self.tokens.radius.items()}
        return Template(text).substitute(values)


def set_role(widget: QWidget, role: str, **more: object) -> None:
    """Give a widget its place in the style sheet."""
    for name, value in {"role": role, **more}.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def _css(color: QColor) -> str:
    return f"rgba({color.red()},{color.green()},{color.blue()},{color.alpha()})"
