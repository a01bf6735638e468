"""One picture's meshes, materials and light, turned into linear colour."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hrn_studio.geometry.raster import interpolate_covered, rasterize
from hrn_studio.geometry.transforms import apply
from hrn_studio.records import Bools, Bytes, Camera, Coefficients, Doubles, Floats, Ints
from hrn_studio.training import (
    clothes,
    glasses,
    hair,
    jewellery,
    lashes,
    layers,
    light,
    locks,
    wrinkles,
)
from hrn_studio.training.beard import grow_beard
from hrn_studio.training.covers import Cover, Prop, draw_cover
from hrn_studio.training.eyes import eye_closing, eye_coordinates, paint_eyes, sunken
from hrn_studio.training.pixels import blurred, look_up, unit
from hrn_studio.training.skin import Skin
from hrn_studio.training.stage import Stage
from hrn_studio.training.style import Style

CLOTH = 254
"""Part number of the garment in a picture."""
PORES = np.float32(0.3)
"""Slope of the skin's fine relief."""
FOLD_SHADE = np.array([0.45, 0.62, 0.66], np.float32)
"""How much less light leaves the bottom of a furrow; least is lost of red."""
WET = 0.24
"""Roughness of an eye as a camera resolves it."""
LID_REACH_M = 0.0016
LID_SHADE = np.float32(0.6)
LOCKS, SHEEN, EARRINGS, BEARD = 2, 3, 6, 7
"""Which of a person's own generators draws what."""
BEARD_GLEAM = 0.03
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
        self.eye_parts = [k for k, n in enumerate(head.part_names) if n.startswith("eye")]
        self.roughness = float(np.random.default_rng([person.seed, SHEEN]).uniform(0.36, 0.5))
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
        body_attributes = np.zeros((len(body), attributes.shape[1]), np.float32)
        body_attributes[:, :3] = layers.normals_of(body, body_triangles)
        body_attributes[:, 3] = np.clip(0.75 + body_places[:, 1], 0, 1)
        rim = slice(0, clothes.AROUND + 1)  # goes on from the neck
        body_attributes[rim, :3] = unit(body[rim] - body[rim].mean(axis=0))
        body_attributes[rim, 3] = 0.95
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
            tint = own.gamma(1.0, 0.04) if dark else own.uniform(0.1, 0.6)
            brown = np.array([1.0, 0.62, 0.38]) ** own.uniform(0, 1)
            self.glasses_color = np.asarray(tint * brown, np.float32)
        self.earrings = self._hang_earrings(posed, T_camera_head)
        self.beard: locks.Locks | None = None
        if person.skin.beard is not None:
            self.beard = grow_beard(
                np.random.default_rng([person.seed, BEARD]),
                *(stage, self.vertices[: len(vertices)], person.skin.beard),
                *(person.style.beard, person.style.hair_color, self.R[:, 1]),
            )
        self.mane: layers.Mane | None = None
        casters, caster_triangles = self.vertices, self.triangles
        if person.cut is not None:
            self.mane, kept = self._grow_hair(person.cut, posed, T_camera_head)
            caster_triangles = np.concatenate([caster_triangles, kept + len(casters)])
            casters = np.concatenate([casters, self.mane.shell.vertices])
        self.prop: Prop | None = None
        if cover is not None:
            prop = draw_cover(cover, head, posed, stage.normals(posed), self._tone())
            moved = apply(T_camera_head, prop.vertices).astype(np.float32)
            self.prop = replace(prop, vertices=moved)
            caster_triangles = np.concatenate([caster_triangles, prop.triangles + len(casters)])
            casters = np.concatenate([casters, moved])
        self.shadows = [light.ShadowMap(casters, caster_triangles, lamp) for lamp in lights.lamps]

    def _hang_earrings(
        self, posed: Floats, T_camera_head: Doubles
    ) -> tuple[Floats, Ints, Floats] | None:
        own, stage = np.random.default_rng([self.person.seed, EARRINGS]), self.stage
        share = 0.4 if self.person.style.feminine else 0.06
        if own.random() > share or not len(stage.lobes):
            return None
        outwards = stage.head.mean[stage.lobes] * [1, 0, 0]
        outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
        vertices, triangles, metal = jewellery.draw_earrings(own, posed[stage.lobes], outwards)
        return apply(T_camera_head, vertices).astype(np.float32), triangles, metal

    def _grow_hair(
        self, cut: hair.Cut, posed: Floats, T_camera_head: Doubles
    ) -> tuple[layers.Mane, Ints]:
        """The hair, and those of its shell's triangles that cast shadows."""
        own, stage, style = self.own, self.stage, self.person.style
        shell = hair.grow(own, stage.head, stage.roots, cut, posed)
        moved = apply(T_camera_head, shell.vertices).astype(np.float32)
        shell = hair.Shell(moved, shell.triangles, shell.coordinates, shell.tangents @ self.R.T)
        albedo, alpha = hair.paint_hair(own, cut, stage.roots, style.hair_color)
        at = shell.coordinates * (np.array(alpha.shape[::-1]) - 1)
        opacity = alpha[at[:, 1].astype(int), at[:, 0].astype(int)]
        mane = layers.Mane(
            shell=shell,
            triangles=shell.triangles[(opacity[shell.triangles] > 0).any(axis=1)],
            albedo=albedo,
            alpha=alpha,
            locks=locks.grow_locks(
                np.random.default_rng([self.person.seed, LOCKS]),
                *(shell, stage.roots, cut, style.hair_color, self.R[:, 1]),
            ),
            thick=cut.thickness > 0.005,
            gleam=0.0 if cut.cloth else 0.05 * (1 - 0.7 * cut.curls),
        )
        return mane, shell.triangles[(opacity[shell.triangles] > 0.5).all(axis=1)]

    def _tone(self) -> Floats:
        """The skin's average colour (3,) at the end of the neck."""
        x, y = self.stage.chart.texels[self.stage.neck].T
        return np.asarray(look_up(self.person.skin.albedo, x - 0.5, y - 0.5).mean(axis=0))

    def shade(self, camera: Camera) -> tuple[layers.Canvas, Floats]:
        """The picture over black, and the light (3,) that falls on the face."""
        fragments = rasterize(self.vertices, self.triangles, camera)
        values = interpolate_covered(fragments, self.triangles, self.attributes)
        covered = fragments.covered
        points = layers.points_of(fragments, camera)
        part = np.full(covered.shape, 255, np.uint8)
        part[covered] = self.parts[fragments.triangle[covered]]
        canvas = layers.Canvas(
            camera=camera,
            colour=np.zeros((*covered.shape, 3), np.float32),
            alpha=covered.astype(np.float32),
            part=part,
            depth=fragments.depth.copy(),
            lights=self.lights,
            shadows=self.shadows,
        )
        colour, irradiance = self._lit(canvas, covered, points, values)
        canvas.colour[covered] = colour
        dim = irradiance.mean()
        dark = np.minimum(self.person.style.brow_color, 0.03)
        layers.add_lashes(canvas, self.lashes, self.lash_alpha, dark * dim)
        if self.person.style.glasses:
            layers.add_glasses(canvas, self.glasses, self.glasses_color * dim)
        if self.beard is not None:
            layers.add_locks(canvas, self.beard, BEARD_GLEAM)
        if self.mane is not None:
            layers.add_hair(canvas, self.mane)
        if self.earrings is not None:
            layers.add_earrings(canvas, self.earrings)
        if self.prop is not None:
            layers.add_prop(canvas, self.prop)
        return canvas, irradiance

    def _lit(
        self, canvas: layers.Canvas, covered: Bools, points: Floats, values: Floats
    ) -> tuple[Floats, Floats]:
        """Colour (P, 3) of the head and shoulders, and the light (3,) on the face."""
        pixel_part = canvas.part[covered]
        view = unit(-points)
        albedo, gloss, slopes = self._materials(pixel_part, values)
        normals = self._bend(values[:, :3], slopes, values)
        lit = canvas.lit(points)
        is_eye = np.isin(pixel_part, self.eye_parts)
        open_sky = values[:, 3]
        occlusion = np.where(is_eye, 0.25 + 0.7 * open_sky, 0.12 + 0.88 * open_sky)
        received = light.diffuse(normals, self.lights, lit, occlusion, light.SCATTER)
        face = pixel_part == 0
        if face.any():
            per_m = canvas.camera.focal_px / float(np.median(points[face, 2]))
            received = light.scattered(received, face, covered, per_m)
        shine = light.specular(normals, view, self.lights, lit, occlusion, self.roughness)
        colour = albedo * received + gloss[:, None] * shine
        if is_eye.any():
            shade = self._lid_shade(canvas, covered, is_eye, points)
            wet = light.specular(
                normals[is_eye],
                view[is_eye],
                self.lights,
                [s[is_eye] for s in lit],
                occlusion[is_eye],
                WET,
            )
            seen = albedo[is_eye] * received[is_eye] * shade[:, None]
            colour[is_eye] = seen + np.minimum(wet, 2.0) * (0.3 + 0.7 * shade[:, None])
        # Between the usual and the brightest, so that one lit cheek does not burn out.
        usual = np.percentile(received[face], (50, 85), axis=0).mean(axis=0) if face.any() else 1
        usual = usual * np.ones(3)
        return colour, np.asarray(usual, np.float32)

    def _lid_shade(
        self, canvas: layers.Canvas, covered: Bools, is_eye: Bools, points: Floats
    ) -> Floats:
        """How much light the upper lid leaves to the eye's pixels, 0..1."""
        per_m = canvas.camera.focal_px / float(np.median(points[is_eye, 2]))
        lid = np.ones(covered.shape, np.float32)
        lid[covered] = ~is_eye
        rows, columns = (i[is_eye] for i in np.nonzero(covered))
        reach = np.float32(LID_REACH_M * per_m)
        over = look_up(
            blurred(lid, max(0.7 * float(reach), 0.5)),
            columns + self.R[0, 1] * reach,
            rows + self.R[1, 1] * reach,
        )[:, 0]
        return np.asarray(1 - LID_SHADE * over, np.float32)

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
