"""The datagrams of Live Link Face: their bytes, and what arrives on the loopback."""

import socket
import struct

import numpy as np
import pytest

from hrn_studio.errors import UsageError
from hrn_studio.geometry.transforms import rigid, rotation_from_angles
from hrn_studio.live.livelink import ANGLES, SHAPES, arkit_name
from hrn_studio.live.livelink_udp import (
    PACKET_SHAPES,
    Sender,
    decoded,
    encoded,
    parsed_target,
)
from hrn_studio.records import Camera, Coefficients, FaceState

NAMES = [arkit_name(name) for name in SHAPES]
DEVICE = "01234567-89AB-CDEF-0123-456789ABCDEF"


def state(**shapes):
    expression = [shapes.get(name, 0.0) for name in NAMES]
    gaze = np.array([[0.1, 0.2], [0.3, -0.4]])
    pose = rigid(rotation_from_angles(0.5, -0.2, 0.1), np.array([0, 0, 0.6]))
    return FaceState(
        Coefficients(np.zeros(1), np.array(expression), gaze), pose, Camera.from_hfov(640, 480, 60)
    )


@pytest.fixture
def listener():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(5)
        yield opened


def test_the_order_is_unreals():
    assert len(set(PACKET_SHAPES)) == 52
    assert set(PACKET_SHAPES) == set(SHAPES)
    assert PACKET_SHAPES[14:18] == ("JawForward", "JawLeft", "JawRight", "JawOpen")
    assert PACKET_SHAPES[18:25] == (
        *("MouthClose", "MouthFunnel", "MouthPucker", "MouthLeft", "MouthRight"),
        *("MouthSmileLeft", "MouthSmileRight"),
    )
    assert PACKET_SHAPES[7] == "EyeBlinkRight"
    assert PACKET_SHAPES[41] == "BrowDownLeft"
    assert PACKET_SHAPES[51] == "TongueOut"


def test_bytes_where_receivers_look_for_them():
    """Most receivers skip 41 bytes and read a big-endian length there."""
    values = dict.fromkeys(("jawLeft", "mouthRight"), 0.25)
    data = encoded(state(**values), NAMES, device=DEVICE, subject="jané", time_s=2.51)
    assert data[0] == 6
    assert data[1:5] == b"\0\0\0\x24"
    assert data[5:41].decode() == DEVICE
    (length,) = struct.unpack("!i", data[41:45])
    end = 45 + length
    assert data[45:end].decode() == "jané"
    frame, subframe, fps, denominator, count = struct.unpack("!if2ib", data[end : end + 17])
    assert (frame, fps, denominator, count) == (150, 60, 1, 61)
    assert subframe == pytest.approx(0.6, abs=1e-4)
    floats = struct.unpack("!61f", data[end + 17 :])
    assert floats[15] == floats[22] == 0.25
    assert sum(floats[:52]) == 0.5
    assert floats[52:55] == pytest.approx((0.5, -0.2, 0.1))


def test_what_is_sent_can_be_read():
    data = encoded(state(tongueOut=2.0), NAMES, device=DEVICE, subject="s", time_s=86400.5)
    packet = decoded(data)
    assert (packet.device, packet.subject, packet.frame, packet.fps) == (DEVICE, "s", 30, 60.0)
    named = packet.named()
    assert list(named) == [*PACKET_SHAPES, *ANGLES]
    assert named["TongueOut"] == 1.0
    assert named["LeftEyeYaw"] == pytest.approx(-0.1)
    assert named["RightEyePitch"] == pytest.approx(0.4)


def test_damaged_datagrams_are_refused():
    data = encoded(state(), NAMES, device=DEVICE, subject="s", time_s=0)
    damaged = [data[:n] for n in range(len(data))] + [b"\x05" + data[1:], data + b"\0"]
    for bad in damaged:
        with pytest.raises(ValueError, match=r"bytes|version"):
            decoded(bad)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1", "127.0.0.1", 11111),
        ("studio-pc:9000", "studio-pc", 9000),
        ("::1", "::1", 11111),
        ("[fe80::1]:12345", "fe80::1", 12345),
    ],
)
def test_targets(text, host, port):
    assert parsed_target(text) == (host, port)


@pytest.mark.parametrize("text", ["", ":11111", "host:", "host:0", "host:70000", "host:x", "a b"])
def test_targets_that_are_none(text):
    with pytest.raises(UsageError, match="no address to send to"):
        parsed_target(text)


def test_a_sender_reaches_a_listener(listener):
    target = f"127.0.0.1:{listener.getsockname()[1]}"
    with Sender(target, NAMES, subject=" Jane ") as sender:
        for weight in (0.25, 0.75):
            sender.send(state(jawOpen=weight), 1.0)
        assert sender.sent == 2
        device = sender.device
    packets = [decoded(listener.recv(4096)) for _ in range(2)]
    assert [packet.named()["JawOpen"] for packet in packets] == [0.25, 0.75]
    assert {packet.subject for packet in packets} == {"Jane"}
    assert {packet.device for packet in packets} == {device}
    assert len(device) == 36


def test_names_that_cannot_be_listed():
    for subject in ("", "  ", "x" * 256):
        with pytest.raises(UsageError, match="subject"):
            Sender("127.0.0.1", NAMES, subject=subject)


def test_a_host_nobody_knows():
    with pytest.raises(UsageError, match=r"no computer called 'nowhere\.invalid'"):
        Sender("nowhere.invalid", NAMES)
