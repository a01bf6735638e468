"""The nouns of HRN Studio: frozen records that cross every border.

What flows: ``Frame -> Track -> FaceState -> Reconstruction -> Asset`` (the last lives in
:mod:`hrn_studio.export.asset`).  Arrays in a record are read-only; a record is never changed,
only replaced.

Convention
----------
* Lengths are metres, angles radians unless a name says ``_deg``; times are seconds.
* The **head frame** is right-handed: +X is the subject's left, +Y up, +Z the way the face looks.
  Its origin is on the skull's mid-plane, between the centres of the eyes.
* The **camera frame** is OpenCV's: +X right, +Y down, +Z forward, origin in the optical centre.
  A point (0, 0, 0.6) lies 60 cm in front of the lens.
* ``T_camera_head`` maps head to camera: ``p_camera = T_camera_head @ p_head``.
* Images are RGB, row 0 at the top; pixel ``(x, y) = (0.5, 0.5)`` is the centre of the first one.
* UV: ``u`` right, ``v`` **up**, both 0..1 (as OBJ); a UV image has row 0 at ``v = 1``.
* Left and right are the subject's.

Dimension letters: H W picture, L landmarks, V vertices, T triangles, U texture vertices,
I identity components, E expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]
Bytes: TypeAlias = NDArray[np.uint8]
Bools: TypeAlias = NDArray[np.bool_]
AnyFloats: TypeAlias = NDArray[np.floating[Any]]


def frozen(array: NDArray[Any], dtype: Any = None) -> NDArray[Any]:
    """A C-contiguous, read-only array with the values of ``array``; copies only when it must.

    An array that is writeable is copied, so that its owner can go on changing it.
    """
    result = np.ascontiguousarray(array, dtype=dtype)
    if result.flags.writeable:
        if result is array or result.base is not None:
            result = result.copy()
        result.flags.writeable = False
    return result


def _freeze(record: object, **dtypes: Any) -> None:
    for name, dtype in dtypes.items():
        object.__setattr__(record, name, frozen(getattr(record, name), dtype))


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole camera without distortion (OpenCV axes, pixels)."""

    width: int
    height: int
    focal_px: float
    """Focal length, the same along x and y."""
    center_px: tuple[float, float]
    """Principal point (x, y)."""
    source: str = "default"
    """Where the focal length comes from: ``exif``, ``user``, ``default``, ``distance`` (the default
    would put the face too near) or ``estimated`` (from several pictures)."""

    @classmethod
    def from_hfov(cls, width: int, height: int, hfov_deg: float, source: str = "default") -> Camera:
        """A camera that sees ``hfov_deg`` across ``width`` pixels, looking through the middle.

        A 1280 px wide picture at 60 degrees has a focal length of 1108.5 px.
        """
        focal = 0.5 * width / float(np.tan(np.radians(hfov_deg) / 2))
        return cls(width, height, focal, (width / 2, height / 2), source)

    @property
    def hfov_deg(self) -> float:
        """Horizontal field of view in degrees."""
        return float(np.degrees(2 * np.arctan(0.5 * self.width / self.focal_px)))

    @property
    def matrix(self) -> Doubles:
        """Intrinsics, (3, 3)."""
        cx, cy = self.center_px
        return np.array([[self.focal_px, 0, cx], [0, self.focal_px, cy], [0, 0, 1]])


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture as it came in."""

    image: Bytes
    """(H, W, 3) RGB, sRGB-encoded."""
    index: int = 0
    time_s: float = 0.0
    """Monotonic time of capture; 0 for a still."""
    name: str = "frame"
    """For people: the file's name, or ``camera``."""
    focal_35mm: float | None = None
    """Focal length in millimetres on 36 x 24 mm film, when the file says so (EXIF)."""
    notes: tuple[str, ...] = ()
    """What was done to the picture on the way in, in words (rotated, scaled down, ...)."""

    def __post_init__(self) -> None:
        _freeze(self, image=np.uint8)

    @property
    def width(self) -> int:
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        return int(self.image.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """Where a tracker sees the face in one frame."""

    points_px: Floats
    """(L, 2) landmarks, x right and y down from the picture's top left corner."""
    depth_px: Floats
    """(L,) relative depth in pixels, smaller is nearer; the tracker's guess, zero mean."""
    frame_index: int = 0
    time_s: float = 0.0
    confidence: float = 1.0
    """0..1"""
    faces: int = 1
    """Faces seen; the largest is the one tracked."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """ARKit expression scores 0..1 by name, when the tracker gives them; else empty."""
    notes: tuple[str, ...] = ()
    """What the user should know, in words (for example: the largest of two faces was taken)."""
    scatter_px: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    """(L,) how far looks at the same face disagree, one standard deviation along an axis; empty
    when the tracker looked once."""

    def __post_init__(self) -> None:
        _freeze(self, points_px=np.float32, depth_px=np.float32, scatter_px=np.float32)

    @property
    def size_px(self) -> float:
        """Width or height of the landmarks' box, whichever is larger."""
        return float(np.ptp(self.points_px, axis=0).max())


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """What a head model needs to make a head."""

    identity: Floats
    """(I,) in standard deviations."""
    expression: Floats
    """(E,) 0..1, in the order of the head model's expression names."""
    gaze: Floats = field(default_factory=lambda: np.zeros((2, 2), np.float32))
    """(2, 2): left eye, right eye; yaw (towards the subject's left) and pitch (up), radians,
    relative to the head."""

    def __post_init__(self) -> None:
        _freeze(self, identity=np.float32, expression=np.float32, gaze=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """What a learned regressor says of one face, and how sure it is."""

    identity: Floats
    """(I,) the first I components, in standard deviations."""
    identity_sigma: Floats
    """(I,) standard deviation of its error."""
    expression: Floats
    """(E,) 0..1"""
    expression_sigma: Floats
    """(E,)"""
    evidence: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    """(E,) what speaks for each expression, the person's face at rest not yet taken out
    (:mod:`hrn_studio.live.expressions`); empty when the regressor has none."""

    def __post_init__(self) -> None:
        _freeze(
            self,
            evidence=np.float32,
            identity=np.float32,
            identity_sigma=np.float32,
            expression=np.float32,
            expression_sigma=np.float32,
        )


@dataclass(frozen=True, slots=True, eq=False)
class FaceState:
    """One frame's face: coefficients, pose and camera."""

    coefficients: Coefficients
    T_camera_head: Doubles
    """(4, 4) rigid, metres."""
    camera: Camera
    scale: float = 1.0
    """Size of the head against the model's own: head metres = scale * model metres."""
    scale_source: str = "population_mean"
    """``iris``, ``measured_ipd`` or ``population_mean``."""
    residual_px: float = 0.0
    """Root mean square distance of the landmarks to the fitted ones."""
    time_s: float = 0.0

    def __post_init__(self) -> None:
        _freeze(self, T_camera_head=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A triangle mesh with its own texture vertices."""

    vertices: Floats
    """(V, 3) metres."""
    triangles: Ints
    """(T, 3) into vertices, counter-clockwise seen from outside."""
    uv: Floats
    """(U, 2)"""
    uv_triangles: Ints
    """(T, 3) into uv, parallel to triangles."""

    def __post_init__(self) -> None:
        _freeze(self, vertices=np.float32, triangles=np.int32, uv=np.float32, uv_triangles=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Pictures over the UV square, all (S, S, ...), row 0 at v = 1."""

    albedo_srgb: Bytes
    """(S, S, 3) light divided out, sRGB-encoded, every texel filled."""
    normal: Floats
    """(S, S, 3) unit tangent-space normals, +Y along +v (OpenGL)."""
    displacement: Floats
    """(S, S) metres along the smooth normal of the fitted mesh."""
    confidence: Floats
    """(S, S) 0..1: 1 seen well by the cameras, 0 invented."""
    deformation: Floats
    """(D, D, 3) metres in the head frame: what was added to the coarse head."""

    def __post_init__(self) -> None:
        _freeze(
            self,
            albedo_srgb=np.uint8,
            normal=np.float32,
            displacement=np.float32,
            confidence=np.float32,
            deformation=np.float32,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """One step of a long task."""

    stage: str
    """``coarse``, ``mid``, ``fine``, ``texture`` or ``export`` in a fit."""
    fraction: float
    """0..1 of the whole task."""
    message: str = ""
    vertices: Floats | None = None
    """(V, 3) the neutral head as far as it has come, metres; None when it is as it was."""

    def __post_init__(self) -> None:
        if self.vertices is not None:
            _freeze(self, vertices=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class FrameReport:
    """What became of one input picture."""

    name: str
    used: bool
    reason: str = ""
    """Why it was not used, or what was noted; empty when there is nothing to say."""
    residual_px: float = 0.0
    weight: float = 1.0
    """How much it counted against the others, 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture of a reconstruction, with its face placed in it."""

    frame: Frame
    track: Track
    state: FaceState
    vertices: Floats
    """(V, 3) the fitted head with this picture's expression, head frame, metres."""
    light: Floats
    """(9, 3) second-order spherical harmonics in the camera frame, linear RGB."""
    mask: Floats
    """(H, W) 0..1: 1 where the picture shows skin that may be believed."""
    apart_mm: Floats = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    """(V, 3) how the coarse head that this picture alone gives differs from the mean of all
    pictures' heads, millimetres; (0, 3) when there is one picture."""

    def __post_init__(self) -> None:
        _freeze(self, vertices=np.float32, light=np.float32, mask=np.float32, apart_mm=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Reconstruction:
    """A finished head and what it was made from."""

    neutral: Floats
    """(V, 3) fitted head without expression, head frame, metres (all parts of the model)."""
    views: tuple[View, ...]
    """The pictures used; the first is the one shown in previews."""
    coefficients: Coefficients
    scale: float
    scale_source: str
    maps: Maps
    spread_mm: Floats
    """(V,) disagreement of the views along the surface, millimetres; zeros for one view."""
    stages: Mapping[str, Floats]
    """Neutral heads (V, 3) by stage: ``coarse``, ``mid``, ``fine``."""
    timings_s: Mapping[str, float]
    reports: tuple[FrameReport, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _freeze(self, neutral=np.float32, spread_mm=np.float32)
