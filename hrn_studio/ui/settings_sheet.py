"""Settings: one page per matter; what is changed applies at once."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import (
    QButtonGroup,
    QDoubleSpinBox,
    QHBoxLayout,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from hrn_studio.ui.about import AboutPage, HealthPage
from hrn_studio.ui.announcer import SOUNDS
from hrn_studio.ui.build import button, label, line
from hrn_studio.ui.form_page import FormPage, camera_page, network_row
from hrn_studio.ui.limits_page import GuidancePage
from hrn_studio.ui.sheet import Sheet
from hrn_studio.ui.studio import Studio
from hrn_studio.ui.theme import Theme, set_role


class SettingsSheet(Sheet):
    """The settings over the window."""

    def __init__(self, theme: Theme, studio: Studio, over: QWidget) -> None:
        super().__init__(theme, over, (920, 680), "Settings")
        self._studio = studio
        self.guidance = GuidancePage(theme, studio)
        capture = FormPage(theme, studio, "capture")
        capture.switch(
            "Automatic shutter",
            "Takes a shot when its pose is held for half a second.",
            "automatic",
        )
        capture.choice(
            "Burst",
            "Frames per shot; the sharpest with open eyes is kept.",
            "burst",
            ((1, "1"), (3, "3"), (5, "5")),
        )
        capture.choice(
            "Countdown",
            "Before a frame is taken by hand.",
            "countdown_s",
            ((0, "Off"), (3, "3 s"), (5, "5 s")),
        )
        capture.choice(
            "Instructions by ear",
            "For those who stand where the screen cannot be read; V changes it, too.",
            "sound",
            SOUNDS,
        )
        fitting = FormPage(theme, studio, "fit")
        fitting.choice(
            "Detail",
            "Draft is a smooth head; Fine has wrinkles and pores.",
            "stage",
            (("coarse", "Draft"), ("mid", "Standard"), ("fine", "Fine")),
        )
        fitting.choice("Texture", "", "texture_px", ((1024, "1K"), (2048, "2K"), (4096, "4K")))
        fitting.choice(
            "Runs on",
            "",
            "device",
            (("auto", "Automatic"), ("cpu", "Processor"), ("cuda", "NVIDIA")),
        )
        network_row(fitting, "Looks at the pictures beside Studio's tracker.")
        fitting.switch("White balance", "Takes a colour cast out of the texture.", "white_balance")
        looks = FormPage(theme, studio, "window")
        looks.choice(
            "Theme", "", "theme", (("system", "System"), ("dark", "Dark"), ("light", "Light"))
        )
        looks.choice(
            "Text size",
            "",
            "text_percent",
            ((100, "100 %"), (115, "115 %"), (130, "130 %"), (150, "150 %")),
        )
        looks.switch("Reduce motion", "Nothing fades.", "reduce_motion")
        self.health = HealthPage(theme, studio.log)
        self.pages: dict[str, tuple[str, QWidget]] = {
            "camera": ("Camera", camera_page(theme, studio)),
            "guidance": ("Guidance", self.guidance),
            "capture": ("Capture", capture.end()),
            "fitting": ("Fitting", fitting.end()),
            "appearance": ("Appearance", looks.end()),
            "health": ("Health and log", self.health),
            "about": ("About and licences", AboutPage()),
        }
        self._stack = QStackedWidget()
        self._group = QButtonGroup(self)
        nav = QVBoxLayout()
        nav.setContentsMargins(12, 12, 12, 12)
        nav.setSpacing(4)
        self._keys = list(self.pages)
        for i, (key, (title, page)) in enumerate(self.pages.items()):
            if key == "health":
                nav.addStretch(1)
            entry = button(title, "nav")
            entry.setCheckable(True)
            self._group.addButton(entry, i)
            nav.addWidget(entry)
            self._stack.addWidget(page)
        self._group.idClicked.connect(self._on_page)
        side = QWidget()
        side.setLayout(nav)
        side.setFixedWidth(200)
        edge = line()
        edge.setMinimumHeight(1)
        edge.setMaximumHeight(16777215)
        edge.setFixedWidth(1)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(side)
        middle.addWidget(edge)
        middle.addWidget(self._stack, 1)
        self._reset = button("Reset this page", "raised")
        self._reset.clicked.connect(self._on_reset)
        done = button("Done", "start")
        done.clicked.connect(self.close_sheet)
        foot = QHBoxLayout()
        foot.setContentsMargins(24, 12, 24, 12)
        foot.addWidget(label("Changes apply at once.", "small"))
        foot.addStretch(1)
        foot.setSpacing(8)
        foot.addWidget(self._reset)
        foot.addWidget(done)
        self.body.addWidget(line())
        self.body.addLayout(middle, 1)
        self.body.addWidget(line())
        self.body.addLayout(foot)
        for spin in self.findChildren(QDoubleSpinBox):
            set_role(spin, "field")
        self.show_page("guidance")

    def show_page(self, key: str) -> None:
        index = self._keys.index(key)
        self._group.button(index).setChecked(True)
        self._on_page(index)

    def sizeHint(self) -> QSize:
        return QSize(920, 680)

    def _on_page(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        key = self._keys[index]
        self._reset.setVisible(key not in ("health", "about"))
        if key == "health":
            self.health.examine()

    def _on_reset(self) -> None:
        page = self.pages[self._keys[self._stack.currentIndex()]][1]
        if isinstance(page, GuidancePage | FormPage):
            page.reset()
