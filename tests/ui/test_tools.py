"""Tools of the panes: reference frame, grey card, exposure, engine, keys."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

pytestmark = pytest.mark.gl
LONG_MS = 20000


def key(qtbot, window, code, modifier=Qt.KeyboardModifier.NoModifier):
    window.setFocus()
    qtbot.keyClick(window, code, modifier)


@pytest.fixture
def live(qtbot, window, film):
    window.studio.open_paths([film])
    qtbot.waitUntil(lambda: window.studio.live.face is not None, timeout=LONG_MS)
    qtbot.waitUntil(lambda: window.stage.viewport.paints > 0, timeout=LONG_MS)
    return window


def entries(window, choose=""):
    """Texts of the picture's menu, and which of them can be chosen; one is."""
    menu = QMenu()
    window.darkroom.fill(menu)
    found = {a.text(): a for a in menu.actions() if a.text()}
    if choose:
        found[choose].trigger()
    return {text: action.isEnabled() for text, action in found.items()}


def test_a_kept_frame_is_shown_beside_the_live_picture(qtbot, live):
    assert not any(text.startswith("Compare") for text in entries(live))
    key(qtbot, live, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(live.studio.session.shots) == 1, timeout=LONG_MS)
    entries(live, "Compare with Front 01")
    assert live.stage.options.reference == "front-01"
    live.redraw()
    before = live.stage.options.wipe
    viewport = live.stage.viewport
    at = QPoint(200, 200)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(viewport, at + QPoint(60, 0))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=at)
    assert live.stage.options.wipe != before
    assert not viewport.grabFramebuffer().isNull()
    entries(live, "Stop comparing")
    assert not live.stage.options.reference


def test_a_click_on_a_grey_card_balances_the_colours(qtbot, live):
    feed = live.studio.live
    entries(live, "Pick a grey card")
    live.redraw()
    viewport = live.stage.viewport
    left, _ = live.stage.rects()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=left.center().toPoint())
    # The made-up skin has blocks: most places are no even card, and that is said.
    if not feed.balanced:
        assert any("card" in text for text in live.toasts.texts)
        feed.pick_grey(*even_place(feed.newest.image))
    assert feed.balanced

    def grey():
        channels = feed.newest.image.reshape(-1, 3).mean(0)
        return float(np.ptp(channels)) < 25

    qtbot.waitUntil(grey, timeout=LONG_MS)
    entries(live, "Forget the grey card")
    qtbot.waitUntil(lambda: not grey(), timeout=LONG_MS)


def even_place(image):
    """The most even block of 16 pixels."""
    high, wide = image.shape[0] // 16 * 16, image.shape[1] // 16 * 16
    blocks = image[:high, :wide].reshape(high // 16, 16, wide // 16, 16, 3).astype(float)
    uneven = blocks.std(axis=(1, 3)).max(-1)
    row, column = np.unravel_index(uneven.argmin(), uneven.shape)
    return column * 16 + 8, row * 16 + 8


def test_escape_ends_the_picking(qtbot, live):
    entries(live, "Pick a grey card")
    assert live.stage.options.picking
    key(qtbot, live, Qt.Key.Key_Escape)
    assert not live.stage.options.picking


def test_only_cameras_offer_to_lock_their_exposure(live):
    assert not entries(live)["Lock exposure: cameras only"]
    assert not live.studio.live.lock_exposure(True)


def test_an_engine_without_its_files_cannot_be_chosen(window):
    engine = window.fitting._engine
    assert engine.button("studio").isEnabled()
    for name in ("hrn", "hrn-mv"):
        assert not engine.button(name).isEnabled()
        assert "models add" in engine.button(name).toolTip()
    window.studio.change("fit", engine="hrn")
    assert window.studio.fit_choice().engine == "studio"
    assert engine.key == "studio"


def test_a_key_is_changed_and_given_back(qtbot, live):
    sheet = live.preferences
    key(qtbot, live, Qt.Key.Key_F1)
    plate = sheet.help_sheet.plates["mirror"]
    qtbot.mouseClick(plate, Qt.MouseButton.LeftButton)
    assert plate.text() == "Press a key"
    qtbot.keyClick(plate, Qt.Key.Key_G)  # the grid's
    assert plate.text() == "M"
    assert live.studio.settings.window.keys == {}
    qtbot.mouseClick(plate, Qt.MouseButton.LeftButton)
    qtbot.keyClick(plate, Qt.Key.Key_K)
    assert live.studio.settings.window.keys == {"mirror": "K"}
    assert live.stage.mirror.toolTip() == "Mirror (K)"
    key(qtbot, live, Qt.Key.Key_Escape)
    mirror = live.stage.options.mirror
    key(qtbot, live, Qt.Key.Key_M)
    assert live.stage.options.mirror == mirror
    key(qtbot, live, Qt.Key.Key_K)
    assert live.stage.options.mirror != mirror
    live.studio.change("window", keys={})
    assert plate.text() == "M"
