"""The window's panes: a picture, what is hatched on it, and a head over it.

A head is drawn into a texture of its own and laid over the picture there, so that it can be
blended, wiped and mirrored with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import moderngl
import numpy as np

from hrn_studio import paths
from hrn_studio.records import Bytes, Camera
from hrn_studio.render.renderer import Renderer
from hrn_studio.render.scene import Scene

Color = tuple[float, float, float]
"""sRGB, 0..1"""
_SAMPLES = 4
BUDGET_PX = 1_000_000
"""A head is drawn with at most this many pixels; a larger pane shows it scaled up."""


@dataclass(frozen=True, slots=True, eq=False)
class Hatching:
    """Where the picture has lost detail."""

    codes: Bytes
    """(h, w) 0, 1 dark, 2 bright."""
    box: tuple[float, float, float, float]
    """x, y, width, height in picture pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Pane:
    """What one pane shows."""

    rect: tuple[float, float, float, float]
    """x, y, width, height in the target, logical pixels, y down."""
    picture: Bytes | None = None
    """(H, W, 3) RGB."""
    place: tuple[float, float, float] = (1.0, 0.0, 0.0)
    """Picture pixels to the pane's: scale, then x, y of the picture's corner."""
    mirrored: bool = False
    grey: bool = False
    hatching: Hatching | None = None
    scene: Scene | None = None
    """Its camera has the size :func:`mesh_size` gives."""
    fine: bool = False
    """Draw the head's edges smooth: for heads that seldom change."""
    mesh_opacity: float = 1.0
    rounded: bool = True
    """Its lower corners are."""
    wipe: float = 0.0
    """The head is drawn right of this share of the width."""


@dataclass(frozen=True, slots=True)
class PaneColors:
    """The surroundings of the panes."""

    surround: Color
    ground_inner: Color
    ground_outer: Color
    zebra_dark: Color
    zebra_bright: Color


def mesh_size(
    width: float, height: float, ratio: float, budget: int = BUDGET_PX
) -> tuple[int, int]:
    """Pixels a head is drawn with in a pane of this logical size on a screen of this ratio."""
    pixels = width * height * ratio * ratio
    scale = ratio * min(1.0, (budget / max(pixels, 1)) ** 0.5)
    return max(8, round(width * scale)), max(8, round(height * scale))


def fitted(
    image: tuple[int, int], pane: tuple[float, float], fill: bool = True
) -> tuple[float, float, float]:
    """The place that fills a pane with a picture, cropping it, or fits it in; sizes are (w, h)."""
    ratios = pane[0] / image[0], pane[1] / image[1]
    scale = max(ratios) if fill else min(ratios)
    return scale, (pane[0] - image[0] * scale) / 2, (pane[1] - image[1] * scale) / 2


def pane_camera(
    camera: Camera,
    place: tuple[float, float, float],
    pane: tuple[float, float],
    size: tuple[int, int],
) -> Camera:
    """The camera that draws a head of size ``size`` exactly over its picture in a pane (w, h)."""
    scale, x, y = place
    up = size[0] / pane[0]
    cx, cy = camera.center_px
    center = ((cx * scale + x) * up, (cy * scale + y) * size[1] / pane[1])
    return Camera(size[0], size[1], camera.focal_px * scale * up, center, camera.source)


class Panes:
    """Draws panes in one OpenGL context; use it on that context's thread."""

    def __init__(self, context: moderngl.Context, shaders: Path | None = None) -> None:
        folder = paths.resources() / "shaders" if shaders is None else shaders
        self._context = context
        self.renderer = Renderer(context)
        sources = [(folder / f"pane.{kind}").read_text() for kind in ("vert", "frag")]
        vertex, fragment = (text[text.index("#version") :] for text in sources)
        self._program: Any = context.program(vertex_shader=vertex, fragment_shader=fragment)
        corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
        buffer = context.buffer(corners.tobytes())
        self._quad = context.vertex_array(self._program, [(buffer, "2f", "in_corner")])
        for unit, name in enumerate(("picture", "zebra", "mesh")):
            self._program[name] = unit
        self._pictures: dict[int, tuple[object, moderngl.Texture]] = {}
        self._hatchings: dict[int, tuple[object, moderngl.Texture]] = {}
        self._meshes: dict[int, tuple[object, moderngl.Framebuffer, moderngl.Texture]] = {}
        self._fine: tuple[object, moderngl.Framebuffer] | None = None
        self._none = context.texture((1, 1), 4, b"\0\0\0\0")

    def draw(
        self,
        panes: Sequence[Pane],
        colors: PaneColors,
        target: moderngl.Framebuffer,
        ratio: float,
        radius: float,
    ) -> None:
        """Draw over the whole of ``target``.

        ``ratio`` is the target's pixels per logical one, ``radius`` the lower corners' in logical
        pixels.
        """
        context = self._context
        context.enable_only(moderngl.NOTHING)
        meshes = [self._mesh(i, pane) for i, pane in enumerate(panes)]
        width, height = target.size
        target.viewport = (0, 0, width, height)
        target.use()
        target.clear(*colors.surround, 1.0)
        context.enable_only(moderngl.NOTHING)
        for i, (pane, mesh) in enumerate(zip(panes, meshes, strict=True)):
            x, y, w, h = (round(v * ratio) for v in pane.rect)
            target.viewport = (x, height - y - h, w, h)
            target.use()
            self._set(i, pane, colors, radius)
            (mesh or self._none).use(2)
            self._quad.render(moderngl.TRIANGLE_STRIP)
        target.viewport = (0, 0, width, height)
        # Whoever draws next (Qt's text) relies on OpenGL's own alignment of rows.
        self._none.write(b"\0\0\0\0", alignment=4)

    def _set(self, index: int, pane: Pane, colors: PaneColors, radius: float) -> None:
        program = self._program
        picture = self._none
        if pane.picture is not None:
            picture = self._texture(self._pictures, index, pane.picture, 3)
            program["picture_size"] = (pane.picture.shape[1], pane.picture.shape[0])
        picture.use(0)
        hatching, box = self._none, (0.0, 0.0, 0.0, 0.0)
        if pane.hatching is not None:
            hatching = self._texture(self._hatchings, index, pane.hatching.codes, 1)
            hatching.filter = (moderngl.NEAREST, moderngl.NEAREST)
            box = pane.hatching.box
        hatching.use(1)
        values: dict[str, Any] = {
            "size": pane.rect[2:],
            "radius": radius if pane.rounded else 0.0,
            "surround": colors.surround,
            "ground_inner": colors.ground_inner,
            "ground_outer": colors.ground_outer,
            "place": (*pane.place, float(pane.picture is not None)),
            "mirrored": float(pane.mirrored),
            "grey": float(pane.grey),
            "zebra_box": box,
            "zebra_dark": colors.zebra_dark,
            "zebra_bright": colors.zebra_bright,
            "mesh_opacity": pane.mesh_opacity if pane.scene is not None else 0.0,
            "wipe": pane.wipe,
        }
        for name, value in values.items():
            program[name] = value

    def _texture(
        self,
        kept: dict[int, tuple[object, moderngl.Texture]],
        index: int,
        image: Bytes,
        channels: int,
    ) -> moderngl.Texture:
        """The texture of an image; uploaded when the image is another object than last time."""
        size = (image.shape[1], image.shape[0])
        source, texture = kept.get(index, (None, None))
        if texture is None or texture.size != size:
            texture = self._context.texture(size, channels, alignment=1)
            texture.repeat_x = texture.repeat_y = False
            source = None
        if source is not image:
            texture.write(np.ascontiguousarray(image).tobytes(), alignment=1)
            kept[index] = (image, texture)
        return texture

    def _draw_fine(self, scene: Scene, target: moderngl.Framebuffer) -> None:
        """Draw with several samples per pixel."""
        samples = min(_SAMPLES, self._context.max_samples)
        key = (*target.size, samples)
        if self._fine is None or self._fine[0] != key:
            context = self._context
            made = context.framebuffer(
                context.renderbuffer(target.size, 4, samples=samples),
                context.depth_renderbuffer(target.size, samples=samples),
            )
            self._fine = (key, made)
        self.renderer.draw(scene, self._fine[1])
        self._context.copy_framebuffer(target, self._fine[1])

    def _mesh(self, index: int, pane: Pane) -> moderngl.Texture | None:
        """The head of a pane as a texture; drawn again when its scene is another."""
        scene = pane.scene
        if scene is None or pane.mesh_opacity <= 0:
            return None
        size = (scene.camera.width, scene.camera.height)
        drawn, target, texture = self._meshes.get(index, (None, None, None))
        if target is None or texture is None or target.size != size:
            texture = self._context.texture(size, 4)
            texture.repeat_x = texture.repeat_y = False
            depth = self._context.depth_renderbuffer(size)
            target = self._context.framebuffer(texture, depth)
            drawn = None
        if drawn is not scene and pane.fine:
            self._draw_fine(scene, target)
        elif drawn is not scene:
            self.renderer.draw(scene, target)
        if drawn is not scene:
            self._meshes[index] = (scene, target, texture)
        return texture
