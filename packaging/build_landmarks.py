"""Measure where the tracker's landmarks lie on the head: resources/landmarks.npz.

Invented people are drawn from several sides, the tracker looks at them, and the ray through each
landmark is cast back to the triangle it meets.  Over many people the robust consensus of these
places on the mean head is the landmark; what is left after the average influence of the pose is
its spread.  Lips that touch are told apart on faces with the mouth a little open, lids on open
eyes; the irises lie on the eyeballs by definition.

    python packaging/build_landmarks.py --people 700
    python packaging/report_landmarks.py --write
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.ndimage

from hrn_studio import paths
from hrn_studio.errors import NoFaceError
from hrn_studio.face.gaze import gaze_rotation
from hrn_studio.face.landmarks import LandmarkEmbedding, load_embedding, save_embedding
from hrn_studio.face.model import HeadModel, load_head
from hrn_studio.geometry.raster import rasterize
from hrn_studio.geometry.transforms import angles_from_rotation, apply, project
from hrn_studio.live import facemesh
from hrn_studio.live.tracker import MediaPipeTracker
from hrn_studio.records import Coefficients, Doubles, Floats, Frame, Ints, Track
from hrn_studio.training import sample
from hrn_studio.training.render import Sample, draw_person, picture
from hrn_studio.training.stage import Stage, make_stage

SIZE = 420
REACH_PX = 14
"""A landmark beside the head is taken to the nearest pixel of it within this distance."""
FACING = 0.2
WIDEST_M = 0.005
"""Landmarks that wander further than this follow the outline too; they are not used."""
YAW_DEG, PITCH_DEG, ROLL_DEG = 30.0, 16.0, 8.0
INNER_LIPS = np.array(facemesh.LIPS_INNER)
Depths = tuple[Doubles, Floats, float]
"""The tracker's depth (L,), metres; the true head (V, 3), camera frame; the cosine of its turn."""
IRISES = np.array([*facemesh.LEFT_IRIS, *facemesh.RIGHT_IRIS])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--people", type=int, default=700)
    options.add_argument("--open-mouths", type=int, default=250)
    options.add_argument("--seed", type=int, default=20)
    options.add_argument("--out", type=Path, default=paths.resources() / "landmarks.npz")
    options.add_argument(
        "--depth-only", action="store_true", help="keep the places on file, measure their depth"
    )
    chosen = options.parse_args()

    head = load_head()
    stage = make_stage(head)
    *closed, depths = measure(stage, chosen.people, chosen.seed, mouth_open=False)
    if chosen.depth_only:
        embedding = load_embedding()
    else:
        *opened, _ = measure(stage, chosen.open_mouths, chosen.seed + 1, mouth_open=True)
        embedding = embed(head, *closed, *opened)
    embedding = with_depth(embedding, depths)
    save_embedding(embedding, chosen.out)
    spread = embedding.spread_m[embedding.usable] * 1000
    print(f"{len(spread)} landmarks used, median spread {np.median(spread):.2f} mm")


def measure(
    stage: Stage, count: int, seed: int, *, mouth_open: bool
) -> tuple[Floats, Floats, list[Depths]]:
    """Places on the mean head (N, L, 3), NaN where missed, poses (N, 3) in radians, and depths.

    Irises are given as offsets in the picture plane from where they are, metres, z = 0.
    """
    places, poses, depths, missed = [], [], [], 0
    with MediaPipeTracker("still") as tracker:
        for index, shown in enumerate(people(stage, count, seed, mouth_open=mouth_open)):
            try:
                track = tracker.track(Frame(shown.image))
            except NoFaceError:
                missed += 1
                continue
            cast = cast_back(stage.head, shown, track.points_px)
            cast[IRISES] = iris_offsets(stage.head, shown, track.points_px[IRISES])
            places.append(cast)
            poses.append(angles_from_rotation(shown.T_camera_head))
            depths.append(depth_of(track, shown))
            if index % 50 == 49:
                print(f"{index + 1} of {count}, {missed} not found", flush=True)
    print(f"found in {100 * (1 - missed / count):.1f} % of {count} pictures")
    return np.array(places, np.float32), np.array(poses, np.float32), depths


def depth_of(track: Track, shown: Sample) -> Depths:
    """What :func:`with_depth` needs of a picture."""
    T = shown.T_camera_head
    metres = track.depth_px.astype(np.float64) * T[2, 3] / shown.camera.focal_px
    return metres, shown.vertices, float(-T[2, 2])  # T[2, 2] is -1 when it looks into the lens


def people(stage: Stage, count: int, seed: int, *, mouth_open: bool) -> Iterator[Sample]:
    """Neutral people with open eyes, or the same with the mouth open."""
    head = stage.head
    for child in np.random.SeedSequence(seed).spawn(count):
        rng = np.random.default_rng(child)
        drawn = sample.draw_coefficients(rng, head, neutral=1.0)
        values = dict(zip(head.expression_names, drawn.expression, strict=True))
        values["eyeBlinkLeft"] = values["eyeBlinkRight"] = 0.0
        if mouth_open:
            values["jawOpen"] = float(rng.uniform(0.12, 0.6))
            if rng.random() < 0.5:
                values["mouthSmileLeft"] = values["mouthSmileRight"] = float(rng.uniform(0, 0.6))
        coefficients = Coefficients(drawn.identity, head.weights(values), drawn.gaze)
        webcam = sample.draw_webcam(rng)
        T_camera_head = sample.draw_pose(rng, webcam, YAW_DEG, PITCH_DEG, ROLL_DEG)
        vertices = apply(T_camera_head, head.evaluate(coefficients)).astype(np.float32)
        camera = sample.crop_camera(rng, sample.face_points(head, vertices), webcam, SIZE)
        person = draw_person(rng, stage)
        yield picture(
            stage, rng, person, coefficients, T_camera_head, camera, flaws=0.5, detail=1.3
        )


def cast_back(head: HeadModel, shown: Sample, points_px: Floats) -> Floats:
    """Where rays through pixels (L, 2) meet the face, on the mean head (L, 3).

    Eyes, ears and the inside of the mouth are left out: a landmark that falls on them belongs to
    the skin beside them.  NaN where none is near or the skin is seen too obliquely.
    """
    kept = face_triangles(head)
    fragments = rasterize(shown.vertices, head.triangles[kept], shown.camera)
    empty = ~fragments.covered
    distance, (rows, columns) = scipy.ndimage.distance_transform_edt(empty, return_indices=True)
    pixel = np.clip(np.floor(points_px).astype(int), 0, np.array(empty.shape[::-1]) - 1)
    x, y = pixel.T
    near_row, near_column = rows[y, x], columns[y, x]
    triangle = kept[fragments.triangle[near_row, near_column]]
    hit = distance[y, x] == 0
    at = np.where(hit[:, None], points_px, np.column_stack([near_column, near_row]) + 0.5)
    camera = shown.camera
    rays = np.column_stack([(at - camera.center_px) / camera.focal_px, np.ones(len(at))])
    corners = shown.vertices[head.triangles[triangle]].astype(np.float64)
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    edges = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    weights = np.einsum("lkd,ld->lk", edges, rays)
    weights = np.clip(weights / weights.sum(axis=1, keepdims=True), -0.2, 1.2)
    weights /= weights.sum(axis=1, keepdims=True)
    places = np.einsum("lk,lkd->ld", weights, head.mean[head.triangles[triangle]])
    normals = np.cross(b - a, c - a)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    facing = -(normals * rays).sum(axis=1) / np.linalg.norm(rays, axis=1)
    inside = np.ones(len(points_px), bool)
    inside[list(facemesh.OVAL)] = False
    places[(distance[y, x] > REACH_PX) | (inside & (facing < FACING))] = np.nan
    return np.asarray(places, np.float32)


def iris_offsets(head: HeadModel, shown: Sample, points_px: Floats) -> Floats:
    """How far from the irises (10, 3) pixels (10, 2) point, metres across the line of sight."""
    posed = head.eye_centers(shown.coefficients.identity)
    targets = []
    for eye, center, angles in zip(head.eyes, posed, shown.coefficients.gaze, strict=True):
        local = iris_targets(head, np.zeros(3), eye.radius, eye.side == "Left")
        targets.append(center + local @ gaze_rotation(*angles).T)
    expected = apply(shown.T_camera_head, np.concatenate(targets))
    away = (points_px - project(expected, shown.camera)) / shown.camera.focal_px
    return np.asarray(np.column_stack([away * expected[:, 2:], np.zeros(len(away))]), np.float32)


def face_triangles(head: HeadModel) -> Ints:
    """Indices of the triangles that a landmark may lie in."""
    skin = head.part_triangles("skin")
    corners = head.triangles[skin]
    kept = np.ones(len(skin), bool)
    for name in {"inner_mouth", "ears", "eye_sockets"} & head.regions.keys():
        kept &= head.regions[name][corners].mean(axis=1) < 0.5
    return np.asarray(skin[kept])


def embed(
    head: HeadModel, places: Floats, poses: Floats, open_places: Floats, open_poses: Floats
) -> LandmarkEmbedding:
    """The consensus, made symmetric and put on the skin."""
    points, spread = consensus(places, poses)
    lips, lips_spread = consensus(open_places[:, INNER_LIPS], open_poses)
    points[INNER_LIPS], spread[INNER_LIPS] = lips, lips_spread
    points[IRISES] = 0
    mirror = np.array(facemesh.MIRROR)
    points = 0.5 * (points + points[mirror] * [-1, 1, 1])
    spread = np.sqrt(0.5 * (spread**2 + spread[mirror] ** 2))
    triangles, barycentric = nearest(head, points, face_triangles(head))
    for side, iris in zip(head.eyes, (facemesh.LEFT_IRIS, facemesh.RIGHT_IRIS), strict=True):
        ball = head.part_triangles(f"eye_{side.side.lower()}")
        targets = iris_targets(head, np.asarray(side.center), side.radius, side.side == "Left")
        triangles[list(iris)], barycentric[list(iris)] = nearest(head, targets, ball)
    usable = spread < WIDEST_M
    usable[list(facemesh.OVAL)] = False
    return LandmarkEmbedding(
        triangles=triangles,
        barycentric=barycentric,
        corners=head.triangles[triangles],
        spread_m=spread,
        usable=usable,
        depth_m=np.zeros(len(usable), np.float32),
    )


def with_depth(embedding: LandmarkEmbedding, depths: list[Depths]) -> LandmarkEmbedding:
    """The embedding with the tracker's bias in depth: its median over people, made symmetric."""
    used, biases = embedding.usable, []
    for seen, vertices, cosine in depths:
        true = embedding.points(vertices)[:, 2].astype(np.float64)
        biases.append(((seen - seen[used].mean()) - (true - true[used].mean())) / cosine)
    median = np.median(biases, axis=0)
    depth = 0.5 * (median + median[np.array(facemesh.MIRROR)])
    return replace(embedding, depth_m=depth)


def consensus(places: Floats, poses: Floats) -> tuple[Doubles, Doubles]:
    """Robust mean (L, 3) of places (N, L, 3), and spread (L,) once the pose's share is removed."""
    yaw, pitch = poses[:, 0], poses[:, 1]
    terms = np.stack([np.ones_like(yaw), yaw, pitch, yaw**2, pitch**2, yaw * pitch], axis=1)
    count = places.shape[1]
    points, spread = np.zeros((count, 3)), np.zeros(count)
    for k in range(count):
        seen = places[:, k].astype(np.float64)
        valid = np.isfinite(seen).all(axis=1)
        median = np.median(seen[valid], axis=0)
        away = np.linalg.norm(seen - median, axis=1)
        mad = np.median(away[valid])
        good = valid & (away <= 3 * 1.4826 * mad + 1e-6)
        points[k] = seen[good].mean(axis=0)
        fitted, *_ = np.linalg.lstsq(terms[good], seen[good], rcond=None)
        rest = seen[good] - terms[good] @ fitted
        spread[k] = np.sqrt((rest**2).sum(axis=1).mean() / 2)  # it lies in a surface: two axes
    return points, spread


def iris_targets(head: HeadModel, center: Doubles, radius: float, left: bool) -> Doubles:
    """Centre, nose side, top, temple side and bottom of an iris (5, 3) on the mean head."""
    half = 0.5 * head.iris_diameter
    nose = -half if left else half
    offsets = np.array([[0, 0], [nose, 0], [0, half], [-nose, 0], [0, -half]])
    depth = np.sqrt(radius**2 - (offsets**2).sum(axis=1))
    return np.asarray(center + np.column_stack([offsets, depth]))


def nearest(head: HeadModel, points: Doubles, candidates: Ints) -> tuple[Ints, Floats]:
    """Triangles (L,) out of some, and weights (L, 3), of the surface's points nearest to these."""
    corners = head.mean[head.triangles[candidates]].astype(np.float64)
    chosen = np.zeros(len(points), np.int32)
    weights = np.zeros((len(points), 3), np.float32)
    for k, point in enumerate(points):
        bary = closest_weights(point, corners)
        found = np.einsum("tk,tkd->td", bary, corners)
        best = int(np.argmin(((found - point) ** 2).sum(axis=1)))
        chosen[k], weights[k] = candidates[best], bary[best]
    return chosen, weights


def closest_weights(point: Doubles, corners: Doubles) -> Doubles:
    """Weights (T, 3) of the point of each triangle (T, 3, 3) that is closest to a point (3,)."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, point - a
    d00, d01, d11 = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    d20, d21 = (ap * ab).sum(1), (ap * ac).sum(1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-24)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    inner = np.stack([1 - v - w, v, w], axis=1)
    options = [np.where((inner >= 0).all(axis=1)[:, None], inner, np.nan)]
    for i, j in ((0, 1), (1, 2), (2, 0)):
        p, q = corners[:, i], corners[:, j]
        edge = q - p
        length = np.maximum((edge**2).sum(axis=1), 1e-24)
        t = np.clip(((point - p) * edge).sum(axis=1) / length, 0, 1)
        on_edge = np.zeros_like(inner)
        on_edge[:, i], on_edge[:, j] = 1 - t, t
        options.append(on_edge)
    stacked = np.stack(options)
    found = np.einsum("otk,tkd->otd", stacked, corners)
    distance = np.nan_to_num(((found - point) ** 2).sum(axis=2), nan=np.inf)
    best = np.argmin(distance, axis=0)
    return np.asarray(stacked[best, np.arange(len(corners))])


if __name__ == "__main__":
    main()
