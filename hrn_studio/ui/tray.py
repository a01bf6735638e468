"""The tray: kept frames, results and plots at one fixed height."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QListView,
    QMenu,
    QStackedWidget,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from hrn_studio.session.state import Planned
from hrn_studio.ui import icons, words
from hrn_studio.ui.build import Keyed, button
from hrn_studio.ui.fit_panel import paint_thumb
from hrn_studio.ui.plots import Plots
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.base import Shown, elided, paint_glyph
from hrn_studio.ui.widgets.controls import Segmented, icon_button

_THUMB = QSize(118, 68)
_STEP = QSize(126, 94)
CARD = Qt.ItemDataRole.UserRole + 1
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """One picture of the tray."""

    id: str
    name: str
    side: str
    """Score, or the reason why it was set aside."""
    state: Shown
    image: QImage | None = None
    rejected: bool = False
    planned: bool = False


class Cards(QAbstractListModel):
    """The cards of a list."""

    def __init__(self) -> None:
        super().__init__()
        self.cards: tuple[Card, ...] = ()

    def show(self, cards: tuple[Card, ...]) -> None:
        """Other cards; rows stay when only what is painted on them differs."""
        same = [c.id for c in cards] == [c.id for c in self.cards]
        if same:
            self.cards = cards
            if cards:
                self.dataChanged.emit(self.index(0), self.index(len(cards) - 1))
            return
        self.beginResetModel()
        self.cards = cards
        self.endResetModel()

    def rowCount(self, parent: _Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.cards)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        card = self.cards[index.row()]
        if role == CARD:
            return card
        if role == Qt.ItemDataRole.AccessibleTextRole:
            state = words.STATES.get(card.state, "")
            return f"{card.name}, {state}, {card.side}"
        if role == Qt.ItemDataRole.ToolTipRole and not card.planned:
            return card.name
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if self.cards[index.row()].planned:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable


class CardPainter(QStyledItemDelegate):
    """Paints a card: picture, ring when selected, glyph, name and score below."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return _STEP

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        card: Card = index.data(CARD)
        theme = self._theme
        rect = QRectF(option.rect)
        box = QRectF(rect.x() + 2, rect.y() + 2, _THUMB.width(), _THUMB.height())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if card.planned:
            pen = QPen(theme["control_border"], 1)
            pen.setDashPattern([3, 3])
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
            middle = QRectF(0, 0, 18, 18)
            middle.moveCenter(box.center())
            icons.draw(painter, "plus", middle, theme["text_quiet"])
        else:
            painter.setOpacity(0.35 if card.rejected else 1.0)
            paint_thumb(painter, theme, card.image or QImage(), box, 4)
            painter.setOpacity(1.0)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen:
            painter.setPen(QPen(theme["accent"], 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(-1, -1, 1, 1), 5, 5)
        y = box.bottom() + 3
        x = box.x()
        if not card.planned:
            paint_glyph(
                painter, theme, "bad" if card.rejected else card.state, QRectF(x, y + 2, 12, 12)
            )
            x += 17
        painter.setFont(theme.font("small"))
        painter.setPen(theme["text"] if chosen else theme["text_secondary"])
        if card.planned:
            painter.setPen(theme["text_quiet"])
        flags = Qt.AlignmentFlag.AlignVCenter
        side_px = theme_width(theme, card.side)
        width = box.right() - x - side_px - 6
        painter.drawText(QRectF(x, y, width, 16), flags, elided(painter, card.name, width))
        painter.setFont(theme.font("caption"))
        painter.setPen(theme["text_quiet"])
        painter.drawText(
            QRectF(box.right() - 80, y, 80, 16), flags | Qt.AlignmentFlag.AlignRight, card.side
        )
        painter.restore()


class CardList(QListView):
    """Cards in one row that scrolls sideways."""

    selected = Signal(list)

    def __init__(self, theme: Theme, name: str, several: bool) -> None:
        super().__init__()
        self.cards = Cards()
        self.setModel(self.cards)
        self._painter = CardPainter(theme)
        self.setItemDelegate(self._painter)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        mode = QAbstractItemView.SelectionMode
        self.setSelectionMode(mode.ExtendedSelection if several else mode.SingleSelection)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(name)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._quiet = False
        self.selectionModel().selectionChanged.connect(self._on_selected)
        theme.changed.connect(self.viewport().update)

    def show_cards(self, cards: tuple[Card, ...], chosen: frozenset[str]) -> None:
        self._quiet = True
        grew = len(cards) > len(self.cards.cards)
        self.cards.show(cards)
        wanted = QItemSelection()
        last = -1
        for i, card in enumerate(cards):
            if card.id in chosen and not card.planned:
                index = self.cards.index(i)
                wanted.select(index, index)
                last = i
        model = self.selectionModel()
        model.select(wanted, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if last >= 0:
            flag = QItemSelectionModel.SelectionFlag.NoUpdate
            if not model.currentIndex().isValid() or grew:
                model.setCurrentIndex(self.cards.index(last), flag)
            if grew:
                self.scrollTo(self.cards.index(last))
        self._quiet = False
        self.viewport().update()

    def chosen(self) -> list[str]:
        rows = sorted(i.row() for i in self.selectionModel().selectedIndexes())
        return [self.cards.cards[row].id for row in rows]

    def _on_selected(self, new: object, old: object) -> None:
        if not self._quiet:
            self.selected.emit(self.chosen())


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


def theme_width(theme: Theme, text: str) -> int:
    """Width of a caption, pixels."""
    return QFontMetrics(theme.font("caption")).horizontalAdvance(text)


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
