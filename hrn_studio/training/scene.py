"""One picture's meshes, materials and light, turned into linear colour."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hrn_studio.geometry.raster import Fragments, interpolate_covered, rasterize
from hrn_studio.geometry.transforms import apply
from hrn_studio.records import Bytes, Camera, Coefficients, Doubles, Floats, Ints
from hrn_studio.training import clothes, glasses, hair, lashes, light, wrinkles
from hrn_studio.training.covers import Cover, Prop, draw_cover
from hrn_studio.training.eyes import eye_closing, eye_coordinates, paint_eyes, sunken
from hrn_studio.training.pixels import dot, look_up, unit
from hrn_studio.training.skin import Skin
from hrn_studio.training.stage import Stage
from hrn_studio.training.style import Style

CLOTH = 254
"""Part number of the garment in a picture."""
HAIR = 253
GLASSES = 252
COVER = 251
"""Part number of what is in front of the face."""
PORES = np.float32(0.3)
"""Slope of the skin's fine relief."""
FOLD_SHADE = np.array([0.45, 0.62, 0.66], np.float32)
"""How much less light leaves the bottom of a furrow; least is lost of red."""
TONGUE = np.array([0.42, 0.13, 0.12], np.float32)
ENAMEL = np.array([0.52, 0.46, 0.37], np.float32)
GUMS = np.array([0.40, 0.14, 0.13], np.float32)
INNER_MOUTH = np.array([0.22, 0.06, 0.055], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """What stays the same from picture to picture."""

    style: Style
    skin: Skin
    cut: hair.Cut | None
    creases: wrinkles.Creases
    seed: int
    """For the strands, irises and clothes."""


class Scene:
    """The meshes of one picture in the camera frame, and their light."""

    def __init__(
        self,
        stage: Stage,
        person: Person,
        coefficients: Coefficients,
        posed: Floats,
        vertices: Floats,
        T_camera_head: Doubles,
        lights: light.Light,
        own: np.random.Generator,
        cover: Cover | None = None,
    ) -> None:
        head = stage.head
        self.stage, self.person, self.lights, self.own = stage, person, lights, own
        self.R = np.asarray(T_camera_head[:3, :3], np.float32)
        body, body_triangles, body_places = clothes.draw_shoulders(
            own, vertices[stage.neck], T_camera_head
        )
        self.garment = clothes.paint_garment(own, self._tone())
        self.folds = wrinkles.fold(
            stage.chart, head, person.creases, person.style.age, coefficients
        )
        closing = eye_closing(head, coefficients)
        drawn = apply(T_camera_head, sunken(head, posed, coefficients, closing))
        self.vertices = np.concatenate([drawn.astype(np.float32), body])
        self.triangles = np.concatenate([head.triangles, body_triangles + len(vertices)])
        self.parts = np.concatenate(
            [head.triangle_part, np.full(len(body_triangles), CLOTH, np.uint8)]
        )
        zeros = np.zeros((len(vertices), 1), np.float32)
        masks = [head.regions[n] for n in ("inner_mouth",) if n in head.regions]
        attributes = np.column_stack(
            [
                stage.normals(vertices),
                stage.occlusion,
                stage.chart.texels,
                masks[0] if masks else zeros,
                eye_coordinates(head, posed, coefficients),
                stage.nostrils,
                head.regions.get("gums", zeros),
            ]
        )
        down = np.clip(0.75 + body_places[:, 1], 0, 1)
        body_attributes = np.zeros((len(body), attributes.shape[1]), np.float32)
        body_attributes[:, :3] = _normals(body, body_triangles)
        body_attributes[:, 3] = down
        body_attributes[:, 4:6] = body_places * [383, 191] + 0.5
        self.attributes = np.concatenate([attributes, body_attributes])
        strips, strip_triangles, strip_places = lashes.grow_lashes(
            stage.margins,
            head.eye_centers(coefficients.identity),
            (1 - closing[0], 1 - closing[1]),
            posed,
            person.style.lash_length,
        )
        moved = apply(T_camera_head, strips).astype(np.float32)
        self.lashes = (moved, strip_triangles, strip_places)
        self.lash_alpha = lashes.paint_lashes(own, person.style.lash_density)
        if person.style.glasses:
            frame, frame_triangles = glasses.draw_glasses(
                own, head.eye_centers(coefficients.identity), 1.07 * head.eyes[0].radius
            )
            self.glasses = (apply(T_camera_head, frame).astype(np.float32), frame_triangles)
            dark = own.random() < 0.7
            tint = own.gamma(1.0, 0.04, 3) if dark else own.uniform(0.1, 0.6) * np.ones(3)
            self.glasses_color = tint.astype(np.float32)
        self.shell: hair.Shell | None = None
        casters, caster_triangles = self.vertices, self.triangles
        if person.cut is not None:
            shell = hair.grow(own, head, stage.roots, person.cut, posed)
            moved = apply(T_camera_head, shell.vertices).astype(np.float32)
            self.shell = hair.Shell(
                moved, shell.triangles, shell.coordinates, shell.tangents @ self.R.T
            )
            self.hair_albedo, self.hair_alpha = hair.paint_hair(
                own, person.cut, stage.roots, person.style.hair_color
            )
            at = shell.coordinates * (np.array(self.hair_alpha.shape[::-1]) - 1)
            opacity = self.hair_alpha[at[:, 1].astype(int), at[:, 0].astype(int)]
            kept = shell.triangles[(opacity[shell.triangles] > 0.5).all(axis=1)]
            self.hair_triangles = shell.triangles[(opacity[shell.triangles] > 0).any(axis=1)]
            casters = np.concatenate([casters, moved])
            caster_triangles = np.concatenate([caster_triangles, kept + len(self.vertices)])
        self.prop: Prop | None = None
        if cover is not None:
            prop = draw_cover(cover, head, posed, stage.normals(posed), self._tone())
            moved = apply(T_camera_head, prop.vertices).astype(np.float32)
            self.prop = replace(prop, vertices=moved)
            caster_triangles = np.concatenate([caster_triangles, prop.triangles + len(casters)])
            casters = np.concatenate([casters, moved])
        self.casters, self.caster_triangles = casters, caster_triangles

    def _tone(self) -> Floats:
        """The skin's average colour (3,) at the end of the neck."""
        x, y = self.stage.chart.texels[self.stage.neck].T
        return np.asarray(look_up(self.person.skin.albedo, x - 0.5, y - 0.5).mean(axis=0))

    def shade(self, camera: Camera) -> tuple[Floats, Floats, Bytes, float]:
        """Linear colour (H, W, 3) over black, opacity (H, W), parts (H, W), the face's light."""
        fragments = rasterize(self.vertices, self.triangles, camera)
        values = interpolate_covered(fragments, self.triangles, self.attributes)
        covered = fragments.covered
        points = _points(fragments, camera)
        part = np.full(covered.shape, 255, np.uint8)
        part[covered] = self.parts[fragments.triangle[covered]]
        pixel_part = part[covered]
        view = unit(-points)
        normals = values[:, :3]
        occlusion = values[:, 3]
        albedo, gloss, slopes = self._materials(pixel_part, values)
        normals = self._bend(normals, slopes, values)
        lit = [
            light.shadow(self.casters, self.caster_triangles, points, lamp)
            for lamp in self.lights.lamps
        ]
        eyes = np.char.startswith(np.array([*self.stage.head.part_names]), "eye")
        is_eye = np.isin(pixel_part, np.flatnonzero(eyes))
        occlusion = np.where(is_eye, 0.1 + 0.75 * occlusion, 0.12 + 0.88 * occlusion)
        received = light.diffuse(normals, self.lights, lit, occlusion, light.SCATTER)
        shine = light.specular(normals, view, self.lights, lit, occlusion, 0.38)
        colour = albedo * received + gloss[:, None] * shine
        if is_eye.any():
            sharp = light.specular(
                normals[is_eye],
                view[is_eye],
                self.lights,
                [s[is_eye] for s in lit],
                occlusion[is_eye],
                0.12,
            )
            colour[is_eye] = albedo[is_eye] * received[is_eye] + np.minimum(sharp, 3.0)
        picture = np.zeros((*covered.shape, 3), np.float32)
        picture[covered] = colour
        alpha = covered.astype(np.float32)
        face = pixel_part == 0
        irradiance = float(np.median(received[face].mean(axis=1))) if face.any() else 1.0
        self._add_lashes(camera, fragments, picture, irradiance)
        if self.person.style.glasses:
            self._add_glasses(camera, fragments, picture, alpha, part, irradiance)
        if self.shell is not None:
            assert self.person.cut is not None
            if self.person.cut.thickness > 0.005:  # its inside shows beside the face
                inside = self.hair_triangles[:, ::-1]
                self._add_hair(camera, fragments, inside, picture, alpha, part)
            self._add_hair(camera, fragments, self.hair_triangles, picture, alpha, part)
        if self.prop is not None:
            self._add_prop(camera, fragments, picture, alpha, part)
        return picture, alpha, part, irradiance

    def _materials(self, part: Bytes, values: Floats) -> tuple[Floats, Floats, Floats]:
        """Albedo (P, 3), gloss (P,) and slopes (P, 2)."""
        head, skin = self.stage.head, self.person.skin
        albedo = np.zeros((len(part), 3), np.float32)
        gloss = np.full(len(part), 0.5, np.float32)
        slopes = np.zeros((len(part), 2), np.float32)
        is_skin = part == 0
        x, y = values[is_skin, 4] - 0.5, values[is_skin, 5] - 0.5
        albedo[is_skin] = look_up(skin.albedo, x, y)
        relief = look_up(skin.relief, x, y)
        slopes[is_skin], gloss[is_skin] = PORES * relief[:, :2], relief[:, 2]
        if self.folds is not None:
            folded = self.folds.at(x, y)
            slopes[is_skin] += folded[:, :2]
            albedo[is_skin] *= np.exp(-folded[:, 2:] * FOLD_SHADE)
            gloss[is_skin] *= 1 - 0.6 * folded[:, 2]
        inner = np.clip(values[:, 6:7] * 1.5 - 0.2, 0, 1) * is_skin[:, None]
        albedo = albedo * (1 - inner) + inner * INNER_MOUTH
        albedo *= 1 - 0.9 * values[:, 10:11]
        for name, number in zip(head.part_names, range(len(head.part_names)), strict=True):
            mine = part == number
            if name.startswith("eye") and mine.any():
                albedo[mine] = paint_eyes(
                    np.random.default_rng(self.person.seed),
                    values[mine, 7:10],
                    self.person.style.iris_color,
                    head.iris_diameter,
                )
            elif name == "tongue":
                albedo[mine] = TONGUE
            elif name.startswith("teeth"):
                gums = values[mine, 11:12]
                albedo[mine] = ENAMEL * (1 - gums) + GUMS * gums
        cloth = part == CLOTH
        albedo[cloth] = look_up(self.garment, values[cloth, 4], values[cloth, 5])
        gloss[cloth] = 0.15
        return albedo, gloss, slopes

    def _bend(self, normals: Floats, slopes: Floats, values: Floats) -> Floats:
        """Normals with the relief of the skin."""
        columns = self.stage.chart.shape[1]
        azimuth = (values[:, 4] / columns - 0.5) * 4.3
        along = np.stack([np.cos(azimuth), np.zeros_like(azimuth), -np.sin(azimuth)], axis=1)
        bent = normals - slopes[:, :1] * (along @ self.R.T)
        bent -= slopes[:, 1:] * self.R[:, 1]
        return unit(bent)

    def _add_lashes(
        self, camera: Camera, base: Fragments, picture: Floats, irradiance: float
    ) -> None:
        vertices, triangles, places = self.lashes
        fragments = rasterize(vertices, triangles, camera, back_faces=True)
        if not fragments.covered.any():
            return
        at = interpolate_covered(fragments, triangles, places * [lashes.HAIRS - 1, 31])
        opacity = look_up(self.lash_alpha, at[:, 0], at[:, 1])[:, 0]
        front = fragments.depth[fragments.covered] < base.depth[fragments.covered] + 0.0025
        a = (opacity * front)[:, None]
        colour = np.minimum(self.person.style.brow_color, 0.03) * np.float32(irradiance)
        picture[fragments.covered] = picture[fragments.covered] * (1 - a) + a * colour

    def _add_glasses(
        self,
        camera: Camera,
        base: Fragments,
        picture: Floats,
        alpha: Floats,
        part: Bytes,
        irradiance: float,
    ) -> None:
        vertices, triangles = self.glasses
        fragments = rasterize(vertices, triangles, camera, back_faces=True)
        front = fragments.covered & (fragments.depth < base.depth)
        picture[front] = self.glasses_color * np.float32(irradiance)
        alpha[front] = 1
        part[front] = GLASSES

    def _add_prop(
        self, camera: Camera, base: Fragments, picture: Floats, alpha: Floats, part: Bytes
    ) -> None:
        prop = self.prop
        assert prop is not None
        fragments = rasterize(prop.vertices, prop.triangles, camera, back_faces=True)
        attributes = np.column_stack([_normals(prop.vertices, prop.triangles), prop.albedo])
        values = interpolate_covered(fragments, prop.triangles, attributes)
        keep = fragments.depth[fragments.covered] < base.depth[fragments.covered]
        if not keep.any():
            return
        rows, columns = (i[keep] for i in np.nonzero(fragments.covered))
        points = _points(fragments, camera)[keep]
        view = unit(-points)
        normals = unit(values[keep, :3])
        normals *= np.sign(dot(normals, view))[:, None]
        lit = [
            light.shadow(self.casters, self.caster_triangles, points, lamp)
            for lamp in self.lights.lamps
        ]
        occlusion = np.full(len(points), 0.8, np.float32)
        scatter = light.SCATTER if prop.skin else np.zeros(3, np.float32)
        received = light.diffuse(normals, self.lights, lit, occlusion, scatter)
        shine = light.specular(normals, view, self.lights, lit, occlusion, 0.42)
        picture[rows, columns] = values[keep, 3:] * received + np.float32(prop.gloss) * shine
        alpha[rows, columns] = 1
        part[rows, columns] = COVER

    def _add_hair(
        self,
        camera: Camera,
        base: Fragments,
        triangles: Ints,
        picture: Floats,
        alpha: Floats,
        part: Bytes,
    ) -> None:
        """Draw the shell's triangles that face the camera; turned round, those that do not."""
        shell = self.shell
        assert shell is not None
        fragments = rasterize(shell.vertices, triangles, camera)
        attributes = np.column_stack(
            [_normals(shell.vertices, shell.triangles), shell.tangents, shell.coordinates]
        )
        values = interpolate_covered(fragments, triangles, attributes)
        points = _points(fragments, camera)
        size = np.array(self.hair_alpha.shape[::-1]) - 1
        at = values[:, 6:8] * size
        texture = np.dstack([self.hair_albedo, self.hair_alpha])
        looked_up = look_up(texture, at[:, 0], at[:, 1])
        front = fragments.depth[fragments.covered] < base.depth[fragments.covered] + 0.0005
        opacity = looked_up[:, 3] * front
        keep = opacity > 0.01
        if not keep.any():
            return
        rows, columns = (i[keep] for i in np.nonzero(fragments.covered))
        points, values, opacity = points[keep], values[keep], opacity[keep]
        view = unit(-points)
        normals = unit(values[:, :3])
        normals *= np.sign(dot(normals, view))[:, None]
        lit = [
            light.shadow(self.casters, self.caster_triangles, points, lamp)
            for lamp in self.lights.lamps
        ]
        soft = np.full(3, 0.3, np.float32)
        occlusion = np.full(len(points), 0.8, np.float32)
        received = light.diffuse(normals, self.lights, lit, occlusion, soft)
        colour = looked_up[keep, :3] * received
        tangents = values[:, 3:6]
        cut = self.person.cut
        gleam = 0.0 if cut is None or cut.cloth else 0.05 * (1 - 0.7 * cut.curls)
        for lamp, share in zip(self.lights.lamps, lit, strict=True):
            half = unit(view + lamp.direction)
            across = 1 - dot(tangents, half) ** 2  # Kajiya and Kay 1989
            facing = np.clip(normals @ lamp.direction + 0.2, 0, 1)
            sheen = gleam * np.maximum(across, 0) ** 25 * share * facing
            colour += sheen[:, None] * lamp.color * (0.4 + 2 * looked_up[keep, :3])
        a = opacity[:, None]
        picture[rows, columns] = picture[rows, columns] * (1 - a) + a * colour
        alpha[rows, columns] = alpha[rows, columns] * (1 - opacity) + opacity
        part[rows[opacity > 0.5], columns[opacity > 0.5]] = HAIR


def _points(fragments: Fragments, camera: Camera) -> Floats:
    """Camera-frame points (P, 3) seen by the covered pixels."""
    rows, columns = np.nonzero(fragments.covered)
    z = fragments.depth[rows, columns]
    x = (columns + 0.5 - camera.center_px[0]) / camera.focal_px * z
    y = (rows + 0.5 - camera.center_px[1]) / camera.focal_px * z
    return np.asarray(np.stack([x, y, z], axis=1), np.float32)


def _normals(vertices: Floats, triangles: Ints) -> Floats:
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    faces = np.cross(b - a, c - a)
    total = np.zeros_like(vertices)
    for axis in range(3):
        for k in range(3):
            total[:, axis] += np.bincount(triangles[:, k], faces[:, axis], len(vertices))
    return unit(total)
