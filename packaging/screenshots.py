"""Takes the pictures in docs/screenshots/ from the real window, so that they stay true.

    xvfb-run -a -s "-screen 0 3840x2400x24" python packaging/screenshots.py

The person in them is the rendered head of ``resources/demo``.  ``--size`` and
``--theme`` change the window; for 200 % set ``QT_SCALE_FACTOR=2`` outside.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
DEMO = ROOT / "resources" / "demo"
PATIENCE_S = 240.0


class Photographer:
    """Drives one window and takes its picture."""

    def __init__(self, out: Path, size: tuple[int, int], theme: str) -> None:
        from hrn_studio.ui.parts import RealParts
        from hrn_studio.ui.start import application, make_window

        self.app = application()
        self.out = out
        self.made: list[Path] = []
        self.window = make_window(self.app, RealParts(), None)
        self.window.confirm = lambda *_: True  # type: ignore[method-assign]
        self.studio = self.window.studio
        values: dict[str, Any] = {"theme": theme}
        window = dataclasses.replace(self.studio.settings.window, **values)
        # The demo's camera is nearer than a person should sit.
        near = {
            "distance": [0.45, 1.2, 0.3, 2.0, 1.0],
            "face_size": [120.0, 1e9, 90.0, 1e9, 1.0],
            "balance": [-0.5, 0.5, -1.0, 1.0, 1.0],
        }
        guidance = dataclasses.replace(self.studio.settings.guidance, limits=near)
        camera = dataclasses.replace(self.studio.settings.camera, mirror=True)
        self.studio.use(
            dataclasses.replace(
                self.studio.settings, window=window, guidance=guidance, camera=camera
            )
        )
        self.window.resize(*size)
        self.window.show()
        self.run(0.5)

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.003)

    def until(self, condition: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                raise SystemExit("screenshots: waited too long")
            self.run(0.05)

    def shoot(self, name: str) -> None:
        self.window.redraw()
        self.run(0.4)
        self.window.toasts.forget_offers()
        self.run(0.1)
        file = self.out / f"{name}.png"
        pixels = self.window.screen().grabWindow(self.window.winId())
        if not pixels.save(str(file), "PNG"):
            raise SystemExit(f"screenshots: {file} cannot be written")
        self.made.append(file)
        print(file)

    # --- what is shown ---

    def open(self, film: Path) -> None:
        self.studio.open_paths([film])
        self.until(lambda: self.studio.live.face is not None and self.studio.live.face.face)
        self.run(3.0)

    def take(self) -> None:
        count = len(self.studio.session.shots)
        self.studio.shooting.take()
        self.until(lambda: len(self.studio.session.shots) > count)

    def fitted(self) -> None:
        self.until(lambda: self.studio.fits.running is None and not self.studio.fits.waiting)


def film(
    folder: Path, name: str, picture: Path, change: Callable[[Any], Any] | None = None
) -> Path:
    """A film of one picture that does not move."""
    from hrn_studio.live._cv import cv2

    image = cv2.imread(str(picture))
    assert image is not None
    if change is not None:
        image = change(image)
    file = folder / f"{name}.avi"
    high, wide = image.shape[:2]
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 30, (wide, high))
    for _ in range(45):
        writer.write(image)
    writer.release()
    return file


def half_dark(image: Any) -> Any:
    """One side of the face without light."""
    import numpy as np

    across = np.linspace(-0.5, 0.5, image.shape[1])
    gain = (0.16 + 0.84 / (1 + np.exp(-across / 0.03)))[None, :, None]
    return (image * gain).astype(np.uint8)


def session(p: Photographer, folder: Path) -> None:
    """Every picture of one sitting, in order."""
    from hrn_studio.session.guided import Guided

    p.until(lambda: not p.window.welcome.head.is_empty)
    p.shoot("first-start")
    front = film(folder, "Camera", DEMO / "1_front.jpg")
    p.open(front)
    p.shoot("live-good")
    p.take()
    p.take()
    p.open(film(folder, "Window on one side", DEMO / "1_front.jpg", half_dark))
    p.window.stage.set_options(zebra=True)
    p.run(2.0)
    p.shoot("live-bad")
    p.window.stage.set_options(zebra=False)
    capture = dataclasses.replace(p.studio.settings.capture, automatic=False)
    p.studio.use(dataclasses.replace(p.studio.settings, capture=capture))
    for name in ("2_left", "3_right"):
        p.open(film(folder, name, DEMO / f"{name}.jpg"))
        p.take()
    p.open(front)
    p.studio.go("capture")
    p.studio.shooting.guide(Guided(index=2, kept={"front": 2, "left": 1}))
    p.studio.shooting.aim()
    p.run(2.0)
    p.shoot("guided")
    p.studio.shooting.end_guided()
    fit = dataclasses.replace(p.studio.settings.fit, texture_px=1024)
    p.studio.use(dataclasses.replace(p.studio.settings, fit=fit))
    p.studio.frames.select([p.studio.session.shots[0].id])
    p.studio.fit_selected()
    p.studio.frames.select([s.id for s in p.studio.session.shots])
    p.studio.fuse_selected()
    p.studio.go("fit")
    p.until(lambda: (r := p.studio.fits.running) is None or r.fraction > 0.15)
    p.shoot("fitting")
    p.fitted()
    p.studio.review(p.studio.session.results[0].id)
    p.run(1.0)
    p.window.stage.set_options(review="deformation")
    p.run(1.0)
    p.shoot("review")
    p.studio.review(p.studio.session.results[-1].id)
    p.window.stage.set_options(review="spread")
    p.run(1.0)
    p.shoot("multi-frame")
    p.studio.go("export")
    p.run(1.0)
    p.shoot("export")
    p.window.preferences.show_settings("guidance")
    p.run(0.5)
    p.shoot("settings")
    p.window.preferences.settings_sheet.close_sheet()  # type: ignore[union-attr]
    trouble(p, folder)


def trouble(p: Photographer, folder: Path) -> None:
    """A fit that fails, and a source that goes away."""
    from PIL import Image

    shot = p.studio.session.shots[-1]
    picture = p.studio.frames.picture(shot.id)
    assert picture is not None
    Image.new("RGB", (640, 480), (90, 90, 90)).save(picture)
    p.studio.frames.select([shot.id])
    p.studio.fit_selected()
    p.studio.go("fit")
    p.fitted()
    p.studio.frames.select([])
    p.run(0.5)
    p.shoot("failed-fit")
    gone = folder / "Card.avi"
    gone.write_bytes((folder / "Camera.avi").read_bytes())
    p.open(gone)
    gone.unlink()
    p.studio.go("live")
    p.until(lambda: p.studio.live.status().phase == "failed")  # type: ignore[union-attr]
    p.run(0.6)
    p.shoot("source-gone")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--size", default="1280x800")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    args = parser.parse_args()
    width, height = (int(part) for part in args.size.split("x"))
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        os.environ["HRN_STUDIO_DATA"] = str(Path(name) / "data")
        photographer = Photographer(args.out, (width, height), args.theme)
        session(photographer, Path(name))
        photographer.window.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
