"""Tokens, contrast, words, icons and painted widgets."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from hrn_studio.live.quality import Measure
from hrn_studio.live.quality_limits import DEFAULTS
from hrn_studio.ui import icons, keys, words
from hrn_studio.ui.limits_page import read_limits, written
from hrn_studio.ui.theme import css_color
from hrn_studio.ui.tokens import load_tokens
from hrn_studio.ui.view import Orbit, looking
from hrn_studio.ui.widgets.base import paint_glyph
from hrn_studio.ui.widgets.quality_row import QualityRow


def luminance(color):
    c = np.array([color.redF(), color.greenF(), color.blueF()])
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(a, b):
    high, low = sorted((luminance(css_color(a)), luminance(css_color(b))), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_text_can_beread_limits(scheme):
    colors = getattr(load_tokens(), scheme)
    for text, ground in itertools.product(
        ("text", "text_secondary", "text_quiet"), ("window", "panel", "card")
    ):
        assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    assert contrast(colors["on_accent"], colors["accent"]) >= 4.5
    assert contrast(colors["on_accent_soft"], colors["accent_soft"]) >= 4.5
    for glyph in ("ok", "warn", "bad", "control_border", "accent"):
        assert contrast(colors[glyph], colors["panel"]) >= 3, glyph


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_greys_are_neutral(scheme):
    colors = getattr(load_tokens(), scheme)
    for name in ("window", "panel", "card", "raised", "line", "text", "viewport"):
        color = css_color(colors[name])
        assert color.red() == color.green() == color.blue(), name


def test_no_text_is_small():
    assert min(t.px for t in load_tokens().type.values()) >= 11


def painted(paint, size=28):
    image = QImage(size, size, QImage.Format.Format_RGB888)
    image.fill(0)
    painter = QPainter(image)
    paint(painter)
    painter.end()
    return np.array(image.constBits()).reshape(size, image.bytesPerLine())[:, : 3 * size]


@pytest.mark.parametrize("name", icons.NAMES)
def test_each_icon_is_drawn(qapp, theme, name):
    assert painted(lambda p: icons.draw(p, name, QRectF(2, 2, 20, 20), theme["text"])).any()


def test_states_differ_without_colour(qapp, theme):
    """In a grey copy every state has its own shape."""
    shapes = {}
    for state in ("ok", "warn", "bad", "none", "busy"):
        drawn = painted(lambda p, s=state: paint_glyph(p, theme, s, QRectF(0, 0, 28, 28)))
        shapes[state] = drawn.reshape(28, 28, 3).max(axis=2) > 60
    for a, b in itertools.combinations(shapes, 2):
        assert (shapes[a] != shapes[b]).mean() > 0.05, (a, b)


def test_a_row_is_painted_and_named(qtbot, theme):
    row = QualityRow(theme, "balance")
    qtbot.addWidget(row)
    limit = next(x for x in DEFAULTS if x.key == "balance")
    row.resize(312, 24)
    row.show_measure(Measure(limit, -1.9, "bad"))
    assert row.accessibleName() == "Left/right balance"
    assert row.accessibleDescription() == "1.9 EV, red"
    assert not row.grab().toImage().isNull()


@pytest.mark.parametrize(
    ("key", "number", "text"),
    [
        ("over", 0.0012, "0.1 %"),
        ("balance", -1.9, "1.9 EV"),
        ("contrast", 0.021, "0.021"),
        ("white_balance", 1.44, "Δ 1.4"),
        ("face_size", 257.2, "257 px"),
        ("framing", 0.14, "14 % margin"),
        ("yaw", 3.1, "3° left"),
        ("yaw", -0.2, "0°"),
        ("pitch", -2.0, "2° down"),
        ("neutral", 0.06, "6 %"),
        ("distance", float("nan"), "–"),
    ],
)
def test_values_are_written_short(key, number, text):
    limit = next(x for x in DEFAULTS if x.key == key)
    assert words.value(Measure(limit, number, "ok")) == text


def test_limits_are_typed_and_read_back():
    for limit in DEFAULTS:
        for pair in (limit.green, limit.red):
            assert read_limits(written(pair, limit.unit), pair, limit.unit) == pytest.approx(pair)
    assert read_limits("nonsense", (0.1, 0.2), "share") == (0.1, 0.2)
    assert read_limits("0,4–0,6", (0.1, 0.2), "share") == (0.4, 0.6)


def test_keys_are_unique():
    table = [key for _, group in keys.KEYS for _, key, _ in group]
    assert len(table) == len(set(table))


def test_the_view_looks_at_the_middle_through_50_mm():
    head = np.array([[-0.1, -0.2, -0.1], [0.1, 0.1, 0.1]])
    for orbit in (Orbit(), Orbit(yaw=1.0, pitch=0.4)):
        view = looking(orbit, head, (500, 500), 500)
        middle = view.T_camera_head[:3, :3] @ head.mean(axis=0) + view.T_camera_head[:3, 3]
        assert np.allclose(middle[:2], 0, atol=1e-9)
        assert middle[2] > 0.3
    assert view.camera.hfov_deg == pytest.approx(39.6, abs=0.1)
    assert Orbit().turned(10, 0).yaw < 0
