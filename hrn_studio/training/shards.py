"""Renders on disk in small files, so that training can start, stop and go on at any moment.

Picture number ``i`` of seed ``s`` follows from ``default_rng([s, i])`` alone; a shard holds a fixed
number of consecutive pictures, so shards can be rendered in any order, by any number of processes,
and thrown away and made again.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hrn_studio.errors import ModelDataError
from hrn_studio.live._cv import cv2
from hrn_studio.records import Bytes, Camera, Coefficients, Doubles, Floats, frozen
from hrn_studio.training.render import Sample, render_sample
from hrn_studio.training.stage import Stage
from hrn_studio.training.variety import Variety

SHARD_PICTURES = 250
PICTURE_PX = 224
_QUALITY = 95
_FORMAT = 1
TRAITS = ("age", "feminine", "melanin", "beard", "glasses", "light", "cover", "lens")
"""What is kept of a picture besides its truth; shards made before a trait was lack it."""


@dataclass(frozen=True, slots=True)
class ShardSpec:
    """Which pictures, and how they are drawn."""

    seed: int
    number: int
    """Of the shard; its first picture is ``number * SHARD_PICTURES``."""
    size: int = PICTURE_PX
    neutral: float = 0.5
    """Share of neutral faces."""
    yaw_deg: float = 45.0
    pitch_deg: float = 25.0
    roll_deg: float = 20.0
    varied: bool = True
    """Other lights and lenses than a room's and a webcam's, and things in front of the face."""

    def file(self, folder: Path) -> Path:
        """Where the shard lies in a folder of shards."""
        return folder / f"{self.seed}-{self.number:05d}.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """N rendered pictures with what is true of them."""

    images: tuple[Bytes, ...]
    """N encoded pictures (JPEG); see :meth:`image`."""
    identity: Floats
    """(N, I)"""
    expression: Floats
    """(N, E)"""
    gaze: Floats
    """(N, 2, 2) radians."""
    T_camera_head: Doubles
    """(N, 4, 4)"""
    camera: Doubles
    """(N, 3) focal length and principal point, pixels."""
    traits: Floats
    """(N, T) :data:`TRAITS`: age 0..1, feminine 0 or 1, melanin, beard 0..1, glasses 0 or 1, and
    the numbers of the kinds in :data:`hrn_studio.training.groups.RECORDED`; NaN is not known."""

    def __post_init__(self) -> None:
        for name in ("identity", "expression", "gaze", "T_camera_head", "camera", "traits"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def __len__(self) -> int:
        return len(self.images)

    def image(self, index: int) -> Bytes:
        """(H, W, 3) RGB."""
        decoded = cv2.imdecode(self.images[index], cv2.IMREAD_COLOR)
        return np.ascontiguousarray(decoded[..., ::-1])

    def coefficients(self, index: int) -> Coefficients:
        """What the picture's head was made from."""
        return Coefficients(self.identity[index], self.expression[index], self.gaze[index])

    def camera_of(self, index: int, image: Bytes) -> Camera:
        """The camera of a picture."""
        focal, x, y = (float(v) for v in self.camera[index])
        height, width = image.shape[:2]
        return Camera(width, height, focal, (x, y), "user")


def render_shard(stage: Stage, spec: ShardSpec, count: int = SHARD_PICTURES) -> Shard:
    """Render the pictures of a shard."""
    samples = [_rendered(stage, spec, k) for k in range(count)]
    return Shard(
        images=tuple(_encoded(s.image) for s in samples),
        identity=np.array([s.coefficients.identity for s in samples], np.float32),
        expression=np.array([s.coefficients.expression for s in samples], np.float32),
        gaze=np.array([s.coefficients.gaze for s in samples], np.float32),
        T_camera_head=np.array([s.T_camera_head for s in samples]),
        camera=np.array([[s.camera.focal_px, *s.camera.center_px] for s in samples]),
        traits=np.array([_traits(s) for s in samples], np.float32),
    )


def _rendered(stage: Stage, spec: ShardSpec, k: int) -> Sample:
    rng = np.random.default_rng([spec.seed, spec.number * SHARD_PICTURES + k])
    return render_sample(
        stage,
        rng,
        size=spec.size,
        neutral=spec.neutral,
        yaw_deg=spec.yaw_deg,
        pitch_deg=spec.pitch_deg,
        roll_deg=spec.roll_deg,
        detail=1.0,
        variety=Variety() if spec.varied else None,
    )


def _encoded(image: Bytes) -> Bytes:
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return np.asarray(data, np.uint8).ravel()


def _traits(sample: Sample) -> list[float]:
    style = sample.style
    told = [style.age, float(style.feminine), style.melanin, style.beard, float(style.glasses)]
    return [*told, *map(float, sample.kinds)]


def write_shard(shard: Shard, spec: ShardSpec, folder: Path) -> Path:
    """Keep a shard; the file appears only when it is whole."""
    target = spec.file(folder)
    partial = target.with_suffix(".partial.npz")
    arrays: dict[str, Any] = {
        name: getattr(shard, name)
        for name in ("identity", "expression", "gaze", "T_camera_head", "camera", "traits")
    }
    header = json.dumps({"format": _FORMAT, **asdict(spec)}).encode()
    np.savez(
        partial,
        jpeg=np.concatenate(shard.images),
        ends=np.cumsum([len(i) for i in shard.images]),
        header=np.frombuffer(header, np.uint8),
        **arrays,
    )
    partial.replace(target)
    return target


def read_shard(path: Path) -> Shard:
    """A shard from the disk.

    Raises
    ------
    ModelDataError
        The file is damaged or of another version.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        header = json.loads(bytes(arrays.pop("header")))
        known = header["format"] == _FORMAT
        images = np.split(arrays.pop("jpeg"), arrays.pop("ends")[:-1])
        arrays["traits"] = _all_traits(arrays["traits"])
        shard = Shard(images=tuple(images), **arrays)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelDataError(
            f"the training pictures '{path}' are damaged; delete the file and render it anew"
        ) from error
    if not known:
        raise ModelDataError(
            f"the training pictures '{path}' are of another version; delete the folder and render "
            "them anew"
        )
    return shard


def _all_traits(kept: Floats) -> Floats:
    """(N, T) with NaN for the traits that a shard lacks."""
    traits = np.full((len(kept), len(TRAITS)), np.nan, np.float32)
    traits[:, : kept.shape[1]] = kept
    return traits


def shards_in(folder: Path, seed: int) -> Iterator[Path]:
    """The whole shards of a seed, in order."""
    return iter(sorted(p for p in folder.glob(f"{seed}-[0-9]*.npz") if "partial" not in p.name))
