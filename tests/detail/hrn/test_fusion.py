"""One face and texture from several pictures of a made-up face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from hrn_studio.detail.hrn import camera, fusion, hierarchy, store, tiny
from hrn_studio.detail.hrn.alignment import Crop
from hrn_studio.detail.hrn.draw import draw
from hrn_studio.detail.hrn.result import collect, pixels
from hrn_studio.detail.hrn.single import Paint

SIDE = 448


@pytest.fixture(scope="module")
def canvas(tmp_path_factory):
    download = tiny.write_download(tmp_path_factory.mktemp("download"))
    folder = tmp_path_factory.mktemp("hrn")
    for kind in ("face", "uv", "template", "albedo_basis", "albedo_mean"):
        store.take(kind, download / tiny.GITHUB[kind], folder)
    return store.load_canvas(folder)


def pattern(size=256):
    across = torch.linspace(0, 6, size)
    waves = [0.5 + 0.25 * torch.sin(k * across[:, None] + across) for k in (1.0, 1.7, 2.3)]
    return torch.stack(waves)[None]


def view(canvas, yaw, tone, expression=0.0):
    """The painted face turned aside, in another tone: what MV-HRN found, and the picture."""
    parts = tiny.parts()
    parts = replace(
        parts,
        angles=torch.tensor([[0.0, yaw, 0.0]]),
        expression=parts.expression + expression,
    )
    placed = hierarchy.place(canvas, parts)
    seen = draw(placed.camera[0], canvas.face.triangles, SIDE)
    picture = pixels(tone * seen.from_map(pattern(), canvas.uv))
    image = np.clip(255 * picture + 0.5, 0, 255).astype(np.uint8)
    flat = torch.zeros(1, 1, 256, 256)
    albedo = torch.full((1, 3, 256, 256), 0.5)
    crop = Crop(np.zeros((224, 224, 3), np.uint8), np.zeros((68, 2)), 1.0, 0, 0, (224, 224))
    face = collect(
        *(placed, parts, hierarchy.detail(canvas, placed, flat, albedo, parts.light)),
        texture=albedo,
        albedo=albedo,
        deformation=torch.zeros(1, 3, 64, 64),
        displacement=flat + 0.01,
        valid=torch.ones(1, 1, 256, 256),
        canvas=canvas,
        crop=crop,
    )
    return face, Paint(image, seen.cover[0, 0].numpy())


def test_several_pictures_paint_one_face(canvas):
    views = [view(canvas, -0.6, 1.0, 0.3), view(canvas, 0.6, 0.8), view(canvas, 0.0, 0.9)]
    faces, paints = zip(*views, strict=True)
    fused = fusion.fuse(canvas, faces, paints, 512)
    assert fused.texture.shape == (512, 512, 3)
    np.testing.assert_allclose(fused.neutral, fused.shape, atol=1e-6)  # no expression
    np.testing.assert_allclose(fused.shape, faces[1].neutral, atol=1e-5)
    np.testing.assert_allclose(fused.R, np.eye(3), atol=1e-7)
    np.testing.assert_allclose(fused.displacement, 0.01, atol=1e-6)
    wanted = pixels(pattern(512))[80:432, 80:432]
    found = fused.texture[80:432, 80:432]
    tone = found.mean() / wanted.mean()
    assert 0.8 < tone < 1.0
    error = np.abs(found / tone - wanted)
    assert error.mean() < 0.02
    assert np.percentile(error, 99) < 0.08  # no seam where one picture takes over


def test_what_no_picture_shows_has_the_models_colour(canvas):
    face, paint = view(canvas, 0.0, 1.0)
    half = np.array(paint.mask)
    half[:, SIDE // 2 :] = 0
    fused = fusion.fuse(canvas, [face], [Paint(paint.image, half)], 256)
    unseen = fused.texture[60:196, 150:220]
    assert unseen.std(axis=(0, 1)).max() < 0.01
    assert 0.3 < unseen.mean() < 0.7
    seen = fused.texture[60:196, 40:110]
    assert np.abs(seen - pixels(pattern())[60:196, 40:110]).mean() < 0.02


def test_a_hidden_texel_is_not_painted_by_what_hides_it(canvas):
    face, paint = view(canvas, 1.2, 1.0)  # the nose hides a part of the far cheek
    placed = torch.from_numpy(face.world.copy())[None]
    unwrap = canvas.unwrap
    _, weight = fusion._seen(canvas, unwrap, face, paint, fusion.rasterize)
    vertices = camera.to_camera(placed)
    depth = draw(vertices[0], canvas.face.triangles, SIDE).from_vertices(vertices[0, :, 2:])[0, 0]
    places = unwrap(vertices).flatten(2)[0].T
    plane = camera.project(places[None], SIDE)[0].nan_to_num()
    rows, columns = (SIDE - 1 - plane[:, 1]).round().long(), plane[:, 0].round().long()
    inside = (rows >= 0) & (rows < SIDE) & (columns >= 0) & (columns < SIDE)
    at = depth[rows.clamp(0, SIDE - 1), columns.clamp(0, SIDE - 1)]
    behind = inside & (at > 0) & (places[:, 2] > at + 0.15)
    assert int(behind.sum()) > 50
    assert float(weight.flatten()[behind].max()) == 0
