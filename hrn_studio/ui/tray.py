"""The tray: kept frames, results and plots at one fixed height."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from hrn_studio.session.state import Planned
from hrn_studio.ui import words
from hrn_studio.ui.build import Keyed, button
from hrn_studio.ui.cards import CARD, Card, CardList
from hrn_studio.ui.plots import Plots
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.controls import Segmented, icon_button


class Tray(QFrame):
    """136 px.

    Signals
    -------
    selected
        Ids of frames.
    result_chosen
        Id of a result.
    fit_wanted, fuse_wanted, add_wanted, reject_wanted, delete_wanted, undo_wanted
    renamed
        Id and name.
    shown_in_folder
        Id.
    result_reviewed, result_deleted
        Id of a result.
    tab_changed
        ``frames``, ``results`` or ``plots``.
    """

    selected = Signal(list)
    result_chosen = Signal(str)
    fit_wanted = Signal()
    fuse_wanted = Signal()
    add_wanted = Signal()
    reject_wanted = Signal()
    delete_wanted = Signal()
    undo_wanted = Signal()
    renamed = Signal(str, str)
    shown_in_folder = Signal(str)
    tab_changed = Signal(str)
    result_reviewed = Signal(str)
    result_deleted = Signal(str)

    def __init__(self, theme: Theme, plots: Plots, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_role(self, "tray")
        self.setFixedHeight(theme.tokens.size["tray"])
        self.tabs = Segmented(
            (("frames", "Frames 0"), ("results", "Results 0"), ("plots", "Plots")), "Tray"
        )
        self.tabs.chosen.connect(self.show_tab)
        self.add = icon_button(theme, "plus", "Add pictures", "flat")
        self.undo = Keyed("Undo", "Ctrl Z", "line_small")
        self.fit = button("Fit selected", "raised", "F")
        self.fuse = button("Fuse selected", "raised", "Fit the selected frames as one head")
        self.add.clicked.connect(self.add_wanted)
        self.undo.clicked.connect(self.undo_wanted)
        self.fit.clicked.connect(self.fit_wanted)
        self.fuse.clicked.connect(self.fuse_wanted)
        self.frames = CardList(theme, "Frames", several=True)
        self.results = CardList(theme, "Results", several=False)
        self.frames.selected.connect(self.selected)
        self.results.selected.connect(self._on_result)
        self.frames.customContextMenuRequested.connect(self._on_menu)
        self.results.customContextMenuRequested.connect(self._on_result_menu)
        self._empty = _empty(words.EMPTY_TRAY)
        self._no_results = _empty(words.EMPTY_RESULTS)
        self.plots = plots
        self._pages = QStackedWidget()
        for page in (self.frames, self.results, plots, self._empty, self._no_results):
            self._pages.addWidget(page)
        head = QHBoxLayout()
        head.setContentsMargins(12, 4, 12, 0)
        head.setSpacing(8)
        head.addWidget(self.tabs)
        head.addStretch(1)
        for part in (self.undo, self.add, self.fuse, self.fit):
            head.addWidget(part)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addLayout(head)
        pages = QHBoxLayout()
        pages.setContentsMargins(10, 0, 10, 0)
        pages.addWidget(self._pages)
        box.addLayout(pages, 1)
        self.show_undo(False)
        self.show_tab("frames")

    @property
    def tab(self) -> str:
        return self.tabs.key

    def show_tab(self, key: str) -> None:
        self.tabs.choose(key)
        frames = self.frames if self.frames.cards.cards else self._empty
        results = self.results if self.results.cards.cards else self._no_results
        page = {"frames": frames, "results": results, "plots": self.plots}[key]
        self._pages.setCurrentWidget(page)
        self.plots.run(key == "plots")
        for part in (self.add, self.fit, self.fuse):
            part.setVisible(key == "frames" and part.isEnabled())
        self.tab_changed.emit(key)

    def show_frames(
        self, cards: tuple[Card, ...], chosen: frozenset[str], planned: tuple[Planned, ...]
    ) -> None:
        real = cards
        cards += tuple(
            Card(f"plan-{p.key}", p.label.split(" ")[0].rstrip(","), "", "none", planned=True)
            for p in planned
        )
        self.frames.show_cards(cards, chosen)
        count = sum(1 for c in real if not c.rejected)
        self.tabs.label("frames", f"Frames {count}")
        usable = sum(1 for c in real if c.id in chosen and not c.rejected)
        self.fit.setText(f"Fit selected  {usable}" if usable else "Fit selected")
        self.fuse.setText(f"Fuse selected  {usable}")
        self.fit.setEnabled(usable > 0)
        self.fuse.setEnabled(usable > 1)
        self.add.setEnabled(True)
        self.show_tab(self.tab)

    def show_results(self, cards: tuple[Card, ...], chosen: str) -> None:
        self.results.show_cards(cards, frozenset([chosen]))
        self.tabs.label("results", f"Results {len(cards)}")
        if self.tab == "results":
            self.show_tab("results")

    def show_undo(self, possible: bool, what: str = "Undo") -> None:
        self.undo.setVisible(possible)
        self.undo.say(what, "Ctrl Z")

    def ask_name(self, card: Card) -> None:
        name, good = QInputDialog.getText(self, "Rename", "Name", text=card.name)
        if good:
            self.renamed.emit(card.id, name)

    def _on_result(self, ids: list[str]) -> None:
        if ids:
            self.result_chosen.emit(ids[0])

    def _on_menu(self, at: QPoint) -> None:
        index = self.frames.indexAt(at)
        if not index.isValid():
            return
        card: Card = index.data(CARD)
        menu = QMenu(self)
        menu.addAction("Fit\tF", self.fit_wanted.emit)
        if len(self.frames.chosen()) > 1:
            menu.addAction("Fuse into one head", self.fuse_wanted.emit)
        menu.addSeparator()
        menu.addAction("Rename…", lambda: self.ask_name(card))
        menu.addAction("Take back\tX" if card.rejected else "Set aside\tX", self.reject_wanted.emit)
        menu.addAction("Delete\tDel", self.delete_wanted.emit)
        menu.addSeparator()
        menu.addAction("Show in folder", lambda: self.shown_in_folder.emit(card.id))
        menu.exec(self.frames.mapToGlobal(at))
        menu.deleteLater()

    def _on_result_menu(self, at: QPoint) -> None:
        index = self.results.indexAt(at)
        if not index.isValid():
            return
        card: Card = index.data(CARD)
        menu = QMenu(self)
        menu.addAction("Review", lambda: self.result_reviewed.emit(card.id))
        menu.addAction("Delete…", lambda: self.result_deleted.emit(card.id))
        menu.exec(self.results.mapToGlobal(at))
        menu.deleteLater()


def _empty(text: str) -> QWidget:
    holder = QWidget()
    box = QVBoxLayout(holder)
    box.setContentsMargins(2, 2, 2, 26)
    made = QLabel(text)
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    inner = QFrame()
    set_role(inner, "empty")
    inside = QVBoxLayout(inner)
    inside.addWidget(made)
    set_role(made, "secondary")
    box.addWidget(inner)
    return holder
