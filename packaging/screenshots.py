"""Takes the pictures in docs/screenshots/ from the real window, so that they stay true.

    xvfb-run -a -s "-screen 0 3840x2400x24" python packaging/screenshots.py

takes them in every size and theme: 1280 x 800, 1920 x 1080 and 200 %.  The person in them is the
rendered head of ``resources/demo``, seen through a camera on this machine's loopback; everything
else is the program as it runs, but for the read-outs that differ from run to run: date, rates,
latency, free disk.  They show what ``docs/accuracy.md`` gives for a quiet machine, so that two runs
give the same pictures; a running fit is caught wherever it is, and times of fits are as they were.
``--size``, ``--theme``, ``--scale`` and ``--only`` take fewer, ``--every`` takes all pictures in
all sizes.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]
DEMO = ROOT / "resources" / "demo"
PATIENCE_S = 400.0
COLORS = 256
MEANT = ("ok", "warn", "bad", "accent", "accent_soft", "bad_soft")
NAMES = (
    *("first-start", "live-good", "live-bad", "guided", "fitting", "review", "multi-frame"),
    *("export", "camera-lost", "failed-fit", "compare", "settings", "shortcuts"),
)
SOME = "first-start,live-good,review,multi-frame"
VARIANTS = (
    ("", "1280x800", "dark", 1, ""),
    ("-light", "1280x800", "light", 1, SOME),
    ("-1920", "1920x1080", "dark", 1, "live-good,multi-frame"),
    ("-200", "1280x800", "dark", 2, "multi-frame"),
)
"""Suffix, size, theme, scale and which of the pictures are kept."""
NOW = datetime(2026, 11, 20, 14, 32, 8)
FPS, P50_MS, P95_MS, FREE_BYTES = 30.0, 15.0, 31.0, 212_000_000_000


class Photographer:
    """Drives one window and takes its picture."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        from loopback_camera import LoopbackCamera

        from hrn_studio.ui.parts import RealParts
        from hrn_studio.ui.start import application, make_window

        self.app, self.calls = application(), -1
        self.out, self.suffix = args.out, args.suffix
        self.wanted = args.only.split(",") if args.only else list(NAMES)
        self.window = make_window(self.app, RealParts(), None)
        self.window.confirm = lambda *_: True  # type: ignore[method-assign]
        self.studio = self.window.studio
        self.studio.now = self.now
        self.camera = LoopbackCamera((DEMO / "1_front.jpg").read_bytes())
        self.studio.change("window", theme=args.theme)
        self.studio.change("capture", folder=str(folder / "none"), automatic=False)
        self.studio.change("fit", texture_px=1024)
        # The demo's camera is nearer than a person should sit.
        near = {
            "distance": [0.45, 1.2, 0.3, 2.0, 1.0],
            "face_size": [120.0, 1e9, 90.0, 1e9, 1.0],
            "balance": [-0.5, 0.5, -1.0, 1.0, 1.0],
        }
        guidance = dataclasses.replace(self.studio.settings.guidance, limits=near)
        self.studio.use(dataclasses.replace(self.studio.settings, guidance=guidance))
        self.window.resize(*(int(part) for part in args.size.split("x")))
        self.window.show()
        self.run(0.5)

    def now(self) -> datetime:
        """Each call is half a minute later than the one before."""
        self.calls += 1
        return NOW + self.calls * timedelta(seconds=30)

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.app.processEvents()
            time.sleep(0.003)

    def until(self, condition: Callable[[], Any]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not condition():
            if time.monotonic() > end:
                print(self.studio.log.text())
                raise SystemExit("screenshots: waited too long")
            self.run(0.05)

    def shoot(self, name: str) -> None:
        """Take one picture, of at most 256 colours."""
        from PIL import Image

        from hrn_studio.ui.pictures import pixels_of

        if name not in self.wanted:
            return
        self.window.redraw()
        self.run(0.4)
        self.window.toasts.forget_offers()
        self.run(0.1)
        self.steady(True)
        grabbed = self.window.screen().grabWindow(self.window.winId())
        self.steady(False)
        image = Image.fromarray(pixels_of(grabbed.toImage()))
        palette = self.palette(image)
        file = self.out / f"{name}{self.suffix}.png"
        image.quantize(palette=palette).save(file, "PNG", optimize=True)
        print(file, file.stat().st_size // 1024, "KB", flush=True)

    def palette(self, image: Any) -> Any:
        """The commonest colours of a picture, and all that mean something, however few pixels."""
        from PIL import Image

        theme = self.window.theme
        told = [(c.red(), c.green(), c.blue()) for c in (theme[name] for name in MEANT)]
        common = image.quantize(COLORS - len(told), method=Image.Quantize.MEDIANCUT, kmeans=1)
        colors = common.getpalette()[: 3 * (COLORS - len(told))]
        made = Image.new("P", (1, 1))
        made.putpalette([*colors, *(value for color in told for value in color)])
        return made

    def steady(self, on: bool) -> None:
        """Hold the read-outs at what does not differ from run to run, or let them go on."""
        window, live = self.window, self.studio.live
        live.blockSignals(on)
        if not on:
            window._tick.start()
            return
        window._tick.stop()
        window.status.show_disk(FREE_BYTES)
        face, status = live.face, live.status()
        if face is not None and status is not None and status.phase == "running":
            pace = dataclasses.replace(
                face.pace, fps=FPS, latency_p50_ms=P50_MS, latency_p95_ms=P95_MS, dropped=0
            )
            window.status.show_live(True, FPS, pace)
            live.face = dataclasses.replace(face, done_s=face.frame.time_s + P50_MS / 1000)
        window.redraw()
        window.stage.viewport.repaint()
        window.repaint()
        self.app.processEvents()

    # --- what is shown ---

    def look(self, name: str, change: Callable[[Any], Any] | None = None) -> None:
        """Hold a picture before the camera, until it is tracked."""
        from hrn_studio.live._cv import cv2
        from hrn_studio.live.spec import SourceSpec

        image = cv2.imread(str(DEMO / name))
        assert image is not None
        good, data = cv2.imencode(".jpg", image if change is None else change(image))
        assert good
        self.camera.show(data.tobytes())
        if self.studio.live.spec is None:
            self.studio.open(SourceSpec("stream", self.camera.address, "Desk camera"))
        self.until(lambda: self.studio.live.face is not None and self.studio.live.face.face)
        self.run(2.5)

    def take(self) -> None:
        count = len(self.studio.session.shots)
        self.studio.shooting.take()
        self.until(lambda: len(self.studio.session.shots) > count)

    def fitted(self) -> None:
        self.until(lambda: self.studio.fits.running is None and not self.studio.fits.waiting)
        self.run(1.0)


def half_dark(image: Any) -> Any:
    """One side of the face without light."""
    import numpy as np

    across = np.linspace(-0.5, 0.5, image.shape[1])
    gain = (0.16 + 0.84 / (1 + np.exp(-across / 0.03)))[None, :, None]
    return (image * gain).astype(np.uint8)


def too_wide(image: Any) -> Any:
    """A picture whose shape was changed, as by a careless converter."""
    from hrn_studio.live._cv import cv2

    high, wide = image.shape[:2]
    stretched = cv2.resize(image, (round(1.12 * wide), high))
    left = (stretched.shape[1] - wide) // 2
    return stretched[:, left : left + wide].copy()


def sitting(p: Photographer, folder: Path) -> None:
    """Every picture of one sitting, in order; a sitting of an earlier call is opened again."""
    from hrn_studio.session.guided import Guided
    from hrn_studio.session.store import sessions

    p.until(lambda: not p.window.welcome.head.is_empty)
    p.shoot("first-start")
    p.studio.change("capture", folder=str(folder / "sessions"))
    kept = sessions(folder / "sessions")
    if kept:
        p.studio.open_session(kept[0].folder)
        p.until(lambda: p.studio.session.shown is not None)
    p.look("1_front.jpg")
    p.shoot("live-good")
    if not kept:
        p.take()
        p.take()
    p.look("1_front.jpg", half_dark)
    p.window.stage.set_options(zebra=True)
    p.run(2.0)
    p.shoot("live-bad")
    p.window.stage.set_options(zebra=False)
    if not kept:
        p.look("2_left.jpg")
        p.take()
    p.look("1_front.jpg")
    p.studio.go("capture")
    p.studio.shooting.guide(Guided(index=2, kept={"front": 2, "left": 1}))
    p.studio.shooting.aim()
    p.run(2.0)
    p.shoot("guided")
    p.studio.shooting.end_guided()
    if not kept:
        for name in ("3_right.jpg", "4_up.jpg", "5_down.jpg"):
            p.look(name)
            p.take()
        p.look("3_right.jpg", too_wide)
        p.take()
    p.look("1_front.jpg")
    if "compare" in p.wanted:
        p.studio.frames.select([p.studio.session.shots[0].id])
        p.window.darkroom.compare()
        p.run(0.5)
        p.shoot("compare")
        p.window.stage.set_options(reference="")
    fitting(p, made=bool(kept))
    results(p)
    trouble(p)


def fitting(p: Photographer, made: bool) -> None:
    """A running fit; one head from one frame and one from all, unless an earlier call made them."""
    shots = [s.id for s in p.studio.session.shots]
    if not made or "fitting" in p.wanted:
        p.studio.frames.select(shots[:1])
        p.studio.fit_selected()
        p.studio.frames.select(shots)
        p.studio.fuse_selected()
        p.studio.go("fit")
        p.until(lambda: (r := p.studio.fits.running) is None or r.fraction > 0.3)
        p.until(lambda: p.studio.fits.running is None or p.studio.fits.mesh is not None)
        p.shoot("fitting")
        if made:
            for fit in reversed(p.studio.fits.all):
                p.studio.fits.cancel(fit.id)
        p.fitted()
    p.studio.go("fit")
    p.until(lambda: p.studio.session.step == "fit")
    several = next(r for r in p.studio.session.results if len(r.shots) > 1)
    p.studio.results.show(several.id)
    p.until(lambda: p.studio.session.result == several.id)
    p.studio.frames.select(shots)
    p.window.fusing_step.turn(True)
    p.run(2.5)
    p.shoot("multi-frame")
    p.window.fusing_step.turn(False)


def results(p: Photographer) -> None:
    first = p.studio.session.results[0].id
    p.studio.review(first)
    p.until(lambda: p.studio.session.step == "review" and p.studio.session.result == first)
    p.window.stage.set_options(review="deformation")
    p.run(1.5)
    p.shoot("review")
    p.studio.go("export")
    p.run(1.5)
    p.shoot("export")
    if "settings" in p.wanted:
        p.window.preferences.show_settings("guidance")
        p.run(0.5)
        p.shoot("settings")
        p.window.preferences.settings_sheet.close_sheet()  # type: ignore[union-attr]
        p.window.preferences.show_help()
        p.run(0.5)
        p.shoot("shortcuts")
        p.window.preferences.help_sheet.close_sheet()  # type: ignore[union-attr]


def trouble(p: Photographer) -> None:
    """A fit that fails, and a camera that goes away."""
    from io import BytesIO

    from PIL import Image

    if "failed-fit" in p.wanted:
        shot = p.studio.session.shots[4]
        picture = p.studio.frames.picture(shot.id)
        assert picture is not None
        whole, blank = picture.read_bytes(), BytesIO()
        Image.new("RGB", (640, 480), (90, 90, 90)).save(blank, "PNG")
        picture.write_bytes(blank.getvalue())
        p.studio.frames.select([shot.id])
        p.studio.fit_selected()
        p.studio.go("fit")
        p.fitted()
        picture.write_bytes(whole)
        p.studio.frames.select([])
        p.run(0.5)
        p.shoot("failed-fit")
    if "camera-lost" in p.wanted:
        p.studio.go("live")
        p.run(1.0)
        p.camera.stop()
        p.until(lambda: p.studio.live.status().phase == "lost")  # type: ignore[union-attr]
        p.run(1.2)
        p.shoot("camera-lost")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--size", help="such as 1280x800; every size without it")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark")
    parser.add_argument("--scale", type=int, default=1, help="screen pixels per logical one")
    parser.add_argument("--suffix", default="", help="after each picture's name")
    parser.add_argument("--only", default="", help="names of pictures, with commas between")
    parser.add_argument("--every", action="store_true", help="all pictures in all sizes")
    parser.add_argument("--keep", type=Path, help="folder of the sitting, made in an earlier call")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = args.keep or Path(name)
        if args.size is None:
            for suffix, size, theme, scale, only in VARIANTS:
                call = [sys.executable, __file__, "--out", str(args.out), "--size", size]
                call += ["--theme", theme, "--scale", str(scale), "--keep", str(folder)]
                call += [f"--suffix={suffix}", f"--only={'' if args.every else only}"]
                subprocess.run(call, check=True)
            return 0
        os.environ["HRN_STUDIO_DATA"] = str(folder / "data")
        os.environ["QT_SCALE_FACTOR"] = str(args.scale)
        photographer = Photographer(args, folder)
        sitting(photographer, folder)
        photographer.window.close()
        photographer.camera.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
