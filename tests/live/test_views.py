"""Crops around a face, and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.live._cv import cv2
from hrn_studio.live._views import SIDE_PX, View, base_around, look, unmapped, views
from hrn_studio.live.facemesh import COUNT, MIRROR


def dotted(width: int, height: int, places: np.ndarray, radius: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width] + 0.5
    image = np.zeros((height, width), np.float32)
    for cx, cy in places:
        image += np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * radius**2))
    return np.repeat((255 * np.clip(image, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


def middle_of(image: np.ndarray, near: np.ndarray, reach: int) -> np.ndarray:
    x0, y0 = np.rint(near).astype(int) - reach
    part = image[y0 : y0 + 2 * reach, x0 : x0 + 2 * reach, 0].astype(float) ** 2
    y, x = np.mgrid[: part.shape[0], : part.shape[1]] + 0.5
    return np.array([x0 + (x * part).sum() / part.sum(), y0 + (y * part).sum() / part.sum()])


@pytest.mark.parametrize("size", [60.0, 250.0, 900.0])
@pytest.mark.parametrize("view", views(4, seed=1))
def test_crops_show_the_picture_where_the_map_says(size: float, view: View) -> None:
    center = np.array([0.45, 0.55]) * 1.9 * size
    places = center + size * np.array([[-0.5, -0.5], [0.5, -0.5], [0.1, 0.3], [0.5, 0.5]])
    image = dotted(round(2 * size), round(2.1 * size), places, size / 40)
    base = base_around(image, places.astype(np.float32))
    crop, to_crop = look(base, view)
    assert crop.shape == (SIDE_PX, SIDE_PX, 3)
    for place in places:
        wanted = to_crop[:, :2] @ place + to_crop[:, 2]
        assert np.abs(middle_of(crop, wanted, 25) - wanted).max() < 0.35


def test_unmapping_inverts_the_map_and_swaps_sides() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(100, 300, (COUNT, 3)).astype(np.float32)
    base = base_around(np.zeros((400, 400, 3), np.uint8), points)
    for view in views(6):
        _, to_crop = look(base, view)
        scale = np.sqrt(abs(np.linalg.det(to_crop[:, :2])))
        seen = np.column_stack(
            [points[:, :2] @ to_crop[:, :2].T + to_crop[:, 2], points[:, 2] * scale]
        )
        if view.mirrored:  # a tracker names what it sees, not what it is
            seen = seen[list(MIRROR)]
        assert np.abs(unmapped(seen.astype(np.float32), to_crop, view) - points).max() < 0.01


def test_views_are_the_same_every_time_and_half_mirrored() -> None:
    some = views(17)
    assert some == views(17)
    assert some != views(17, seed=1)
    assert [view.mirrored for view in some].count(True) == 8
    assert views(1) == [View()]


def test_gamma_keeps_black_and_white() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[:, 50:] = 255
    base = base_around(image, np.array([[20, 20], [80, 80]], np.float32))
    crop, _ = look(base, View(gamma=1.4))
    assert crop.min() == 0
    assert crop.max() == 255


def test_opencv_leaves_qt_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import os

    import hrn_studio.live._cv as module

    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/somewhere/cv2/qt/plugins")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/usr/share/fonts")
    importlib.reload(module)
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert os.environ["QT_QPA_FONTDIR"] == "/usr/share/fonts"
    assert cv2.__version__ == "4.11.0"
