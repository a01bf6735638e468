"""The three reconstructions on a made-up face whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hrn_studio.detail.hrn import camera, fitted, hierarchy, losses, multiview, single, store, tiny
from hrn_studio.detail.hrn.alignment import Crop
from hrn_studio.detail.hrn.bake import bake
from hrn_studio.detail.hrn.draw import draw
from hrn_studio.detail.hrn.result import pixels
from hrn_studio.detail.hrn.single import Portrait
from hrn_studio.errors import FitError, UsageError
from hrn_studio.records import Progress


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Canvas and networks of the tiny download."""
    download = tiny.write_download(tmp_path_factory.mktemp("download"))
    folder = tmp_path_factory.mktemp("hrn")
    for kind, place in tiny.GITHUB.items():
        store.take(kind, download / place, folder)
    return store.load_canvas(folder), store.load_networks(folder)


@pytest.fixture(scope="module")
def canvas(small):
    return small[0]


class Constant(torch.nn.Module):
    """Stands for a large network without weights: it answers the same, at once."""

    def __init__(self, channels, value=0.0):
        super().__init__()
        self.channels, self.value = channels, value

    def forward(self, x):
        return x.new_full((len(x), self.channels, *x.shape[2:]), self.value)

    def blend(self, texture):
        return self(texture)


@pytest.fixture(scope="module")
def networks(small):
    quick = {"middle": Constant(3), "high": Constant(1), "retouch": Constant(3, 0.5)}
    return replace(small[1], **quick)


def test_the_stand_ins_answer_like_the_networks_they_stand_for(small, networks):
    maps = torch.rand(1, 9, 64, 64)
    with torch.no_grad():
        for name, channels in (("middle", 6), ("high", 9), ("retouch", 3)):
            large, quick = getattr(small[1], name), getattr(networks, name)
            torch.testing.assert_close(large(maps[:, :channels]), quick(maps[:, :channels]))


def run(task):
    steps = []
    while True:
        try:
            steps.append(next(task))
        except StopIteration as end:
            assert all(isinstance(step, Progress) for step in steps)
            fractions = [step.fraction for step in steps]
            assert fractions == sorted(fractions)
            return end.value


def colours(size=256):
    """A smooth pattern without meaning, (1, 3, size, size)."""
    across = torch.linspace(0, 6, size)
    waves = [0.5 + 0.3 * torch.sin(k * across[:, None] + across) for k in (1.0, 1.7, 2.3)]
    return torch.stack(waves)[None]


def photograph(canvas, parts, texture=None):
    """What the camera sees of a face with these coefficients, as a portrait."""
    placed = hierarchy.place(canvas, parts)
    if texture is None:
        flat = torch.zeros(1, 1, 256, 256)
        albedo = canvas.albedo(parts.texture)
        texture = hierarchy.detail(canvas, placed, flat, albedo, parts.light).middle_colour
    seen = draw(placed.camera[0], canvas.face.triangles)
    picture = seen.from_map(texture, canvas.uv)
    image = (255 * pixels(picture) + 0.5).clip(0, 255).astype(np.uint8)
    points = placed.places[0, canvas.face.landmarks].double().numpy()
    crop = Crop(image, points, 1.0, 0, 0, (224, 224))
    hd = np.asarray(np.repeat(np.repeat(image, 3, 0), 3, 1)[80:592, 80:592])
    cover = seen.cover[0, 0].numpy()
    return Portrait(crop, Crop(hd, points, 1.0, 0, 0, (512, 512)), cover, image)


def moved(parts, **changes):
    return replace(parts, **{name: getattr(parts, name) + by for name, by in changes.items()})


def off(world, canvas, parts):
    """Mean distance to the truth's vertices in the crop, pixels."""
    found = camera.project(camera.to_camera(torch.tensor(np.array(world))))
    return float((found - hierarchy.place(canvas, parts).places[0]).norm(dim=1).mean())


def test_a_single_view_gives_the_regressions_face_and_the_pictures_colours(canvas, networks):
    parts = tiny.parts()
    face = photograph(canvas, parts, colours())
    result = run(single.reconstruct(canvas, networks, face))
    np.testing.assert_allclose(result.coefficients, tiny.coefficients()[0], atol=1e-6)
    assert off(result.world, canvas, parts) < 1e-3
    assert not result.deformation.any()
    assert not result.displacement.any()
    seen = draw(
        torch.from_numpy(result.world.copy() * [1, 1, -1] + [0, 0, 10]).float(),
        torch.from_numpy(result.triangles.astype(np.int64)),
    )
    texture = torch.from_numpy(result.texture.copy()).permute(2, 0, 1)[None]
    drawn = seen.from_map(texture, torch.from_numpy(result.uv.copy()))
    target = single.as_tensor(face.crop.image)
    assert float(losses.photo(drawn, target, seen.cover)) < 0.03
    inner = result.texture[100:160, 100:160]
    assert np.abs(inner - colours()[0, :, 100:160, 100:160].permute(1, 2, 0).numpy()).mean() < 0.02


def test_the_dense_mesh_is_the_face_where_nothing_is_displaced(canvas, networks):
    result = run(
        single.reconstruct(canvas, networks, photograph(canvas, tiny.parts()), texture_steps=1)
    )
    used = np.unique(result.dense_triangles)
    assert len(used) > 30_000
    high, low = result.dense_vertices[used].max(0), result.dense_vertices[used].min(0)
    assert (high <= result.world.max(0) + 1e-5).all()
    assert (low >= result.world.min(0) - 1e-5).all()
    a, b, c = (result.dense_vertices[result.dense_triangles[:, k]] for k in range(3))
    assert np.cross(b - a, c - a)[:, 2].mean() > 0  # towards the viewer


def test_fitting_brings_the_face_to_the_picture(canvas, networks):
    truth = moved(tiny.parts(), translation=torch.tensor([[0.02, 0.03, 0.0]]))
    face = photograph(canvas, truth)
    start = off(hierarchy.place(canvas, tiny.parts()).world[0], canvas, truth)
    result = run(fitted.reconstruct(canvas, networks.regression, face, texture_px=128))
    assert start > 3
    assert off(result.world, canvas, truth) < 0.4 * start, "0.25 is usual"
    assert result.texture.shape == (128, 128, 3)
    assert result.deformation.shape == (300, 300, 3)
    error = result.landmarks_px - face.crop.landmarks_px
    assert np.abs(error).mean() < 1.0


def test_many_views_share_identity_and_deformation(canvas, networks):
    first = moved(tiny.parts(), translation=torch.tensor([[0.03, 0.0, 0.0]]))
    second = moved(tiny.parts(), translation=torch.tensor([[-0.03, 0.02, 0.0]]))
    faces = [photograph(canvas, parts) for parts in (first, second)]
    results = run(multiview.reconstruct(canvas, networks, faces, steps=20))
    assert len(results) == 2
    np.testing.assert_array_equal(results[0].coefficients[:80], results[1].coefficients[:80])
    assert np.abs(results[0].coefficients[80:] - results[1].coefficients[80:]).max() > 1e-3
    for result, parts in zip(results, (first, second), strict=True):
        start = off(hierarchy.place(canvas, tiny.parts()).world[0], canvas, parts)
        assert off(result.world, canvas, parts) < 0.85 * start


def test_no_view_is_refused(canvas, networks):
    with pytest.raises(FitError, match="no picture"):
        run(multiview.reconstruct(canvas, networks, []))


def test_a_picture_of_nothing_does_not_break_the_fit(canvas, networks):
    face = photograph(canvas, tiny.parts())
    dark = replace(face, mask=np.zeros((224, 224), np.float32))
    result = run(single.reconstruct(canvas, networks, dark, texture_steps=3))
    assert np.isfinite(result.texture).all()
    assert not result.valid.any()


def test_textures_are_baked_at_powers_of_two(canvas):
    placed = hierarchy.place(canvas, tiny.parts())
    blank = single.Paint(np.zeros((224, 224, 3), np.uint8), np.ones((224, 224), np.float32))
    with pytest.raises(UsageError, match="100 px"):
        run(bake(placed.camera[0], canvas.face.triangles, canvas.uv, blank, 100))


def test_gradients_reach_shape_and_colour(canvas):
    parts = tiny.parts()
    angles = parts.angles.clone().requires_grad_()
    texture = colours(64).requires_grad_()
    placed = hierarchy.place(canvas, replace(parts, angles=angles))
    seen = draw(placed.camera[0], canvas.face.triangles)
    seen.from_map(texture, canvas.uv).square().mean().backward()
    assert angles.grad.abs().max() > 0
    assert texture.grad.abs().max() > 0
