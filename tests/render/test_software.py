"""The pictures without OpenGL, and the outlines."""

import numpy as np
import pytest

from hrn_studio.face.tiny import tiny_head
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles
from hrn_studio.records import Camera
from hrn_studio.render import software
from hrn_studio.render.outlines import outlines
from hrn_studio.render.scene import Look, make_head, scene

CAMERA = Camera(90, 120, 300.0, (45.0, 50.0))
POSE = rigid(rotation_from_angles(0, 0, 0), np.array([0, 0, 0.6]))


@pytest.fixture(scope="module")
def tiny():
    return tiny_head()


@pytest.mark.parametrize("look", Look)
@pytest.mark.parametrize("samples", [1, 4])
def test_every_look_draws_inside_only(tiny, look, samples):
    drawn = make_head(tiny, tiny.mean)
    image = software.image(scene(drawn, tiny.mean, CAMERA, POSE, look=look), samples)
    assert image.shape == (120, 90, 4)
    assert image.dtype == np.uint8
    points = project(apply(POSE, tiny.mean), CAMERA)
    rows, columns = np.nonzero(image[..., 3])
    assert points[:, 0].min() - 1 < columns.min() < columns.max() < points[:, 0].max() + 1
    assert points[:, 1].min() - 1 < rows.min() < rows.max() < points[:, 1].max() + 1
    assert not image[image[..., 3] == 0].any()
    assert image[image[..., 3] == 255, :3].std() > 3


def test_the_background_is_kept(tiny):
    drawn = make_head(tiny, tiny.mean)
    shown = scene(drawn, tiny.mean, CAMERA, POSE, background_srgb=(0.2, 0.4, 0.6, 1.0))
    assert software.image(shown)[0, 0].tolist() == [51, 102, 153, 255]


def test_srgb_there_and_back():
    values = np.linspace(0, 1, 257)
    np.testing.assert_allclose(software.to_linear(software.to_srgb(values)), values, atol=1e-5)
    assert software.to_srgb(np.array([0.214]))[0] == pytest.approx(0.5, abs=0.001)


def test_outlines_run_along_the_rim_and_the_eyes(head_model):
    lines = outlines(head_model, head_model.mean, CAMERA, POSE)
    assert lines.shape == (120, 90)
    assert lines.min() == 0
    assert lines.max() <= 1
    for eye in head_model.eyes:
        x, y = project(apply(POSE, eye.center[None]), CAMERA)[0].astype(int)
        around = lines[y - 6 : y + 7, x - 9 : x + 10]
        assert around.max() > 0.3
        assert lines[y, x] == 0
    assert lines[:, 0].max() == 0
    assert 0.01 < (lines > 0.1).mean() < 0.2
