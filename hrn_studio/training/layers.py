"""What is drawn over the head: lashes, glasses, hair, and things in front of the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrn_studio.geometry.raster import Fragments, interpolate_covered, rasterize
from hrn_studio.records import Bytes, Camera, Floats, Ints
from hrn_studio.training import lashes, light
from hrn_studio.training.covers import Prop
from hrn_studio.training.hair import Shell
from hrn_studio.training.locks import Locks
from hrn_studio.training.pixels import blurred, dot, look_up, unit

HAIR = 253
GLASSES = 252
COVER = 251
"""Part number of what is in front of the face."""
JEWELLERY = 250
HAIR_SHADE = np.float32(0.45)
"""Share of the sky that hair takes from the skin right beside it."""
HAIR_SHADE_M = 0.006


@dataclass(slots=True, eq=False)
class Canvas:
    """A picture that is being drawn, H x W pixels."""

    camera: Camera
    colour: Floats
    """(H, W, 3) linear, over black."""
    alpha: Floats
    """(H, W)"""
    part: Bytes
    """(H, W)"""
    depth: Floats
    """(H, W) metres along the camera's axis; infinite where nothing is."""
    lights: light.Light
    shadows: list[light.ShadowMap]

    def lit(self, points: Floats) -> list[Floats]:
        """For each lamp the share (P,) of it that each point (P, 3) sees."""
        return [shadow.lit(points) for shadow in self.shadows]


@dataclass(frozen=True, slots=True, eq=False)
class Mane:
    """A head of hair in the camera frame, painted."""

    shell: Shell
    triangles: Ints
    """Those of the shell that show anything."""
    albedo: Floats
    alpha: Floats
    locks: Locks | None
    thick: bool
    """The shell's inside shows beside the face."""
    gleam: float


def add_lashes(
    canvas: Canvas, mesh: tuple[Floats, Ints, Floats], opacity: Floats, colour: Floats
) -> None:
    """Vertices, triangles and coordinates as in :func:`.lashes.grow_lashes`."""
    vertices, triangles, places = mesh
    fragments = rasterize(vertices, triangles, canvas.camera, back_faces=True)
    covered = fragments.covered
    if not covered.any():
        return
    at = interpolate_covered(fragments, triangles, places * [lashes.HAIRS - 1, 31])
    front = fragments.depth[covered] < canvas.depth[covered] + 0.0025
    a = (look_up(opacity, at[:, 0], at[:, 1])[:, 0] * front)[:, None]
    canvas.colour[covered] = canvas.colour[covered] * (1 - a) + a * colour


def add_glasses(canvas: Canvas, mesh: tuple[Floats, Ints], colour: Floats) -> None:
    """Frames of one colour (3,)."""
    fragments = rasterize(*mesh, canvas.camera, back_faces=True)
    front = fragments.covered & (fragments.depth < canvas.depth)
    canvas.colour[front] = colour
    canvas.alpha[front] = 1
    canvas.part[front] = GLASSES


def add_earrings(canvas: Canvas, mesh: tuple[Floats, Ints, Floats]) -> None:
    """Vertices, triangles and colour (3,) as in :func:`.jewellery.draw_earrings`."""
    vertices, triangles, metal = mesh
    fragments = rasterize(vertices, triangles, canvas.camera, back_faces=True)
    front = fragments.depth[fragments.covered] < canvas.depth[fragments.covered] + 0.0008
    if not front.any():
        return
    view = unit(-vertices)
    normals = normals_of(vertices, triangles)
    normals *= np.sign(dot(normals, view))[:, None]
    lit, occlusion = canvas.lit(vertices), np.full(len(vertices), 0.7, np.float32)
    received = light.diffuse(normals, canvas.lights, lit, occlusion, np.zeros(3, np.float32))
    gleam = light.specular(normals, view, canvas.lights, lit, occlusion, 0.25)
    colours = interpolate_covered(fragments, triangles, metal * (0.6 * received + 4 * gleam))
    rows, columns = (i[front] for i in np.nonzero(fragments.covered))
    canvas.colour[rows, columns] = colours[front]
    canvas.alpha[rows, columns] = 1
    canvas.part[rows, columns] = JEWELLERY


def add_prop(canvas: Canvas, prop: Prop) -> None:
    """A thing in front of the face."""
    fragments = rasterize(prop.vertices, prop.triangles, canvas.camera, back_faces=True)
    covered = fragments.covered
    attributes = np.column_stack([normals_of(prop.vertices, prop.triangles), prop.albedo])
    values = interpolate_covered(fragments, prop.triangles, attributes)
    keep = fragments.depth[covered] < canvas.depth[covered]
    if not keep.any():
        return
    rows, columns = (i[keep] for i in np.nonzero(covered))
    points = points_of(fragments, canvas.camera)[keep]
    view = unit(-points)
    normals = unit(values[keep, :3])
    normals *= np.sign(dot(normals, view))[:, None]
    lit = canvas.lit(points)
    occlusion = np.full(len(points), 0.8, np.float32)
    scatter = light.SCATTER if prop.skin else np.zeros(3, np.float32)
    received = light.diffuse(normals, canvas.lights, lit, occlusion, scatter)
    shine = light.specular(normals, view, canvas.lights, lit, occlusion, 0.42)
    canvas.colour[rows, columns] = values[keep, 3:] * received + np.float32(prop.gloss) * shine
    canvas.alpha[rows, columns] = 1
    canvas.part[rows, columns] = COVER


def add_hair(canvas: Canvas, mane: Mane) -> None:
    """The shell, what is seen of its inside, and the loose locks over it."""
    sides = [mane.triangles[:, ::-1]] if mane.thick else []
    layers = [_shell_layer(canvas, mane, side) for side in [*sides, mane.triangles]]
    _shade_skin(canvas, [(rows, columns, a) for rows, columns, _, a, _ in layers])
    for rows, columns, colour, opacity, depth in layers:
        _blend(canvas, rows, columns, colour, opacity)
        solid = opacity > 0.5
        rows, columns = rows[solid], columns[solid]
        canvas.depth[rows, columns] = np.minimum(canvas.depth[rows, columns], depth[solid])
    if mane.locks is not None:
        add_locks(canvas, mane.locks, mane.gleam)


def _blend(canvas: Canvas, rows: Ints, columns: Ints, colour: Floats, opacity: Floats) -> None:
    a = opacity[:, None]
    canvas.colour[rows, columns] = canvas.colour[rows, columns] * (1 - a) + a * colour
    canvas.alpha[rows, columns] = canvas.alpha[rows, columns] * (1 - opacity) + opacity
    solid = opacity > 0.5
    canvas.part[rows[solid], columns[solid]] = HAIR


def _shade_skin(canvas: Canvas, covers: list[tuple[Ints, Ints, Floats]]) -> None:
    """Skin next to hair sees less of the sky."""
    near = float(canvas.depth.min())
    if not np.isfinite(near):
        return
    hidden = np.zeros(canvas.alpha.shape, np.float32)
    for rows, columns, opacity in covers:
        hidden[rows, columns] = np.maximum(hidden[rows, columns], opacity)
    soft = blurred(hidden, max(HAIR_SHADE_M * canvas.camera.focal_px / near, 0.5))
    skin = canvas.part == 0
    canvas.colour[skin] *= (1 - HAIR_SHADE * soft[skin])[:, None]


def _shell_layer(
    canvas: Canvas, mane: Mane, triangles: Ints
) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """Rows, columns, colour (P, 3), opacity (P,) and depth (P,) of the triangles that face the
    camera, in front of the head."""
    shell = mane.shell
    fragments = rasterize(shell.vertices, triangles, canvas.camera)
    covered = fragments.covered
    attributes = np.column_stack(
        [normals_of(shell.vertices, shell.triangles), shell.tangents, shell.coordinates]
    )
    values = interpolate_covered(fragments, triangles, attributes)
    at = values[:, 6:8] * (np.array(mane.alpha.shape[::-1]) - 1)
    depth = fragments.depth[covered]
    front = depth < canvas.depth[covered] + 0.0005
    opacity = look_up(mane.alpha, at[:, 0], at[:, 1])[:, 0] * front
    keep = opacity > 0.01
    rows, columns = (i[keep] for i in np.nonzero(covered))
    albedo = look_up(mane.albedo, at[keep, 0], at[keep, 1])
    points = points_of(fragments, canvas.camera)[keep]
    colour = _hair_colour(canvas, points, values[keep, :3], values[keep, 3:6], albedo, mane.gleam)
    return rows, columns, colour, opacity[keep], depth[keep]


def _hair_colour(
    canvas: Canvas, points: Floats, normals: Floats, tangents: Floats, albedo: Floats, gleam: float
) -> Floats:
    """Light that hair sends to the camera, (P, 3): a soft matt part, and two gleams along the
    strands, the first white, the second of the hair's colour (Kajiya and Kay 1989; Marschner et
    al. 2003)."""
    if not len(points):
        return np.zeros((0, 3), np.float32)
    view = unit(-points)
    normals = unit(normals)
    normals *= np.sign(dot(normals, view))[:, None]
    lit = canvas.lit(points)
    soft = np.full(3, 0.3, np.float32)
    occlusion = np.full(len(points), 0.8, np.float32)
    colour = albedo * light.diffuse(normals, canvas.lights, lit, occlusion, soft)
    for lamp, share in zip(canvas.lights.lamps, lit, strict=True):
        half = unit(view + lamp.direction)
        across = np.maximum(1 - dot(tangents, half) ** 2, 0)
        facing = np.clip(normals @ lamp.direction + 0.2, 0, 1)
        sheen = gleam * across**25 * share * facing
        colour += sheen[:, None] * lamp.color * (0.4 + 2 * albedo)
    return np.asarray(colour, np.float32)


def add_locks(canvas: Canvas, locks: Locks, gleam: float) -> None:
    """Ribbons, lit at their vertices."""
    colours = _hair_colour(
        canvas, locks.vertices, locks.normals, locks.tangents, locks.albedo, gleam
    )
    fragments = rasterize(locks.vertices, locks.triangles, canvas.camera, back_faces=True)
    covered = fragments.covered
    values = interpolate_covered(
        fragments, locks.triangles, np.column_stack([colours, locks.opacity])
    )
    front = fragments.depth[covered] < canvas.depth[covered] + 0.0015
    rows, columns = (i[front] for i in np.nonzero(covered))
    _blend(canvas, rows, columns, values[front, :3], values[front, 3])


def points_of(fragments: Fragments, camera: Camera) -> Floats:
    """Camera-frame points (P, 3) seen by the covered pixels."""
    rows, columns = np.nonzero(fragments.covered)
    z = fragments.depth[rows, columns]
    x = (columns + 0.5 - camera.center_px[0]) / camera.focal_px * z
    y = (rows + 0.5 - camera.center_px[1]) / camera.focal_px * z
    return np.asarray(np.stack([x, y, z], axis=1), np.float32)


def normals_of(vertices: Floats, triangles: Ints) -> Floats:
    """Smooth unit normals (V, 3)."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    total = np.zeros_like(vertices)
    for axis in range(3):
        for k in range(3):
            total[:, axis] += np.bincount(triangles[:, k], faces[:, axis], len(vertices))
    return unit(total)
