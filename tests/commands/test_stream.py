"""``hrn-studio stream`` to a listener on the loopback."""

import socket

import cv2
import pytest

from hrn_studio import cli
from hrn_studio.live.livelink_udp import decoded
from hrn_studio.live.sources import VideoFile

FRAMES = 12


@pytest.fixture(scope="module")
def clip(resources, tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with VideoFile(resources / "demo" / "clip.mp4") as video:
        pictures = [frame.image for frame, _ in zip(video, range(FRAMES), strict=False)]
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25, (width, height))
    for picture in pictures:
        writer.write(picture[..., ::-1])
    writer.release()
    return path


@pytest.fixture
def listener():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(5)
        yield opened


def test_a_film_is_sent_frame_by_frame(clip, listener, capsys):
    target = f"127.0.0.1:{listener.getsockname()[1]}"
    wanted = ["stream", "--live-link", target, "--source", str(clip), "--subject", "jane", "--once"]
    assert cli.main(wanted) == 0
    assert f"{FRAMES} faces sent to {target}" in capsys.readouterr().out
    packets = [decoded(listener.recv(4096)) for _ in range(FRAMES)]
    assert {packet.subject for packet in packets} == {"jane"}
    assert all(0 <= value <= 1 for packet in packets for value in packet.values[:52])
    assert len({packet.values for packet in packets}) > 1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (["--live-link", "host:99999"], "no address to send to"),
        (["--live-link", "nowhere.invalid", "--source", "demo"], "no computer called"),
        (["--live-link", "127.0.0.1", "--source", "missing.mp4"], "'missing.mp4' is no camera"),
        (["--live-link", "127.0.0.1", "--source", "http://127.0.0.1:9/x"], "cannot be opened"),
        (["--live-link", "127.0.0.1", "--hfov", "400"], "no camera's view"),
        (["--live-link", "127.0.0.1", "--subject", " ", "--source", "demo"], "subject"),
    ],
)
def test_what_cannot_be_sent_is_said_in_one_line(wanted, said, capsys):
    assert cli.main(["stream", *wanted]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
