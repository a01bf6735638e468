"""HRN's face carried onto the studio's head, with the head itself posing as a Basel face."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from hrn_studio.detail.hrn import bfm, multiview
from hrn_studio.detail.hrn.alignment import STANDARD
from hrn_studio.detail.hrn.engine import Engine, carried, filled, hrn_shaper
from hrn_studio.detail.hrn.hierarchy import Canvas, Networks
from hrn_studio.detail.hrn.ibug import FACEMESH, ibug_points
from hrn_studio.detail.hrn.texels import Unwrap
from hrn_studio.detail.rasterizer import rasterize
from hrn_studio.detail.shot import Shot
from hrn_studio.errors import ModelDataError, UsageError
from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head
from hrn_studio.face.registration import Surface
from hrn_studio.geometry import transforms
from hrn_studio.models.engines import check_engine, engine_reason, make_shaper
from hrn_studio.records import Camera, Coefficients, Estimate, FaceState, Frame, Progress, Track


@pytest.fixture(scope="module")
def head():
    return load_head()


@pytest.fixture(scope="module")
def embedding():
    return load_embedding()


@pytest.fixture(scope="module")
def person(head):
    rng = np.random.default_rng(4)
    identity = rng.normal(0, 0.8, head.identity_count).astype(np.float32)
    return head.evaluate(Coefficients(identity, np.zeros(0, np.float32)))


@pytest.fixture(scope="module")
def basel(head, embedding, person):
    """The person's face as a Basel face: vertices, triangles and landmarks, decimetres."""
    skin = head.triangles[head.part_triangles("skin")]
    chosen = skin[(head.regions["face"][skin] > 0.1).all(1)]
    vertices, triangles = finer(person.astype(np.float64), chosen)
    vertices, triangles = finer(vertices, triangles)
    used, triangles = np.unique(triangles, return_inverse=True)
    vertices, triangles = vertices[used], triangles.reshape(-1, 3).astype(np.int32)
    points = embedding.points(person)[list(FACEMESH)]
    landmarks = np.array([np.linalg.norm(vertices - p, axis=1).argmin() for p in points])
    return 10 * 0.93 * vertices + [0.3, 0.1, -0.2], triangles, landmarks


def finer(vertices, triangles):
    """Every triangle cut into four."""
    sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    pairs, middle = np.unique(sides, axis=0, return_inverse=True)
    m = middle.reshape(-1, 3) + len(vertices)
    a, b, c = triangles.T
    new = [(a, m[:, 0], m[:, 2]), (b, m[:, 1], m[:, 0]), (c, m[:, 2], m[:, 1]), tuple(m.T)]
    return (
        np.concatenate([vertices, vertices[pairs].mean(1)]),
        np.concatenate([np.stack(t, 1) for t in new]).astype(np.int32),
    )


def gap_mm(head, vertices, person):
    """Distance of the face to the person's, after laying one on the other; mean and worst 1 %."""
    face = head.regions["face"] > 0.9
    for region in ("inner_mouth", "eye_sockets", "nostrils", "ears"):
        face &= head.regions[region] < 0.1
    s, R, t = transforms.similarity(vertices[face], person[face])
    laid = s * vertices[face] @ R.T + t
    skin = head.triangles[head.part_triangles("skin")]
    closest, _, _ = Surface(*finer(person.astype(np.float64), skin)).closest(laid)
    gap = 1000 * np.linalg.norm(closest - laid, axis=1)
    return gap.mean(), np.percentile(gap, 99)


def test_a_basel_face_is_carried_onto_the_head(head, embedding, person, basel):
    before, _ = gap_mm(head, head.mean.astype(np.float64), person)
    moved = carried(head, embedding, head.mean, *basel)
    after, worst = gap_mm(head, head.mean + moved, person)
    assert before > 0.5
    assert after < 0.3
    assert worst < 1.5
    size = np.ptp(head.mean + moved, axis=0) / np.ptp(head.mean, axis=0)
    assert (np.abs(size - 1) < 0.15).all()  # the head keeps its own size
    for eye in head.eyes:
        assert np.ptp(moved[eye.vertices], axis=0).max() < 1e-9  # eyeballs stay round


def canvas_of(basel):
    vertices, triangles, landmarks = basel
    count = len(vertices)
    around = np.full((count, 8), len(triangles))
    used = np.zeros(count, int)
    for number, triangle in enumerate(triangles):
        for vertex in triangle[used[triangle] < 8]:
            around[vertex, used[vertex]] = number
            used[vertex] += 1
    center = vertices.mean(0)
    face = bfm.FaceModel(
        mean=torch.from_numpy(vertices - center).float(),
        identity=torch.zeros(3 * count, 80),
        expression=torch.zeros(3 * count, 64),
        mean_texture=torch.full((3 * count,), 150.0),
        texture=torch.zeros(3 * count, 80),
        triangles=torch.from_numpy(triangles.astype(np.int64)),
        around=torch.from_numpy(around),
        landmarks=torch.from_numpy(landmarks),
        center=torch.from_numpy(center).float(),
    )
    low, high = vertices.min(0), vertices.max(0)
    uv = 0.05 + 0.9 * (vertices[:, :2] - low[:2]) / (high - low)[:2]
    texels = 512 * 512 * 3
    flat = torch.zeros(1).expand(texels, 80), torch.full((texels,), 150.0)
    return Canvas(face, torch.from_numpy(uv).float(), Unwrap.of(uv, triangles), *flat)


class Answer(torch.nn.Module):
    """A network that always says the same."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        if self.channels == 257:
            return torch.zeros(len(x), 257)
        return torch.zeros(len(x), self.channels, *x.shape[2:])

    def blend(self, texture):
        return torch.full_like(texture, 0.5)


@pytest.fixture(scope="module")
def shot(head, embedding, person):
    camera = Camera.from_hfov(320, 320, 40)
    T = transforms.rigid(transforms.rotation_from_angles(0.1, 0.0, 0.0), [0, 0, 0.5])
    points = embedding.points(person)
    placed = transforms.apply(T, points)
    pixels = transforms.project(placed, camera)
    rng = np.random.default_rng(0)
    image = rng.integers(60, 180, (320, 320, 3)).astype(np.uint8)
    track = Track(pixels, placed[:, 2])
    nothing = Estimate(*(np.zeros(0, np.float32) for _ in range(4)))
    mask = np.ones((320, 320), np.float32)
    return Shot(Frame(image), track, camera, nothing, mask), FaceState(head.zero(), T, camera)


@pytest.mark.parametrize("together", [False, True])
def test_the_engine_is_a_mid_stage(monkeypatch, head, embedding, person, basel, shot, together):
    quick = {"steps": 2, "rasterizer": rasterize}
    monkeypatch.setattr(multiview.reconstruct, "__kwdefaults__", quick)
    answers = (Answer(257), Answer(3), Answer(1), Answer(3))
    networks = Networks(*answers, torch.ones(1), torch.ones(1))
    engine = Engine(canvas_of(basel), networks, STANDARD)
    shape = hrn_shaper(engine, head, embedding, [shot[0]], together=together)
    task = shape(head.mean, [shot[1]], [1.0])
    steps = []
    while True:
        try:
            steps.append(next(task))
        except StopIteration as end:
            moved = end.value
            break
    assert all(isinstance(step, Progress) and step.stage == "mid" for step in steps)
    after, _ = gap_mm(head, head.mean + moved, person)
    assert after < 0.3


def test_landmarks_are_counted_as_hrn_does():
    points = np.full((478, 2), 0.5)
    points[FACEMESH[30]] = [10.5, 20.5]
    found = ibug_points(Track(points, np.zeros(478)), height=100)
    np.testing.assert_allclose(found[30], [10, 79])
    np.testing.assert_allclose(found[0], [0, 99])


def test_holes_in_a_mask_are_filled():
    mask = np.zeros((20, 20), np.float32)
    mask[3:17, 3:17] = 0.9
    mask[8:10, 8:10] = 0
    result = filled(mask)
    assert (result[8:10, 8:10] == 1).all()
    assert result[0, 0] == 0


def test_an_engine_without_weights_says_why(head, embedding):
    assert engine_reason("studio") is None
    assert "epoch_10.pth" in engine_reason("hrn")
    check_engine("studio")
    with pytest.raises(ModelDataError, match=r"the engine hrn-mv needs epoch_10\.pth"):
        check_engine("hrn-mv")
    with pytest.raises(UsageError, match="choose one of studio, hrn, hrn-mv"):
        check_engine("deca")
    assert make_shaper("studio", head, embedding, []) is None
