"""Sources that run by themselves: a stream over HTTP as the camera, folders, and the mailbox."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from PIL import Image

from hrn_studio.errors import CameraError, NoFaceError, SourceError
from hrn_studio.live.capture import CameraCapture, WatchedFolder, rgb
from hrn_studio.live.devices import cameras, find
from hrn_studio.live.feed import Feed, is_blank
from hrn_studio.live.mailbox import Mailbox
from hrn_studio.live.sources import Frames
from hrn_studio.live.stream import LiveControl, stream
from hrn_studio.records import Frame, Track

WAIT = 10.0


class Loopback:
    """An MJPEG camera on this machine that can be unplugged and plugged in again."""

    def __init__(self) -> None:
        self.pictures = [np.full((120, 160, 3), v, np.uint8) for v in (60, 120, 180)]
        for p in self.pictures:
            p[:, :80] = 20
        self.port = 0
        self.server: http.server.ThreadingHTTPServer | None = None

    def plug(self) -> None:
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
                self.end_headers()
                number = 0
                try:
                    while not camera.out.wait(0.005):
                        picture = camera.pictures[number % len(camera.pictures)]
                        data = cv2.imencode(".jpg", picture)[1].tobytes()
                        self.wfile.write(b"--b\r\nContent-Type: image/jpeg\r\n")
                        self.wfile.write(f"Content-Length: {len(data)}\r\n\r\n".encode())
                        self.wfile.write(data + b"\r\n")
                        number += 1
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.out = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def unplug(self) -> None:
        if self.server is not None:
            self.out.set()
            self.server.shutdown()
            self.server.server_close()
            self.thread.join()
            self.server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/camera.mjpg"


@pytest.fixture
def loopback() -> Iterator[Loopback]:
    camera = Loopback()
    camera.plug()
    yield camera
    camera.unplug()


def wait_for(condition, feed: Feed) -> None:
    """Until ``condition``; the feed's listener wakes us, so nothing sleeps on a clock."""
    woken = threading.Event()
    feed._listener = woken.set
    deadline = 200
    while not condition():
        woken.wait(0.1)
        woken.clear()
        deadline -= 1
        assert deadline, f"still {feed.status()}"


def test_the_newest_item_wins():
    box: Mailbox[int] = Mailbox()
    for i in range(5):
        box.put(i)
    assert box.take() == 4
    assert box.dropped == 4
    assert box.take(0) is None
    box.close()
    box.put(6)
    assert box.take() is None


def test_an_mjpeg_stream_is_a_camera(loopback):
    with CameraCapture(loopback.url, "test camera") as camera:
        frames = iter(camera)
        first, second = next(frames), next(frames)
    assert first.image.shape == (120, 160, 3)
    assert second.time_s >= first.time_s
    assert (first.index, second.index) == (0, 1)


def test_no_camera_is_said():
    with pytest.raises(CameraError, match="close other programs"):
        CameraCapture("http://127.0.0.1:9/none.mjpg", "Brio")


def test_a_lost_camera_comes_back(loopback):
    feed = Feed(lambda: CameraCapture(loopback.url, "Brio"), reconnect=True, retry_s=0.05)
    feed.start()
    try:
        wait_for(lambda: feed.frames > 3, feed)
        loopback.unplug()
        wait_for(lambda: feed.status().phase == "lost", feed)
        before = feed.frames
        assert feed.newest is not None  # the last picture stays
        loopback.plug()
        wait_for(lambda: feed.status().phase == "running" and feed.frames > before, feed)
    finally:
        feed.close()
    assert not feed.alive


def test_black_pictures_are_noticed(loopback):
    loopback.pictures = [np.zeros((120, 160, 3), np.uint8)]
    feed = Feed(lambda: CameraCapture(loopback.url, "Brio"), reconnect=True)
    feed.start()
    try:
        wait_for(lambda: feed.status().phase == "black", feed)
    finally:
        feed.close()


def test_sizes_may_change(loopback):
    loopback.pictures = [
        np.random.default_rng(0).integers(0, 255, size, np.uint8)
        for size in ((120, 160, 3), (240, 320, 3))
    ]
    feed = Feed(lambda: CameraCapture(loopback.url, "Brio"), reconnect=True, retry_s=0.05)
    feed.start()
    try:
        wait_for(lambda: feed.frames > 4, feed)
    finally:
        feed.close()


def test_grey_and_transparent_pictures_become_rgb():
    assert rgb(np.full((8, 8), 9, np.uint8)).shape == (8, 8, 3)
    blue = np.zeros((8, 8, 4), np.uint8)
    blue[..., 0] = 255
    assert tuple(rgb(blue)[0, 0]) == (0, 0, 255)
    assert is_blank(np.zeros((64, 64, 3), np.uint8))
    assert not is_blank(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))


def test_a_file_ends_and_a_loop_does_not():
    frames = [Frame(np.full((64, 64, 3), 90, np.uint8), i, i / 1000) for i in range(3)]
    feed = Feed(lambda: Frames(frames))
    feed.start()
    wait_for(lambda: feed.status().phase == "ended", feed)
    feed.close()
    assert feed.frames == 3
    feed = Feed(lambda: Frames(frames), loop=True, paced=True)
    feed.start()
    wait_for(lambda: feed.frames > 7, feed)
    feed.close()


def test_a_new_picture_in_a_folder_is_given(tmp_path):
    Image.new("RGB", (80, 80), "red").save(tmp_path / "old.png")
    folder = WatchedFolder(tmp_path, poll_s=0.01)
    frames = iter(folder)
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    Image.new("RGB", (80, 80), "blue").save(tmp_path / "new.png")
    frame = next(frames)
    assert frame.name == "new.png"
    assert len(folder.skipped) == 1
    for file in tmp_path.iterdir():
        file.unlink()
    tmp_path.rmdir()
    with pytest.raises(SourceError, match="went away"):
        next(frames)
    folder.close()


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(SourceError, match="is not a folder"):
        WatchedFolder(tmp_path / "none")


def test_devices_are_named_by_the_system(tmp_path):
    for number, name, index in ((0, "Brio: Brio", "0"), (1, "Brio: Brio", "1"), (4, "HD", "0")):
        folder = tmp_path / "sys" / f"video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(name + "\n")
        (folder / "index").write_text(index + "\n")
    (tmp_path / "by-id").mkdir()
    (tmp_path / "video4").touch()
    (tmp_path / "by-id" / "usb-HD_123-video-index0").symlink_to(tmp_path / "video4")
    found = cameras(tmp_path / "by-id", tmp_path / "sys")
    assert [(d.name, d.index) for d in found] == [("Brio", 0), ("HD", 4)]
    assert find("usb-HD_123-video-index0", found) is found[1]
    assert find("Brio", found) is found[0]
    assert find("gone", found) is None
    assert cameras(tmp_path / "none", tmp_path / "none") == ()


class Scripted:
    """A tracker that sees a face in every frame but those named."""

    def __init__(self, blind=()):
        self.blind = blind

    def track(self, frame):
        if frame.index in self.blind:
            raise NoFaceError("no face")
        points = np.random.default_rng(0).uniform(20, 100, (478, 2))
        return Track(points, np.zeros(478), frame.index, frame.time_s)

    def close(self): ...


def test_the_stream_gives_one_face_per_frame():
    box: Mailbox[Frame] = Mailbox()
    now = [0.0]
    live = stream(box, Scripted(blind=(1,)), control=LiveControl(), clock=lambda: now[0], wait_s=0)
    assert next(live) is None
    for index in range(3):
        box.put(Frame(np.full((128, 128, 3), 120, np.uint8), index, now[0]))
        now[0] += 0.02
        item = next(live)
        assert item.frame.index == index
        assert (item.face is None) == (index == 1)
    assert item.pace.latency_p50_ms == pytest.approx(20, abs=0.1)
    box.put(Frame(np.zeros((128, 128, 3), np.uint8), 3, now[0]))
    box.put(Frame(np.zeros((128, 128, 3), np.uint8), 4, now[0]))
    item = next(live)
    assert (item.frame.index, item.pace.dropped) == (4, 1)
    box.close()
    assert next(live, "end") == "end"
