"""HRN's head variant on a made-up head whose truth is known."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from hrn_studio import cli, paths
from hrn_studio.detail.hrn import camera, headfiles, headfit, headmodel, headtiny, store, tiny
from hrn_studio.detail.hrn.alignment import Crop
from hrn_studio.detail.hrn.draw import draw
from hrn_studio.detail.hrn.losses import dice, occupancy
from hrn_studio.detail.hrn.single import Paint
from hrn_studio.errors import ModelDataError, NoFaceError
from hrn_studio.models import shelf
from hrn_studio.models.reproduction import ReproductionOptions, reproduce


@pytest.fixture(scope="module")
def download(tmp_path_factory):
    return headtiny.write_download(tmp_path_factory.mktemp("head"))


@pytest.fixture(scope="module")
def folder(download, tmp_path_factory):
    """The files all in one folder, as they are kept."""
    kept = tmp_path_factory.mktemp("kept")
    for file in download.rglob("*"):
        if file.is_file():
            (kept / file.name).hardlink_to(file)
    return kept


@pytest.fixture(scope="module")
def models(folder):
    return headmodel.load_head_models(folder, headtiny.STRETCH)


class Says(torch.nn.Module):
    """Stands for the regression: the same coefficients whatever it sees."""

    def __init__(self, coefficients):
        super().__init__()
        self.coefficients = coefficients

    def forward(self, x):
        return self.coefficients.expand(len(x), -1)


def portrait(models, translation):
    """What the camera sees of the head with the made-up coefficients, elsewhere and further."""
    parts = tiny.parts()
    shape = models.fitted.shape(parts.identity, parts.expression)
    R = camera.rotation(parts.angles)
    world = camera.place(shape, R, torch.tensor([translation]))
    seen = draw(camera.to_camera(world)[0], models.fitted.triangles)
    normals = models.fitted.normals(shape) @ R.mT
    colours = camera.lit(models.fitted.albedo(parts.texture), normals, parts.light)
    picture = seen.from_vertices(colours[0])[0].permute(1, 2, 0).numpy()
    image = np.clip(255 * picture + 0.5, 0, 255).astype(np.uint8)
    places = camera.project(camera.to_camera(world))[0]
    points = places[models.fitted.landmarks].double().numpy()
    crop = Crop(image, points, 1.0, 0, 0, (224, 224))
    face = draw(camera.to_camera(world)[0], models.face_triangles).cover[0, 0].numpy()
    cover = seen.cover[0, 0].numpy()
    return headfit.HeadPortrait(crop, crop, face, cover, Paint(image, cover)), places.numpy()


def run(task):
    steps = []
    while True:
        try:
            steps.append(next(task))
        except StopIteration as end:
            fractions = [step.fraction for step in steps]
            assert fractions == sorted(fractions)
            return end.value


@pytest.fixture(scope="module")
def fitted(models):
    face, places = portrait(models, [0.1, -0.15, -3.4])
    regression = Says(tiny.coefficients())
    found = run(headfit.fit_head(models, regression, face, steps=(60, 10, 15), texture_px=128))
    return *found, places


def test_the_files_belong_together(models):
    assert models.basel_count == headtiny.FRONT
    assert models.head_count == headtiny.BACK**2
    assert len(models.kept) == (tiny.ACROSS - 2) ** 2
    assert len(models.seams) == models.result.vertex_count + 1  # one seam
    assert models.fitted.vertex_count == len(models.kept) + models.head_count + 6
    # both models are centred on the Basel face, so that they share a pose
    face = models.result.mean[: headtiny.FRONT][models.kept]
    torch.testing.assert_close(models.fitted.mean[: len(models.kept)], face)
    assert (models.face_triangles < len(models.kept)).all()
    back = models.to("cpu")
    assert back.stretch == headtiny.STRETCH


def test_the_head_moves_into_the_picture(models, fitted):
    shape, texture, places = fitted
    found = camera.project(shape.seen[None])[0].numpy()
    start = models.result.shape(tiny.parts().identity, tiny.parts().expression)
    start = camera.place(start, camera.rotation(tiny.parts().angles), tiny.parts().translation)
    start = camera.project(camera.to_camera(start))[0].numpy()
    wanted = places[: len(models.kept)]

    def off(points):
        return np.linalg.norm(points[models.kept.numpy()] - wanted, axis=1).mean()

    assert off(start) > 10
    assert off(found) < 1.5
    assert texture.shape == (1, 3, 128, 128)
    torch.testing.assert_close(shape.parts.angles, tiny.parts().angles)


def test_the_result_has_open_eyes_a_nose_and_a_neck_of_one_length(models, fitted):
    shape, _, _ = fitted
    top, bottom = models.stretch
    length = float(shape.vertices[top, 1] - shape.vertices[bottom, 1])
    assert length == pytest.approx(headfit.NECK_LENGTH, abs=1e-5)
    expression = torch.zeros(1, 64)
    opened = headfit.eyes_opened(expression)
    assert opened[0, [16, 17, 19]].tolist() == [1.0, 1.0, 1.5]
    expression[:, 16] = 1.2
    assert headfit.eyes_opened(expression)[0, [16, 17, 19]].tolist() == pytest.approx(
        [1.7, 0.5, 0.75]
    )
    flat = headfit.necked(models, models.result.mean)
    moved = flat[: headtiny.FRONT] - models.result.mean[: headtiny.FRONT]
    torch.testing.assert_close(moved[0], torch.tensor([0.05, 0.03, 0.01]))


def test_a_turned_head_is_refused(models):
    face, _ = portrait(models, [0.0, 0.0, -3.4])
    turned = tiny.coefficients()
    turned[0, 225] = 0.6
    with pytest.raises(NoFaceError, match="more than 30 degrees"):
        run(headfit.fit_head(models, Says(turned), face))


def test_the_outline_pulls_at_the_head():
    cover = torch.zeros(1, 1, 32, 32)
    cover[..., 10:20, 10:20] = 1
    wanted = torch.zeros(1, 1, 32, 32)
    wanted[..., 10:20, 10:21] = 1  # one column more on the right
    places = torch.tensor([[[20.5, 16.5], [9.5, 16.5], [15.5, 16.5]]], requires_grad=True)
    occupied = occupancy(cover, places)
    torch.testing.assert_close(occupied.detach(), cover)
    loss = dice(occupied, wanted)
    loss.backward()
    assert 0 < float(loss.detach()) < 0.1
    right, left, middle = places.grad[0, :, 0].tolist()
    assert right > 0  # beyond the mask's right edge: to the left
    assert left < 0
    assert abs(middle) < 1e-6
    assert float(dice(wanted, wanted)) < 1e-2


def test_files_are_written(models, folder, fitted):
    shape, texture, _ = fitted
    template = headfiles.load_template(folder, 128)
    files = headfiles.head_files(models, shape, texture, template, "me")
    stem = "me_hrn_head"
    assert set(files) == {
        f"{stem}{end}" for end in (".obj", ".mtl", "_texture.png", "_coefficients.csv")
    }
    lines = files[f"{stem}.obj"].decode().splitlines()
    count = {key: sum(line.startswith(f"{key} ") for line in lines) for key in ("v", "vt", "f")}
    assert count["v"] == models.result.vertex_count
    assert count["vt"] == count["v"] + 1
    assert count["f"] == len(models.result.triangles)
    first = np.array(lines[2].split()[1:], float)
    np.testing.assert_allclose(first, 0.1 * shape.vertices[0].numpy(), atol=1e-6)
    image = np.asarray(Image.open(io.BytesIO(files[f"{stem}_texture.png"])))
    assert image.shape == (128, 128, 3)
    assert b"map_Kd me_hrn_head_texture.png" in files[f"{stem}.mtl"]


def test_the_template_takes_the_faces_tone(folder):
    template = headfiles.load_template(folder, 64)
    dark = np.full((64, 64, 3), [0.3, 0.2, 0.1], np.float32)
    whole = headfiles.composed(dark, replace(template, cheeks=None))
    np.testing.assert_allclose(whole, dark, atol=0.02)
    hairy = headfiles.load_template(folder, 64, hair=True)
    assert np.abs(hairy.skin - template.skin).max() > 0.2


def test_a_dark_cheek_becomes_the_bright_ones_mirror_image(folder):
    cheeks = headfiles.load_template(folder, 64).cheeks
    texture = np.full((64, 64, 3), 0.6, np.float32)
    np.testing.assert_array_equal(headfiles.evened(texture, cheeks), texture)
    texture[:, :32] = 0.2
    even = headfiles.evened(texture, cheeks)
    row, left, right = 19, 22, 41
    assert even[row, left].mean() > 0.5
    assert even[row, right].mean() == pytest.approx(0.6)
    assert even[60, 5].mean() == pytest.approx(0.2, abs=0.01)


def test_the_download_is_taken_in_as_a_family_of_its_own(download):
    (state,) = finished(shelf.add(download, paths.user_models_dir()))
    assert state.family.name == "hrn-head"
    assert state.complete
    assert {use.name for use in state.enabled} == {"hrn --method head", "hrn --method head --hair"}
    assert finished(shelf.verify(paths.user_models_dir())) == []
    kept = paths.user_models_dir() / "hrn-head"
    (kept / headmodel.KEPT).write_bytes(b"x")
    (wrong,) = finished(shelf.verify(paths.user_models_dir()))
    assert "bfm_keep_inds.npy" in wrong


def finished(task):
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def broken(folder, tmp_path, name, content):
    """The folder with one file changed."""
    copy = tmp_path / "copy"
    copy.mkdir(exist_ok=True)
    for file in folder.iterdir():
        target = copy / file.name
        target.unlink(missing_ok=True)
        if file.name == name:
            target.write_bytes(content)
        else:
            target.hardlink_to(file)
    return copy


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (headmodel.KEPT, b"text", "not an array"),
        ("145_nose.obj", b"v 0 0 0\n", "has 1 vertices"),
        ("145_nose.obj", b"v 0 a 0\n", "not a readable OBJ"),
        ("145_nose.obj", b"f 1 2 3\n", "no rows 'v'"),
        (headmodel.TEMPLATE, b"vt 0 0\nf 1 2 3\n", "triangles with texture points"),
        (headmodel.TEMPLATE, b"vt 0 0\nf 1/1 2/1 9000/1\n", "not a mesh of the"),
        (headmodel.TEMPLATE, b"vt 0 0\nf 1/1 2/1 3/9\n", "without texture points"),
        (headmodel.RESULT, b"no mat", "cannot be read"),
    ],
)
def test_bad_files_are_named(folder, tmp_path, name, content, sentence):
    copy = broken(folder, tmp_path, name, content)
    with pytest.raises(ModelDataError, match=sentence) as info:
        headmodel.load_head_models(copy, headtiny.STRETCH)
    assert name in str(info.value)
    assert ";" in str(info.value)


def test_files_of_other_heads_are_refused(folder, tmp_path):
    with pytest.raises(ModelDataError, match="no vertex 37476 on the neck"):
        headmodel.load_head_models(folder)
    buffer = io.BytesIO()
    np.save(buffer, np.arange(5000))
    copy = broken(folder, tmp_path, headmodel.KEPT, buffer.getvalue())
    with pytest.raises(ModelDataError, match="do not belong together"):
        headmodel.load_head_models(copy, headtiny.STRETCH)
    np.save(buffer := io.BytesIO(), np.array([1.5, 2.0]))
    copy = broken(folder, tmp_path, headmodel.KEPT, buffer.getvalue())
    with pytest.raises(ModelDataError, match="does not list vertices"):
        headmodel.load_head_models(copy, headtiny.STRETCH)
    copy = broken(folder, tmp_path, headfiles.BALD, b"no picture")
    with pytest.raises(ModelDataError, match="is not a picture"):
        headfiles.load_template(copy, 64)


def test_without_its_files_the_method_says_what_it_needs(capsys, tmp_path):
    task = reproduce([object()], ["a"], ReproductionOptions(method="head"))
    with pytest.raises(ModelDataError, match=r"the method 'head' needs pytorch_model\.pt"):
        next(task)
    out = str(tmp_path / "out")
    assert cli.main(["hrn", "a.jpg", "-o", out, "--hair"]) == 2
    assert "--method head" in capsys.readouterr().err
    assert cli.main(["hrn", "a.jpg", "-o", out, "--texture", "512"]) == 2


@pytest.mark.slow
def test_the_command_writes_a_head(download, monkeypatch, tmp_path, stills):
    finished(shelf.add(download, paths.user_models_dir()))
    monkeypatch.setattr(headmodel.load_head_models, "__defaults__", (headtiny.STRETCH,))
    quick = dict(headfit.fit_head.__kwdefaults__, steps=(40, 3, 4))
    monkeypatch.setattr(headfit.fit_head, "__kwdefaults__", quick)
    command = ["hrn", str(stills[0]), "-o", str(tmp_path / "out"), "--method", "head"]
    assert cli.main([*command, "--texture", "256", "--hair"]) == 0
    assert (tmp_path / "out" / "1_front_hrn_head.obj").is_file()
    kept = store.load_regression(paths.user_models_dir() / "hrn-head")
    assert kept(torch.zeros(1, 3, 224, 224)).shape == (1, 257)
