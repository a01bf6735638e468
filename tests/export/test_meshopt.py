"""What is packed comes back, through a decoder written from the extension's specification."""

import json
import struct

import numpy as np
import pytest

from hrn_studio.errors import UsageError
from hrn_studio.export import meshopt
from hrn_studio.export.formats import chosen
from hrn_studio.export.gltf import write_glb
from hrn_studio.export.options import ExportOptions
from hrn_studio.export.presets import PRESETS, changed
from hrn_studio.export.webpage import write_html

EXTENSION = "EXT_meshopt_compression"


def unpacked_attributes(data, count, stride):
    """(N, S) bytes; appendix A, "mode 0"."""
    assert data[0] == 0xA0
    before = np.frombuffer(data[-stride:], np.uint8)
    result = np.zeros((count, stride), np.uint8)
    block = min((8192 // stride) & ~15, 256)
    at = 1
    for start in range(0, count, block):
        rows = min(block, count - start)
        groups = -(-rows // 16)
        for k in range(stride):
            head = data[at : at + -(-groups // 4)]
            at += len(head)
            values = []
            for g in range(groups):
                bits = (0, 2, 4, 8)[head[g // 4] >> 2 * (g % 4) & 3]
                codes = data[at : at + 2 * bits]
                at += 2 * bits
                whole = int.from_bytes(codes, "big")
                for i in range(16):
                    value = whole >> bits * (15 - i) & ((1 << bits) - 1)
                    if 0 < bits < 8 and value == (1 << bits) - 1:
                        value = data[at]
                        at += 1
                    values.append(value)
            change = [v >> 1 ^ -(v & 1) for v in values[:rows]]
            result[start : start + rows, k] = (int(before[k]) + np.cumsum(change)) & 255
        before = result[start + rows - 1]
    assert at == len(data) - max(32, stride)
    return result


def unpacked_indices(data, count):
    """(N,); appendix A, "mode 2"."""
    assert data[0] == 0xD1
    at, last, result = 1, [0, 0], []
    for _ in range(count):
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        which, change = value & 1, value >> 1
        last[which] += change >> 1 ^ -(change & 1)
        result.append(last[which])
    assert data[at:] == bytes(4)
    return np.array(result)


def from_exponential(codes):
    """Appendix B, "filter exponential"."""
    words = codes.view("<i4")
    return np.ldexp(((words << 8) >> 8).astype(np.float64), words >> 24)


@pytest.mark.parametrize(("count", "stride"), [(1, 4), (16, 12), (300, 8), (1000, 16), (257, 64)])
def test_attributes_come_back(count, stride):
    rng = np.random.default_rng(count)
    smooth = np.cumsum(rng.integers(-2, 3, (count, stride)), 0)
    wild = rng.integers(0, 256, (count, stride)) * (rng.random((count, stride)) < 0.1)
    elements = (smooth + wild).astype(np.uint8)
    packed = meshopt.attributes(elements)
    np.testing.assert_array_equal(unpacked_attributes(packed, count, stride), elements)
    assert packed == meshopt.attributes(elements)


def test_indices_come_back():
    rng = np.random.default_rng(2)
    near = np.abs(np.cumsum(rng.integers(-40, 50, 500)))
    values = np.concatenate([near, rng.integers(0, 2**31, 100), np.arange(200)])
    np.testing.assert_array_equal(unpacked_indices(meshopt.indices(values), len(values)), values)


def test_rounding_is_what_comes_back():
    values = np.random.default_rng(3).normal(0, 0.1, (50, 3)).astype(np.float32)
    back = from_exponential(meshopt.exponential(values, -17))
    np.testing.assert_array_equal(back, meshopt.rounded(values, -17))
    assert np.abs(back - values).max() <= 2**-18
    with pytest.raises(ValueError, match="do not fit"):
        meshopt.exponential(np.array([[100.0, 0, 0]], np.float32), -17)


def document(glb):
    length = struct.unpack_from("<I", glb, 12)[0]
    return json.loads(glb[20 : 20 + length]), glb[28 + length :]


_UNPACKED = {}


def view_bytes(doc, binary, number):
    key = id(doc), number
    if key not in _UNPACKED:
        _UNPACKED[key] = doc, unpacked_view(doc, binary, number)
    return _UNPACKED[key][1]


def unpacked_view(doc, binary, number):
    view = doc["bufferViews"][number]
    how = view.get("extensions", {}).get(EXTENSION)
    if how is None:
        return binary[view.get("byteOffset", 0) :][: view["byteLength"]]
    data = binary[how["byteOffset"] :][: how["byteLength"]]
    count, stride = how["count"], how["byteStride"]
    if how["mode"] == "INDICES":
        found = unpacked_indices(data, count).astype(f"<u{stride}").tobytes()
    else:
        codes = unpacked_attributes(data, count, stride)
        exponential = how.get("filter") == "EXPONENTIAL"
        found = (from_exponential(codes).astype("<f4") if exponential else codes).tobytes()
    assert len(found) == view["byteLength"]
    return found


def floats(doc, binary, number):
    accessor = doc["accessors"][number]
    width = {"VEC2": 2, "VEC3": 3, "VEC4": 4}[accessor["type"]]
    if "bufferView" in accessor:
        return np.frombuffer(view_bytes(doc, binary, accessor["bufferView"]), "<f4").reshape(
            -1, width
        )
    result = np.zeros((accessor["count"], width), np.float32)
    sparse = accessor["sparse"]
    rows = np.frombuffer(view_bytes(doc, binary, sparse["indices"]["bufferView"]), "<u2")
    rows = rows[sparse["indices"]["byteOffset"] // 2 :][: sparse["count"]]
    values = np.frombuffer(view_bytes(doc, binary, sparse["values"]["bufferView"]), "<f4")
    values = values[sparse["values"]["byteOffset"] // 4 :][: width * sparse["count"]]
    result[rows] = values.reshape(-1, width)
    return result


@pytest.fixture(scope="module")
def both(asset):
    """The head as it is and compressed: documents and binary chunks."""
    files = [
        write_glb(asset, ExportOptions(skeleton="full", compress=how))["jane.glb"]
        for how in ("none", "meshopt")
    ]
    assert len(files[1]) < 0.7 * len(files[0])
    return [document(data) for data in files]


def test_a_compressed_head_is_the_same_head(both):
    plain, packed = both
    for one, other in zip(*(d["meshes"][0]["primitives"] for d, _ in both), strict=True):
        for name, number in one["attributes"].items():
            if name == "JOINTS_0":
                continue
            a, b = floats(*plain, number), floats(*packed, other["attributes"][name])
            most = {"POSITION": 5e-6, "TEXCOORD_0": 2e-5, "WEIGHTS_0": 0}.get(name, 6e-4)
            assert np.abs(a - b).max() <= most, name
        for a, b in zip(one["targets"][::9], other["targets"][::9], strict=True):
            for name in a:
                apart = np.abs(floats(*plain, a[name]) - floats(*packed, b[name])).max()
                assert apart <= (5e-6 if name == "POSITION" else 6e-4)
        a, b = (
            np.frombuffer(view_bytes(*made, made[0]["accessors"][p["indices"]]["bufferView"]), "u2")
            for made, p in zip(both, (one, other), strict=True)
        )
        np.testing.assert_array_equal(a, b)


def test_bounds_are_those_of_what_comes_back(both):
    doc, binary = both[1]
    for primitive in doc["meshes"][0]["primitives"]:
        for number in (
            primitive["attributes"]["POSITION"],
            *(target["POSITION"] for target in primitive["targets"]),
        ):
            values, accessor = floats(doc, binary, number), doc["accessors"][number]
            np.testing.assert_array_equal(values.min(0), np.float32(accessor["min"]))
            np.testing.assert_array_equal(values.max(0), np.float32(accessor["max"]))


def test_readers_are_told(both):
    doc, binary = both[1]
    assert doc["extensionsRequired"] == doc["extensionsUsed"] == [EXTENSION]
    real, fallback = doc["buffers"]
    assert real["byteLength"] == len(binary)
    assert fallback["extensions"] == {EXTENSION: {"fallback": True}}
    ends = [v["byteOffset"] + v["byteLength"] for v in doc["bufferViews"] if v["buffer"] == 1]
    assert max(ends) <= fallback["byteLength"]
    assert "extensionsUsed" not in both[0][0]


def test_the_web_page_stays_plain(tiny_asset):
    pages = [write_html(tiny_asset, ExportOptions(compress=how)) for how in ("none", "meshopt")]
    assert pages[0] == pages[1]


def test_blender_does_not_get_what_it_cannot_read():
    preset = PRESETS["blender"]
    with pytest.raises(UsageError, match="Blender does not read compressed GLB"):
        chosen(preset, None, changed(preset.options, compress="meshopt"))
    with pytest.raises(UsageError, match="no compression 'draco'; choose one of none, meshopt"):
        ExportOptions(compress="draco")
