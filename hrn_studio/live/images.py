"""Pictures from files, as :class:`~hrn_studio.records.Frame`.

Convention
----------
Whatever the file holds, the frame is 8-bit RGB, sRGB-encoded, upright, with row 0 at the top.
Everything done on the way is said in ``Frame.notes``.
"""

from __future__ import annotations

import importlib
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image, UnidentifiedImageError

from hrn_studio.errors import ImageError
from hrn_studio.live._pixels import MIN_SIDE_PX, TooSmallError, upright_rgb
from hrn_studio.live.cameras import focal_35mm_of
from hrn_studio.records import Frame

MAX_PIXELS = 500_000_000
"""Above this a picture is refused unread: it would take more than 2 GB."""

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, IndexError, KeyError)
_pillow_limit = Lock()


def read_image(path: str | Path, index: int = 0) -> Frame:
    """The picture in a file.

    Reads PNG, JPEG, WebP, TIFF, BMP, GIF and what else Pillow reads, and HEIC where ``pi-heif``
    or ``pillow-heif`` is installed.  Turns it upright as its EXIF says, converts an embedded
    colour profile to sRGB, lays transparent pictures on neutral grey, and scales pictures with a
    side over 5000 px down.

    Raises
    ------
    ImageError
        The file is missing, a folder, not a picture, cut short, of a kind that cannot be read,
        or smaller than 64 px on a side.
    """
    path = Path(path)
    if path.is_dir():
        raise ImageError(f"'{path}' is a folder; give the picture files in it")
    if not path.exists():
        raise ImageError(f"'{path}' does not exist; check the name and the folder")
    try:
        with _tolerant(), _open(path) as opened:
            focal = focal_35mm_of(opened.getexif(), opened.size)
            image, notes = upright_rgb(opened)
            pixels = np.asarray(image)
    except TooSmallError as error:
        raise ImageError(
            f"'{path}' has only {error} pixels; give a picture of at least "
            f"{MIN_SIDE_PX} px a side, better 500"
        ) from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise ImageError(f"'{path}' is too large to read; scale it below 20000 px") from error
    except _DAMAGE as error:
        raise ImageError(
            f"'{path}' is damaged or cut short ({error}); copy it again from where it came from"
        ) from error
    return Frame(pixels, index=index, name=path.name, focal_35mm=focal, notes=notes)


def _open(path: Path) -> Image.Image:
    """The picture with its header read; the caller closes it."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise ImageError(
            f"'{path}' cannot be opened ({error.strerror}); check its rights"
        ) from error
    if not head:
        raise ImageError(f"'{path}' is empty; copy it again from where it came from")
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS and not _register_heif():
        raise ImageError(
            f"'{path}' is a HEIC picture, which needs the package pi-heif: "
            "install it (pip install pi-heif) or save the picture as JPEG"
        )
    try:
        image = Image.open(path)
    except UnidentifiedImageError as error:
        raise ImageError(f"'{path}' is not a picture; give a JPEG, PNG or WebP file") from error
    if image.width * image.height > MAX_PIXELS:
        size = f"{image.width} x {image.height}"
        image.close()
        raise ImageError(f"'{path}' is too large to read ({size}); scale it below 20000 px")
    return image


def _register_heif() -> bool:
    """Teach Pillow to read HEIC with whichever package is there; False when there is none."""
    for name in ("pi_heif", "pillow_heif"):
        try:
            importlib.import_module(name).register_heif_opener()
        except ImportError:
            continue
        return True
    return False


@contextmanager
def _tolerant() -> Iterator[None]:
    """Read large pictures without Pillow's own lower limit, and odd metadata without warnings."""
    with _pillow_limit, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        limit = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
