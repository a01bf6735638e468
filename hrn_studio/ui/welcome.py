"""First start: four ways to begin, and the head."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from hrn_studio.ui import icons, words
from hrn_studio.ui.build import Elided, button, label
from hrn_studio.ui.theme import Theme, set_role
from hrn_studio.ui.widgets.base import Painted


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to begin."""

    key: str
    icon: str
    title: str
    about: str
    button: str
    primary: bool = False


class ChoiceCard(QFrame):
    """A way to begin; the whole card can be pressed."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, choice: Choice) -> None:
        super().__init__()
        self._theme, self._choice = theme, choice
        set_role(self, "card", chosen=choice.primary)
        self.setFixedHeight(76)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._icon = label("")
        self.button = button(choice.button, "start" if choice.primary else "raised")
        self.button.setAccessibleName(f"{choice.title}: {choice.button}")
        self.button.clicked.connect(lambda: self.chosen.emit(choice.key))
        text = QVBoxLayout()
        text.setSpacing(1)
        text.addStretch(1)
        text.addWidget(label(choice.title, "title"))
        text.addWidget(Elided(choice.about, "secondary"))
        text.addStretch(1)
        box = QHBoxLayout(self)
        box.setContentsMargins(16, 0, 16, 0)
        box.setSpacing(20)
        box.addWidget(self._icon)
        box.addLayout(text, 1)
        box.addWidget(self.button)
        self._restyle()
        theme.changed.connect(self._restyle)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit(self._choice.key)

    def _restyle(self) -> None:
        name = "on_accent_soft" if self._choice.primary else "text_secondary"
        self._icon.setPixmap(icons.icon(self._choice.icon, self._theme[name]).pixmap(26, 26))


class HeadPicture(Painted):
    """A picture of the head that fills the place it has."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._image = QImage()

    def show_image(self, image: QImage) -> None:
        self._image = image
        self.update()

    @property
    def is_empty(self) -> bool:
        return self._image.isNull()

    def paintEvent(self, event: object) -> None:
        if self._image.isNull():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._image.size()
        scale = min(self.width() / size.width(), self.height() / size.height())
        box = QRectF(0, 0, size.width() * scale, size.height() * scale)
        box.moveCenter(QRectF(self.rect()).center())
        painter.drawImage(box, self._image)


class Welcome(QFrame):
    """Replaces band and stage while there is no source and no session.

    Signals
    -------
    chosen
        ``camera``, ``files``, ``folder``, ``demo``, or ``kept`` for the session that ended early.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        set_role(self, "pane")
        self._title = label(words.WELCOME, "welcome")
        self._body = label(words.WELCOME_BODY, "lead", wrap=True)
        self._cards = QVBoxLayout()
        self._cards.setSpacing(10)
        self._made: list[ChoiceCard] = []
        lock = label("")
        lock.setPixmap(icons.icon("lock", theme["text_secondary"]).pixmap(16, 16))
        self.head = HeadPicture(theme)
        privacy = QHBoxLayout()
        privacy.setSpacing(8)
        privacy.addWidget(lock)
        privacy.addWidget(Elided(words.WELCOME_PRIVACY, "secondary"), 1)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addStretch(1)
        left.addWidget(self._title)
        left.addSpacing(4)
        left.addWidget(self._body)
        left.addSpacing(22)
        left.addLayout(self._cards)
        left.addSpacing(24)
        left.addLayout(privacy)
        left.addStretch(1)
        holder = QWidget()
        holder.setLayout(left)
        holder.setMaximumWidth(560)
        holder.setMinimumWidth(440)
        box = QHBoxLayout(self)
        box.setContentsMargins(56, 24, 32, 24)
        box.setSpacing(32)
        box.addWidget(holder, 6)
        box.addWidget(self.head, 4)
        self._box = box

    def fold(self, narrow: bool) -> None:
        """Less room around, and a smaller head, in a narrow window."""
        self._box.setContentsMargins(24 if narrow else 56, 24, 16 if narrow else 32, 24)
        self._box.setSpacing(16 if narrow else 32)
        self._box.setStretch(0, 7 if narrow else 6)

    def show_choices(self, choices: tuple[Choice, ...]) -> None:
        for card in self._made:
            self._cards.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._made = []
        for choice in choices:
            card = ChoiceCard(self._theme, choice)
            card.chosen.connect(self.chosen)
            self._cards.addWidget(card)
            self._made.append(card)

    @property
    def cards(self) -> list[ChoiceCard]:
        return self._made


def choices(
    camera: tuple[str, str] | None, has_demo: bool, kept: tuple[str, int] | None
) -> tuple[Choice, ...]:
    """The ways to begin here.

    Parameters
    ----------
    camera
        Name and format of the camera, when there is one.
    kept
        Name and frames of a session that ended early.
    """
    found: list[Choice] = []
    if kept is not None:
        name, count = kept
        about = f"{name} ended early. Open it, or start a new one."
        title = f"{words.frames(count).capitalize()} {'was' if count == 1 else 'were'} kept"
        found.append(Choice("kept", "folder", title, about, "Open", primary=True))
    if camera is not None:
        about = " · ".join(part for part in camera if part)
        found.append(
            Choice("camera", "camera", "Use a camera", about, "Start camera", primary=kept is None)
        )
    else:
        found.append(Choice("camera", "camera", "Use a camera", "None is plugged in", "Look again"))
    found.append(
        Choice(
            "files",
            "image",
            "Open photos or a video",
            "Or drop files and folders anywhere here",
            "Choose…",
            primary=not any(c.primary for c in found) and not has_demo,
        )
    )
    if kept is None:
        found.append(
            Choice(
                "folder",
                "folder",
                "Watch a folder",
                "For a tethered camera: each new picture is rated",
                "Choose…",
            )
        )
    if has_demo:
        found.append(
            Choice(
                "demo",
                "play",
                "Try the demo",
                "A recorded face, no camera needed",
                "Play",
                primary=not any(c.primary for c in found),
            )
        )
    return tuple(found)
