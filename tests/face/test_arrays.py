"""Files of arrays are opened in one way, and bad ones refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from hrn_studio.errors import ModelDataError
from hrn_studio.face.arrays import opened

WHAT, REMEDY = "the file of numbers", "copy it again"


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "some.npz"
    np.savez_compressed(path, a=np.arange(300), b=np.eye(2))
    return path


def refused(path, words, take=lambda arrays: arrays["a"]):
    with pytest.raises(ModelDataError) as found, opened(path, WHAT, REMEDY) as arrays:
        take(arrays)
    assert str(found.value) == f"{WHAT} '{path}' is {words}; {REMEDY}"


def test_all_arrays_come_by_name(path):
    with opened(path, WHAT, REMEDY) as arrays:
        assert sorted(arrays) == ["a", "b"]
        np.testing.assert_array_equal(arrays["a"], np.arange(300))


def test_a_missing_file(tmp_path):
    refused(tmp_path / "none.npz", "missing")
    refused(tmp_path, "missing")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 broken"])
def test_what_is_no_archive(path, content):
    path.write_bytes(content)
    refused(path, "damaged")


def test_a_cut_archive_and_one_with_a_flipped_bit(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    refused(path, "damaged")
    harmed = bytearray(data)
    harmed[80] ^= 0xFF
    path.write_bytes(bytes(harmed))
    refused(path, "damaged")


def test_pickled_objects_are_not_read(path):
    np.savez(path, a=np.array([{"code": 1}], dtype=object))
    refused(path, "damaged")


def test_a_block_that_misses_something(path):
    refused(path, "damaged", lambda arrays: arrays["c"])
    refused(path, "damaged", lambda arrays: arrays["a"].reshape(7, 7))


def test_other_errors_of_the_block_pass(path):
    with pytest.raises(ZeroDivisionError), opened(path, WHAT, REMEDY):
        raise ZeroDivisionError
