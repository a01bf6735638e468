"""HRN's own way to a face: boxes out of anchors, crops, and points looked at twice."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hrn_studio.detail.hrn import detector, finder, store, tiny
from hrn_studio.detail.hrn.alignment import five_points
from hrn_studio.detail.hrn.landmarks import FIVE, MEAN_RGB
from hrn_studio.errors import ModelDataError, NoFaceError


def codes_for(boxes, prior):
    """What the network would have to answer for boxes (A, 4) at its anchors."""
    boxes = torch.as_tensor(boxes, dtype=torch.float32)
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    first, second = detector.VARIANCES
    return torch.cat(
        [
            (centre - prior[:, :2]) / prior[:, 2:] / first,
            torch.log(size / prior[:, 2:]) / second,
        ],
        dim=1,
    )


class Answers(torch.nn.Module):
    """A detector that sees given boxes, in parts of the square picture, with given scores."""

    def __init__(self, boxes, scores):
        super().__init__()
        prior = detector.anchors(detector.SIDE)
        rows = torch.linspace(100, len(prior) - 100, len(boxes)).long()
        self.scores = torch.zeros(1, len(prior))
        self.codes = torch.zeros(1, len(prior), 4)
        self.scores[0, rows] = torch.tensor(scores)
        self.codes[0, rows] = codes_for(boxes, prior[rows])
        self.seen = None

    def forward(self, image):
        self.seen = image
        return self.scores, self.codes, None


def test_anchors_cover_the_picture_at_three_strides():
    prior = detector.anchors(512)
    assert len(prior) == 2 * (64**2 + 32**2 + 16**2)
    np.testing.assert_allclose(prior[0], [4 / 512, 4 / 512, 16 / 512, 16 / 512])
    np.testing.assert_allclose(prior[1, 2:], 32 / 512)
    np.testing.assert_allclose(prior[-1], [496 / 512, 496 / 512, 1, 1])


def test_boxes_come_out_in_pixels_best_first_and_once():
    wide = [[0.2, 0.35, 0.4, 0.6], [0.21, 0.35, 0.41, 0.6], [0.6, 0.4, 0.8, 0.7], [0, 0.2, 1, 0.8]]
    net = Answers(wide, [0.8, 0.95, 0.9, 0.5])
    image = np.full((300, 600, 3), 128, np.uint8)
    found = detector.detect(net, image)
    assert found.shape == (2, 5)  # the twin and the doubtful one are gone
    np.testing.assert_allclose(found[:, 4], [0.95, 0.9], atol=1e-6)
    # 512 px of the square are 600 of the picture; 150 px of padding lie above it
    np.testing.assert_allclose(found[0, :4], [126, 60, 246, 210], atol=2)
    np.testing.assert_allclose(found[1, :4], [360, 90, 480, 270], atol=2)
    above, inside = net.seen[0, 0, 10, 256], net.seen[0, 0, 256, 256]
    assert float(above) == 0
    assert float(inside) == pytest.approx((128 / 255 - 0.485) / 0.229, abs=1e-4)


def test_no_face_is_no_box():
    assert detector.detect(
        Answers([[0.1, 0.1, 0.2, 0.2]], [0.3]), np.zeros((64, 64, 3), np.uint8)
    ).shape == (0, 5)


def test_a_crop_is_a_square_around_the_box_padded_with_the_mean():
    image = np.zeros((200, 292, 3), np.uint8)
    image[60:101, 250:291] = 255
    crop, corner, scale = finder.padded_crop(image, (250, 60, 290, 100))
    assert crop.shape == (224, 224, 3)
    assert 224 / scale == pytest.approx(round(1.35 * 41))
    middle = corner + 112 / scale
    np.testing.assert_allclose(middle, [270, 80], atol=1)
    assert (crop[112, 112] == 255).all()
    np.testing.assert_array_equal(crop[112, -2], [round(v) for v in MEAN_RGB])  # off the picture


class Marks(torch.nn.Module):
    """Stands for the 106-point network: points at fixed places of the crop."""

    def __init__(self, places):
        super().__init__()
        self.places, self.sizes = torch.as_tensor(places, dtype=torch.float32), []

    def forward(self, x):
        self.sizes.append(tuple(x.shape))
        return self.places.reshape(1, -1)


@pytest.fixture
def marks():
    places = np.random.default_rng(0).uniform(0.3, 0.7, (106, 2))
    places[list(FIVE)] = [[0.35, 0.4], [0.65, 0.4], [0.5, 0.55], [0.4, 0.7], [0.6, 0.7]]
    return Marks(places)


def test_the_five_points_aim_the_crop(marks):
    found = finder.Finder(Answers([[0.4, 0.4, 0.6, 0.6]], [0.9]), marks)
    image = np.zeros((400, 400, 3), np.uint8)
    landmarks = np.random.default_rng(1).uniform(150, 250, (68, 2))
    refined = found.refined(image, landmarks, (150, 150, 250, 250))
    assert marks.sizes == [(1, 3, 224, 224)] * 2  # looked at twice
    five = found.points(image, found.boxes(image)[0, :4])[list(FIVE)]
    np.testing.assert_allclose(five_points(refined), np.c_[five[:, 0], 399 - five[:, 1]])
    untouched = [0, 8, 20, 28, 60]
    np.testing.assert_array_equal(refined[untouched], landmarks[untouched])
    with pytest.raises(NoFaceError, match="HRN's detector finds no face there"):
        found.refined(image, landmarks, (0, 0, 60, 60))


def test_the_networks_are_loaded_from_the_users_folder(tmp_path):
    with pytest.raises(ModelDataError, match=r"detector\.safetensors' is missing"):
        finder.load_finder(tmp_path)
    torch.save(tiny.empty(store.RetinaFace), tmp_path / "r.pth")
    weights = {f"module.{k}": t for k, t in tiny.empty(store.Landmarks106).items()}
    torch.save({"state_dict": weights}, tmp_path / "large_base_net.pth")
    store.take("detector", tmp_path / "r.pth", tmp_path)
    store.take("landmarks", tmp_path / "large_base_net.pth", tmp_path)
    found = finder.load_finder(tmp_path)
    image = np.zeros((120, 160, 3), np.uint8)
    assert found.boxes(image).shape == (0, 5)  # empty networks are sure of nothing
    assert np.isfinite(found.points(image, (40, 20, 100, 90))).all()
