"""The Review step: expressions, driving with the live face, turntable, a second result."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QMenu

from hrn_studio.live.stream import LiveFace
from hrn_studio.session.state import Result
from hrn_studio.ui.mainframe import MainFrame
from hrn_studio.ui.options import KEY


class Reviewing(QObject):
    """What the Review inspector and the pointer do.

    Signals
    -------
    changed
        The panes show something else.
    compared
        Another result is on the left, or none.
    """

    changed = Signal()
    compared = Signal()

    def __init__(self, frame: MainFrame) -> None:
        super().__init__(frame)
        self._frame, self._studio = frame, frame.studio
        self._shown_s = 0.0
        self._turn = QTimer(self)
        self._turn.setInterval(40)
        self._turn.timeout.connect(self._on_turned)
        review, stage = frame.review, frame.stage
        review.shaped.connect(self._on_shaped)
        review.reset.connect(self.reset)
        review.driven.connect(self._on_driven)
        review.turned.connect(self._on_turntable)
        review.lit.connect(self._on_lit)
        review.show_light(KEY)
        stage.viewport.hovered.connect(self._on_hovered)

    def close(self) -> None:
        self._turn.stop()

    def _on_lit(self, to: tuple[float, float, float]) -> None:
        self._frame.stage.set_options(key=to)

    def compare(self) -> None:
        """Show another result on the left; the photograph again when one is shown."""
        if self._frame.stage.options.other:
            self.compare_with("")
            return
        session = self._studio.session
        others = [r for r in session.results if r.id != session.result]
        if len(others) == 1:
            self.compare_with(others[0].id)
            return
        menu = QMenu(self._frame)
        for result in others:
            action = menu.addAction(result.name)
            action.triggered.connect(lambda _=False, i=result.id: self.compare_with(i))
        menu.exec(
            self._frame.band.secondary.mapToGlobal(self._frame.band.secondary.rect().bottomLeft())
        )
        menu.deleteLater()

    def compare_with(self, result_id: str) -> None:
        if result_id:
            self._studio.results.fetch(result_id, self._on_other)
        else:
            self._frame.stage.set_options(other="")
            self.compared.emit()

    def _on_other(self, result: Result) -> None:
        self._frame.stage.set_options(other=result.id)
        self.compared.emit()

    def _on_shaped(self, names: tuple[str, ...], amount: float) -> None:
        weights = self._frame.show_panes.moment.weights
        for name in names:
            weights[name] = amount
        self._frame.show_panes.moment.weights = {k: v for k, v in weights.items() if v > 0}
        self.changed.emit()

    def reset(self) -> None:
        self._frame.show_panes.moment.weights = {}
        self._frame.review.show_weights({})
        self.changed.emit()

    def _on_driven(self, on: bool) -> None:
        if not on:
            self._frame.show_panes.moment.driven = {}
            self._frame.review.show_weights(self._frame.show_panes.moment.weights)
            self.changed.emit()

    def drive(self, face: LiveFace) -> None:
        state = face.face.state if face.face is not None else None
        if state is None:
            return
        names = self._studio.parts.head().expression_names
        values = state.coefficients.expression
        driven = {n: float(v) for n, v in zip(names, values, strict=True) if v > 0.01}
        self._frame.show_panes.moment.driven = driven
        if face.done_s - self._shown_s >= 0.1:
            self._shown_s = face.done_s
            self._frame.review.show_weights(driven)

    def _on_turntable(self, on: bool) -> None:
        if on:
            self._turn.start()
        else:
            self._turn.stop()
            self._frame.show_panes.moment.turn = 0.0
            self.changed.emit()

    def _on_turned(self) -> None:
        if self._studio.session.step != "review":
            self._frame.review.turntable.setChecked(False)
            return
        self._frame.show_panes.moment.turn += 0.04
        self.changed.emit()

    def _on_hovered(self, key: str, x: float, y: float) -> None:
        stage = self._frame.stage
        if key == "mesh" and (self._studio.session.step == "review" or stage.fusing):
            pointer = self._frame.show_panes.results.value_at(x, y)
        else:
            pointer = ""
        if pointer != self._frame.show_panes.moment.pointer:
            self._frame.show_panes.moment.pointer = pointer
            self.changed.emit()
