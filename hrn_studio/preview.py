"""``preview.png``: one sheet that shows whether a head is right.

Above: the photograph, the fitted mesh on it, the textured head from two sides.  Below: clay from
the front, three-quarter and side, and the textured head from the side.  Everything but the
photograph shows the captured expression with the head pose removed, through a 50 mm lens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hrn_studio.errors import StudioError
from hrn_studio.export.images import png
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.transforms import apply, project, rigid, rotation_from_angles
from hrn_studio.records import AnyFloats, Bytes, Camera, Doubles, Floats, Maps, Reconstruction, View
from hrn_studio.render import software
from hrn_studio.render.outlines import outlines
from hrn_studio.render.scene import Head, Look, Scene, make_head

CELL = (484, 580)
GAP = 13
CAPTION = 30
BACKGROUND = (58, 60, 63)
_CELL_BACKGROUND = (74, 76, 79)
_INK = (222, 224, 226)
_LINE = (92, 225, 255)
_DISTANCE_M = 0.55
_MARGIN = 1.08
_MAP_PX = 2048

_LEAST_OPEN = {
    "sclera": 0.45,
    "iris": 0.45,
    "pupil": 0.45,
    "inner_mouth": 0.15,
    "enamel": 0.35,
    "gums": 0.25,
    "eye_sockets": 0.25,
}

Painter = Callable[[Scene], Bytes]


def make_preview(
    reconstruction: Reconstruction, head: HeadModel, paint: Painter | None = None
) -> Bytes:
    """The sheet as an RGB picture, about 2000 px wide.

    Parameters
    ----------
    paint
        Draws a scene to (H, W, 4); by default OpenGL, or software where there is none.
    """
    if paint is None:
        with painter() as paint:
            return make_preview(reconstruction, head, paint)
    view = reconstruction.views[0]
    drawn = make_head(head, reconstruction.neutral, _smaller(reconstruction.maps))
    base = _base(drawn, head, view)
    front, side = _portrait(head, view.vertices, 0.0), _portrait(head, view.vertices, 90.0)
    quarter = _portrait(head, view.vertices, 40.0)
    photo_camera = _crop(view, head)
    photo = _photo(view, photo_camera)

    def shown(pose: tuple[Camera, Doubles], look: Look) -> Bytes:
        camera, T_camera_head = pose
        return _over(
            paint(replace(base, camera=camera, T_camera_head=T_camera_head, look=look)),
            np.full((camera.height, camera.width, 3), _CELL_BACKGROUND, np.uint8),
        )

    posed = replace(base, camera=photo_camera, T_camera_head=view.state.T_camera_head)
    lines = outlines(head, view.vertices, photo_camera, view.state.T_camera_head)
    fitted = _over(paint(posed), photo, 0.62)
    rows = [
        [
            (f"photograph: {view.frame.name}", photo),
            ("fitted mesh", _inked(fitted, lines)),
            ("textured", shown(front, Look.TEXTURED)),
            ("textured", shown(quarter, Look.TEXTURED)),
        ],
        [
            ("clay", shown(front, Look.CLAY)),
            ("clay", shown(quarter, Look.CLAY)),
            ("clay", shown(side, Look.CLAY)),
            ("textured", shown(side, Look.TEXTURED)),
        ],
    ]
    return _sheet(rows)


@contextmanager
def painter() -> Iterator[Painter]:
    """Something that draws scenes: OpenGL if this machine has it."""
    try:
        from hrn_studio.render.context import NoOpenGLError, standalone_context
        from hrn_studio.render.renderer import Renderer

        context = standalone_context()
    except (ImportError, StudioError):
        yield software.image
        return
    renderer = Renderer(context)

    def paint(scene: Scene) -> Bytes:
        try:
            return renderer.image(scene)
        except NoOpenGLError:  # a driver that promised more than it can do
            return software.image(scene)

    try:
        yield paint
    finally:
        context.gc()
        context.release()


def preview_png(reconstruction: Reconstruction, head: HeadModel) -> bytes:
    """The sheet as a PNG file."""
    return png(make_preview(reconstruction, head), srgb=True)


def _smaller(maps: Maps) -> Maps:
    """No more texels than the sheet can show."""
    step = max(1, len(maps.albedo_srgb) // _MAP_PX)
    if step == 1:
        return maps
    return replace(
        maps, albedo_srgb=maps.albedo_srgb[::step, ::step], normal=maps.normal[::step, ::step]
    )


def _base(drawn: Head, head: HeadModel, view: View) -> Scene:
    """The captured head with its shade, to be looked at from anywhere."""
    from hrn_studio.detail.occlusion import hidden_directions, openness

    normals = vertex_normals(view.vertices, head.triangles)
    hidden = hidden_directions(view.vertices, normals, head.triangles)
    open_ = np.array(openness(normals, hidden))
    # What lies behind lids or lips is dark, but a vertex there must not blacken the seen part of
    # its triangles: those of eyes and mouth are large.
    for region, least in _LEAST_OPEN.items():
        if region in head.regions:
            inside = head.regions[region] > 0.5
            open_[inside] = np.maximum(open_[inside], least)
    return Scene(
        drawn,
        view.vertices,
        normals,
        view.state.camera,
        view.state.T_camera_head,
        openness=open_,
    )


def _portrait(head: HeadModel, vertices: Floats, yaw_deg: float) -> tuple[Camera, Doubles]:
    """A camera 55 cm in front of the face that sees the whole head turned by ``yaw_deg``.

    All yaws have the same size and eye level.
    """
    low, high = vertices.min(0).astype(float), vertices.max(0).astype(float)
    middle = 0.5 * (low + high)
    turned = rotation_from_angles(np.radians(yaw_deg), 0.0, 0.0)
    distance = _DISTANCE_M + float(high[2] - middle[2])
    T_camera_head = rigid(turned, np.array([0.0, 0.0, distance]) - turned @ middle)
    width, height = CELL
    tall = _MARGIN * float(high[1] - low[1]) / (distance - 0.3 * float(high[2] - middle[2]))
    wide = _MARGIN * float(high[2] - low[2]) / distance
    focal = min(height / tall, width / wide)
    return Camera(width, height, focal, (width / 2, height / 2)), T_camera_head


def _crop(view: View, head: HeadModel) -> Camera:
    """The photograph's camera, cut and scaled to the head with a margin."""
    camera = view.state.camera
    points = project(apply(view.state.T_camera_head, view.vertices), camera)
    low, high = points.min(0), points.max(0)
    cell, photo, extent = np.array(CELL), np.array([camera.width, camera.height]), high - low
    roomy, full, tight = cell / (1.25 * extent), cell / photo, cell / (1.06 * extent)
    scale = float(min(tight.min(), max(roomy.min(), full.max())))
    spare = photo - cell / scale
    offset = 0.5 * (low + high) - 0.5 * cell / scale
    # beside the head's own middle, but no more of what lies beyond the picture than need be
    inside = np.clip(offset, np.minimum(spare, 0), np.maximum(spare, 0))
    room = 0.5 * cell / scale - 0.53 * extent
    offset = np.clip(inside, offset - room, offset + room)
    center = (np.array(camera.center_px) - offset) * scale
    return Camera(*CELL, camera.focal_px * scale, (float(center[0]), float(center[1])))


def _photo(view: View, crop: Camera) -> Bytes:
    """The part of the photograph that ``crop`` sees; grey outside."""
    camera, image = view.state.camera, Image.fromarray(view.frame.image)
    scale = crop.focal_px / camera.focal_px
    left, top = np.array(camera.center_px) - np.array(crop.center_px) / scale
    box = (left, top, left + crop.width / scale, top + crop.height / scale)
    pad = [
        max(0, int(np.ceil(v))) for v in (-left, -top, box[2] - image.width, box[3] - image.height)
    ]
    if any(pad):
        size = (image.width + pad[0] + pad[2], image.height + pad[1] + pad[3])
        wider = Image.new("RGB", size, _CELL_BACKGROUND)
        wider.paste(image, (pad[0], pad[1]))
        image = wider
        box = (box[0] + pad[0], box[1] + pad[1], box[2] + pad[0], box[3] + pad[1])
    small = image.resize((crop.width, crop.height), Image.Resampling.LANCZOS, box=box)
    return np.asarray(small, np.uint8)


def _over(picture: Bytes, ground: Bytes, strength: float = 1.0) -> Bytes:
    """A picture (H, W, 4), whose colours are premultiplied, laid over (H, W, 3)."""
    cover = picture[..., 3:].astype(np.float32) * np.float32(strength / 255)
    mixed = picture[..., :3] * np.float32(strength) + ground * (1 - cover)
    return np.asarray(np.rint(np.clip(mixed, 0, 255)), np.uint8)


def _inked(picture: Bytes, lines: AnyFloats) -> Bytes:
    share = (0.9 * lines)[..., None]
    return np.asarray(
        np.rint(picture * (1 - share) + np.array(_LINE, np.float32) * share), np.uint8
    )


def _sheet(rows: list[list[tuple[str, Bytes]]]) -> Bytes:
    width, height = CELL
    size = (
        GAP + len(rows[0]) * (width + GAP),
        GAP + len(rows) * (height + CAPTION + GAP),
    )
    sheet = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(17)
    for row, cells in enumerate(rows):
        for column, (caption, picture) in enumerate(cells):
            x, y = GAP + column * (width + GAP), GAP + row * (height + CAPTION + GAP)
            sheet.paste(Image.fromarray(picture), (x, y))
            text = caption if len(caption) < 50 else caption[:48] + "…"
            draw.text((x + 2, y + height + 6), text, _INK, font)
    return np.asarray(sheet, np.uint8)
