"""The sheet shows every shape, the same bytes for the same head."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hrn_studio.export import sheet
from hrn_studio.export.sheet import CELL, COLUMNS, shapes_png


@pytest.fixture(scope="module")
def drawn(asset):
    return shapes_png(asset)


def cells(png):
    """(rows * columns, H, W, 3) without the captions."""
    with Image.open(io.BytesIO(png)) as picture:
        image = np.asarray(picture.convert("RGB"), np.int16)
    width, height = CELL[0] + sheet._GAP, CELL[1] + sheet._CAPTION
    rows = (len(image) - sheet._GAP) // height
    return [
        image[sheet._GAP + r * height :, sheet._GAP + c * width :][: CELL[1], : CELL[0]]
        for r in range(rows)
        for c in range(COLUMNS)
    ]


def test_every_shape_has_a_cell_that_differs_from_the_neutral(asset, drawn):
    neutral, *shapes = cells(drawn)
    assert len(shapes) >= len(asset.morphs) == 52
    for morph, cell in zip(asset.morphs, shapes, strict=False):
        changed = (np.abs(cell - neutral).max(2) > 8).sum()
        assert changed > 15, morph.name


def test_left_is_on_the_viewers_right(asset, drawn):
    neutral, *shapes = cells(drawn)
    names = [m.name for m in asset.morphs]
    for side, right_half in (("Left", True), ("Right", False)):
        change = np.abs(shapes[names.index(f"eyeBlink{side}")] - neutral).sum((0, 2))
        assert (change[CELL[0] // 2 :].sum() > change[: CELL[0] // 2].sum()) == right_half


def test_the_same_head_gives_the_same_bytes(asset, drawn):
    assert shapes_png(asset) == drawn


def test_a_head_without_textures_is_drawn_too(tiny_asset):
    assert len(cells(shapes_png(replace(tiny_asset, textures={})))) >= 1 + len(tiny_asset.morphs)
