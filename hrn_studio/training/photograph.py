"""From scene light to the picture a webcam makes of it: blur, noise, colour, JPEG."""

from __future__ import annotations

import numpy as np

from hrn_studio.detail.shading import srgb_from_linear
from hrn_studio.live._cv import cv2
from hrn_studio.records import Bytes, Camera, Floats
from hrn_studio.training.pixels import blurred, resized

ROOM_M = 2.0
"""From the face to what is behind it."""


def defocused(
    layers: Floats, backdrop: Floats, depth: Floats, camera: Camera, aperture_m: float
) -> Floats:
    """The picture of a lens that is focused on the nearest part of the head.

    A thin lens of width A focused at z shows what is d behind as a disc of ``A d / (z + d)`` metres
    at z; here a Gaussian of a quarter of that.

    Parameters
    ----------
    layers
        (H, W, 4) linear colour over black, and opacity.
    depth
        (H, W) camera z of the head, metres; infinite beside it.
    """
    head = np.asarray(np.isfinite(depth))
    if not head.any():
        return np.asarray(layers[..., :3] + (1 - layers[..., 3:]) * backdrop, np.float32)
    near = float(np.percentile(depth[head], 10))
    per_m = camera.focal_px / near

    def sigma(behind: float) -> float:
        return 0.25 * aperture_m * behind / (near + behind) * per_m

    behind = np.where(head, np.clip(depth - near - 0.03, 0, 0.2), 0.15).astype(np.float32)
    share: Floats = blurred(behind / np.float32(0.2), 1.5)[..., None]
    soft = blurred(layers, max(sigma(0.2), 0.1))
    layers = layers * (1 - share) + soft * share
    room = blurred(backdrop, max(sigma(ROOM_M), 0.1))
    return np.asarray(layers[..., :3] + (1 - layers[..., 3:]) * room, np.float32)


def photograph(scene: Floats, rng: np.random.Generator, strength: float = 1.0) -> Bytes:
    """Linear light (H, W, 3) as an sRGB picture (H, W, 3) RGB.

    ``strength`` scales every flaw; 0 is a perfect camera.
    """
    image = np.asarray(scene, np.float32)
    gains = np.exp(strength * rng.normal(0, [0.05, 0.02, 0.07])).astype(np.float32)
    image = image * gains
    image = _blur(image, rng, strength)
    image = _noise(image, rng, strength)
    encoded = _tone(image, rng, strength)
    if rng.random() < 0.4 * strength:  # the camera's own sharpening
        encoded = encoded + np.float32(rng.uniform(0.2, 0.8)) * (encoded - blurred(encoded, 1.2))
    picture = np.rint(np.clip(encoded, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.75 * strength:
        quality = int(rng.integers(45, 96))
        _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        picture = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
    return np.asarray(picture, np.uint8)


def _blur(image: Floats, rng: np.random.Generator, strength: float) -> Floats:
    kind = rng.random()
    if kind < 0.5 * strength:
        sigma = rng.uniform(0.3, 1.3)
        image = blurred(image, sigma)
    elif kind < 0.6 * strength:  # moved
        length = int(rng.integers(3, 8))
        kernel = np.zeros((length, length), np.float32)
        angle = rng.uniform(0, np.pi)
        along = np.linspace(-0.5, 0.5, 4 * length) * (length - 1)
        centre = (length - 1) / 2
        rows = np.rint(centre + along * np.sin(angle)).astype(int)
        columns = np.rint(centre + along * np.cos(angle)).astype(int)
        np.add.at(kernel, (rows, columns), 1 / len(along))
        image = np.asarray(
            cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE), np.float32
        )
    elif kind < 0.75 * strength:  # enlarged from fewer pixels
        height, width = image.shape[:2]
        factor = rng.uniform(0.45, 0.85)
        small = resized(image, round(width * factor), round(height * factor), cv2.INTER_AREA)
        image = resized(small, width, height)
    return image


def _noise(image: Floats, rng: np.random.Generator, strength: float) -> Floats:
    """Photon and read noise, a little smeared as webcams do."""
    shot, read = strength * rng.gamma(1.5, 0.006), strength * rng.gamma(1.5, 0.002)
    noise = rng.standard_normal(image.shape, np.float32)
    if rng.random() < 0.5:
        noise = blurred(noise, 0.7) * np.float32(2.0)
    deviation = np.sqrt(np.maximum(image, 0) * np.float32(shot**2) + np.float32(read**2))
    return np.asarray(image + noise * deviation, np.float32)


def _tone(image: Floats, rng: np.random.Generator, strength: float) -> Floats:
    """The camera's curve: highlights rolled off, sRGB, some contrast and saturation."""
    knee = np.float32(0.7)
    over = np.maximum(image - knee, 0)
    rolled = np.where(image > knee, knee + 0.35 * (1 - np.exp(-over / 0.35)), image)
    encoded = srgb_from_linear(np.clip(rolled, 0, 1).astype(np.float32))
    contrast = np.float32(strength * rng.normal(0.2, 0.14))
    encoded = encoded + contrast * (encoded - 0.5) * 4 * encoded * (1 - encoded)
    encoded = np.clip(encoded, 0, 1) ** np.float32(np.exp(strength * rng.normal(0, 0.12)))
    saturation = np.float32(1 + strength * rng.normal(-0.06, 0.13))
    grey = encoded @ np.array([0.3, 0.59, 0.11], np.float32)
    return np.asarray(grey[..., None] + saturation * (encoded - grey[..., None]), np.float32)
