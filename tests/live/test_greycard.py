"""White balance from a grey card."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.live.greycard import NOTE, GreyCardError, balanced, pick
from hrn_studio.records import Frame


def card(color, noise=2.0):
    random = np.random.default_rng(3)
    image = np.array(color, float) + random.normal(0, noise, (60, 80, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("color", [(150, 120, 90), (90, 110, 140), (128, 128, 128)])
def test_the_card_becomes_grey_and_stays_as_bright(color):
    image = card(color)
    frame = balanced(Frame(image, notes=("rotated",)), pick(image, 40, 30).table())
    mean = frame.image.reshape(-1, 3).mean(0)
    assert np.ptp(mean) < 2
    assert frame.notes == ("rotated", NOTE)
    weights = (0.2126, 0.7152, 0.0722)
    before = (((np.array(color) / 255) ** 2.2) @ weights) ** (1 / 2.2)
    assert mean.mean() / 255 == pytest.approx(before, abs=0.02)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (card((254, 254, 254), 0), "over-exposed"),
        (card((8, 9, 10), 0), "too dark"),
        (card((120, 120, 120), 60), "even surface"),
        (card((220, 60, 40)), "too colourful"),
    ],
)
def test_what_is_no_card_is_refused(image, words):
    with pytest.raises(GreyCardError, match=words):
        pick(image, 40, 30)


def test_a_place_outside_is_refused():
    with pytest.raises(GreyCardError, match="not in the picture"):
        pick(card((120, 120, 120)), 300, 30)


def test_gains_add_up():
    first = pick(card((150, 120, 90)), 40, 30)
    again = first.times(pick(card((128, 128, 128), 0), 40, 30))
    assert (again.red, again.green, again.blue) == pytest.approx(
        (first.red, first.green, first.blue)
    )
