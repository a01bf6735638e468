"""What OpenGL draws lies where the camera says, and looks as the looks say."""

import dataclasses
import gc

import numpy as np
import pytest

from hrn_studio.face.model import load_head
from hrn_studio.geometry.raster import rasterize
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles
from hrn_studio.records import Camera
from hrn_studio.render import software
from hrn_studio.render.matrices import clip_from_camera
from hrn_studio.render.scene import FLAT, STUDIO, Light, Lighting, Look, make_head, scene

pytestmark = pytest.mark.gl
CAMERA = Camera(200, 240, 500.0, (93.0, 131.0))


@pytest.fixture(scope="module")
def drawn(head_model):
    return make_head(head_model, head_model.mean)


@pytest.fixture
def front(drawn, head_model):
    """The mean head, off the middle and turned, before a plain camera."""
    turned = rigid(rotation_from_angles(0.3, -0.1, 0.1), np.array([0.01, -0.02, 0.6]))
    return scene(drawn, head_model.mean, CAMERA, turned, background_srgb=(0, 0, 0, 0))


def test_clip_space_agrees_with_projection():
    points = np.array([[0.1, -0.05, 0.6], [-0.2, 0.1, 0.9], [0.0, 0.0, 0.5]])
    clip = np.c_[points, np.ones(3)] @ clip_from_camera(CAMERA, 0.3, 1.0).T
    x, y = (clip[:, :2] / clip[:, 3:]).T
    pixels = np.stack([(x + 1) / 2 * CAMERA.width, (1 - y) / 2 * CAMERA.height], 1)
    np.testing.assert_allclose(pixels, project(points, CAMERA), atol=1e-9)
    assert (np.abs(clip[:, 2] / clip[:, 3]) <= 1).all()


def test_it_covers_the_pixels_that_the_rasterizer_covers(renderer, front, head_model):
    image = renderer.image(front, samples=1)
    points = apply(front.T_camera_head, head_model.mean)
    truth = rasterize(points, head_model.triangles, CAMERA, back_faces=True).covered
    assert ((image[..., 3] == 255) != truth).mean() < 2e-4
    assert truth.mean() > 0.2


def test_normals_are_in_view_axes(renderer, front, head_model):
    image = renderer.image(dataclasses.replace(front, look=Look.NORMALS), samples=1)
    points = apply(front.T_camera_head, head_model.mean)
    fragments = rasterize(points, head_model.triangles, CAMERA)
    a, b, c = (points[head_model.triangles[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a) * (1, -1, -1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    seen = fragments.covered & (image[..., 3] == 255)
    decoded = image[seen][:, :3] / 127.5 - 1
    agreement = np.einsum("pi,pi->p", decoded, flat[fragments.triangle[seen]])
    assert np.median(agreement) > 0.995
    assert np.percentile(decoded[:, 2], 1) > 0


def test_left_is_left(renderer, drawn, head_model):
    """A mark on the subject's left cheek is on the right of a picture taken from the front."""
    tint = np.zeros((head_model.vertex_count, 4), np.float32)
    tint[(head_model.mean[:, 0] > 0.03) & (head_model.mean[:, 2] > 0)] = (1, 0, 0, 1)
    pose = rigid(rotation_from_angles(0, 0, 0), np.array([0, 0, 0.6]))
    image = renderer.image(scene(drawn, head_model.mean, CAMERA, pose, tint=tint, lighting=FLAT))
    red = image[..., 0].astype(int) - image[..., 1] > 60
    assert red.sum() > 500
    assert np.nonzero(red)[1].min() > CAMERA.center_px[0]


@pytest.mark.parametrize("look", [Look.CLAY, Look.TEXTURED, Look.NORMALS])
def test_software_draws_the_same(renderer, front, look):
    lit = dataclasses.replace(STUDIO, shadow=False)
    shown = dataclasses.replace(front, look=look, lighting=lit)
    card, plain = renderer.image(shown, 4).astype(int), software.image(shown, 4).astype(int)
    inside = (card[..., 3] == 255) & (plain[..., 3] == 255)
    difference = np.abs(card - plain)[inside].max(1)
    assert np.median(difference) <= 2
    assert np.mean(difference > 12) < 0.02


def test_the_texture_is_the_right_way_up(renderer, head_model):
    """Colours that say u and v come back as the u and v of what each pixel sees."""
    size = 256
    v, u = np.mgrid[:size, :size] + 0.5
    albedo = np.stack([u * (255 / size), 255 - v * (255 / size), np.full_like(u, 0)], -1)
    painted = dataclasses.replace(
        make_head(head_model, head_model.mean), albedo_srgb=np.round(albedo).astype(np.uint8)
    )
    ambient = Lighting((), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), shadow=False)
    pose = rigid(rotation_from_angles(0.4, 0, 0), np.array([0, 0, 0.6]))
    shown = scene(
        painted, head_model.mean, CAMERA, pose, look=Look.TEXTURED, lighting=ambient, detail=0.0
    )
    image = renderer.image(shown, 1)
    points = apply(pose, head_model.mean)
    fragments = rasterize(points, head_model.triangles, CAMERA)
    seen = fragments.covered & (image[..., 3] == 255)
    weights = fragments.barycentric[seen]
    corners = head_model.uv[head_model.uv_triangles[fragments.triangle[seen]]]
    uv = np.einsum("pk,pkc->pc", weights, corners)
    truth = software.to_linear(uv)
    error = np.abs(software.to_linear(image[seen][:, :2] / 255) - truth)
    error = error[truth.max(1) < 0.65]  # brighter colours are rolled off
    assert len(error) > 2000
    assert np.median(error) < 0.02
    assert np.percentile(error, 95) < 0.05


def test_a_normal_map_tilts_along_u_and_v(renderer, head_model):
    plain = make_head(head_model, head_model.mean)
    pose = rigid(rotation_from_angles(0, 0, 0), np.array([0, 0, 0.6]))
    results = {}
    for name, code in {"flat": (128, 128, 255), "u": (198, 128, 234), "v": (128, 198, 234)}.items():
        tilted = dataclasses.replace(plain, normal_map=np.array([[code]], np.uint8))
        shown = scene(tilted, head_model.mean, CAMERA, pose, look=Look.NORMALS)
        results[name] = renderer.image(shown, 1)[..., :3] / 127.5 - 1
    points = apply(pose, head_model.mean)
    fragments = rasterize(points, head_model.triangles, CAMERA)
    skin = fragments.covered & (head_model.triangle_part[fragments.triangle] == 0)
    p = points[head_model.triangles] * (1, -1, -1)
    q = head_model.uv[head_model.uv_triangles].astype(float)
    e, d = p[:, 1:] - p[:, :1], q[:, 1:] - q[:, :1]
    along = np.linalg.pinv(d) @ e  # (T, 2, 3): change of position with u and v
    for axis, name in enumerate("uv"):
        tilt = (results[name] - results["flat"])[skin]
        goal = along[fragments.triangle[skin], axis]
        goal /= np.linalg.norm(goal, axis=1, keepdims=True)
        agreement = np.einsum("pi,pi->p", tilt, goal) / np.linalg.norm(tilt, axis=1).clip(1e-6)
        assert np.median(agreement) > 0.9


def test_shadows_darken_and_only_where_something_is_in_the_way(renderer, drawn, head_model):
    pose = rigid(rotation_from_angles(0, 0, 0), np.array([0, 0, 0.6]))
    above = Lighting((Light((0.0, 1.0, 0.8), (0.8, 0.8, 0.8)),), (0.1,) * 3, (0.1,) * 3)
    lit, unlit = (
        renderer.image(
            scene(
                drawn,
                head_model.mean,
                CAMERA,
                pose,
                lighting=dataclasses.replace(above, shadow=shadow),
            ),
            1,
        )
        for shadow in (True, False)
    )
    darker = unlit[..., 1].astype(int) - lit[..., 1] > 25
    assert darker.sum() > 100
    assert (lit[..., 1].astype(int) - unlit[..., 1]).max() <= 1
    forehead = project(apply(pose, np.array([[0, 0.05, 0.0]])), CAMERA)[0].astype(int)
    assert not darker[forehead[1] - 5 : forehead[1] + 5, forehead[0] - 5 : forehead[0] + 5].any()


def test_wireframe_puts_lines_on_clay(renderer, front):
    clay = renderer.image(front).astype(int)
    wire = renderer.image(dataclasses.replace(front, look=Look.WIREFRAME)).astype(int)
    inside = (clay[..., 3] == 255) & (wire[..., 3] == 255)
    darker = (clay - wire)[..., 1] > 20
    assert 0.2 < darker[inside].mean() < 0.99
    np.testing.assert_array_equal(renderer.image(front), clay)


def test_a_moved_head_is_drawn_moved(renderer, front):
    first = renderer.image(front, 1)
    moved = dataclasses.replace(front, vertices=front.vertices + np.float32((0.02, 0, 0)))
    assert (renderer.image(moved, 1) != first).any()
    np.testing.assert_array_equal(renderer.image(front, 1), first)


def test_shade_and_colour_follow_the_scene(renderer, front):
    count = len(front.vertices)
    first = renderer.image(front, 1)
    dark = renderer.image(dataclasses.replace(front, openness=np.full(count, 0.2)), 1)
    assert dark[first[..., 3] == 255, 1].mean() < first[first[..., 3] == 255, 1].mean() - 10
    np.testing.assert_array_equal(renderer.image(front, 1), first)


def test_a_head_that_is_gone_leaves_the_card(renderer, front):
    other = make_head(load_head(), front.vertices)
    renderer.image(dataclasses.replace(front, head=other), 1)
    assert other in renderer._heads
    del other
    gc.collect()
    assert len(renderer._heads) <= 2
    renderer.image(front, 1)


def test_no_opengl_says_what_to_do(monkeypatch):
    from hrn_studio.render import context

    def refuse(**_):
        raise Exception("no display")

    monkeypatch.setattr(context.moderngl, "create_context", refuse)
    with pytest.raises(context.NoOpenGLError, match=r"no display.*apt-get install"):
        context.standalone_context()
