"""EXR files, read back byte by byte and by OpenCV."""

import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest

from hrn_studio.export.exr import exr, metres, write_exr

READ = (
    "import cv2, numpy, sys; numpy.save(sys.argv[2], cv2.imread(sys.argv[1], cv2.IMREAD_UNCHANGED))"
)


def read(data, folder):
    """What OpenCV sees; it reads EXR only where the environment allows it at the start."""
    (folder / "a.exr").write_bytes(data)
    command = [sys.executable, "-c", READ, str(folder / "a.exr"), str(folder / "a.npy")]
    subprocess.run(
        command, env=os.environ | {"OPENCV_IO_ENABLE_OPENEXR": "1"}, check=True, timeout=60
    )
    return np.load(folder / "a.npy")


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (33, 7), (40, 24, 3)])
def test_opencv_reads_every_value(shape, tmp_path):
    values = np.random.default_rng(0).normal(0, 0.002, shape).astype(np.float32)
    found = read(exr(values), tmp_path)
    if len(shape) == 3:
        found = found[..., ::-1]  # OpenCV has blue first
    np.testing.assert_array_equal(found, values)


def test_smooth_maps_are_packed():
    rows, columns = np.mgrid[:256, :256]
    values = np.round(0.002 * np.sin(rows / 40) * np.cos(columns / 30), 5).astype(np.float32)
    data = exr(values)
    assert len(data) < 0.5 * values.nbytes
    assert data == exr(values)


def test_the_header_says_what_the_numbers_are():
    data = exr(np.zeros((2, 2)), {"midLevel": 0.0, "scale": 1.0, "comments": "metres"})
    assert struct.unpack("<ii", data[:8]) == (20000630, 2)
    assert b"scale\0float\0" + struct.pack("<if", 4, 1.0) in data
    assert b"comments\0string\0" + struct.pack("<i", 6) + b"metres" in data


def test_noise_that_cannot_be_packed_is_stored(tmp_path):
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2**31 - 2**24, (16, 16), dtype=np.int32).view(np.float32)
    data = exr(values)
    assert len(zlib.compress(values.tobytes())) > values.nbytes
    np.testing.assert_array_equal(read(data, tmp_path), values)


def test_the_maps_of_lengths(asset, person, tmp_path):
    files = write_exr(asset)
    assert sorted(files) == ["jane_deformation.exr", "jane_displacement.exr"]
    found = read(files["jane_displacement.exr"], tmp_path)
    texture = asset.textures["displacement"]
    np.testing.assert_array_equal(found, metres(texture))
    assert np.abs(found - person.maps.displacement).max() < texture.coding["scale_m"] / 65535


def test_wrong_shapes():
    with pytest.raises(ValueError, match="no EXR"):
        exr(np.zeros((2, 2, 4)))
