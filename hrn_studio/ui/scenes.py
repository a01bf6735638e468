"""From what is known to what the panes show: scenes of heads, and places of pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import vertex_normals
from hrn_studio.geometry.transforms import AXES_CAMERA_HEAD
from hrn_studio.live.stream import Face
from hrn_studio.records import Floats, Reconstruction
from hrn_studio.render.panes import fitted, mesh_size, pane_camera
from hrn_studio.render.scene import FLAT, Head, Look, Scene, make_head
from hrn_studio.session.state import Result
from hrn_studio.ui import heat
from hrn_studio.ui.heat import Heat
from hrn_studio.ui.options import LookKey, ReviewLook
from hrn_studio.ui.tokens import Tokens
from hrn_studio.ui.view import Orbit, lighting, looking

LOOKS: Mapping[str, Look] = {
    "clay": Look.CLAY,
    "textured": Look.TEXTURED,
    "wireframe": Look.WIREFRAME,
    "normals": Look.NORMALS,
}
_CLAY = (0.43, 0.43, 0.43)
_EDGES_GONE = 0.85
"""Share of a fit after which its mesh is shown without edges."""
_NO_TINT = np.zeros((0, 4), np.float32)
Box = tuple[float, float]
"""Width and height, logical pixels."""


class Heads:
    """Scenes of the live head and of the results; what is costly is made once and kept."""

    def __init__(self, model: HeadModel, tokens: Tokens) -> None:
        self.model = model
        self.tokens = tokens
        self._live: Head | None = None
        self._results: dict[str, Head] = {}
        self._heats: dict[tuple[str, str], Heat] = {}
        self._painted: dict[tuple[str, str], Head] = {}
        self._eyes: Floats | None = None

    def forget(self, keep: set[str]) -> None:
        """Drop what was made for results that are gone."""
        self._results = {k: v for k, v in self._results.items() if k in keep}
        self._heats = {k: v for k, v in self._heats.items() if k[0] in keep}
        self._painted = {k: v for k, v in self._painted.items() if k[0] in keep}

    @property
    def live(self) -> Head:
        if self._live is None:
            self._live = make_head(self.model, self.model.mean)
        return self._live

    @property
    def eyes(self) -> Floats:
        """(V, 4) a tint that gives the clay head irises, so that its gaze can be seen."""
        if self._eyes is None:
            self._eyes = irises(self.model)
        return self._eyes

    def painted(self, result: Result, look: str, colors: Heat) -> Head:
        """A result whose texture is a heat map, without shine."""
        assert colors.image is not None
        key = (result.id, look)
        if key not in self._painted:
            head = self.of(result)
            self._painted[key] = dataclasses.replace(
                head,
                albedo_srgb=colors.image,
                normal_map=np.array([[[128, 128, 255]]], np.uint8),
                roughness=np.ones_like(head.roughness),
            )
        return self._painted[key]

    def has(self, result: Result) -> bool:
        """Whether :meth:`of` answers at once."""
        return result.id in self._results

    def of(self, result: Result) -> Head:
        if result.id not in self._results:
            made = make_head(self.model, result.head.neutral, result.head.maps)
            self._results[result.id] = made
        return self._results[result.id]

    def heat(self, result: Result, look: str) -> Heat | None:
        """Colours of a heat map; None for looks that are none."""
        make = {
            "displacement": heat.displacement,
            "deformation": heat.deformation,
            "confidence": heat.confidence,
            "spread": heat.spread,
        }.get(look)
        if make is None:
            return None
        key = (result.id, look)
        if key not in self._heats:
            self._heats[key] = make(result.head, self.model, self.tokens)
        return self._heats[key]

    # --- scenes ---

    def live_scene(
        self,
        face: Face | None,
        look: LookKey,
        orbit: Orbit,
        key: tuple[float, float, float],
        pane: Box,
        size: tuple[int, int],
        textured: Result | None = None,
    ) -> Scene:
        """The live head as the viewer would see the person; the mean head without a face."""
        seen = face is not None and face.state is not None and len(face.vertices) > 0
        vertices = face.vertices if face is not None and seen else self.model.mean
        pose = None
        if face is not None and face.state is not None:
            pose = AXES_CAMERA_HEAD @ face.state.T_camera_head[:3, :3]
        head = self.of(textured) if textured is not None and look == "textured" else self.live
        view = looking(orbit, self._steady(vertices), size, pane[0], pose)
        return Scene(
            head,
            vertices,
            vertex_normals(vertices, self.model.triangles),
            view.camera,
            view.T_camera_head,
            LOOKS[look],
            lighting(key, fine=False),
            tint=self.eyes if head is self.live else _NO_TINT,
            clay_linear=_CLAY,
        )

    def refining_scene(
        self,
        vertices: Floats,
        done: float,
        orbit: Orbit,
        key: tuple[float, float, float],
        pane: Box,
        size: tuple[int, int],
    ) -> Scene:
        """The head of a running fit; its edges fade as it is ``done`` (0..1)."""
        view = looking(orbit, self._steady(vertices), size, pane[0])
        edges = max(0.0, 1 - done / _EDGES_GONE)
        accent = np.array([int(self.tokens.dark["accent"][i : i + 2], 16) for i in (1, 3, 5)]) / 255
        red, green, blue = (
            edges * float(a) ** 2.2 + (1 - edges) * c for a, c in zip(accent, _CLAY, strict=True)
        )
        return Scene(
            self.live,
            vertices,
            vertex_normals(vertices, self.model.triangles),
            view.camera,
            view.T_camera_head,
            Look.WIREFRAME if edges > 0 else Look.CLAY,
            lighting(key, fine=False),
            tint=self.eyes,
            clay_linear=_CLAY,
            line_linear=(red, green, blue),
        )

    def _steady(self, vertices: Floats) -> Floats:
        """The box that is looked at, so that an opening jaw does not move the view."""
        scale = np.float32(float(np.ptp(vertices[:, 0])) / float(np.ptp(self.model.mean[:, 0])))
        return np.asarray(self.model.mean * scale, np.float32)

    def over_picture(
        self, face: Face, look: LookKey, place: tuple[float, float, float], pane: Box, ratio: float
    ) -> Scene | None:
        """The live head exactly over its picture."""
        if face.state is None or not len(face.vertices):
            return None
        size = mesh_size(*pane, ratio)
        return Scene(
            self.live,
            face.vertices,
            vertex_normals(face.vertices, self.model.triangles),
            pane_camera(face.state.camera, place, pane, size),
            face.state.T_camera_head,
            LOOKS[look],
            lighting(None, fine=False),
            tint=self.eyes,
            clay_linear=_CLAY,
        )

    def photo_scene(
        self, result: Result, place: tuple[float, float, float], pane: Box, size: tuple[int, int]
    ) -> Scene:
        """The fitted head over the photograph it was made from."""
        view = result.head.views[0]
        return Scene(
            self.of(result),
            view.vertices,
            vertex_normals(view.vertices, self.model.triangles),
            pane_camera(view.state.camera, place, pane, size),
            view.state.T_camera_head,
            Look.CLAY,
            lighting(None, fine=True),
            clay_linear=_CLAY,
        )

    def frame_scene(self, result: Result, index: int, side: int) -> Scene:
        """A small picture of where one frame of a fused head differs from the others."""
        made = result.head
        colors = heat.apart(made, index, self.model, self.tokens)
        view = looking(Orbit(), self._steady(made.neutral), (side, side), float(side))
        return Scene(
            self.live,
            made.neutral,
            vertex_normals(made.neutral, self.model.triangles),
            view.camera,
            view.T_camera_head,
            Look.CLAY,
            FLAT,
            tint=colors.tint,
            detail=0.0,
            clay_linear=_CLAY,
        )

    def result_scene(
        self,
        result: Result,
        look: ReviewLook | LookKey,
        stage: str,
        weights: Mapping[str, float],
        orbit: Orbit,
        key: tuple[float, float, float],
        pane: Box,
        size: tuple[int, int],
        fine: bool = True,
    ) -> Scene:
        """A result with an expression, in a look or as a heat map."""
        vertices = expressed(self.model, result.head, stage, weights)
        colors = self.heat(result, look) if look not in LOOKS else None
        drawn = LOOKS.get(look, Look.CLAY)
        head = self.of(result)
        if colors is not None and colors.image is not None:
            head, drawn = self.painted(result, look, colors), Look.TEXTURED
        view = looking(orbit, self._steady(result.head.neutral), size, pane[0])
        scene = Scene(
            head,
            vertices,
            vertex_normals(vertices, self.model.triangles),
            view.camera,
            view.T_camera_head,
            drawn,
            FLAT if colors is not None else lighting(key, fine=fine),
            detail=1.0 if stage == "fine" and colors is None else 0.0,
            clay_linear=_CLAY,
        )
        if colors is None or colors.image is not None:
            return scene
        return dataclasses.replace(scene, tint=colors.tint)


def expressed(
    model: HeadModel, made: Reconstruction, stage: str, weights: Mapping[str, float]
) -> Floats:
    """A result's vertices (V, 3) at a stage with expression weights by name."""
    neutral = made.stages.get(stage, made.neutral)
    values = model.weights(weights) * np.float32(made.scale)
    used = np.flatnonzero(values)
    if not len(used):
        return neutral
    shapes = model.expression[used].reshape(len(used), -1)
    return np.asarray(neutral + (values[used] @ shapes).reshape(-1, 3), np.float32)


def picture_place(image: tuple[int, int], pane: Box, fill: bool) -> tuple[float, float, float]:
    """Where a picture (w, h) lies in a pane; it fills and crops unless it would crop a portrait."""
    return fitted(image, pane, fill)


def irises(model: HeadModel) -> Floats:
    """(V, 4) linear colours: white eyes with a dark iris and a black pupil, nothing elsewhere."""
    tint = np.zeros((model.vertex_count, 4), np.float32)
    for eye in model.eyes:
        ball = model.mean[eye.vertices] - eye.center
        away = np.hypot(ball[:, 0], ball[:, 1])
        front = ball[:, 2] > 0
        shade = np.full(len(ball), 0.55, np.float32)
        shade[front & (away < 0.56 * model.iris_diameter)] = 0.07
        shade[front & (away < 0.18 * model.iris_diameter)] = 0.01
        tint[eye.vertices, :3] = shade[:, None]
        tint[eye.vertices, 3] = 1.0
    return tint
