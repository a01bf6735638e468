"""The Fit inspector: the running fit, those that wait, those that ended, and what the next does."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from hrn_studio.models.engines import engine_reason
from hrn_studio.session.state import Session
from hrn_studio.settings import FitSettings
from hrn_studio.ui import words
from hrn_studio.ui.build import Elided, Keyed, button, clear, frame, label, line, row
from hrn_studio.ui.fits import STAGES, Fit
from hrn_studio.ui.fuse_panel import PAGES
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.thumb import Thumb
from hrn_studio.ui.widgets.base import StateGlyph
from hrn_studio.ui.widgets.controls import Segmented, ToolButton
from hrn_studio.ui.widgets.spark import Spark

DETAIL = (("coarse", "Draft"), ("mid", "Standard"), ("fine", "Fine"))
DETAIL_NAMES = dict(DETAIL)
ENGINES = (("studio", "Studio"), ("hrn", "HRN"), ("hrn-mv", "HRN multi-view"))


class StageRow(QWidget):
    """A stage of the running fit: done with its time, running, or to come."""

    def __init__(self, theme: Theme, key: str, name: str) -> None:
        super().__init__()
        self.key = key
        self.setFixedHeight(26)
        self._glyph = StateGlyph(theme, 14)
        self._side = Elided("", "small")
        self._side.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self._glyph)
        box.addWidget(label(name, "label"))
        box.addWidget(self._side, 1)

    def show_fit(self, fit: Fit) -> None:
        took = fit.stage_seconds(self.key)
        if took is not None:
            self._glyph.show_state("ok")
            side = f"{took:.0f} s"
        elif fit.stage == self.key:
            self._glyph.show_state("busy", fit.fraction)
            side = fit.message
        else:
            self._glyph.show_state("none")
            side = ""
        self._side.say(side)


class RunningCard(QFrame):
    """The fit that runs; its height stays."""

    cancelled = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._id = 0
        self.thumb = Thumb(theme)
        self._name = Elided("", "label")
        self._what = label("", "small")
        self._percent = label("", "number")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._left = label("", "small")
        self._so_far = label("", "small")
        self.stages = [StageRow(theme, key, name) for key, name in STAGES]
        cancel = Keyed("Cancel this fit", "Esc", "line_small")
        cancel.clicked.connect(self._on_cancel)
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(self._name)
        text.addWidget(self._what)
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.thumb)
        head.addLayout(text, 1)
        head.addWidget(self._percent)
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 12, 12, 12)
        box.setSpacing(8)
        box.addLayout(head)
        box.addWidget(self._bar)
        box.addLayout(row(self._left, None, self._so_far))
        box.addSpacing(-2)
        for stage in self.stages:
            box.addWidget(stage)
        box.addWidget(cancel)

    def show_fit(self, fit: Fit) -> None:
        self._id = fit.id
        self._name.say(fit.name)
        self._what.setText(what(fit))
        self._percent.setText(f"{100 * fit.fraction:.0f} %")
        self._bar.setValue(round(1000 * fit.fraction))
        left = f"{words.clock(fit.left_s)} left" if fit.left_s else "estimating the time"
        self._left.setText(left)
        self._so_far.setText(f"{words.clock(fit.seconds)} so far")
        for stage in self.stages:
            stage.show_fit(fit)

    def _on_cancel(self) -> None:
        self.cancelled.emit(self._id)


def what(fit: Fit) -> str:
    detail = DETAIL_NAMES.get(fit.choice.stage, fit.choice.stage)
    return f"{detail} detail · {words.frames(len(fit.shots))}"


class FitPanel(QWidget):
    """The Fit inspector.

    Signals
    -------
    cancelled, removed, retried
        A fit's id.
    result_chosen
        A result's id.
    detail_chosen
        Key of the detail of the next fits.
    engine_chosen
        Key of what shapes the next heads.
    page_chosen
        ``one`` or ``several``.
    log_copied, log_wanted
    """

    cancelled = Signal(int)
    removed = Signal(int)
    retried = Signal(int)
    result_chosen = Signal(str)
    detail_chosen = Signal(str)
    page_chosen = Signal(str)
    engine_chosen = Signal(str)
    log_copied = Signal()
    log_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._thumbs: dict[str, QImage] = {}
        self.pages = Segmented(PAGES, "Frames to fit")
        self.pages.chosen.connect(self.page_chosen)
        self._running = RunningCard(theme)
        self._running.cancelled.connect(self.cancelled)
        self._empty = label(
            "Nothing is being fitted. Select frames in the tray and press F; "
            "several together make one fused head.",
            "secondary",
            wrap=True,
        )
        self._spark = Spark(theme)
        self._change = QWidget()
        changing = QVBoxLayout(self._change)
        changing.setContentsMargins(0, 0, 0, 0)
        changing.setSpacing(6)
        changing.addWidget(label("Change per step", "section"))
        changing.addWidget(self._spark)
        self._failed = QVBoxLayout()
        self._failed.setSpacing(12)
        self._lists = QVBoxLayout()
        self._lists.setSpacing(8)
        self._detail = Segmented(DETAIL, "Detail")
        self._detail.chosen.connect(self.detail_chosen)
        self._engine = Segmented(ENGINES, "Engine")
        self._engine.chosen.connect(self.engine_chosen)
        self._device = label("", "small")
        copy = button("Copy log", "raised")
        copy.clicked.connect(self.log_copied)
        box = QVBoxLayout(self)
        box.setContentsMargins(16, 12, 16, 8)
        box.setSpacing(9)
        box.addLayout(row(label("Fitting", "title"), None, self.pages))
        box.addLayout(self._failed)
        box.addWidget(self._empty)
        box.addWidget(self._running)
        box.addWidget(self._change)
        box.addLayout(self._lists)
        box.addWidget(line())
        box.addWidget(label("Next fits", "section"))
        box.addLayout(row(label("Detail"), None, self._detail))
        box.addLayout(row(label("Engine"), None, self._engine))
        box.addLayout(row(label("Runs on"), None, self._device))
        box.addStretch(1)
        box.addWidget(line())
        box.addLayout(row(label(words.LOG_KEPT, "small", wrap=True), copy))
        self._shown: tuple[object, ...] = ()

    def show_settings(self, settings: FitSettings, cores: int) -> None:
        self._detail.choose(settings.stage)
        for key, name in ENGINES:
            why = engine_reason(key)
            button = self._engine.button(key)
            button.setEnabled(why is None)
            button.setToolTip("" if why is None else sentence(f"{name} {why}"))
            if key == settings.engine:
                self._engine.choose(key if why is None else "studio")
        where = "NVIDIA graphics" if settings.device == "cuda" else "Processor"
        cores_text = f", {max(1, cores - 1)} of {cores} cores" if where == "Processor" else ""
        self._device.setText(where + cores_text)

    def show_fits(
        self,
        fits: tuple[Fit, ...],
        thumbs: dict[str, QImage],
        moved_mm: tuple[float, ...] = (),
    ) -> None:
        """Cards for every fit; those that did not change stay.

        ``moved_mm`` is how far the running one's mesh moved from one showing to the next.
        """
        self._thumbs = thumbs
        running = next((f for f in fits if f.state == "running"), None)
        failed = tuple(f for f in fits if f.state == "failed")
        waiting = tuple(f for f in fits if f.state == "waiting")
        done = tuple(f for f in fits if f.state == "done")
        self._empty.setVisible(running is None and not failed)
        self._running.setVisible(running is not None)
        self._change.setVisible(running is not None)
        self._spark.show_values(moved_mm)
        if running is not None:
            self._running.show_fit(running)
            self._running.thumb.show_image(thumbs.get(running.shots[0]))
        shown = (failed, waiting, done)
        if [tuple(f.id for f in group) for group in shown] == list(self._shown):
            return
        self._shown = tuple(tuple(f.id for f in group) for group in shown)
        clear(self._failed)
        for fit in failed:
            self._failed.addWidget(self._failed_card(fit))
        clear(self._lists)
        if waiting:
            count = "1 fit" if len(waiting) == 1 else f"{len(waiting)} fits"
            self._lists.addLayout(row(label("Waiting", "section"), None, label(count, "small")))
            for fit in waiting:
                self._lists.addWidget(self._waiting_row(fit))
        if done:
            self._lists.addWidget(label("Finished", "section"))
            for fit in done[-4:]:
                self._lists.addWidget(self._done_row(fit))

    def _failed_card(self, fit: Fit) -> QFrame:
        card = frame("failed")
        glyph = StateGlyph(self._theme, 18)
        glyph.show_state("bad")
        again, details = button("Try again", "raised"), button("Details", "flat")
        dismiss = ToolButton(self._theme, "close", "Take this card away")
        again.clicked.connect(lambda: self.retried.emit(fit.id))
        details.clicked.connect(self.log_wanted)
        dismiss.clicked.connect(lambda: self.removed.emit(fit.id))
        said, remedy = _said(fit.problem)
        box = QVBoxLayout(card)
        box.setContentsMargins(12, 10, 8, 12)
        box.setSpacing(6)
        box.addLayout(row(glyph, label(f"{fit.name} was not fitted", "label"), None, dismiss))
        box.addWidget(label(said, "body", wrap=True))
        if remedy:
            box.addWidget(label(remedy, "secondary", wrap=True))
        box.addLayout(row(again, details, None))
        return card

    def _small(self, fit: Fit, second: str) -> tuple[QWidget, QHBoxLayout]:
        made = QWidget()
        thumb = Thumb(self._theme, 56, 38)
        thumb.show_image(self._thumbs.get(fit.shots[0]))
        text = QVBoxLayout()
        text.setSpacing(0)
        text.addWidget(Elided(fit.name, "body"))
        text.addWidget(label(second, "small"))
        box = QHBoxLayout(made)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(12)
        box.addWidget(thumb)
        box.addLayout(text, 1)
        return made, box

    def _waiting_row(self, fit: Fit) -> QWidget:
        made, box = self._small(fit, what(fit))
        close = ToolButton(self._theme, "close", "Take it out of the queue")
        close.clicked.connect(lambda: self.cancelled.emit(fit.id))
        box.addWidget(close)
        return made

    def _done_row(self, fit: Fit) -> QWidget:
        made, box = self._small(fit, f"fitted in {words.clock(fit.seconds)}")
        show = ToolButton(self._theme, "right", f"Review {fit.name}")
        show.clicked.connect(lambda: self.result_chosen.emit(fit.result))
        box.addWidget(show, 0, Qt.AlignmentFlag.AlignRight)
        return made


def _said(problem: str) -> tuple[str, str]:
    """What happened and what to do: errors are written ``what; remedy``."""
    what_happened, _, remedy = problem.partition("; ")
    return sentence(what_happened), sentence(remedy)


def sentence(text: str) -> str:
    if not text:
        return ""
    end = "" if text.endswith((".", "?")) else "."
    return text[0].upper() + text[1:] + end


def fit_sentence(fit: Fit | None, session: Session) -> tuple[str, str]:
    """Headline and reason of the band in Fit."""
    if fit is None:
        count = len(session.chosen)
        if count == 0:
            return "Select a frame to fit", "Choose one or several in the tray."
        if count == 1:
            name = session.chosen[0].name
            return f"Fit {name}", "It is fitted in the background; you can keep capturing."
        return (
            f"Fit {count} frames",
            "Each by itself, or all together into one head: several frames are more exact.",
        )
    names = dict(STAGES)
    number = [key for key, _ in STAGES].index(fit.stage) + 1 if fit.stage in names else 0
    stage = names.get(fit.stage, "looking at the pictures").lower()
    left = f", {fit.left_s:.0f} s left" if fit.left_s else ""
    place = f"Stage {number} of {len(STAGES)}{left}. " if number else ""
    return (
        f"Fitting {fit.name}: {stage}",
        f"{place}You can keep capturing; the live view catches up when the fit is done.",
    )
