"""Draws scenes with OpenGL 3.3 through moderngl.

The context is passed in: a window's, or :func:`.context.standalone_context`.  Everything made on
the card for a head is kept while the :class:`~hrn_studio.render.scene.Head` lives; a new frame of
it uploads positions and normals only.  Nothing is released by hand: the context's ``gc_mode`` is
``"context_gc"``, and what is no longer used goes at the next :meth:`Renderer.draw`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import moderngl
import numpy as np

from hrn_studio import paths
from hrn_studio.records import AnyFloats, Bytes
from hrn_studio.render._card import Uploaded
from hrn_studio.render.context import NoOpenGLError
from hrn_studio.render.matrices import clip_from_head, shadow_from_head, view_from_head
from hrn_studio.render.scene import Head, Look, Scene

_KINDS = {
    Look.CLAY: "CLAY",
    Look.WIREFRAME: "CLAY",
    Look.TEXTURED: "TEXTURED",
    Look.NORMALS: "NORMALS",
}
_MAX_LIGHTS = 3
_SHADOW_PX = 1024
_SHADOW_SOFT = 0.016
"""Radius of the shadow's edge, in widths of the head."""
_CLAY_ROUGHNESS = 0.52


class Renderer:
    """Draws :class:`Scene` objects in one OpenGL context; use it on that context's thread."""

    def __init__(self, context: moderngl.Context, shaders: Path | None = None) -> None:
        self._context = context
        self._folder = paths.resources() / "shaders" if shaders is None else shaders
        self._programs: dict[tuple[str, ...], Any] = {}
        self._shadow = context.depth_texture((_SHADOW_PX, _SHADOW_PX))
        self._shadow.compare_func = "<="
        self._shadow.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._shadow.repeat_x = self._shadow.repeat_y = False
        self._shadow_target = context.framebuffer(depth_attachment=self._shadow)
        self._targets: dict[
            tuple[int, int, int], tuple[moderngl.Framebuffer, moderngl.Framebuffer]
        ] = {}
        self._heads: WeakKeyDictionary[Head, Uploaded] = WeakKeyDictionary()

    def draw(self, scene: Scene, target: moderngl.Framebuffer) -> None:
        """Draw over the whole of ``target``, whose size should be the camera's."""
        context = self._context
        context.gc()
        head = self._heads.get(scene.head)
        if head is None:
            head = self._heads[scene.head] = Uploaded(context, scene.head)
        head.update(scene)
        program = self._prepared(scene, head)
        target.use()
        target.clear(*scene.background_srgb, depth=1.0)
        context.enable_only(moderngl.DEPTH_TEST)
        if scene.look is not Look.WIREFRAME:
            head.render(program)
            return
        context.polygon_offset = (1.0, 1.0)
        head.render(program)
        context.polygon_offset = (0.0, 0.0)
        lines = self._program("head", "LINES")
        _set(lines, "T_clip_head", clip_from_head(scene))
        _set(lines, "base_linear", scene.line_linear)
        context.enable(moderngl.CULL_FACE)
        context.wireframe = True
        head.render(lines)
        context.wireframe = False

    def image(self, scene: Scene, samples: int = 4) -> Bytes:
        """The picture (H, W, 4), sRGB and coverage, of the camera's size."""
        size = (scene.camera.width, scene.camera.height)
        # OpenGL takes 1 as "at least one"
        samples = min(samples, self._context.max_samples) if samples > 1 else 0
        drawn, result = self._offscreen(size, samples)
        self.draw(scene, drawn)
        self._context.copy_framebuffer(result, drawn)
        pixels = np.frombuffer(result.read(components=4, alignment=1), np.uint8)
        return pixels.reshape(size[1], size[0], 4)[::-1].copy()

    def _offscreen(
        self, size: tuple[int, int], samples: int
    ) -> tuple[moderngl.Framebuffer, moderngl.Framebuffer]:
        """A target to draw into and one to read from, kept for the next picture of this size."""
        key = (*size, samples)
        if key not in self._targets:
            context = self._context
            drawn = context.framebuffer(
                context.renderbuffer(size, 4, samples=samples),
                context.depth_renderbuffer(size, samples=samples),
            )
            self._targets = {key: (drawn, context.framebuffer(context.renderbuffer(size, 4)))}
        return self._targets[key]

    def _prepared(self, scene: Scene, head: Uploaded) -> Any:
        """The program for a scene, with all its numbers set and its shadow drawn."""
        lighting = scene.lighting
        shadow = lighting.shadow and bool(lighting.lights) and scene.look is not Look.NORMALS
        switches = [_KINDS[scene.look]]
        switches += ["SHADOW"] * shadow + ["DETAIL"] * (scene.detail > 0)
        program = self._program("head", *switches)
        T_view_head = view_from_head(scene)
        _set(program, "T_clip_head", clip_from_head(scene))
        _set(program, "T_view_head", T_view_head)
        if shadow:
            T_shadow_head = shadow_from_head(scene)
            self._draw_shadow(head, T_shadow_head)
            _set(program, "T_shadow_head", T_shadow_head)
            _set(program, "T_shadow_view", T_shadow_head @ np.linalg.inv(T_view_head))
            _set(program, "spread_px", _SHADOW_SOFT * _SHADOW_PX)
        directions, colors = np.zeros((2, _MAX_LIGHTS, 3), np.float32)
        directions[:, 2] = 1
        for row, light in enumerate(lighting.lights):
            directions[row] = np.array(light.direction) / np.linalg.norm(light.direction)
            colors[row] = light.color_linear
        _set(program, "light_direction", directions)
        _set(program, "light_color", colors)
        _set(program, "sky", lighting.sky_linear)
        _set(program, "ground", lighting.ground_linear)
        _set(program, "base_linear", scene.clay_linear)
        _set(program, "clay_roughness", _CLAY_ROUGHNESS)
        _set(program, "detail", scene.detail)
        for unit, name in enumerate(("albedo", "normal_map", "shadow_map")):
            _set(program, name, unit)
        self._shadow.use(2)
        return program

    def _draw_shadow(self, head: Uploaded, T_shadow_head: AnyFloats) -> None:
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        self._context.enable_only(moderngl.DEPTH_TEST)
        program = self._program("depth")
        _set(program, "T_clip_head", T_shadow_head)
        head.render(program)

    def _program(self, name: str, *switches: str) -> Any:
        """A compiled program; each set of switches is one of its own."""
        key = (name, *switches)
        if key not in self._programs:
            vertex, fragment = (
                _source(self._folder / f"{name}.{kind}", switches) for kind in ("vert", "frag")
            )
            try:
                program = self._context.program(vertex_shader=vertex, fragment_shader=fragment)
            except moderngl.Error as error:
                raise NoOpenGLError(
                    "the graphics driver cannot run this program's shaders; update it"
                ) from error
            self._programs[key] = program
        return self._programs[key]


def _source(file: Path, switches: tuple[str, ...]) -> str:
    """A shader with its switches defined.  ``#version``, which must come first, may follow a
    comment in the file."""
    text = file.read_text(encoding="utf-8")
    version, _, body = text[text.index("#version") :].partition("\n")
    return "\n".join([version, *(f"#define {switch}" for switch in switches), body])


def _set(program: Any, name: str, value: Any) -> None:
    """Set a uniform, unless this program does without it; matrices (4, 4) go by columns."""
    uniform = program.get(name, None)
    if uniform is None:
        return
    if isinstance(value, np.ndarray):
        columns = value.T if value.shape == (4, 4) else value
        uniform.write(np.ascontiguousarray(columns, np.float32).tobytes())
    else:
        uniform.value = value
