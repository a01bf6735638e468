"""Focal lengths from the user, from EXIF, and by default."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from hrn_studio.errors import UsageError
from hrn_studio.live.cameras import camera_for
from hrn_studio.live.images import read_image
from hrn_studio.records import Frame


def frame(width: int, height: int, focal: float | None = None) -> Frame:
    return Frame(np.zeros((height, width, 3), np.uint8), focal_35mm=focal)


def test_the_default_is_60_degrees_along_the_longer_side() -> None:
    wide, tall = camera_for(frame(1280, 720)), camera_for(frame(720, 1280))
    assert wide.focal_px == tall.focal_px == pytest.approx(1108.5, abs=0.1)
    assert wide.hfov_deg == pytest.approx(60)
    assert wide.center_px == (640, 360)
    assert tall.center_px == (360, 640)
    assert wide.source == "default"


def test_exif_compares_diagonals_whichever_way_the_picture_is_turned() -> None:
    wide, tall = camera_for(frame(4032, 3024, 26.0)), camera_for(frame(3024, 4032, 26.0))
    assert wide.focal_px == tall.focal_px == pytest.approx(3028.6, abs=0.5)
    assert wide.source == "exif"
    on_film = camera_for(frame(3600, 2400, 50.0))
    assert on_film.focal_px == pytest.approx(5000)


def test_the_user_wins() -> None:
    camera = camera_for(frame(1000, 500, 26.0), hfov_deg=90)
    assert camera.focal_px == pytest.approx(500)
    assert camera.source == "user"


@pytest.mark.parametrize("angle", [0.0, -60.0, 180.0, math.nan])
def test_senseless_angles_are_refused(angle: float) -> None:
    with pytest.raises(UsageError, match="makes no sense"):
        camera_for(frame(100, 100), hfov_deg=angle)


def saved(path: Path, tags: dict[int, object], size: tuple[int, int] = (150, 100)) -> float | None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update(tags)
    Image.new("RGB", size).save(path, exif=exif)
    return read_image(path).focal_35mm


def test_focal_length_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    assert saved(path, {}) is None
    assert saved(path, {0xA405: 28}) == 28
    assert saved(path, {0xA405: 0}) is None
    assert saved(path, {0xA405: 28, 0xA002: 150, 0xA003: 100}) == 28
    assert saved(path, {0xA405: 28, 0xA002: 100, 0xA003: 150}) == 28
    cropped = saved(path, {0xA405: 28, 0xA002: 400, 0xA003: 100})
    assert cropped is None


def test_focal_length_from_the_pixel_pitch(tmp_path: Path) -> None:
    # 6000 x 4000 px on 36 x 24 mm: 6000 / 36 * 10 px per centimetre (unit 3)
    tags = {
        0x920A: IFDRational(35, 1),
        0xA20E: IFDRational(60000, 36),
        0xA210: 3,
        0xA002: 6000,
        0xA003: 4000,
    }
    assert saved(tmp_path / "a.jpg", tags) == pytest.approx(35, rel=1e-4)
    broken = {**tags, 0xA20E: IFDRational(0, 1)}
    assert saved(tmp_path / "b.jpg", broken) is None
