"""Reading pictures: what is turned, converted and scaled, and what is refused."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from hrn_studio.errors import ImageError
from hrn_studio.live import images
from hrn_studio.live.images import read_image


def picture(width: int = 120, height: int = 80) -> Image.Image:
    """Red at the top left, green at the top right, blue below."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, :, 2] = 200
    pixels[: height // 2, : width // 2] = (200, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 200, 0)
    return Image.fromarray(pixels)


def near(color: np.ndarray, wanted: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool(np.abs(color.astype(int) - wanted).max() <= tolerance)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "tif", "bmp", "gif"])
def test_reads_the_usual_kinds(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    picture().save(path, quality=95)
    frame = read_image(path, index=3)
    assert (frame.width, frame.height, frame.index, frame.name) == (120, 80, 3, path.name)
    assert near(frame.image[10, 10], (200, 0, 0))
    assert not frame.image.flags.writeable
    assert frame.notes == ()


@pytest.mark.parametrize("orientation", range(2, 9))
def test_turns_the_picture_as_its_exif_says(tmp_path: Path, orientation: int) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    for ending in ("jpg", "png", "tif"):
        path = tmp_path / f"{orientation}.{ending}"
        picture().transpose(turns[orientation]).save(path, exif=exif, quality=95)
        frame = read_image(path)
        assert (frame.width, frame.height) == (120, 80)
        assert near(frame.image[10, 10], (200, 0, 0))
        assert near(frame.image[10, 110], (0, 200, 0))
        assert "turned upright" in frame.notes[0]


def test_grey_deep_and_palette_pictures(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 100 * 100).reshape(100, 100).astype(np.uint16)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    Image.fromarray(ramp >> 4).save(tmp_path / "twelve.tif")
    Image.fromarray((ramp / 65535).astype(np.float32)).save(tmp_path / "float.tif")
    Image.fromarray((ramp >> 8).astype(np.uint8)).save(tmp_path / "grey.png")
    for name in ("deep.png", "twelve.tif", "float.tif", "grey.png"):
        image = read_image(tmp_path / name).image
        assert image.shape == (100, 100, 3)
        assert abs(int(image[50, 0, 0]) - 128) <= 1, name
        assert image[99, 99].tolist() == [255, 255, 255], name
    picture().quantize(8).save(tmp_path / "palette.png")
    assert near(read_image(tmp_path / "palette.png").image[10, 10], (200, 0, 0))
    Image.new("1", (90, 90), 1).save(tmp_path / "bits.png")
    assert (read_image(tmp_path / "bits.png").image == 255).all()


def test_transparent_pictures_lie_on_grey(tmp_path: Path) -> None:
    image = picture().convert("RGBA")
    image.putalpha(Image.new("L", image.size, 255))
    image.save(tmp_path / "opaque.png")
    assert read_image(tmp_path / "opaque.png").notes == ()
    image.putalpha(Image.new("L", image.size, 0))
    image.save(tmp_path / "clear.png")
    frame = read_image(tmp_path / "clear.png")
    assert frame.image[5, 5].tolist() == [128, 128, 128]
    assert frame.notes == ("transparent parts laid on grey",)
    Image.new("LA", (90, 90), (250, 0)).save(tmp_path / "la.png")
    assert read_image(tmp_path / "la.png").image[5, 5].tolist() == [128, 128, 128]


def test_cmyk_is_read(tmp_path: Path) -> None:
    picture().convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    frame = read_image(tmp_path / "a.jpg")
    assert near(frame.image[10, 10], (200, 0, 0), 25)
    assert frame.notes == ("CMYK colours read without a profile",)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_colour_profiles_are_converted_to_srgb(tmp_path: Path) -> None:
    picture().save(tmp_path / "srgb.png", icc_profile=srgb_profile())
    assert read_image(tmp_path / "srgb.png").notes == ()
    red_is_green = srgb_profile().replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ")
    red_is_green = red_is_green.replace(b"____", b"gXYZ")
    other = red_is_green.replace("sRGB".encode("utf-16-be"), "XRGB".encode("utf-16-be"))
    for name in ("other.png", "other.jpg"):
        picture().save(tmp_path / name, icc_profile=other, quality=95)
        frame = read_image(tmp_path / name)
        assert near(frame.image[10, 10], (0, 200, 0))
        assert frame.notes[0].startswith("colours converted from XRGB")
    picture().save(tmp_path / "bad.png", icc_profile=b"no profile" * 20)
    assert read_image(tmp_path / "bad.png").notes == ("an unreadable colour profile was ignored",)


def test_lab_is_read(tmp_path: Path) -> None:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    picture_lab = ImageCms.applyTransform(
        picture(), ImageCms.buildTransform(*profiles, "RGB", "LAB")
    )
    assert picture_lab is not None
    picture_lab.save(tmp_path / "lab.tif")
    assert near(read_image(tmp_path / "lab.tif").image[10, 10], (200, 0, 0))


def test_large_pictures_are_scaled_down(tmp_path: Path) -> None:
    for name in ("wide.jpg", "wide.png"):
        picture(6400, 3200).save(tmp_path / name)
        frame = read_image(tmp_path / name)
        assert (frame.width, frame.height) == (5000, 2500)
        assert frame.notes == ("scaled down from 6400 x 3200 to 5000 x 2500 px",)
        assert near(frame.image[100, 100], (200, 0, 0))


def test_twenty_thousand_pixels_a_side(tmp_path: Path) -> None:
    Image.new("1", (20000, 20000), 1).save(tmp_path / "huge.png")
    frame = read_image(tmp_path / "huge.png")
    assert frame.image.shape == (5000, 5000, 3)
    assert (frame.image == 255).all()


def test_absurd_sizes_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 5000)
    picture().save(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"too large to read .*120 x 80"):
        read_image(tmp_path / "a.png")


def refused(path: Path, words: str) -> None:
    with pytest.raises(ImageError, match=words) as caught:
        read_image(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert ";" in sentence or ":" in sentence  # the remedy
    assert "\n" not in sentence


def test_what_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.jpg", "does not exist")
    refused(tmp_path, "is a folder")
    (tmp_path / "empty.png").touch()
    refused(tmp_path / "empty.png", "is empty")
    (tmp_path / "text.jpg").write_text("not a picture at all")
    refused(tmp_path / "text.jpg", "is not a picture")
    picture(20, 20).save(tmp_path / "tiny.png")
    refused(tmp_path / "tiny.png", "only 20 x 20 pixels")
    picture(20000, 70).save(tmp_path / "stripe.png")
    refused(tmp_path / "stripe.png", "only 20000 x 70 pixels")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_a_cut_file_is_refused(tmp_path: Path, ending: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    path = tmp_path / f"cut.{ending}"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, "damaged or cut short|not a picture")


def test_heic_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "a.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    refused(path, "HEIC picture.*pip install pi-heif")


# 120 x 80 px, left half red, right half blue, to be turned a quarter clockwise; x265, lossy.
HEIC = """
AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAaFtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAADRp
bG9jAAAAAERAAAIAAQAAAAABxQABAAAAAAAAAFQAAgAAAAACGQABAAAAAAAAACQAAAA4aWluZgAAAAAAAgAAABVpbmZlAgAAAAABAABo
dmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAAA5waXRtAAAAAAABAAAA4GlwcnAAAADAaXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA
/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoDyBRZbqSSmubgIaDAgAAAMA
yAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAAB4AAAAUAAAABBwaXhpAAAAAAMICAgAAAAJ
aXJvdAMAAAAYaXBtYQAAAAAAAAABAAEFgQIDBIUAAAAaaXJlZgAAAAAAAAAOY2RzYwACAAEAAQAAAIBtZGF0AAAAUCgBrxOAug1qhw0/
/+gZR//Dvnh+W7sn4dRbwJnzpwV1cMAiQy2RJjbDrKNha7U140cB4o1vg9AExMbN1XH2DKMAAK4AAAMAAUIEdbzgAKmAAAAABkV4aWYA
AE1NACoAAAAIAAEBEgADAAAAAQAGAAAAAAAA
"""


def test_heic_is_read_and_turned_upright(tmp_path: Path) -> None:
    if not images._register_heif():
        pytest.skip("needs the extra heic (pi-heif)")
    (tmp_path / "a.heic").write_bytes(base64.b64decode(HEIC))
    frame = read_image(tmp_path / "a.heic")
    assert (frame.width, frame.height) == (80, 120)
    assert near(frame.image[15, 40], (200, 0, 0))
    assert near(frame.image[105, 40], (0, 0, 200))


def test_pillows_own_limit_is_left_alone(tmp_path: Path) -> None:
    before = Image.MAX_IMAGE_PIXELS
    picture().save(tmp_path / "a.png")
    read_image(tmp_path / "a.png")
    assert before == Image.MAX_IMAGE_PIXELS
