"""Small trials of what may be broken on a machine: drivers, native libraries, devices.

Each trial does the real thing once and returns a :class:`Finding`.  A broken driver can hang or
end the whole program, so :func:`isolated` runs a trial in a process of its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from hrn_studio import paths


@dataclass(frozen=True, slots=True)
class Finding:
    """What a trial found."""

    name: str
    state: Literal["works", "limited", "broken"]
    """``limited``: only an optional part is missing; ``broken``: the default way fails."""
    text: str
    remedy: str = ""


Probe = Callable[[], Finding]


def opengl() -> Finding:
    """Draws one pixel with OpenGL 3.3 without a window."""
    import moderngl

    egl: Any = {"backend": "egl"}  # moderngl's own annotation is wrong
    try:
        context = moderngl.create_context(standalone=True, require=330)
    except Exception:  # noqa: BLE001 - moderngl raises bare Exception
        try:
            context = moderngl.create_context(standalone=True, require=330, **egl)
        except Exception as error:  # noqa: BLE001
            return Finding(
                "OpenGL",
                "broken",
                f"no OpenGL 3.3 context can be made ({error})",
                "install or update the graphics driver; on Debian and Ubuntu "
                "`sudo apt-get install libgl1 libegl1` brings one that needs no GPU",
            )
    target = context.simple_framebuffer((1, 1))
    target.use()
    context.clear(1.0, 0.0, 1.0)
    renderer, drawn = context.info["GL_RENDERER"], target.read()
    context.release()
    if drawn != b"\xff\x00\xff":
        return Finding(
            "OpenGL", "broken", f"{renderer} draws wrong colours", "update the graphics driver"
        )
    slow = any(word in renderer.lower() for word in ("llvmpipe", "softpipe", "swiftshader"))
    return Finding("OpenGL", "works", renderer + (", drawn by the processor" if slow else ""))


def torch() -> Finding:
    """Multiplies two matrices, on CUDA when it is there."""
    if find_spec("torch") is None:
        return Finding("torch", "broken", "not installed", "pip install torch")
    import torch

    version = torch.__version__
    if torch.cuda.is_available():
        float((torch.ones(8, 8, device="cuda") @ torch.ones(8, 8, device="cuda")).sum())
        return Finding("torch", "works", f"{version} on {torch.cuda.get_device_name()}")
    if torch.version.cuda is None and Path("/proc/driver/nvidia/version").exists():
        return Finding(
            "torch",
            "limited",
            f"{version} is built for the processor only, but this machine has an NVIDIA GPU",
            "for faster fits run packaging/run.sh in a new environment with HRN_STUDIO_TORCH=cuda",
        )
    return Finding("torch", "works", f"{version} on the processor; no CUDA")


def nvdiffrast() -> Finding:
    """Whether the optional CUDA rasteriser is there."""
    if find_spec("nvdiffrast") is None:
        return Finding("nvdiffrast", "works", "not installed, and not needed")
    return Finding("nvdiffrast", "works", "installed; its license forbids commercial use")


def numba() -> Finding:
    """Compiles one function."""
    import numba

    twice = numba.njit(lambda x: 2 * x)
    if twice(21) != 42:
        return Finding("numba", "broken", "compiles wrongly", "pip install --force-reinstall numba")
    return Finding("numba", "works", f"{numba.__version__} compiles")


def tracker() -> Finding:
    """Looks for the face in a bundled picture."""
    from hrn_studio.errors import NoFaceError
    from hrn_studio.live.images import read_image
    from hrn_studio.live.tracker import MediaPipeTracker

    pictures = sorted((paths.resources() / "demo").glob("*.jpg"))
    with MediaPipeTracker("still") as face_tracker:
        if not pictures:
            return Finding("Face tracker", "works", "starts; there is no demo picture to try")
        try:
            face_tracker.track(read_image(pictures[0]))
        except NoFaceError as error:
            return Finding(
                "Face tracker",
                "broken",
                str(error),
                'pip install --force-reinstall --no-deps "mediapipe==0.10.21"',
            )
    return Finding("Face tracker", "works", "finds the face in the demo picture")


def cameras() -> Finding:
    """Opens the first cameras for a moment."""
    from hrn_studio.live._cv import cv2

    indices = list(range(4))
    if sys.platform == "linux":
        indices = [i for i in indices if Path(f"/dev/video{i}").exists()]
    working = []
    for index in indices:
        capture = cv2.VideoCapture(index)
        if capture.isOpened() and capture.read()[0]:
            working.append(str(index))
        capture.release()
    if working:
        return Finding("Camera", "works", "camera " + ", ".join(working))
    if sys.platform == "linux" and indices:
        devices = ", ".join(f"/dev/video{i}" for i in indices)
        return Finding(
            "Camera",
            "limited",
            f"{devices} gives no picture",
            "close other programs that use it; on Linux you must be in the group `video`",
        )
    return Finding(
        "Camera", "limited", "none found", "connect one; pictures and videos work without"
    )


def window() -> Finding:
    """Whether Qt loads and there is a display to open a window on."""
    try:
        from PySide6 import QtWidgets, __version__
    except ImportError as error:
        return Finding(
            "Window",
            "limited",
            f"Qt does not load ({error})",
            "install the system packages that packaging/run.sh names",
        )
    del QtWidgets
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return Finding(
            "Window",
            "limited",
            f"Qt {__version__} loads, but there is no display",
            "log in on a desktop; the commands work without",
        )
    return Finding("Window", "works", f"Qt {__version__} and a display")


def isolated(name: str, probe: Probe, timeout_s: float = 60.0) -> Finding:
    """What ``probe`` finds, run in its own process without its messages on the terminal."""
    context = get_context("spawn")
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(probe, send), daemon=True)
    process.start()
    send.close()
    try:
        if not receive.poll(timeout_s):
            return Finding(
                name, "broken", f"gives no answer in {timeout_s:.0f} s", "update its driver"
            )
        result = receive.recv()
    except EOFError:
        process.join()
        return Finding(
            name,
            "broken",
            f"ends the program (code {process.exitcode})",
            "update its driver or install it again",
        )
    finally:
        process.kill()
        process.join()
        receive.close()
    if isinstance(result, Finding):
        return result
    return Finding(name, "broken", str(result), "install HRN Studio again")


def _child(probe: Probe, send: Connection) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    try:
        send.send(probe())
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        send.send(f"{type(error).__name__}: {error}")
