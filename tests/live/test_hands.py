"""Hands before the face are told from it although they are skin too."""

from __future__ import annotations

import numpy as np

from hrn_studio import paths
from hrn_studio.live._cv import cv2
from hrn_studio.live._hands import hand_shape
from hrn_studio.live.images import read_image
from hrn_studio.live.masks import head_masks
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Bytes, Frame

ROOTS = np.array([(-0.55, 0.35), (-0.42, -0.35), (-0.12, -0.42), (0.18, -0.38), (0.45, -0.25)])
TIPS = np.array([(-1.05, -0.35), (-0.5, -1.65), (-0.12, -1.85), (0.28, -1.7), (0.65, -1.25)])
PALM = np.array(
    [(-0.58, -0.4), (-0.1, -0.5), (0.3, -0.45), (0.6, -0.25), (0.5, 0.7), (0.3, 1.8), (-0.35, 1.8),
     (-0.45, 0.75)]
)  # fmt: skip


def with_hand(image: Bytes, centre: tuple[int, int], size: float) -> tuple[Bytes, np.ndarray]:
    """A picture with an open hand drawn on it, and the hand's pixels."""

    def spot(point: np.ndarray) -> tuple[int, int]:
        x, y = np.rint(np.array(centre) + size * point).astype(int)
        return int(x), int(y)

    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.array([spot(p) for p in PALM], np.int32)], [1])
    for root, tip in zip(ROOTS, TIPS, strict=True):
        cv2.line(mask, spot(root), spot(tip), [1], round(0.27 * size))
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.2)[..., None]
    shade = 0.55 + 0.5 * cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.09 * size)
    skin = np.array([205, 150, 125], np.float32) * shade[..., None]
    mixed = image * (1 - soft) + skin * soft
    return np.clip(mixed, 0, 255).astype(np.uint8), mask > 0


def test_a_hand_before_the_face_is_left_out() -> None:
    plain = read_image(paths.resources() / "demo" / "1_front.jpg")
    image, hand = with_hand(plain.image, (720, 480), 90)
    frame = Frame(image, name="hand")
    with MediaPipeTracker("still") as tracker:
        masks, free = (
            head_masks(frame, tracker.track(frame)),
            head_masks(plain, tracker.track(plain)),
        )
    assert "a hand in front of the face was left out" in masks.notes
    assert not any("hand" in note for note in free.notes)
    inside = cv2.erode(hand.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert masks.skin[inside].mean() < 0.1
    other_cheek = np.s_[420:460, 540:580]
    assert masks.skin[other_cheek].mean() > 0.9


def test_the_shape_of_a_hand_holds_its_bones() -> None:
    rng = np.random.default_rng(3)
    points = np.array([50.0, 80.0]) + rng.uniform(-25, 25, (21, 2))
    shape = hand_shape(points, (160, 100))
    assert shape.shape == (160, 100)
    rows, columns = points[:, 1].astype(int), points[:, 0].astype(int)
    assert shape[rows, columns].all()
    assert not shape[140:].any()
