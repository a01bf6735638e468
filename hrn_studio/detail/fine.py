"""The last stages of a fit: light, textures, and the detail that only shows as shading.

What changes slowly is found on an atlas of 512 texels a side; only reading the pictures and
putting the result together happen at the texture's own size.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hrn_studio.detail import compose, light, noise, occlusion, sampling
from hrn_studio.detail.albedo import cleaned, folded, repairable, skin_only
from hrn_studio.detail.atlas import Atlas, mirror_corners
from hrn_studio.detail.blending import Blend, blend
from hrn_studio.detail.completion import Completion, complete
from hrn_studio.detail.displacement import displacement
from hrn_studio.detail.eyes import EyeColours, eye_colours
from hrn_studio.detail.filters import enlarge, smoothstep
from hrn_studio.detail.groundwork import (
    Groundwork,
    coarse_relief,
    estimate_light,
    hardness,
    light_at_eyes,
    lit,
    vertex_shading,
)
from hrn_studio.detail.monochrome import in_grey, is_grey
from hrn_studio.detail.normalmap import normal_map
from hrn_studio.detail.paint import paint_parts
from hrn_studio.detail.sight import Sight, look
from hrn_studio.detail.whites import white_luminance
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import corner_tangents, vertex_normals
from hrn_studio.geometry.raster import Fragments, rasterize
from hrn_studio.records import AnyFloats, Bools, Bytes, Doubles, Floats, Maps, Progress, View


@dataclass(frozen=True, slots=True)
class FineSettings:
    """How textures are made."""

    size: int = 2048
    """Texels a side of the finished maps: 256, 512, 1024, 2048 or 4096."""
    white_balance: bool = True
    """Give skin a plausible hue and the light the rest of the colour."""
    sharpen: float = 0.0
    """0..1 how much the finished texture is sharpened; 0.3 is mild."""
    seed: int = 0
    """Of the grain on skin that no picture shows."""
    device: str = "cpu"
    """``cuda`` draws the head with nvdiffrast where that is installed."""


@dataclass(frozen=True, slots=True, eq=False)
class FineResult:
    """What :func:`fine` makes."""

    maps: Maps
    views: tuple[View, ...]
    """Those given, with their light."""
    skin_linear: Doubles
    """(3,) typical albedo of this person's skin."""
    timings_s: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def fine(
    head: HeadModel,
    neutral: AnyFloats,
    views: Sequence[View],
    settings: FineSettings | None = None,
    *,
    deformation: Floats | None = None,
    relief: bool = True,
) -> Generator[Progress, None, FineResult]:
    """Light, textures and displacement of a fitted head.

    Parameters
    ----------
    neutral
        (V, 3) the fitted head without expression, head frame, metres.
    views
        One or more; their light is not read.
    deformation
        (D, D, 3) of the stage before, passed on; a single zero when not given.
    relief
        Find displacement and normals; otherwise they are flat.

    Yields
    ------
    Progress
        Stages ``texture`` and ``fine``.
    """
    options = settings or FineSettings()
    clock = _Clock()
    draw = _rasterizer(options.device)
    work = Groundwork.begin(head, neutral, options.size, draw)
    yield Progress("texture", 0.05, "how the head shades itself")
    sights, transfers = [], []
    for i, view in enumerate(views):
        posed = vertex_normals(view.vertices, head.triangles)
        sights.append(
            look(
                view,
                posed,
                work.small,
                head.triangles,
                head.uv[head.uv_triangles],
                work.skin_triangles,
                work.zones.edges,
                draw,
            )
        )
        transfers.append(occlusion.transfer(posed, work.hidden, view.state.T_camera_head[:3, :3]))
        yield Progress("texture", 0.05 + 0.2 * (i + 1) / len(views), f"reading {view.frame.name}")
    whites = [white_luminance(v) for v in views]
    grey = [is_grey(v) for v in views]
    balanced = options.white_balance and not all(grey)
    found = estimate_light(head, work, sights, transfers, balanced, whites)
    shadings = [
        vertex_shading(head, t, one) for t, one in zip(transfers, found.lights, strict=True)
    ]
    clock.lap("light")
    yield Progress("texture", 0.35, "light divided out")

    shades = [work.small.interpolate(s, head.triangles) for s in shadings]
    albedos = [s.colour / np.maximum(g, 1e-6) for s, g in zip(sights, shades, strict=True)]
    trusts = [
        skin_only(a, s.trust * lit(g), work.zones, work.texel_m)
        for a, s, g in zip(albedos, sights, shades, strict=True)
    ]
    # A picture in colour goes before a grey one.
    scores = [
        s.score * (0.1 if g and not all(grey) else 1.0) for s, g in zip(sights, grey, strict=True)
    ]
    mix = blend(albedos, trusts, scores)
    yield Progress("texture", 0.4, "pictures blended")
    hard = hardness(sights, work.zones)
    clean = cleaned(mix.albedo, mix.seen, work.zones, work.mirror, found.skin, work.texel_m, hard)
    mix = replace(mix, seen=mix.seen * repairable(mix.albedo, clean))
    yield Progress("texture", 0.45, "shine and shadows taken out")
    recipe = complete(
        head, work.small, work.mirror, clean, mix.seen, mix.quality, work.zones, found.skin
    )
    yield Progress("texture", 0.5, "unseen skin completed")

    large = Atlas.of(head.uv, head.uv_triangles, options.size)
    total = np.zeros((options.size, options.size, 3), np.float32)
    weight = np.zeros((options.size, options.size), np.float32)
    repair = np.clip(clean / np.maximum(mix.albedo, 1e-3), 0.3, 3.0)
    for i, sight in enumerate(sights):
        known = (mix.weights[i] > 1e-3) & (trusts[i] > 0.02)
        gain = repair * mix.matches[i] / np.maximum(shades[i], 1e-6)
        _project(sight, views[i], large, work.small, gain, mix.weights[i], known, total, weight)
        yield Progress("texture", 0.5 + 0.2 * (i + 1) / len(sights), "projected")
    total /= np.maximum(weight, 1e-6)[..., None]
    tile = noise.grain(total, work.zones.plain * (mix.seen > 0.9), options.seed)
    yield Progress("texture", 0.75, "grain of the skin")
    creased = folded(mix.albedo, mix.seen, work.zones, work.texel_m)
    sure = smoothstep(0.05, 0.15, creased)
    picture = compose.compose(
        large, work.small, total, weight, clean, sure, recipe, mirror_corners(head), tile
    )
    yield Progress("texture", 0.8, "texture composed")
    at_eyes = [light_at_eyes(head, s) for s in shadings]
    colours = eye_colours(views, at_eyes)
    picture = paint_parts(head, large, picture, colours, found.skin)
    picture = compose.sharpened(picture, options.sharpen)
    picture = compose.pad(picture, large.covered, max(8, options.size // 128), found.skin)
    picture = in_grey(picture) if all(grey) else picture
    clock.lap("texture")
    yield Progress("texture", 0.85, "eyes and mouth painted")

    maps = _maps(work, recipe, mix, colours, picture, deformation)
    if relief:
        trust = work.zones.plain * mix.seen * (recipe.seen > 0.5)
        depth = coarse_relief(head, neutral, work, mix, views, found.lights, trust, sure)
        yield Progress("fine", 0.9, "folds")
        resolution = min(
            float(v.state.T_camera_head[2, 3]) / v.state.camera.focal_px for v in views
        )
        scale = options.size // work.small.size
        total /= enlarge(repair, scale)  # folds that are no more in the albedo are in the relief
        depth = enlarge(depth, scale) + displacement(
            total, trust, work.texel_m / scale, resolution, sure
        )
        yield Progress("fine", 0.95, "pores")
        tangents = corner_tangents(
            neutral, head.triangles, head.uv, head.uv_triangles, work.normals
        )
        tilted = normal_map(
            large,
            depth,
            neutral,
            work.normals,
            head.triangles,
            head.uv,
            head.uv_triangles,
            tangents,
        )
        maps = replace(maps, displacement=depth, normal=tilted)
        clock.lap("relief")
    lit_views = tuple(replace(v, light=one) for v, one in zip(views, found.lights, strict=True))
    skin = np.full(3, found.skin @ light.LUMINANCE) if all(grey) else found.skin
    return FineResult(maps, lit_views, skin, clock.laps, _notes(found, colours, balanced, grey))


def _rasterizer(device: str) -> Callable[..., Fragments]:
    if device == "cpu":
        return rasterize
    from hrn_studio.detail import rasterizer  # needs PyTorch, which takes its time to load

    return rasterizer.rasterizer(device)


class _Clock:
    """Seconds by step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self._since
        self._since = now


def _project(
    sight: Sight,
    view: View,
    large: Atlas,
    small: Atlas,
    gain: Floats,
    share: Floats,
    known: Bools,
    total: Floats,
    weight: Floats,
) -> None:
    """Add a picture at the texture's own size."""
    sampling.accumulate(
        sight.picture,
        view.state.camera,
        large.triangle,
        large.barycentric,
        sight.corners,
        sight.footprint * np.float32(small.size / large.size),
        sampling.carried_on(gain, known),
        share,
        total,
        weight,
    )


def _maps(
    work: Groundwork,
    recipe: Completion,
    mix: Blend,
    colours: EyeColours,
    picture: Bytes,
    deformation: Floats | None,
) -> Maps:
    """The maps, as yet without relief."""
    size = len(picture)
    sure = recipe.seen * np.clip(mix.quality, 0, 1) + 0.25 * (1 - recipe.seen) * recipe.from_mirror
    sure = np.where(work.small.covered, sure, 0)
    flat = np.zeros((size, size, 3), np.float32)
    flat[..., 2] = 1
    none = np.zeros((1, 1, 3), np.float32)
    return Maps(
        albedo_srgb=picture,
        normal=flat,
        displacement=np.zeros((size, size), np.float32),
        confidence=np.clip(enlarge(sure, size // work.small.size), 0, 1),
        deformation=none if deformation is None else deformation,
    )


def _notes(
    found: light.Lighting, colours: EyeColours, balanced: bool, grey: Sequence[bool]
) -> tuple[str, ...]:
    notes = []
    cast = float(np.abs(found.cast - 1).max())
    if all(grey):
        return ("black and white pictures show no colours, so the texture has none",)
    if any(grey):
        notes.append("colours were taken from the pictures that are not black and white")
    if balanced and cast > 0.15:
        red, green, blue = found.cast
        notes.append(
            "the pictures' colours were balanced on the skin "
            f"(they had red {red:.2f}, green {green:.2f}, blue {blue:.2f} of a neutral one)"
        )
    if not colours.seen:
        notes.append("the eyes' colour could not be seen; brown was taken")
    return tuple(notes)
