"""Hair as a shell of strands: a cap lifted off the scalp, and curtains for long hair.

The shell is a grid of columns round the head and rows from the crown down, rooted in the head's
own triangles, so that it follows every identity.  Where the shell is hair and where it is not is
decided pixel by pixel (:func:`paint_hair`), which gives soft hairlines and loose ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.raster import rasterize
from hrn_studio.live._cv import cv2
from hrn_studio.records import Camera, Doubles, Floats, Ints
from hrn_studio.training.clothes import draw_dye
from hrn_studio.training.noise import smooth_noise, strands
from hrn_studio.training.pixels import look_up, resized

CENTER = np.array([0.0, 0.02, -0.08])
COLUMNS = 73  # first and last meet at the back
CAP_ROWS, LOWER_ROWS = 22, 14
CAP_END = np.radians(-10.0)
NAPE = np.radians(-50.0)
TEXTURE = (192, 832)
BRIM = np.radians(13.0)
"""How wide a cap is turned up."""


@dataclass(frozen=True, slots=True, eq=False)
class Roots:
    """Where the shell's nodes sit on a head model; made once."""

    triangle: Ints
    """(rows, COLUMNS)"""
    barycentric: Floats
    """(rows, COLUMNS, 3)"""
    azimuth: Doubles
    """(COLUMNS,) -pi .. pi, 0 in front."""
    elevation: Doubles
    """(rows,) radians."""


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """The hairline and shape of one person's hair."""

    line: Doubles
    """(COLUMNS,) elevation in radians where hair ends, below it is skin."""
    thickness: float
    """Metres on top."""
    hanging: float
    """Length in metres of what hangs below the ears; 0 for short hair."""
    coverage: float
    """1 dense .. 0.4 cropped."""
    waves: float
    """How far strands wander."""
    curls: float = 0.0
    """0 straight .. 1 tight curls."""
    cloth: bool = False
    """A cap or a headscarf instead of hair."""
    fade: float = 0.0
    """How far up the sides are clipped, radians above the line; 0 nowhere."""
    comb: float = 0.0
    """Radians that strands turn round the crown on their way to the brim."""
    ruffle: float = 0.0
    """How uneven the border is, radians."""
    swept: bool = False
    """The front is combed up and back instead of falling over the forehead."""


@dataclass(frozen=True, slots=True, eq=False)
class Shell:
    """The hair's mesh, in the head frame."""

    vertices: Floats
    """(N, 3)"""
    triangles: Ints
    coordinates: Floats
    """(N, 2) column and row on the grid, 0..1."""
    tangents: Floats
    """(N, 3) along the strands."""


def find_roots(head: HeadModel) -> Roots:
    """Root the grid: the first skin that a ray from the middle of the skull meets."""
    azimuth = np.linspace(-np.pi, np.pi, COLUMNS)
    elevation = np.concatenate(
        [
            np.linspace(np.radians(89), CAP_END, CAP_ROWS),
            np.linspace(CAP_END, NAPE, LOWER_ROWS + 1)[1:],
        ]
    )
    skin = head.part_triangles("skin")
    a, e = np.meshgrid(azimuth, elevation)
    rays = np.stack([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)], axis=-1)
    triangle = np.zeros(a.shape, np.int32)
    barycentric = np.zeros((*a.shape, 3), np.float32)
    size = 256
    camera = Camera(size, size, size / 2, (size / 2, size / 2))  # 90 degrees: six make a cube
    for axis in range(3):
        for sign in (1.0, -1.0):
            forward = np.eye(3)[axis] * sign
            right = np.eye(3)[(axis + 1) % 3]
            frame = np.stack([right, np.cross(forward, right), forward])
            fragments = rasterize(
                (head.mean - CENTER) @ frame.T, head.triangles[skin], camera, back_faces=True
            )
            mine = np.argmax(np.abs(rays), axis=-1) == axis
            mine &= np.sign(rays[..., axis]) == sign
            local = rays[mine] @ frame.T
            pixel = np.clip((local[:, :2] / local[:, 2:] + 1) * size / 2, 0, size - 1).astype(int)
            found = fragments.triangle[pixel[:, 1], pixel[:, 0]]
            triangle[mine] = skin[np.maximum(found, 0)]
            barycentric[mine] = fragments.barycentric[pixel[:, 1], pixel[:, 0]]
    return Roots(triangle, barycentric, azimuth, elevation)


def draw_cut(rng: np.random.Generator, kind: str, age: float) -> Cut | None:
    """A hairline and shape; ``kind`` as in :class:`hrn_studio.training.style.Style`."""
    if kind == "bald":
        return None
    front = rng.normal(33, 4) + (rng.gamma(2.0, 4) * age if kind != "long" else 0)
    if kind == "long" and rng.random() < 0.25:
        front = rng.uniform(14, 26)  # a fringe
    temple = front + rng.normal(-2, 6) + (8 * age if kind != "long" else 0)
    sideburn = rng.uniform(-22, 0)
    angles = np.array([0, 30, 52, 62, 72, 79, 84, 104, 116, 180.0])
    if kind == "long":
        curtain = rng.uniform(8, 20)
        ends = [front, temple - 4, curtain, -12, -90, -90, -90, -90, -90, -90]
        angles[2:5] = np.array([-14, -6, 0]) + rng.uniform(58, 78)
    else:
        ends = [front, temple, 20, 8, sideburn, sideburn, 6, 6, -20, rng.uniform(-42, -30)]
    azimuth = np.abs(np.linspace(-180, 180, COLUMNS))
    line = np.radians(np.interp(azimuth, angles, ends))
    return Cut(
        line=line + np.radians(rng.normal(0, 1.0, COLUMNS)),
        thickness={
            "cropped": rng.uniform(0.001, 0.004),
            "short": rng.uniform(0.008, 0.035),
            "long": rng.uniform(0.008, 0.022),
        }[kind],
        hanging=rng.uniform(0.06, 0.28) if kind == "long" else 0.0,
        coverage=rng.uniform(0.35, 0.95) if kind == "cropped" else 1.0,
        waves=rng.gamma(1.5, 1.0),
    )


def trimmed(rng: np.random.Generator, cut: Cut) -> Cut:
    """The same hair, combed to a side, its border uneven; short hair often clipped at the sides,
    long hair often fuller."""
    faded = not cut.hanging and cut.coverage == 1 and rng.random() < 0.45
    full = rng.uniform(1.0, 1.8) if cut.hanging else 1.0
    return replace(
        cut,
        thickness=cut.thickness * full,
        fade=float(np.radians(rng.uniform(15, 40))) if faded else 0.0,
        comb=float(rng.normal(0, 0.35)),
        ruffle=float(np.radians(rng.gamma(2.0, 1.0))),
        swept=bool(rng.random() < 0.6) and bool(cut.line[COLUMNS // 2] > np.radians(26)),
    )


def restyled(rng: np.random.Generator, cut: Cut | None) -> Cut | None:
    """Often the same hair; else curls, hair tied back, a cap or a headscarf."""
    kind = rng.choice(["same", "curls", "tied", "cap", "headscarf"], p=[0.6, 0.2, 0.07, 0.08, 0.05])
    azimuth = np.abs(np.linspace(-180, 180, COLUMNS))

    def line(angles: list[float], ends: list[float]) -> Doubles:
        return np.asarray(np.radians(np.interp(azimuth, angles, ends)))

    if kind == "cap":
        front = rng.uniform(18, 30)
        ends = [front, front - 5, rng.uniform(-4, 10), 0, rng.uniform(-30, -15)]
        level = line([0, 55, 84, 110, 180], ends)
        return Cut(level, rng.uniform(0.007, 0.016), 0.0, 1.0, 0.0, cloth=True)
    if kind == "headscarf":
        front, edge = rng.uniform(24, 36), rng.uniform(60, 72)
        level = line([0, 35, edge - 8, edge, 180], [front, front - 4, 2, -90, -90])
        thick, hanging = rng.uniform(0.005, 0.010), rng.uniform(0.08, 0.2)
        return Cut(level, thick, hanging, 1.0, 0.0, cloth=True)
    if cut is None or kind == "same":
        return cut
    if kind == "curls":
        thick = cut.thickness * rng.uniform(1.0, 2.0)
        return replace(cut, curls=float(rng.uniform(0.3, 1.0)), thickness=thick)
    front = rng.uniform(32, 40)
    ends = [front, front - 4, 22, 4, -4, 2, 4, -20, rng.uniform(-46, -36)]
    level = line([0, 30, 52, 66, 76, 84, 104, 116, 180], ends)
    return replace(cut, line=level, hanging=0.0, thickness=rng.uniform(0.003, 0.008))


def grow(
    rng: np.random.Generator, head: HeadModel, roots: Roots, cut: Cut, vertices: Floats
) -> Shell:
    """The shell over a head's vertices (V, 3), head frame."""
    corners = head.triangles[roots.triangle]
    base = (roots.barycentric[..., None] * vertices[corners]).sum(axis=2)
    outward = base - CENTER
    outward /= np.linalg.norm(outward, axis=-1, keepdims=True)
    inside = roots.elevation[:, None] - cut.line[None, :]
    inside[:3] = inside[:3].mean(axis=1, keepdims=True)
    front = cut.swept * np.clip((1.25 - np.abs(roots.azimuth)) / 0.5, 0, 1)[None, :]
    lift = np.clip(inside / np.radians(30 - 22 * front), 0, 1)
    rows, columns = inside.shape
    lumps = resized(rng.standard_normal((5, 9), np.float32), columns, rows)
    if cut.curls:
        frizz = rng.standard_normal((rows, columns)).astype(np.float32)
        lumps = lumps + np.float32(0.7 * cut.curls) * frizz
    lumps[:, -1] = lumps[:, 0]
    if cut.cloth:
        lift = lift + 0.25 * np.exp(-(((inside - BRIM / 2) / (BRIM / 2)) ** 4))
    lumps *= np.clip(np.cos(roots.elevation) * 2, 0, 1)[:, None]  # all columns meet on top
    high = np.clip(np.sin(roots.elevation), 0, 1)[:, None]
    if cut.fade:
        low = 1 - np.clip(roots.elevation / np.radians(55), 0, 1)[:, None]
        side = np.clip((np.abs(roots.azimuth) - 0.6) / 0.5, 0, 1)[None, :]
        lift = lift * (1 - 0.85 * low * side)
    lift = cut.thickness * lift * (2 - lift) * (0.3 + 0.7 * high) * (1 + 0.25 * lumps) + min(
        0.0012, 0.2 * cut.thickness
    )
    if cut.hanging:
        first = CAP_ROWS - 1
        level = np.hypot(outward[first, :, 0], outward[first, :, 2])[:, None]
        flat = outward[first] * [1, 0, 1] / level
        side = np.exp(-(((np.abs(roots.azimuth) - 1.6) / 0.5) ** 2))[:, None]
        t = np.linspace(0, 1, LOWER_ROWS + 1)[1:, None, None]
        spread = 0.010 + (0.018 + 0.8 * min(cut.thickness, 0.03)) * side
        spread = spread + 0.020 * rng.random() * np.sin(np.pi * t)
        fall = base[first] + flat * np.minimum(1, 6 * t) * spread
        base[CAP_ROWS:] = fall + np.array([0, -1, 0]) * cut.hanging * t
        outward[CAP_ROWS:] = flat
        lift[CAP_ROWS:] = lift[first]
        ear = side[:, 0] * np.clip((np.radians(25) - roots.elevation) / 0.6, 0, 1)[:, None]
        lift[:CAP_ROWS] += 0.014 * ear[:CAP_ROWS]
    nodes = (base + outward * lift[..., None]).astype(np.float32)
    nodes[:, -1] = nodes[:, 0]
    if cut.hanging:
        for _ in range(6):  # fall smoothly over the ears
            middle = nodes[9:-2] + 2 * nodes[10:-1] + nodes[11:]
            nodes[10:-1] = middle / 4
    tangents = np.gradient(nodes, axis=0)
    tangents /= np.linalg.norm(tangents, axis=-1, keepdims=True) + 1e-9
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate(
        [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    )
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    return Shell(
        nodes.reshape(-1, 3),
        triangles.astype(np.int32),
        np.stack([u, v], -1).reshape(-1, 2).astype(np.float32),
        tangents.reshape(-1, 3).astype(np.float32),
    )


def paint_hair(
    rng: np.random.Generator, cut: Cut, roots: Roots, color: Floats
) -> tuple[Floats, Floats]:
    """Albedo (h, w, 3) linear and opacity (h, w) over the shell's coordinates."""
    height, width = TEXTURE
    streak = strands(rng, height, width, 60.0)
    if cut.cloth:
        return _paint_cloth(rng, _inside(cut, roots))
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    wander = smooth_noise(rng, height, width, 12, 2) * np.float32(2.5 * cut.waves + 1.0)
    down = np.minimum(rows / np.float32(height * CAP_ROWS / len(roots.elevation)), 1)
    turned = columns + wander + np.float32(cut.comb * width / (2 * np.pi)) * down
    streak = look_up(streak, turned.ravel(), rows.ravel(), cv2.BORDER_WRAP).reshape(height, width)
    contrast = 0.38
    if cut.curls:
        curls = np.float32(min(1.0, 1.5 * cut.curls))
        rings = smooth_noise(rng, height, width, rng.uniform(70, 170), 2)
        streak = (1 - curls) * streak + curls * rings
        contrast = 0.38 - 0.08 * cut.curls
    albedo = color * np.exp(np.float32(contrast) * streak)[..., None]
    inside = _inside(cut, roots)
    thin = rng.standard_normal(width).astype(np.float32)
    loose = np.radians(1.0 + 3.0 * cut.curls) * streak + np.radians(2.0) * thin
    if cut.ruffle:
        tufts = smooth_noise(rng, 1, width, 30, 3)
        loose = loose + np.float32(cut.ruffle) * tufts
    grain = rng.random((height, width), np.float32)
    alpha = np.clip((inside + loose) / np.radians(7.0), 0, 1)
    if cut.swept:  # single roots show where hair begins
        roots_show = np.clip((inside + np.radians(3.0)) / np.radians(9.0), 0, 1) * (0.5 + grain)
        front = np.abs(np.linspace(-np.pi, np.pi, width, dtype=np.float32)) < 1.0
        alpha = np.where(front, np.clip(roots_show, 0, 1), alpha)
    alpha = alpha * np.where(cut.coverage < 1, cut.coverage * (0.7 + 0.6 * grain), 1)
    if cut.fade:
        side = np.abs(np.linspace(-np.pi, np.pi, width, dtype=np.float32)) > 0.75
        short = np.clip(inside / np.float32(cut.fade), 0.25, 1) * (0.6 + 0.8 * grain)
        alpha = np.where(side, alpha * np.clip(short, 0, 1), alpha)
    return np.asarray(albedo, np.float32), np.asarray(np.clip(alpha, 0, 1), np.float32)


def _inside(cut: Cut, roots: Roots) -> Floats:
    """(h, w) radians inside the line where hair ends."""
    height, width = TEXTURE
    row_elevation = np.interp(
        np.linspace(0, 1, height), np.linspace(0, 1, len(roots.elevation)), roots.elevation
    )
    line = np.interp(np.linspace(0, 1, width), np.linspace(0, 1, COLUMNS), cut.line)
    inside = row_elevation[:, None] - line[None, :]
    if cut.hanging:
        end = (1 - np.linspace(0, 1, height)[:, None]) * 1.2
        inside = np.minimum(inside, end)
    return np.asarray(inside)


def _paint_cloth(rng: np.random.Generator, inside: Floats) -> tuple[Floats, Floats]:
    """Knitted or woven: albedo (h, w, 3) and opacity (h, w) of a cap or a headscarf."""
    height, width = TEXTURE
    albedo = np.tile(draw_dye(rng), (height, width, 1))
    pattern = rng.random()
    if pattern < 0.3:  # ribs
        ribs = np.sin(np.linspace(0, rng.uniform(200, 500), width))
        albedo *= (1 - 0.25 * np.clip(ribs, 0, 1))[None, :, None]
    elif pattern < 0.5:  # bands
        band = np.sin(np.linspace(0, rng.uniform(10, 60), height)) > rng.uniform(-0.2, 0.7)
        albedo[band] = draw_dye(rng)
    if rng.random() < 0.6:  # turned up
        seam = np.exp(-(((inside - BRIM) / np.radians(1.0)) ** 2)).astype(np.float32)
        tone = np.where(inside < BRIM, np.float32(rng.uniform(0.75, 1.1)), 1)
        albedo *= (tone * (1 - 0.6 * seam))[..., None]
    knit = rng.standard_normal((height, width), np.float32)
    albedo *= np.exp(0.08 * knit)[..., None]
    folds = smooth_noise(rng, height, width, 25, 3) + 0.5 * strands(rng, height, width, 80.0)
    albedo = np.clip(albedo * np.exp(0.12 * folds)[..., None], 0.005, 0.9)
    alpha = np.clip(inside / np.radians(1.5), 0, 1)
    return np.asarray(albedo, np.float32), np.asarray(alpha, np.float32)
