"""The preview sheet: the mesh lies exactly on the photograph, and it works without OpenGL."""

import numpy as np
import pytest

from hrn_studio import preview
from hrn_studio.face.model import load_head
from hrn_studio.geometry.raster import rasterize
from hrn_studio.geometry.transforms import apply, rigid, rotation_from_angles
from hrn_studio.records import (
    Camera,
    Coefficients,
    FaceState,
    Frame,
    Maps,
    Reconstruction,
    Track,
    View,
)
from hrn_studio.render import software


@pytest.fixture(scope="module")
def head():
    return load_head()


@pytest.fixture(scope="module")
def reconstruction(head):
    """A photograph of the mean head: white where it is, black elsewhere, partly cut off."""
    camera = Camera(300, 260, 420.0, (150.0, 130.0))
    pose = rigid(rotation_from_angles(0.35, 0.1, 0.1), np.array([0.2, 0.02, 0.62]))
    seen = rasterize(apply(pose, head.mean), head.triangles, camera, back_faces=True).covered
    image = np.repeat(255 * seen.astype(np.uint8)[..., None], 3, axis=2)
    zero = Coefficients(np.zeros(1), np.zeros(head.expression_count))
    view = View(
        Frame(image, name="white.png"),
        Track(np.zeros((4, 2)), np.zeros(4)),
        FaceState(zero, pose, camera),
        head.mean,
        np.zeros((9, 3)),
        np.ones(seen.shape),
    )
    flat = np.zeros((8, 8, 3))
    flat[..., 2] = 1
    maps = Maps(
        np.full((8, 8, 3), 180), flat, np.zeros((8, 8)), np.ones((8, 8)), np.zeros((8, 8, 3))
    )
    return Reconstruction(
        head.mean,
        (view,),
        zero,
        1.0,
        "iris",
        maps,
        np.zeros(head.vertex_count),
        {},
        {},
        (),
    )


def test_the_mesh_lies_on_the_photograph(head, reconstruction):
    view = reconstruction.views[0]
    crop = preview._crop(view, head)
    photo = preview._photo(view, crop)
    points = apply(view.state.T_camera_head, view.vertices)
    mesh = rasterize(points, head.triangles, crop, back_faces=True).covered
    known = photo[..., 0].astype(int) == photo[..., 2]  # not the grey beyond the picture
    wrong = ((photo[..., 0] > 127) != mesh) & known
    assert photo.shape[:2] == mesh.shape
    assert mesh.mean() > 0.25
    assert not known.all()
    edge = crop.focal_px / view.state.camera.focal_px  # the photograph's pixels are this large
    assert wrong.sum() < 0.5 * edge * 4 * np.sqrt(mesh.sum())


@pytest.mark.parametrize("paint", [None, software.image])
def test_the_sheet(head, reconstruction, paint, monkeypatch):
    monkeypatch.setattr(preview, "CELL", (120, 144))
    sheet = preview.make_preview(reconstruction, head, paint)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (2 * (144 + 30 + 13) + 13, 4 * (120 + 13) + 13, 3)
    assert sheet.std() > 20


def test_the_sheet_is_about_2000_px_wide():
    width, _ = preview.CELL
    assert 1900 < 4 * (width + preview.GAP) + preview.GAP < 2100


def test_no_opengl_no_problem(monkeypatch):
    from hrn_studio.render import context

    def refuse():
        raise context.NoOpenGLError("none")

    monkeypatch.setattr(context, "standalone_context", refuse)
    with preview.painter() as paint:
        assert paint is software.image


def test_a_driver_that_refuses_the_shaders_is_done_without(monkeypatch):
    from hrn_studio.render import context, renderer

    class Released:
        def gc(self):
            pass

        release = gc

    class Refusing:
        def __init__(self, context):
            pass

        def image(self, scene):
            raise context.NoOpenGLError("no shaders")

    monkeypatch.setattr(context, "standalone_context", Released)
    monkeypatch.setattr(renderer, "Renderer", Refusing)
    monkeypatch.setattr(software, "image", lambda scene: "plain")
    with preview.painter() as paint:
        assert paint(None) == "plain"


def test_a_large_map_is_thinned_out(reconstruction, monkeypatch):
    monkeypatch.setattr(preview, "_MAP_PX", 4)
    small = preview._smaller(reconstruction.maps)
    assert small.albedo_srgb.shape == small.normal.shape == (4, 4, 3)


def test_all_portraits_have_one_size(head):
    sizes = []
    for yaw in (0.0, 40.0, 90.0):
        camera, pose = preview._portrait(head, head.mean, yaw)
        points = apply(pose, head.mean)
        pixels = camera.focal_px * points[:, :2] / points[:, 2:] + np.array(camera.center_px)
        assert pixels.min() > 0
        assert (pixels.max(0) < (camera.width, camera.height)).all()
        sizes.append(camera.focal_px)
        assert 0.5 < points[:, 2].min() < 0.6
    assert np.ptp(sizes) < 1e-9
