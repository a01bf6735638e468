"""Cutting at seams keeps every corner."""

import numpy as np

from hrn_studio.face.tiny import tiny_head
from hrn_studio.geometry.seams import split_at_seams


def test_corners_keep_position_and_texture():
    head = tiny_head()
    split = split_at_seams(head.triangles, head.uv_triangles)
    np.testing.assert_array_equal(split.vertex[split.triangles], head.triangles)
    np.testing.assert_array_equal(split.uv[split.triangles], head.uv_triangles)


def test_each_pair_is_there_once_and_only_pairs_in_use():
    triangles = np.array([[0, 1, 2], [0, 2, 5]], np.int32)
    uv_triangles = np.array([[0, 1, 2], [3, 2, 4]], np.int32)
    split = split_at_seams(triangles, uv_triangles)
    pairs = list(zip(split.vertex.tolist(), split.uv.tolist(), strict=True))
    assert pairs == [(0, 0), (0, 3), (1, 1), (2, 2), (5, 4)]
    assert split.triangles.tolist() == [[0, 2, 3], [1, 3, 4]]
