"""A row of picture cards: the frames and the results of the tray."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
)

from hrn_studio.ui import icons, words
from hrn_studio.ui.theme import Theme
from hrn_studio.ui.thumb import paint_thumb
from hrn_studio.ui.widgets.base import Shown, elided, paint_glyph

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


def theme_width(theme: Theme, text: str) -> int:
    """Width of a caption, pixels."""
    return QFontMetrics(theme.font("caption")).horizontalAdvance(text)
