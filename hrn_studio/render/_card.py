"""What the graphics card holds of one head."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np

from hrn_studio.records import Bytes, Floats
from hrn_studio.render.scene import Head, Scene


class Uploaded:
    """Buffers and textures of a :class:`Head`; moving it sends 24 bytes a vertex."""

    def __init__(self, context: moderngl.Context, head: Head) -> None:
        count = len(head.vertex)
        self._context = context
        self._vertex = head.vertex
        self._moving = context.buffer(reserve=count * 6 * 4, dynamic=True)
        self._shade = context.buffer(reserve=count * 5 * 4, dynamic=True)
        fixed = np.concatenate(
            [head.tangents, head.uv, head.roughness[:, None], head.detailed[:, None]], 1
        )
        self._fixed = context.buffer(np.ascontiguousarray(fixed, np.float32).tobytes())
        self._index = context.buffer(head.corners.tobytes())
        self._textures = (
            _texture(context, head.albedo_srgb),
            _texture(context, head.normal_map),
        )
        self._arrays: dict[int, moderngl.VertexArray] = {}
        self._shaded: tuple[Floats, Floats] | None = None

    def update(self, scene: Scene) -> None:
        """Send the scene's vertices; colours and shade only when they are other arrays."""
        moving = np.concatenate([scene.vertices, scene.normals], 1)[self._vertex]
        self._moving.write(np.ascontiguousarray(moving, np.float32).tobytes())
        if (
            self._shaded is not None
            and self._shaded[0] is scene.openness
            and self._shaded[1] is scene.tint
        ):
            return
        shade = np.zeros((len(scene.vertices), 5), np.float32)
        shade[:, 0] = scene.openness if len(scene.openness) else 1.0
        if len(scene.tint):
            shade[:, 1:] = scene.tint
        self._shade.write(np.ascontiguousarray(shade[self._vertex]).tobytes())
        self._shaded = (scene.openness, scene.tint)

    def render(self, program: Any) -> None:
        """Draw with a program, whose textures are on units 0 (albedo) and 1 (normal map)."""
        for unit, texture in enumerate(self._textures):
            texture.use(unit)
        key = id(program)
        if key not in self._arrays:
            self._arrays[key] = self._context.vertex_array(
                program,
                [
                    (self._moving, "3f 3f", "in_position", "in_normal"),
                    (self._shade, "1f 4f", "in_open", "in_tint"),
                    (self._fixed, "4f 2f 1f 1f", *_FIXED),
                ],
                self._index,
                skip_errors=True,  # a program that needs less has fewer inputs
            )
        self._arrays[key].render()


_FIXED = ("in_tangent", "in_uv", "in_roughness", "in_detailed")


def _texture(context: moderngl.Context, image: Bytes) -> moderngl.Texture:
    """A texture with row 0 at v = 0, as OpenGL counts."""
    height, width = image.shape[:2]
    texture = context.texture((width, height), 3, image[::-1].tobytes(), alignment=1)
    texture.build_mipmaps()
    texture.filter = (moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR)
    texture.repeat_x = texture.repeat_y = False
    return texture
