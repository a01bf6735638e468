import json

import numpy as np
import pytest

from hrn_studio import paths
from hrn_studio.errors import ModelDataError
from hrn_studio.face import headfile
from hrn_studio.face.model import load_head


@pytest.fixture
def original():
    return (paths.resources() / "head.npz").read_bytes()


def rewrite(path, change):
    arrays, meta = headfile.read()
    change(arrays, meta)
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez_compressed(path, **arrays)


def test_a_missing_file_is_named_with_the_remedy(tmp_path):
    with pytest.raises(ModelDataError, match=r"nobody\.npz' is missing; .*build_head"):
        load_head(tmp_path / "nobody.npz")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_refused(tmp_path, original, share):
    path = tmp_path / "head.npz"
    path.write_bytes(original[: int(share * len(original))])
    with pytest.raises(ModelDataError, match="damaged"):
        load_head(path)


def test_a_flipped_bit_is_refused(tmp_path, original):
    data = bytearray(original)
    data[len(data) // 2] ^= 1
    path = tmp_path / "head.npz"
    path.write_bytes(bytes(data))
    with pytest.raises(ModelDataError, match="damaged"):
        load_head(path)


def test_something_else_is_refused(tmp_path):
    path = tmp_path / "head.npz"
    path.write_text("a head")
    with pytest.raises(ModelDataError, match="damaged"):
        load_head(path)
    with path.open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(ModelDataError, match="damaged"):
        load_head(path)
    np.savez(path, mean=np.zeros(3))
    with pytest.raises(ModelDataError, match="damaged"):
        load_head(path)


def test_changed_numbers_are_refused(tmp_path):
    def change(arrays, _):
        arrays["mean"] = arrays["mean"] + 1

    rewrite(tmp_path / "head.npz", change)
    with pytest.raises(ModelDataError, match="checksum"):
        load_head(tmp_path / "head.npz")


def test_another_version_is_refused_by_number(tmp_path):
    rewrite(tmp_path / "head.npz", lambda _, meta: meta.update(version=99))
    with pytest.raises(ModelDataError, match="version 99"):
        load_head(tmp_path / "head.npz")


def test_the_file_says_where_it_comes_from():
    _, meta = headfile.read()
    assert "CC0" in meta["licence"]
    assert meta["iris_diameter_m"] == pytest.approx(0.0117)
    assert meta["variance_kept"] > 0.99
    assert {"seed", "samples", "checksum", "version"} <= set(meta)
