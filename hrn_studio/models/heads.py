"""The user's other heads, ready to be fitted: what the tracker sees on them, and what it means.

A head that comes in is drawn grey from several sides and shown to the tracker; the places it
points at lead the default head's skin onto it (:mod:`hrn_studio.face.transfer`).  Brows are not
painted, so what the tracker says of them is left out.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from hrn_studio import paths
from hrn_studio.errors import ModelDataError, NoFaceError, UsageError
from hrn_studio.face import flame, headarrays, ict
from hrn_studio.face.landmarks import LandmarkEmbedding, load_embedding, save_embedding
from hrn_studio.face.model import HeadModel, load_head
from hrn_studio.face.transfer import (
    IRIS_M,
    carried_landmarks,
    correspond,
    dressed,
    identity_map,
)
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.raster import rasterize
from hrn_studio.geometry.transforms import apply, rigid, rotation_from_angles
from hrn_studio.live.facemesh import LEFT_BROW, RIGHT_BROW
from hrn_studio.live.regression import RegressionMaps, load_maps
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.models.shelf import reason
from hrn_studio.records import Bytes, Camera, Doubles, Floats, Frame

HEADS = ("default", "ict", "flame")
_SIDE_PX, _HFOV_DEG, _DISTANCE_M = 480, 30.0, 0.55
_YAWS, _PITCHES = (-0.35, -0.15, 0.0, 0.15, 0.35), (-0.1, 0.1)
_SKIN, _WHITE = (205.0, 160.0, 140.0), (235.0, 235.0, 235.0)
_IRIS, _PUPIL = (90.0, 60.0, 40.0), (15.0, 10.0, 10.0)
_LIGHT = np.array([0.25, -0.5, -0.85]) / np.linalg.norm([0.25, 0.5, 0.85])
_LEAST = 3
"""Views a landmark must be seen in."""


def head_reason(name: str) -> str | None:
    """Why a head cannot be chosen, for a tooltip; None when it can."""
    return None if name == "default" else reason(paths.user_models_dir(), f"--head {name}")


def prepare(name: str, source: Path, folder: Path) -> tuple[str, ...]:
    """Read a head of the user's, see it, and write it into a folder; half a minute.

    Returns
    -------
    Names of the files written.

    Raises
    ------
    ModelDataError
        The files are not what they should be, or the tracker sees no face on the head.
    """
    other = ict.read_ict(source) if name == "ict" else flame.read_flame(source).head()
    default, embedding = load_head(), load_embedding()
    places = correspond(other, default, embedding, seen_points(other, embedding))
    ready = dressed(other, default, places)
    files = (f"{name}.npz", f"{name}_landmarks.npz", f"{name}_places.npz")
    headarrays.save(ready, folder / files[0])
    landmarks = carried_landmarks(ready, default, embedding, places)
    save_embedding(landmarks, folder / files[1])
    matrix, start, sigma = identity_map(ready, default, places)
    np.savez(folder / files[2], matrix=matrix, start=start, sigma=sigma)
    return files


_ANEW = "add the head anew with 'hrn-studio models add PATH'"


def load_chosen(name: str) -> tuple[HeadModel, LandmarkEmbedding, RegressionMaps]:
    """A head with the tracker's landmarks on it and learned maps that speak its language.

    Raises
    ------
    UsageError
        There is no such head.
    ModelDataError
        The user does not have it, or a file is damaged.
    """
    if name not in HEADS:
        raise UsageError(f"there is no head '{name}'; choose one of {', '.join(HEADS)}")
    if name == "default":
        return load_head(), load_embedding(), load_maps()
    why = head_reason(name)
    if why is not None:
        raise ModelDataError(f"the head {name} {why}")
    folder = paths.user_models_dir() / name
    head = headarrays.load(folder / f"{name}.npz")
    landmarks = load_embedding(folder / f"{name}_landmarks.npz", _ANEW)
    try:
        with (folder / f"{name}_places.npz").open("rb") as file, np.load(file) as archive:
            table = archive["matrix"], archive["start"], archive["sigma"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ModelDataError(f"the head {name} is damaged; {_ANEW}") from error
    return head, landmarks, translated_maps(load_maps(), load_head(), head, *table)


def translated_maps(
    maps: RegressionMaps,
    default: HeadModel,
    other: HeadModel,
    matrix: Doubles,
    start: Doubles,
    sigma: Doubles,
) -> RegressionMaps:
    """The learned maps with another head's answers: they are linear, so is the translation."""
    count = maps.identity_count
    m = matrix[:, :count].T
    spread = np.sqrt((maps.sigma[:count] ** 2) @ (m**2) + sigma**2)
    where = {n: count + i for i, n in enumerate(default.expression_names)}
    columns = [where[name] for name in other.expression_names]
    changes = maps.changes
    return replace(
        maps,
        weights=np.concatenate([maps.weights[:, :count] @ m, maps.weights[:, columns]], axis=1),
        bias=np.concatenate([maps.bias[:count] @ m + start, maps.bias[columns]]),
        sigma=np.concatenate([spread, maps.sigma[columns]]),
        identity_count=len(matrix),
        expression_count=len(columns),
        changes=changes and changes.only([column - count for column in columns]),
    )


def seen_points(head: HeadModel, embedding: LandmarkEmbedding) -> Floats:
    """(L, 3) where the tracker sees its landmarks on the mean head; NaN where it sees none.

    Raises
    ------
    ModelDataError
        It sees no face.
    """
    camera = Camera.from_hfov(_SIDE_PX, _SIDE_PX, _HFOV_DEG)
    found = []
    with MediaPipeTracker("still") as tracker:
        for yaw in _YAWS:
            for pitch in _PITCHES:
                T = rigid(rotation_from_angles(yaw, pitch, 0.0), np.array([0, 0.02, _DISTANCE_M]))
                image, surface = _drawn(head, T, camera)
                try:
                    track = tracker.track(Frame(image))
                except NoFaceError:
                    continue
                columns, rows = track.points_px.astype(int).T.clip(0, _SIDE_PX - 1)
                found.append(surface[rows, columns])
    if len(found) < _LEAST:
        raise ModelDataError(f"the tracker sees no face on the head {head.name}")
    places = np.stack(found)
    middle = np.full(places.shape[1:], np.nan, np.float32)
    often = np.isfinite(places).all(2).sum(0) >= _LEAST
    often[[*LEFT_BROW, *RIGHT_BROW]] = False
    middle[often] = np.nanmedian(places[:, often], axis=0)
    return middle


def _drawn(head: HeadModel, T: Doubles, camera: Camera) -> tuple[Bytes, Floats]:
    """A grey picture of the mean head, and the place on it (H, W, 3) each pixel sees."""
    colours = np.tile(np.array(_SKIN), (head.vertex_count, 1))
    for eye in head.eyes:
        ball = head.mean[eye.vertices] - eye.center
        aside = np.where(ball[:, 2] > 0, np.hypot(ball[:, 0], ball[:, 1]), np.inf)
        own = np.tile(np.array(_WHITE), (len(ball), 1))
        own[aside < IRIS_M] = _IRIS
        own[aside < 0.4 * IRIS_M] = _PUPIL
        colours[eye.vertices] = own
    vertices = apply(T, head.mean)
    normals = vertex_normals(vertices, head.triangles)
    shade = 0.35 + 0.65 * np.clip(normals @ _LIGHT, 0, 1)
    fragments = rasterize(vertices, head.triangles, camera)
    inside = fragments.covered
    corners = head.triangles[fragments.triangle[inside]]
    weights = fragments.barycentric[inside]
    image = np.full((*inside.shape, 3), 70, np.uint8)
    lit = np.einsum("pk,pkc->pc", weights, (colours * shade[:, None])[corners])
    image[inside] = np.clip(lit, 0, 255).astype(np.uint8)
    surface = np.full((*inside.shape, 3), np.nan, np.float32)
    surface[inside] = np.einsum("pk,pkc->pc", weights, head.mean[corners])
    return image, surface
