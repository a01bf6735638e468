"""A camera on this machine only: an MJPEG stream over HTTP that can be stopped and started again.

For pictures of the window and for its tests; ``hrn-studio`` opens such a stream by its address.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

_BOUNDARY = b"picture"


class LoopbackCamera:
    """Shows one JPEG after the other until it is stopped.

    Parameters
    ----------
    jpeg
        The first picture.
    fps
        How many are sent each second.
    """

    def __init__(self, jpeg: bytes, fps: float = 30.0) -> None:
        self._jpeg = jpeg
        self._fps = fps
        self._port = 0
        self._off = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._port}/camera.mjpg"

    def show(self, jpeg: bytes) -> None:
        """Send this from now on; anything at all, for a camera that is broken."""
        self._jpeg = jpeg

    def start(self) -> None:
        """Switch it on, at the same address as before."""
        camera = self
        self._off = off = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY.decode()}"
                self.send_header("Content-Type", kind)
                self.end_headers()
                try:
                    while not off.wait(1 / camera._fps):
                        jpeg = camera._jpeg
                        head = b"--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
                        self.wfile.write(head % (_BOUNDARY, len(jpeg)) + jpeg + b"\r\n")
                except OSError:  # the viewer went away
                    return

            def log_message(self, *_: object) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        server.daemon_threads = True
        self._server, self._port = server, int(server.server_address[1])
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Switch it off: the stream breaks and the address refuses."""
        if self._server is not None:
            self._off.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None
