"""Masks of skin and of the head's outline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hrn_studio.live._cv import cv2
from hrn_studio.live._skin import evidence, fit_mixture, fit_own
from hrn_studio.live.facemesh import LEFT_EYE, LIPS_INNER, OVAL, RIGHT_EYE
from hrn_studio.live.images import read_image
from hrn_studio.live.masks import Masks, head_masks
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Frame, Track


def at(mask: np.ndarray, place: np.ndarray) -> float:
    return float(mask[int(place[1]), int(place[0])])


@pytest.fixture(scope="module")
def portrait(photos_dir: Path) -> tuple[Frame, Track]:
    frame = read_image(photos_dir / "21650.jpg")
    with MediaPipeTracker("still") as tracker:
        return frame, tracker.track(frame)


@pytest.fixture(scope="module")
def masks(portrait: tuple[Frame, Track]) -> Masks:
    return head_masks(*portrait)


def test_masks_fit_the_picture(portrait: tuple[Frame, Track], masks: Masks) -> None:
    frame, _ = portrait
    for mask in (masks.skin, masks.silhouette):
        assert mask.shape == (frame.height, frame.width)
        assert mask.dtype == np.float32
        assert mask.min() >= 0
        assert mask.max() <= 1
        assert not mask.flags.writeable


def test_skin_is_where_skin_is(portrait: tuple[Frame, Track], masks: Masks) -> None:
    points = portrait[1].points_px
    for name, landmark in {
        "cheek": 50,
        "other cheek": 280,
        "nose": 4,
        "chin": 199,
        "brow": 52,
    }.items():
        assert at(masks.skin, points[landmark]) > 0.9, name
    for eye in (RIGHT_EYE, LEFT_EYE):
        assert at(masks.skin, points[list(eye)].mean(axis=0)) < 0.05
    up = points[10] - points[152]
    hair = points[10] + 0.25 * up
    assert at(masks.skin, hair) < 0.2
    assert at(masks.silhouette, hair) > 0.8
    assert masks.skin[:30, :30].max() < 0.05
    assert masks.silhouette[:30, :30].max() < 0.2
    assert masks.notes == ()


def test_an_open_mouth_is_left_out(photos_dir: Path) -> None:
    frame = read_image(photos_dir / "5932.jpg")
    with MediaPipeTracker("still") as tracker:
        track = tracker.track(frame)
    middle = track.points_px[list(LIPS_INNER)].mean(axis=0)
    assert at(head_masks(frame, track).skin, middle) < 0.1


def test_hair_over_the_forehead_is_said(photos_dir: Path) -> None:
    frame = read_image(photos_dir / "astronaut.png")
    with MediaPipeTracker("still") as tracker:
        track = tracker.track(frame)
    masks = head_masks(frame, track)
    assert masks.notes == ("hair over the forehead was left out",)
    assert at(masks.skin, track.points_px[10]) < 0.2


def test_things_before_the_face_are_left_out(portrait: tuple[Frame, Track]) -> None:
    frame, track = portrait
    image = frame.image.copy()
    x0, y0 = track.points_px[[234, 4]].min(axis=0).astype(int)
    x1, y1 = track.points_px[4].astype(int)
    corner = (x0 + 60, y1 - 40)
    cv2.rectangle(image, corner, (x1 - 60, y1 + 160), (60, 120, 60), -1)
    masks = head_masks(Frame(image), track)
    assert "something in front of the face was left out" in masks.notes
    assert at(masks.skin, np.array([(corner[0] + x1 - 60) / 2, y1 + 60])) < 0.1
    assert at(masks.skin, track.points_px[280]) > 0.9
    assert y0 >= 0


def test_glasses_are_left_out(portrait: tuple[Frame, Track]) -> None:
    frame, track = portrait
    image = frame.image.copy()
    middles = [track.points_px[list(eye)].mean(axis=0) for eye in (RIGHT_EYE, LEFT_EYE)]
    reach = 0.155 * track.size_px
    for x, y in middles:
        cv2.ellipse(image, (int(x), int(y)), (int(reach), 75), 0, 0, 360, (20, 20, 20), 14)
    right = (int(middles[0][0] + reach), int(middles[0][1]))
    left = (int(middles[1][0] - reach), int(middles[1][1]))
    cv2.line(image, right, left, (20, 20, 20), 14)
    masks = head_masks(Frame(image), track)
    assert "the frame of the glasses was left out" in masks.notes
    assert at(masks.skin, (np.array(right) + left) / 2) < 0.1
    assert at(masks.skin, track.points_px[50]) > 0.9


@pytest.mark.bench
def test_the_silhouette_fits_the_truth(bench_dir: Path) -> None:
    frame = read_image(bench_dir / "images" / "lps_00.jpg")
    with MediaPipeTracker("still") as tracker:
        track = tracker.track(frame)
    masks = head_masks(frame, track)
    assert masks.notes == ()
    oval = np.zeros(masks.skin.shape, np.uint8)
    cv2.fillPoly(oval, [np.rint(track.points_px[list(OVAL)]).astype(np.int32)], [1])
    assert masks.skin[oval > 0].mean() > 0.95  # a bald head: the forehead is skin
    above = track.points_px[10] + 0.2 * (track.points_px[10] - track.points_px[152])
    assert at(masks.skin, above) > 0.8


def blobs(count: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    skin = rng.normal([15, 6, 8, 2], 0.5, (count, 4))
    shade = rng.normal([9, 4, 5, 2], 0.5, (count, 4))
    return np.concatenate([skin, shade]).astype(np.float32)


def test_a_mixture_finds_its_parts() -> None:
    mixture = fit_mixture(blobs(4000), 2)
    assert mixture.weights == pytest.approx([0.5, 0.5], abs=0.02)
    assert sorted(mixture.means[:, 0]) == pytest.approx([9, 15], abs=0.2)
    density = mixture.log_density(np.array([[15, 6, 8, 2], [0, 0, 0, 0]]))
    assert density[0] > density[1] + 20


def test_foreign_colours_are_left_out_of_the_face() -> None:
    rng = np.random.default_rng(1)
    blue = rng.normal([12, -2, -15, 0], 0.4, (1500, 4))
    samples = np.concatenate([blobs(2000), blue]).astype(np.float32)
    mixture, mine = fit_own(samples, 3)
    assert mine[:4000].mean() > 0.98
    assert mine[4000:].mean() < 0.02
    assert (mixture.means[:, 2] > 0).all()


def test_a_grey_picture_does_not_confuse_the_masks() -> None:
    rng = np.random.default_rng(0)
    crop = np.repeat(rng.integers(100, 140, (64, 64, 1), dtype=np.uint8), 3, axis=2)
    crop[:20] = crop[:20] // 4
    skin = np.zeros((64, 64), np.bool_)
    skin[30:] = True
    hair = np.zeros((64, 64), np.bool_)
    hair[:15] = True
    judged = evidence(crop, skin, hair)
    assert np.median(judged.skin[35:60]) > 0
    assert np.median(judged.skin[3:12]) < -2
    assert not judged.bald
