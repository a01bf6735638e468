"""Pictures survive being written and read by another program."""

from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from hrn_studio.export.images import (
    jpeg,
    normals_to_8bit,
    png,
    signed_scale,
    signed_to_16bit,
    unit_to_8bit,
)
from hrn_studio.export.names import file_stem


def smooth(shape, dtype):
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    wave = np.sin(rows / 9) + np.cos(columns / 7)
    wave = wave if len(shape) == 2 else np.stack([wave, -wave, wave * wave], -1)
    noisy = (wave + rng.normal(0, 0.01, shape) + 2.5) / 6
    return (np.clip(noisy, 0, 1) * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (70, 130), (64, 33, 3), (129, 2, 3)])
@pytest.mark.parametrize("noise", [False, True])
def test_png_keeps_every_value(shape, dtype, noise):
    image = smooth(shape, dtype)
    if noise:
        image = np.random.default_rng(1).integers(0, np.iinfo(dtype).max, shape, dtype)
    data = png(image)
    read = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read[..., ::-1] if len(shape) == 3 else read, image)
    assert data == png(image.copy())


def test_png_says_srgb_only_when_told():
    image = smooth((8, 8, 3), np.uint8)
    assert "srgb" in Image.open(BytesIO(png(image, srgb=True))).info
    assert "srgb" not in Image.open(BytesIO(png(image))).info


def test_png_refuses_other_arrays():
    for bad in (np.zeros((4, 4)), np.zeros((4, 4, 4), np.uint8), np.zeros(4, np.uint8)):
        with pytest.raises(ValueError, match="no PNG"):
            png(bad)


def test_jpeg_is_close_and_repeatable():
    image = smooth((96, 96, 3), np.uint8)
    read = np.asarray(Image.open(BytesIO(jpeg(image))))
    assert np.abs(read.astype(int) - image).mean() < 2
    assert jpeg(image) == jpeg(image.copy())


def test_normal_codes():
    normals = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [0, -1, 0]], float)
    codes = [[128, 128, 255], [255, 128, 128], [128, 255, 128], [128, 0, 128]]
    np.testing.assert_array_equal(normals_to_8bit(normals), codes)
    assert normals_to_8bit(normals, flip_green=True)[2].tolist() == [128, 0, 128]


def test_signed_lengths_come_back_within_half_a_code():
    values = np.random.default_rng(0).normal(0, 0.0007, (40, 40))
    scale = signed_scale(values)
    assert 2 * np.abs(values).max() <= scale < 2 * np.abs(values).max() + 0.0005
    back = (signed_to_16bit(values, scale) / 65535 - 0.5) * scale
    assert np.abs(back - values).max() <= 0.51 * scale / 65535


def test_a_flat_map_has_a_range_too():
    assert signed_scale(np.zeros((4, 4))) == 0.0005
    assert signed_scale(np.full((4, 4), -0.001)) == 0.002
    assert np.ptp(signed_to_16bit(np.zeros((4, 4)), 0.0005)) == 0


def test_unit_codes():
    assert unit_to_8bit(np.array([-1, 0, 0.5, 1, 2])).tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize(
    ("text", "stem"),
    [
        ("Jane Doe (2)", "Jane_Doe_(2)"),
        ("a/b\\c:d*e", "a_b_c_d_e"),
        ("..", "head"),
        ("", "head"),
        (" .hidden. ", "hidden"),
        ("nul.txt", "head_nul.txt"),
        ("Zoë\u0308", "Zoë\u0308"),
        ("李 明", "李_明"),
        ("x" * 300, "x" * 80),
    ],
)
def test_file_stems(text, stem):
    assert file_stem(text) == stem
