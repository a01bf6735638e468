"""The texture layout of heads that come without one."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.face.cylinder import unrolled
from hrn_studio.face.model import load_head
from hrn_studio.geometry.uv import texel_map


@pytest.fixture(scope="module")
def bare():
    """Skin and eyes of the default head: points, triangles, the part of each vertex."""
    head = load_head()
    triangles = head.triangles[head.part_triangles("skin", "eye_left", "eye_right")]
    used, triangles = np.unique(triangles, return_inverse=True)
    part = np.zeros(head.vertex_count, np.uint8)
    for number, name in enumerate(("eye_left", "eye_right"), start=1):
        part[head.part_vertices(name)] = number
    inner = head.regions["inner_mouth"][used] > 0.9
    return head.mean[used], triangles.reshape(-1, 3).astype(np.int32), part[used], inner


def test_every_corner_has_a_place(bare):
    points, triangles, part, _ = bare
    uv, uv_triangles = unrolled(points, triangles, part)
    assert uv_triangles.shape == triangles.shape
    assert (uv >= 0).all()
    assert (uv <= 1).all()
    assert np.isfinite(uv).all()
    width = np.ptp(uv[uv_triangles][..., 0], axis=1)
    assert np.percentile(width, 99.5) < 0.1  # nothing runs across the seam, but for the crown


def test_the_mouth_does_not_lie_on_the_lips(bare):
    points, triangles, part, inner = bare
    uv, uv_triangles = unrolled(points, triangles, part)
    outside = texel_map(uv.astype(np.float64), uv_triangles, 512).triangle
    inside = inner[triangles].all(1)
    assert inside.sum() > 50
    # from the chin to the brows, in the middle of the skin's part of the square
    rows, columns = np.indices(outside.shape) / 512
    face = (np.abs(columns - 0.42) < 0.22) & (np.abs(rows - 0.55) < 0.12) & (outside >= 0)
    assert inside[outside[face]].mean() < 0.005
    beside = uv[uv_triangles[inside]].mean(1)[:, 0] > 0.84
    assert beside.mean() > 0.95
