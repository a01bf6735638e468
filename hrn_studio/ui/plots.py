"""The last 30 seconds as curves: latency, pose, expressions.  Drawn only while they are seen."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPen
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from hrn_studio.live.stream import LiveFace
from hrn_studio.records import Doubles
from hrn_studio.ui.build import label, row
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.widgets.controls import ToolButton

SECONDS = 30.0
_POINTS = 300
_PERIOD_S = SECONDS / _POINTS


class Plot(QWidget):
    """Curves with a legend above; the axes stay."""

    def __init__(
        self, theme: Theme, title: str, unit: str, names: tuple[str, ...], span: tuple[float, float]
    ) -> None:
        super().__init__()
        import pyqtgraph as pg

        self._theme = theme
        self._pen_of = pg.mkPen
        self._legend = [label("", "caption") for _ in names]
        self._names = names
        self.choose = ToolButton(theme, "more", f"Choose what {title} shows", size=(28, 20))
        self.choose.hide()
        unit_of = label(unit, "caption")
        head = row(label(title, "strong_small"), *self._legend, None, self.choose, unit_of)
        self._plot: Any = pg.PlotWidget(background=None)
        self._plot.setMenuEnabled(False)
        self._plot.setMouseEnabled(False, False)
        self._plot.hideButtons()
        self._plot.setXRange(-SECONDS, 0, padding=0)
        self._plot.setYRange(*span, padding=0.02)
        self._plot.setFrameShape(self._plot.frameShape().NoFrame)
        self._plot.setViewportUpdateMode(self._plot.ViewportUpdateMode.MinimalViewportUpdate)
        bottom, left = self._plot.getAxis("bottom"), self._plot.getAxis("left")
        at = (-30, -20, -10, 0)
        bottom.setTicks([[(v, "now" if v == 0 else f"−{-v} s") for v in at]])
        middle = (span[0] + span[1]) / 2
        left.setTicks([[(v, f"{v:g}".replace("-", "−")) for v in (span[0], middle, span[1])]])
        left.setWidth(28)
        bottom.setHeight(16)
        self._curves = [self._plot.plot() for _ in names]
        self._grid = [self._plot.addLine(y=v, pen=None) for v in (span[0], middle, span[1])]
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(head)
        box.addWidget(self._plot, 1)
        self._restyle()
        theme.changed.connect(self._restyle)

    def rename(self, names: tuple[str, ...]) -> None:
        """The curves show something else."""
        self._names = names
        self._restyle()

    def show_values(self, seconds: np.ndarray[Any, Any], values: np.ndarray[Any, Any]) -> None:
        """Values (N, curves) at times (N,) before now."""
        for i, curve in enumerate(self._curves):
            curve.setData(seconds, values[:, i], connect="finite")

    def _restyle(self) -> None:
        theme = self._theme
        for i, (curve, name) in enumerate(zip(self._curves, self._legend, strict=True)):
            color = theme.series(i)
            curve.setPen(self._pen_of(color, width=1.6))
            name.setText(f'<span style="color:{color.name()}">━</span> {self._names[i]}')
            name.setTextFormat(Qt.TextFormat.RichText)
        pen = QPen(theme["raised"], 1)
        pen.setCosmetic(True)
        for grid in self._grid:
            grid.setPen(pen)
        for side in ("bottom", "left"):
            axis = self._plot.getAxis(side)
            axis.setPen(pen)
            axis.setTextPen(theme["text_secondary"])
            axis.setStyle(tickLength=0, tickFont=theme.font("caption"), tickTextOffset=3)


class Plots(QWidget):
    """Three plots side by side; made when first shown.

    Signals
    -------
    chosen
        Number of a curve of the expressions, and the expression it is to show.
    """

    chosen = Signal(int, str)

    def __init__(self, theme: Theme, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._theme = theme
        self._clock = clock
        self._plots: list[Plot] = []
        self._rows: deque[Doubles] = deque(maxlen=_POINTS + 2)
        self._names: tuple[str, ...] = ()
        self._shown = ("jawOpen", "mouthSmileLeft")
        self._timer = QTimer(self)
        self._timer.setInterval(200)
        self._timer.timeout.connect(self._on_timeout)
        box = QHBoxLayout(self)
        box.setContentsMargins(2, 0, 2, 2)
        box.setSpacing(24)
        self._box = box

    def use_names(self, names: tuple[str, ...]) -> None:
        """Names of the expressions."""
        self._names = names

    def show_expressions(self, first: str, second: str) -> None:
        """Which expressions are shown; unknown ones change nothing."""
        wanted = (first, second)
        if wanted == self._shown or not set(wanted) <= set(self._names):
            return
        self._shown = first, second
        if self._plots:
            self._plots[-1].rename(tuple(spoken(name) for name in self._shown))
            self._on_timeout()

    def menu(self) -> QMenu:
        """All expressions for each curve."""
        menu = QMenu(self)
        for number, title in enumerate(("First curve", "Second curve")):
            part = menu.addMenu(title)
            for name in self._names:
                action = part.addAction(spoken(name))
                action.setCheckable(True)
                action.setChecked(name == self._shown[number])
                action.triggered.connect(lambda _=False, i=number, n=name: self.chosen.emit(i, n))
        return menu

    def _on_choose(self) -> None:
        menu, below = self.menu(), self._plots[-1].choose
        menu.exec(below.mapToGlobal(below.rect().bottomLeft()))
        menu.deleteLater()

    def add(self, face: LiveFace) -> None:
        """Keep at most ten points a second."""
        if self._rows and face.done_s - self._rows[-1][0] < _PERIOD_S:
            return
        seen = face.face
        pose = seen.quality.pose_deg if seen is not None else None
        yaw, pitch, roll = pose if pose is not None else (np.nan,) * 3
        weights = np.full(len(self._names), np.nan)
        if seen is not None and seen.state is not None and self._names:
            weights[:] = seen.state.coefficients.expression
        pace = face.pace
        told = (face.done_s, pace.latency_p50_ms, pace.latency_p95_ms, yaw, pitch, roll)
        self._rows.append(np.concatenate([told, weights]))

    def run(self, on: bool) -> None:
        """Draw from now on, or no longer."""
        if on and not self._plots:
            curves = (
                ("Latency", "ms", ("p50", "p95"), (0.0, 80.0)),
                ("Pose", "degrees", ("yaw", "pitch", "roll"), (-40.0, 40.0)),
                ("Expressions", "0 to 1", tuple(map(spoken, self._shown)), (0.0, 1.0)),
            )
            for title, unit, names, span in curves:
                plot = Plot(self._theme, title, unit, names, span)
                self._plots.append(plot)
                self._box.addWidget(plot, 1)
            self._plots[-1].choose.show()
            self._plots[-1].choose.clicked.connect(self._on_choose)
        if on:
            self._timer.start()
            self._on_timeout()
        else:
            self._timer.stop()

    def _on_timeout(self) -> None:
        if not self._rows:
            return
        values = np.array(self._rows)
        seconds = values[:, 0] - self._clock()
        at = [6 + self._names.index(name) if name in self._names else 0 for name in self._shown]
        for plot, columns in zip(self._plots, ([1, 2], [3, 4, 5], at), strict=True):
            plot.show_values(seconds, values[:, columns])


def spoken(name: str) -> str:
    """``mouthSmileLeft`` as people say it: ``mouth smile left``."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name)
