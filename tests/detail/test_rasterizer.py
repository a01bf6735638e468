import importlib.util
import sys
import types

import numpy as np
import pytest
import torch

from hrn_studio.detail.rasterizer import (
    covered_pixels,
    differentiable_barycentrics,
    rasterize,
    rasterizer,
)
from hrn_studio.detail.rasterizer_nv import NvRasterizer
from hrn_studio.face.model import load_head
from hrn_studio.face.tiny import tiny_head
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.occlusion import hidden_directions
from hrn_studio.geometry.transforms import apply, rigid, rotation_from_angles
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


def test_the_fit_takes_whatever_rasterizer_it_is_given():
    head = tiny_head()
    calls = []

    def draw(*args, **kwargs):
        calls.append(kwargs)
        return rasterize(*args, **kwargs)

    normals = vertex_normals(head.mean, head.triangles)
    given = hidden_directions(head.mean, normals, head.triangles, count=12, size=32, draw=draw)
    own = hidden_directions(head.mean, normals, head.triangles, count=12, size=32)
    assert calls == [{"back_faces": True}] * 12
    np.testing.assert_array_equal(given.blocked, own.blocked)


class Documented:
    """Stands for nvdiffrast: its ``rasterize`` as its documentation tells it, in plain numpy."""

    @staticmethod
    def RasterizeCudaContext(device):
        return device

    @staticmethod
    def rasterize(context, clip, faces, resolution):
        height, width = resolution
        assert height % 8 == 0
        assert width % 8 == 0
        points = clip[0].double().numpy()
        # Row 0 is y = -1; pixels are seen at their centres.
        y, x = np.indices((height, width)) + 0.5
        rays = np.stack([2 * x / width - 1, 2 * y / height - 1, np.ones((height, width))], axis=-1)
        result = np.zeros((height, width, 4), np.float32)
        nearest = np.full((height, width), np.inf)
        for number, corners in enumerate(faces.numpy()):
            homogeneous = points[corners][:, [0, 1, 3]]
            # p = sum of u_k corner_k lies on the ray: perspective-correct weights
            weights = rays @ np.linalg.pinv(homogeneous)
            weights /= weights.sum(-1, keepdims=True)
            z, w = (weights @ points[corners][:, k] for k in (2, 3))
            depth = z / w
            seen = (weights > 0).all(-1) & (np.abs(depth) <= 1) & (depth < nearest) & (w > 0)
            nearest[seen] = depth[seen]
            fresh = [weights[..., 0], weights[..., 1], depth, np.full(depth.shape, number + 1)]
            result[seen] = np.stack(fresh, axis=-1)[seen]
        return torch.from_numpy(result)[None], None


@pytest.mark.parametrize("back_faces", [False, True])
def test_the_adapter_speaks_nvdiffrasts_language(mesh, back_faces, monkeypatch):
    package = types.ModuleType("nvdiffrast")
    package.torch = Documented
    monkeypatch.setitem(sys.modules, "nvdiffrast", package)
    monkeypatch.setitem(sys.modules, "nvdiffrast.torch", Documented)
    vertices, triangles = mesh
    camera = Camera(61, 50, 45.0, (28.5, 25.7))
    expected = rasterize(vertices, triangles, camera, back_faces=back_faces)
    fragments = NvRasterizer("cpu")(vertices, triangles, camera, back_faces=back_faces)
    assert expected.covered.any()
    same = fragments.triangle == expected.triangle
    assert same.mean() > 0.999
    inside = same & expected.covered
    np.testing.assert_allclose(
        fragments.barycentric[inside], expected.barycentric[inside], atol=1e-4
    )
    np.testing.assert_allclose(fragments.depth[inside], expected.depth[inside], rtol=1e-4)
    assert np.isinf(fragments.depth[~fragments.covered]).all()


@pytest.mark.skipif(
    not torch.cuda.is_available() or importlib.util.find_spec("nvdiffrast") is None,
    reason="needs CUDA and nvdiffrast",
)
@pytest.mark.parametrize("back_faces", [False, True])
def test_nvdiffrast_agrees(back_faces):
    """Ids of 99.9 % of the pixels, colours within 1/255, gradients within 1 %."""
    head = load_head()
    camera = Camera(508, 500, 900.0, (250.0, 251.0))
    T = rigid(rotation_from_angles(0.4, 0.1, 0.05), np.array([0, 0, 0.5]))
    vertices = apply(T, head.mean).astype(np.float64)
    fragments = [
        draw(vertices, head.triangles, camera, back_faces=back_faces)
        for draw in (rasterize, rasterizer("cuda"))
    ]
    same = fragments[0].triangle == fragments[1].triangle
    assert same.mean() > 0.999
    images, gradients = [], []
    faces = torch.from_numpy(head.triangles.astype(np.int64))
    colours = torch.from_numpy(0.5 + 4 * head.mean.astype(np.float64))
    for seen in fragments:
        points = torch.from_numpy(vertices).requires_grad_()
        weights = differentiable_barycentrics(points, faces, seen, camera)
        chosen = faces[torch.from_numpy(seen.triangle[seen.covered].astype(np.int64))]
        drawn = (weights[:, :, None] * colours[chosen]).sum(1)
        (drawn**2).sum().backward()
        image = np.zeros((camera.height, camera.width, 3))
        image[seen.covered] = drawn.detach().numpy()
        images.append(image)
        gradients.append(points.grad.numpy())
    assert np.abs(images[0] - images[1])[same].max() < 1 / 255
    gap = np.linalg.norm(gradients[0] - gradients[1])
    assert gap < 0.01 * np.linalg.norm(gradients[0])
