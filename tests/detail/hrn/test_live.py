"""HRN's regression live: how it is run, and what its coefficients mean for the studio's head."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hrn_studio.detail.hrn import alignment, maps, runner, tiny
from hrn_studio.detail.hrn.bfm import FaceModel
from hrn_studio.detail.hrn.checkpoint import blank, fill
from hrn_studio.detail.hrn.ibug import FACEMESH
from hrn_studio.detail.hrn.resnet import Regression
from hrn_studio.errors import ModelDataError, NoFaceError
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.geometry.transforms import similarity
from hrn_studio.records import Camera, Coefficients, Frame, Track


@pytest.fixture(scope="module")
def net():
    with blank():
        network = Regression()
    generator = torch.Generator().manual_seed(3)
    weights = {}
    for key, value in network.state_dict().items():
        if key.endswith("running_var") or (value.ndim == 1 and key.endswith("weight")):
            weights[key] = torch.ones(value.shape)
        elif value.ndim == 4:
            deviation = (2 / value[0].numel()) ** 0.5 * (0.02 if "final" in key else 0.5)
            weights[key] = deviation * torch.randn(value.shape, generator=generator)
        else:
            weights[key] = torch.zeros(value.shape, dtype=value.dtype)
    fill(network, weights, "test")
    return network


@pytest.fixture(scope="module")
def crops():
    rng = np.random.default_rng(0)
    low = rng.integers(0, 255, (4, 14, 14, 3))
    return [np.repeat(np.repeat(c, 16, 0), 16, 1).astype(np.uint8) for c in low]


def test_every_way_answers_like_torch_or_is_not_chosen(net, crops, tmp_path):
    found = runner.measure(net, crops, tmp_path, repeat=2)
    names = [way.name for way in found]
    assert names[:2] == [runner.TORCH, runner.FOLDED]
    assert (runner.INT8 in names) == runner.has_onnx()
    for way in found:
        assert len(way.times_s) == 2
        if way.name != runner.INT8:
            assert max(way.errors.values()) < 1e-4
    assert runner.fastest(found).faithful
    with pytest.raises(ModelDataError, match="no face to measure"):
        runner.measure(net, [], tmp_path)


def test_an_unfaithful_way_is_never_the_fastest():
    good = runner.Measured("a", None, (0.1,), dict.fromkeys(runner.LIMITS, 0.0))
    quick = runner.Measured("b", None, (0.01,), {**good.errors, "angles": 0.02})
    assert not quick.faithful
    assert runner.fastest([good, quick]) is good


@pytest.mark.parametrize("shift", [(0, 0), (150, 40), (-400, 0)])
def test_the_quick_crop_is_the_exact_one(shift):
    rows, columns = np.indices((360, 480))
    image = np.stack([rows % 256, columns % 256, (rows + columns) // 4 % 256], -1).astype(np.uint8)
    image = image // 2 + 60
    standard = alignment.STANDARD
    points = np.zeros((68, 2))
    for indices, place in zip(([36, 39], [42, 45], [30], [48], [54]), standard, strict=True):
        points[indices] = [240, 180] + 80 * place[:2]
    points += shift
    exact = alignment.align(image, points).image
    quick = alignment.quick_crop(image, points)
    assert quick.shape == exact.shape
    near = np.abs(quick.astype(int) - exact)[8:-8, 8:-8]
    assert np.median(near) <= 3
    with pytest.raises(NoFaceError):
        alignment.quick_crop(image, np.zeros((68, 2)))


@pytest.fixture(scope="module")
def head():
    return load_head()


@pytest.fixture(scope="module")
def twin(head):
    """The head's own face as a Basel face whose components are the head's."""
    embedding = load_embedding()
    skin = head.triangles[head.part_triangles("skin")]
    used, triangles = np.unique(
        skin[(head.regions["face"][skin] > 0.1).all(1)], return_inverse=True
    )
    points = embedding.points(head.mean)[list(FACEMESH)]
    landmarks = [np.linalg.norm(head.mean[used] - p, axis=1).argmin() for p in points]

    def basis(shapes, count):
        rows = np.zeros((3 * len(used), count), np.float32)
        own = shapes[:count, used].reshape(min(count, len(shapes)), -1).T
        rows[:, : own.shape[1]] = 10 * own
        return torch.from_numpy(rows)

    nothing = torch.zeros(0)
    return FaceModel(
        torch.from_numpy(10 * head.mean[used]),
        basis(head.identity, 80),
        basis(head.expression, 64),
        *(nothing, nothing),
        torch.from_numpy(triangles.reshape(-1, 3)),
        *(nothing, torch.tensor(landmarks), nothing),
    )


def test_coefficients_are_translated(head, twin):
    translated = maps.translation(head, load_embedding(), twin)
    rng = np.random.default_rng(2)
    identity = np.zeros(80)
    identity[:12] = rng.normal(0, 1, 12)
    expression = np.zeros(64)
    names = head.expression_names
    for name, weight in (("jawOpen", 0.6), ("mouthSmileLeft", 0.8), ("browInnerUp", 0.7)):
        expression[names.index(name)] = weight
    estimate = translated.estimate(identity, expression)
    none = np.zeros(0, np.float32)
    truth = head.evaluate(Coefficients(identity.astype(np.float32), none))
    face = head.regions["face"] > 0.5
    gaps = []
    for guess in (head.mean, head.evaluate(Coefficients(estimate.identity, none))):
        s, R, t = similarity(guess[face], truth[face])
        gaps.append(1000 * np.linalg.norm(s * guess[face] @ R.T + t - truth[face], axis=1).mean())
    assert gaps[1] < 0.5 * gaps[0]
    assert gaps[1] < 1.0
    assert (estimate.identity_sigma > 0.02).all()
    assert (estimate.identity_sigma <= 1.0 + 1e-6).all()
    found = dict(zip(names, estimate.expression, strict=True))
    assert found["jawOpen"] == pytest.approx(0.6, abs=0.2)
    assert found["mouthSmileLeft"] == pytest.approx(0.8, abs=0.3)
    assert found["mouthSmileRight"] < 0.3
    still = translated.estimate(np.zeros(80), np.zeros(64))
    assert np.abs(still.identity).max() < 0.5
    assert not still.expression.any()


def test_the_maps_look_at_a_tracked_face(head, twin):
    embedding = load_embedding()
    seen = []

    def run(crop):
        seen.append(crop.shape)
        return tiny.coefficients()[0].numpy()

    translated = maps.translation(head, embedding, twin)
    learned = maps.HrnMaps(run, translated)
    points = embedding.points(head.mean)[:, :2] * [1000, -1000] + 160
    frame = Frame(np.zeros((320, 320, 3), np.uint8))
    estimate = learned.estimate(
        frame, Track(points, np.zeros(len(points))), Camera.from_hfov(320, 320, 50)
    )
    assert seen == [(224, 224, 3)]
    assert estimate.identity.shape == (head.identity_count,)
    assert estimate.expression.shape == (head.expression_count,)
