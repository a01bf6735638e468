import importlib.util

import numpy as np
import pytest
import torch

from hrn_studio.detail.rasterizer import (
    covered_pixels,
    differentiable_barycentrics,
    rasterize,
    rasterizer,
)
from hrn_studio.records import Camera

CAMERA = Camera(12, 10, 9.0, (5.7, 5.1))


@pytest.fixture
def mesh():
    vertices = np.array([[-1.0, -1, 2], [-1, 1, 2.5], [1, -1, 3], [1, 1, 2], [0, 0, 1.5]])
    return vertices, np.array([[0, 1, 2], [2, 1, 3], [0, 1, 4]], np.int32)


def test_the_weights_are_those_of_the_kernel_and_give_back_the_pixels(mesh):
    vertices, triangles = mesh
    fragments = rasterize(vertices, triangles, CAMERA)
    faces = torch.from_numpy(triangles.astype(np.int64))
    points = torch.from_numpy(vertices)
    weights = differentiable_barycentrics(points, faces, fragments, CAMERA)
    np.testing.assert_allclose(weights, fragments.barycentric[fragments.covered], atol=1e-6)
    seen = torch.from_numpy(fragments.triangle[fragments.covered].astype(np.int64))
    hit = (weights[:, :, None] * points[faces[seen]]).sum(1).numpy()
    rows, columns = np.divmod(covered_pixels(fragments), CAMERA.width)
    np.testing.assert_allclose(hit[:, 0] / hit[:, 2] * 9.0 + 5.7, columns + 0.5, atol=1e-9)
    np.testing.assert_allclose(hit[:, 1] / hit[:, 2] * 9.0 + 5.1, rows + 0.5, atol=1e-9)


def test_the_gradients_are_the_formulas(mesh):
    vertices, triangles = mesh
    fragments = rasterize(vertices, triangles, CAMERA)
    faces = torch.from_numpy(triangles.astype(np.int64))
    points = torch.from_numpy(vertices).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda v: differentiable_barycentrics(v, faces, fragments, CAMERA), points
    )


def test_the_processor_gets_the_numba_kernel():
    assert rasterizer("cpu") is rasterize


@pytest.mark.skipif(
    not torch.cuda.is_available() or importlib.util.find_spec("nvdiffrast") is None,
    reason="needs CUDA and nvdiffrast",
)
@pytest.mark.parametrize("back_faces", [False, True])
def test_nvdiffrast_agrees(mesh, back_faces):
    vertices, triangles = mesh
    camera = Camera(124, 100, 90.0, (57.0, 51.0))
    expected = rasterize(vertices, triangles, camera, back_faces=back_faces)
    fragments = rasterizer("cuda")(vertices, triangles, camera, back_faces=back_faces)
    same = fragments.triangle == expected.triangle
    assert same.mean() > 0.995
    np.testing.assert_allclose(
        fragments.barycentric[same], expected.barycentric[same], rtol=0, atol=2e-3
    )
