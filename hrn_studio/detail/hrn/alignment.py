"""Cut the face out of a picture the way the networks were trained to see it.

Five points of the landmarks and of a standard face give a scaled orthographic pose (POS: DeMenthon
and Davis, IJCV 1995, its first step); the picture is scaled so that this face has a fixed size,
and a square is cut out around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hrn_studio.detail.hrn.bfm import read_mat
from hrn_studio.errors import ModelDataError, NoFaceError
from hrn_studio.records import AnyFloats, Bytes, Doubles, Floats, frozen

SIDE = 224
FACE_PX = 102.0
"""Scale of the face in a crop of 224; other crops in proportion."""
STANDARD = np.array(
    [
        [-0.311487, 0.290361, 0.133780],
        [0.309799, 0.289720, 0.131795],
        [0.003253, -0.046179, 0.552442],
        [-0.252169, -0.381339, 0.224057],
        [0.248466, -0.381282, 0.222358],
    ],
    np.float32,
)
"""Eyes, nose tip and mouth corners of the standard face (image left first), decimetres."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A square cut out of a picture, and how to get back."""

    image: Bytes
    """(T, T, 3) RGB."""
    landmarks_px: Doubles
    """(68, 2) in the crop, y up."""
    scale: float
    """Pixels of the crop per pixel of the picture."""
    left: int
    top: int
    """Where the square lies in the scaled picture."""
    size: tuple[int, int]
    """Width and height of the scaled picture."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "image", frozen(self.image, np.uint8))
        object.__setattr__(self, "landmarks_px", frozen(self.landmarks_px, np.float64))

    def cut(self, picture: AnyFloats) -> Floats:
        """The same square of a map (H, W) over the picture, such as a mask; zero outside."""
        scaled = Image.fromarray(np.asarray(picture, np.float32)).resize(
            self.size, Image.Resampling.BILINEAR
        )
        side = len(self.image)
        square = scaled.crop((self.left, self.top, self.left + side, self.top + side))
        return np.asarray(square, np.float32)


def five_points(landmarks: AnyFloats) -> Doubles:
    """Eye centres, nose tip and mouth corners (5, C) of 68 iBUG landmarks (68, C)."""
    points = np.asarray(landmarks)
    eyes = [points[[36, 39]].mean(0), points[[42, 45]].mean(0)]
    return np.stack([*eyes, points[30], points[48], points[54]])


def y_up(points_px: AnyFloats, height: int) -> Doubles:
    """Pixels (N, 2) with y down from the top row as y up from the bottom row, or back."""
    points = np.asarray(points_px, np.float64)
    return np.stack([points[:, 0], height - 1 - points[:, 1]], axis=1)


def pose(points: AnyFloats, standard: AnyFloats) -> tuple[Doubles, float]:
    """Translation (2,) and scale of a scaled orthographic view, by least squares.

    Parameters
    ----------
    points
        (N, 2) pixels, y up.
    standard
        (N, 3)
    """
    count = len(points)
    system = np.zeros((2 * count, 8))
    system[0::2, :3] = system[1::2, 4:7] = standard
    system[0::2, 3] = system[1::2, 7] = 1
    k = np.linalg.lstsq(system, np.asarray(points, np.float64).reshape(-1), rcond=None)[0]
    scale = (np.linalg.norm(k[:3]) + np.linalg.norm(k[4:7])) / 2
    return np.array([k[3], k[7]]), float(scale)


def align(
    image: Bytes,
    landmarks: AnyFloats,
    side: int = SIDE,
    *,
    standard: AnyFloats = STANDARD,
    face_px: float = FACE_PX,
) -> Crop:
    """The crop around a face.

    Parameters
    ----------
    image
        (H, W, 3) RGB.
    landmarks
        (68, 2) iBUG landmarks in pixels, **y up** (:func:`y_up`).
    side
        Of the crop: 224 for the networks, 512 for the texture.
    standard
        (5, 3) the standard face's five points.
    face_px
        Scale of the face in a crop of 224 pixels.

    Raises
    ------
    NoFaceError
        The landmarks lie on one spot or are not numbers.
    """
    height, width = image.shape[:2]
    points = np.asarray(landmarks, np.float64)
    if not np.isfinite(points).all() or np.ptp(points, axis=0).min() < 1:
        raise NoFaceError("the face's landmarks lie on one spot; give a picture of a whole face")
    t, s = pose(five_points(points), standard)
    scale = face_px * side / SIDE / s
    size = int(width * scale), int(height * scale)
    left = int(size[0] / 2 - side / 2 + float((t[0] - width / 2) * scale))
    top = int(size[1] / 2 - side / 2 + float((height / 2 - t[1]) * scale))
    scaled = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    square = scaled.crop((left, top, left + side, top + side))
    moved = (points - t + [width / 2, height / 2]) * scale
    moved -= [(size[0] - side) / 2, (size[1] - side) / 2]
    return Crop(np.asarray(square), moved, scale, left, top, size)


def quick_crop(image: Bytes, landmarks: AnyFloats, standard: AnyFloats = STANDARD) -> Bytes:
    """The crop (224, 224, 3) of :func:`align` without scaling the whole picture.

    Off by less than a pixel, which a live preview does not see.

    Raises
    ------
    NoFaceError
        The landmarks lie on one spot or are not numbers.
    """
    height, width = image.shape[:2]
    points = np.asarray(landmarks, np.float64)
    if not np.isfinite(points).all() or np.ptp(points, axis=0).min() < 1:
        raise NoFaceError("the face's landmarks lie on one spot; give a picture of a whole face")
    t, s = pose(five_points(points), standard)
    half = SIDE / 2 / (FACE_PX / s)
    x, y = t[0], height - t[1]
    left, top = int(np.floor(x - half)), int(np.floor(y - half))
    side = int(np.ceil(2 * half)) + 1
    square = np.zeros((side, side, 3), np.uint8)
    rows = slice(max(top, 0), min(top + side, height))
    columns = slice(max(left, 0), min(left + side, width))
    if rows.start < rows.stop and columns.start < columns.stop:
        to = (
            slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left),
        )
        square[to] = image[rows, columns]
    box = (x - half - left, y - half - top, x + half - left, y + half - top)
    scaled = Image.fromarray(square).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box)
    return np.asarray(scaled)


def load_standard(path: Path) -> Floats:
    """The five points (5, 3) of ``similarity_Lm3D_all.mat``.

    Raises
    ------
    ModelDataError
        The file is missing, damaged, lacks the array or has it in another shape.
    """
    remedy = "get the official similarity_Lm3D_all.mat"
    points = read_mat(path, ("lm",), remedy)["lm"]
    if points.shape != (68, 3):
        raise ModelDataError(f"'{path.name}': 'lm' is {points.shape} and must be (68, 3); {remedy}")
    return np.asarray(five_points(points), np.float32)
