"""What :mod:`.images` does to the pixels of an opened Pillow image, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from hrn_studio.records import Floats

MIN_SIDE_PX = 64
MAX_SIDE_PX = 5000

_NEUTRAL_GREY = (128, 128, 128)
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation: what makes the picture upright."""


class TooSmallError(ValueError):
    """A side of the picture is shorter than :data:`MIN_SIDE_PX`."""


def upright_rgb(image: Image.Image) -> tuple[Image.Image, tuple[str, ...]]:
    """8-bit sRGB, upright, at most :data:`MAX_SIDE_PX` a side, and what was done, in words.

    Raises whatever Pillow raises on damaged data, and ``TooSmallError``.
    """
    notes: list[str] = []
    size = image.size
    target = _target_size(size)
    if min(target) < MIN_SIDE_PX:
        raise TooSmallError(f"{size[0]} x {size[1]}")
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        notes.append("the first picture of several in the file")
    profile = image.info.get("icc_profile")
    said = image.getexif().get(_ORIENTATION, 1)
    if target != size:
        image.draft(image.mode, target)
        notes.append(f"scaled down from {size[0]} x {size[1]} to {target[0]} x {target[1]} px")
    image.load()
    turn = _TURNS.get(image.getexif().get(_ORIENTATION, 1))  # TIFF: already turned by now
    image = _eight_bit(image, notes)
    if target != size:
        shrink = min(image.width // target[0], image.height // target[1])
        image = (image.reduce(shrink) if shrink > 1 else image).resize(
            target, Image.Resampling.LANCZOS
        )
    image = _srgb(_opaque(image, notes), profile, notes)
    if turn is not None:
        image = image.transpose(turn)
    if said in _TURNS:
        notes.append("turned upright as its EXIF data say")
    return image, tuple(notes)


def _target_size(size: tuple[int, int]) -> tuple[int, int]:
    longest = max(size)
    if longest <= MAX_SIDE_PX:
        return size
    width, height = (round(side * MAX_SIDE_PX / longest) for side in size)
    return width, height


def _eight_bit(image: Image.Image, notes: list[str]) -> Image.Image:
    """One of the modes L, RGB, RGBA, CMYK, LAB."""
    mode = image.mode
    if mode in ("L", "RGB", "RGBA", "CMYK", "LAB"):
        return image
    if mode in ("I", "F") or mode.startswith("I;16"):
        return _grey_of_deep(image, notes)
    if mode in ("LA", "La", "PA", "RGBa") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("L" if mode == "1" else "RGB")


def _grey_of_deep(image: Image.Image, notes: list[str]) -> Image.Image:
    """16-bit, 32-bit and float grey to 8 bits, in strips so that large pictures fit."""
    brightest = max(float(strip.max()) for _, strip in _strips(image))
    whites = (1, 255, 65535) if image.mode == "F" else (255, 1023, 4095, 65535)
    white = next((value for value in whites if brightest <= value), brightest)
    grey = np.zeros((image.height, image.width), np.uint8)
    for row, strip in _strips(image):
        scaled = np.rint(strip * (255.0 / white))
        grey[row : row + len(strip)] = np.clip(np.nan_to_num(scaled), 0, 255).astype(np.uint8)
    notes.append(f"more than 8 bits a pixel, read as 8 with white at {white:g}")
    return Image.fromarray(grey)


def _strips(image: Image.Image, rows: int = 256) -> Iterator[tuple[int, Floats]]:
    for row in range(0, image.height, rows):
        box = (0, row, image.width, min(row + rows, image.height))
        yield row, np.asarray(image.crop(box), dtype=np.float32)


def _opaque(image: Image.Image, notes: list[str]) -> Image.Image:
    if image.mode != "RGBA":
        return image
    alpha = image.getchannel("A")
    lowest = alpha.getextrema()[0]
    if lowest == 255:
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, _NEUTRAL_GREY)
    ground.paste(image.convert("RGB"), mask=alpha)
    notes.append("transparent parts laid on grey")
    return ground


def _srgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    if image.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        return _through(image, ImageCms.ImageCmsProfile(lab))
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            name = ImageCms.getProfileDescription(source).strip() or "an unnamed profile"
            if "srgb" not in name.lower():
                image = _through(image, source)
                notes.append(f"colours converted from {name} to sRGB")
        except (ImageCms.PyCMSError, OSError):
            notes.append("an unreadable colour profile was ignored")
    if image.mode == "CMYK" or (image.mode == "L" and not profile):
        notes.append(
            {"CMYK": "CMYK colours read without a profile", "L": "a grey picture"}[image.mode]
        )
    return image.convert("RGB")


def _through(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    srgb = ImageCms.createProfile("sRGB")
    result = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
    return image if result is None else result
