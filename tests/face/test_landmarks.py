from dataclasses import replace

import numpy as np
import pytest

from hrn_studio.errors import ModelDataError
from hrn_studio.face.landmarks import LandmarkEmbedding, load_embedding, save_embedding
from hrn_studio.face.model import load_head
from hrn_studio.face.tiny import tiny_head
from hrn_studio.live import facemesh


@pytest.fixture
def tiny():
    head = tiny_head()
    triangles = np.array([3, 10, 20], np.int32)
    return head, LandmarkEmbedding(
        triangles=triangles,
        barycentric=np.array([[1, 0, 0], [0.2, 0.3, 0.5], [0, 0.5, 0.5]]),
        corners=head.triangles[triangles],
        spread_m=np.array([0.002, 0.004, 0.0001]),
        usable=np.array([True, True, False]),
        depth_m=np.array([-0.003, 0.001, 0.002]),
    )


def test_points_are_on_their_triangles_and_move_with_the_head(tiny):
    head, embedding = tiny
    points = embedding.points(head.mean)
    np.testing.assert_allclose(points[0], head.mean[head.triangles[3, 0]])
    np.testing.assert_allclose(points[2], head.mean[head.triangles[20, 1:]].mean(axis=0), atol=1e-7)
    moved = embedding.points(head.mean * 2 + 1)
    np.testing.assert_allclose(moved, points * 2 + 1, atol=1e-6)


def test_weights_are_inverse_variances_of_the_usable(tiny):
    _, embedding = tiny
    weights = embedding.weights()
    assert weights[0] == pytest.approx(4 * weights[1])
    assert weights[2] == 0
    assert weights[:2].mean() == pytest.approx(1)


def test_a_saved_embedding_is_read_back(tiny, tmp_path):
    _, embedding = tiny
    save_embedding(embedding, tmp_path / "landmarks.npz")
    again = load_embedding(tmp_path / "landmarks.npz")
    for name in ("triangles", "barycentric", "corners", "spread_m", "usable"):
        np.testing.assert_array_equal(getattr(again, name), getattr(embedding, name))


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(ModelDataError, match=r"gone\.npz' is missing; install"):
        load_embedding(tmp_path / "gone.npz")


@pytest.mark.parametrize("damage", ["truncated", "text", "sizes", "empty"])
def test_a_damaged_file_is_refused(tiny, tmp_path, damage):
    _, embedding = tiny
    path = tmp_path / "landmarks.npz"
    if damage == "sizes":
        embedding = replace(embedding, usable=np.array([True]))
    save_embedding(embedding, path)
    data = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "text":
        path.write_text("not a file of arrays")
    elif damage == "empty":
        path.write_bytes(b"")
    with pytest.raises(ModelDataError, match="damaged"):
        load_embedding(path)


def test_the_bundled_embedding_fits_the_bundled_head():
    head, embedding = load_head(), load_embedding()
    assert len(embedding.triangles) == facemesh.COUNT
    np.testing.assert_array_equal(embedding.corners, head.triangles[embedding.triangles])
    np.testing.assert_allclose(embedding.barycentric.sum(axis=1), 1, atol=1e-5)
    assert embedding.barycentric.min() >= -1e-6
    assert not embedding.usable[list(facemesh.OVAL)].any()
    assert embedding.usable.sum() > 400
    assert np.median(embedding.spread_m[embedding.usable]) < 0.0025


def test_the_bundled_embedding_is_anatomically_sensible():
    head, embedding = load_head(), load_embedding()
    points = embedding.points(head.mean)
    mirror = points[list(facemesh.MIRROR)] * [-1, 1, 1]
    assert np.abs(points - mirror)[embedding.usable].max() < 0.0015
    left, right = (points[iris[0]] for iris in (facemesh.LEFT_IRIS, facemesh.RIGHT_IRIS))
    np.testing.assert_allclose([left[:2], right[:2]], [[0.032, 0], [-0.032, 0]], atol=0.003)
    rim = points[list(facemesh.LEFT_IRIS[1:])]
    assert np.linalg.norm(rim[0] - rim[2]) == pytest.approx(head.iris_diameter, rel=0.03)
    lips = head.regions["lips"][embedding.corners].mean(axis=1)
    assert lips[list(facemesh.LIPS_OUTER)].min() > 0.02
    upper, lower = points[13], points[14]
    gap = embedding.points(
        head.mean + 0.5 * head.expression[head.expression_names.index("jawOpen")]
    )
    assert (gap[13] - gap[14])[1] > (upper - lower)[1] + 0.008, "lips do not part"
