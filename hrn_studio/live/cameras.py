"""Which camera took a picture, as far as can be told.

Convention
----------
The angle of a user and the default are *horizontal* (across the picture's width) and along its
*longer side*, in degrees.  EXIF's "focal length in 35 mm film" compares *diagonals* (as camera
makers do, CIPA DCG-001): f mm are as on film with a diagonal of 43.27 mm, so that 26 mm on a
4032 x 3024 px picture is 5040 px / 43.27 mm * 26 mm = 3029 px, whichever way it is turned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from PIL import Image

from hrn_studio.errors import UsageError
from hrn_studio.records import Camera, Frame

FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)
DEFAULT_FOV_DEG = 60.0
"""What a webcam sees across; used along the longer side of a picture that does not say."""

NEAREST_M = 0.5
"""A default camera is not believed when it puts a face nearer than this."""
_MAX_STRETCH = 6.0
_PLAUSIBLE_MM = (8.0, 1000.0)
_EXIF_IFD = 0x8769
_TAGS = {
    "film": 0xA405,
    "focal": 0x920A,
    "resolution": 0xA20E,
    "unit": 0xA210,
    "width": 0xA002,
    "height": 0xA003,
}
"""FocalLengthIn35mmFilm, FocalLength, FocalPlaneXResolution and its unit, PixelX/YDimension."""
_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}


def camera_for(frame: Frame, hfov_deg: float | None = None) -> Camera:
    """The camera of a picture: what the user says, else EXIF, else a usual webcam.

    Parameters
    ----------
    hfov_deg
        Horizontal field of view across the picture's width, degrees, when the user knows it.

    A picture without data is taken as seen at 60 degrees along its longer side: across for a
    webcam's landscape picture, upwards for a portrait one (1280 x 720 and 720 x 1280 both have
    a focal length of 1108.5 px).  The principal point is the middle.

    Raises
    ------
    UsageError
        ``hfov_deg`` is not between 5 and 150 degrees.
    """
    width, height = frame.width, frame.height
    if hfov_deg is not None:
        if not 5.0 <= hfov_deg <= 150.0:
            raise UsageError(
                f"a field of view of {hfov_deg:g} degrees makes no sense; "
                "give the horizontal one in degrees, 60 for most webcams"
            )
        return Camera.from_hfov(width, height, hfov_deg, "user")
    if frame.focal_35mm is not None:
        focal_px = frame.focal_35mm * math.hypot(width, height) / FILM_DIAGONAL_MM
        return Camera(width, height, focal_px, (width / 2, height / 2), "exif")
    focal_px = 0.5 * max(width, height) / math.tan(math.radians(DEFAULT_FOV_DEG) / 2)
    return Camera(width, height, focal_px, (width / 2, height / 2), "default")


def plausible_camera(camera: Camera, distance_m: float) -> Camera:
    """A longer focal length when the default one would put the face under the camera's nose.

    Parameters
    ----------
    distance_m
        Of an average head, seen by ``camera``.

    A face that fills the picture at the default view would be nearer than anyone sits; such a
    picture is a cut-out or was taken with a longer lens.  Nobody can tell from one picture how
    long; ``0.5 m * (0.5 m / distance)`` is continuous at half a metre and puts portraits that
    come out at 0.25 m at the metre where portraits are taken.  Cameras that are known stay.
    """
    if camera.source != "default" or distance_m >= NEAREST_M:
        return camera
    stretch = min((NEAREST_M / max(distance_m, 0.05)) ** 2, _MAX_STRETCH)
    return replace(camera, focal_px=camera.focal_px * stretch, source="distance")


def focal_35mm_of(exif: Image.Exif, size: tuple[int, int]) -> float | None:
    """Focal length in 35 mm film terms, millimetres, from a file's EXIF; None when it is silent.

    ``FocalLengthIn35mmFilm``, else ``FocalLength`` with the sensor's pixel pitch.  Not used when
    the file's ``size`` (width, height) has another shape than the picture the camera took: then
    it was cropped, and how much of the view is left is not known.
    """
    tags = exif.get_ifd(_EXIF_IFD)
    width, height = _number(tags, "width"), _number(tags, "height")
    if width and height and not _same_shape(size, (width, height)):
        return None
    film = _number(tags, "film")
    if film is None:
        focal, pitch = _number(tags, "focal"), _number(tags, "resolution")
        unit = _UNIT_MM.get(int(_number(tags, "unit") or 2))
        if focal and pitch and unit and width and height:
            film = focal * pitch / unit * FILM_DIAGONAL_MM / math.hypot(width, height)
    return film if film and _PLAUSIBLE_MM[0] <= film <= _PLAUSIBLE_MM[1] else None


def _same_shape(a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether two sizes have one aspect ratio within 2 %, turned by 90 degrees or not."""
    first, second = (max(size) / min(size) for size in (a, b))
    return 1 / 1.02 < first / second < 1.02


def _number(tags: Mapping[int, Any], name: str) -> float | None:
    """A positive, finite number, or None."""
    try:
        value = float(tags[_TAGS[name]])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return value if math.isfinite(value) and value > 0 else None
