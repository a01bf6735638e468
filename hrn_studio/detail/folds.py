"""Folds and wrinkles from shading: relief of one millimetre to two centimetres on a fitted head.

Light that comes from a side makes one flank of a fold bright and the other dark; light from
everywhere makes its bottom dark.  Both are linear in a small displacement ``d``,

    log(seen / expected) = - (grad_n E / E) . grad d  +  beta / s * (d - mean of d within s),

the first being linear shape from shading (Pentland 1990) about the fitted surface under the
estimated light ``E(n)``, the second "dark is deep" (Beeler et al. 2010).  Least squares with a
prior on depth and slope answers it; what is no shading - marks of another hue, hair, lips - has no
weight.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from hrn_studio.detail.filters import weighted_blur
from hrn_studio.detail.shading import BASIS, COSINE
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints

LIMIT_M = 0.0006
_DEEP = 1.0  # log units of darkening per metre of depth and metre of width: beta
_WIDTH_M = 0.0015
_WIDEST_M = 0.012  # standard deviation: what changes more slowly is the fitted shape's business
_NOISE = 0.08
_DEPTH_M = 0.0015
_PINNED_M = 0.0001
_SLOPE = 0.09
_STEPS = 40


def light_gradient(normals: AnyFloats, light: AnyFloats) -> Floats:
    """How irradiance changes with the normal, per unit of itself, tangentially.

    Parameters
    ----------
    normals
        (N, 3) unit, in the light's frame.
    light
        (9,) radiance coefficients of luminance.

    Returns
    -------
    (N, 3) ``grad_n E / E``, in the light's frame, at a right angle to the normal.
    """
    x, y, z = np.asarray(normals, np.float64).T
    c0, c1, c2, c3, c4 = BASIS
    a0, a1, a2 = COSINE
    k = np.asarray(light, np.float64)
    value = a0 * c0 * k[0] + a1 * c1 * (k[1] * y + k[2] * z + k[3] * x)
    value += a2 * c2 * (k[4] * x * y + k[5] * y * z + k[7] * x * z)
    value += a2 * (k[6] * c3 * (3 * z * z - 1) + k[8] * c4 * (x * x - y * y))
    gx = a1 * c1 * k[3] + a2 * (c2 * (k[4] * y + k[7] * z) + 2 * c4 * k[8] * x)
    gy = a1 * c1 * k[1] + a2 * (c2 * (k[4] * x + k[5] * z) - 2 * c4 * k[8] * y)
    gz = a1 * c1 * k[2] + a2 * (c2 * (k[5] * y + k[7] * x) + 6 * c3 * k[6] * z)
    gradient = np.stack([gx, gy, gz], axis=1)
    floor = 0.25 * max(float(np.median(value)), 1e-6)
    gradient /= np.maximum(value, floor)[:, None]
    n = np.stack([x, y, z], axis=1)
    gradient -= (gradient * n).sum(axis=1, keepdims=True) * n
    return np.asarray(gradient, np.float32)


def folds(residual: AnyFloats, weight: AnyFloats, pull: AnyFloats, texel_m: float) -> Floats:
    """Displacement (A, A) in metres.

    Parameters
    ----------
    residual
        (A, A) log of luminance seen over luminance expected.
    weight
        (A, A) 0..1, how far it is shading.
    pull
        (A, A, 2) minus the change of log luminance with a slope of d along +u and along +v,
        the slope measured per texel (so: per metre of d and texel).
    texel_m
        Side of a texel, metres.
    """
    w = np.asarray(weight, np.float32)
    rows, columns = (np.flatnonzero(w.max(axis=k) > 0.01) for k in (1, 0))
    result = np.zeros(w.shape, np.float32)
    if len(rows) < 8 or len(columns) < 8:
        return result
    rim = round(_WIDEST_M / texel_m)
    part = np.s_[
        max(rows[0] - rim, 0) : rows[-1] + 1 + rim, max(columns[0] - rim, 0) : columns[-1] + 1 + rim
    ]
    r, w = np.asarray(residual, np.float32)[part], w[part]
    r = r - weighted_blur(r, np.maximum(w, 1e-3), _WIDEST_M / texel_m)[0]
    r = 0.3 * np.tanh(r / 0.3)
    system = _System(w, np.asarray(pull, np.float32)[part], texel_m)
    depth = _conjugate_gradients(system, system.back(system.weight * r))
    result[part] = LIMIT_M * np.tanh(depth / LIMIT_M)
    return result


class _System:
    """The normal equations as a function; d in metres."""

    def __init__(self, weight: Floats, pull: Floats, texel_m: float) -> None:
        self.weight, self.pull = weight / _NOISE**2, pull
        # What is not seen stays where the fit has it.
        self.firm = 1 / _DEPTH_M**2 + ndimage.minimum_filter(1 - weight, 5) / _PINNED_M**2
        self.sigma = _WIDTH_M / texel_m
        self.deep = _DEEP / _WIDTH_M
        self.texel_m = texel_m

    def __call__(self, d: Floats) -> Floats:
        """The matrix times d."""
        result = self.back(self.weight * self.forth(d)) + self.firm * d
        slope = 1 / (_SLOPE * self.texel_m) ** 2
        for axis in (0, 1):
            step = np.diff(d, axis=axis) * slope
            result -= np.diff(step, axis=axis, prepend=0, append=0)
        return np.asarray(result, np.float32)

    def forth(self, d: Floats) -> Floats:
        """Log luminance that d makes."""
        du, dv = _across(d), _up(d)
        deep = self.deep * (d - ndimage.gaussian_filter(d, self.sigma, mode="constant"))
        return np.asarray(deep - self.pull[..., 0] * du - self.pull[..., 1] * dv, np.float32)

    def back(self, r: Floats) -> Floats:
        """The transpose of :meth:`forth`."""
        deep = self.deep * (r - ndimage.gaussian_filter(r, self.sigma, mode="constant"))
        du, dv = self.pull[..., 0] * r, self.pull[..., 1] * r
        return np.asarray(deep + _across(du) + _up(dv), np.float32)


def _across(d: Floats) -> Floats:
    """Central difference along the columns, zero beyond the rim; its transpose is its negative."""
    result = np.zeros_like(d)
    result[:, :-1] += 0.5 * d[:, 1:]
    result[:, 1:] -= 0.5 * d[:, :-1]
    return result


def _up(d: Floats) -> Floats:
    """The same along +v, against the rows."""
    result = np.zeros_like(d)
    result[1:] += 0.5 * d[:-1]
    result[:-1] -= 0.5 * d[1:]
    return result


def _conjugate_gradients(system: _System, right: Floats) -> Floats:
    """Hestenes and Stiefel 1952, a fixed number of steps from zero."""
    x = np.zeros_like(right)
    residual, direction = right.copy(), right.copy()
    energy = float((residual * residual).sum(dtype=np.float64))
    for _ in range(_STEPS):
        if energy < 1e-20:
            break
        image = system(direction)
        step = energy / float((direction * image).sum(dtype=np.float64))
        x += step * direction
        residual -= step * image
        fresh = float((residual * residual).sum(dtype=np.float64))
        direction = residual + fresh / energy * direction
        energy = fresh
    return x


def slope_vectors(
    vertices: AnyFloats, triangles: Ints, uv: AnyFloats, uv_triangles: Ints
) -> tuple[Doubles, Doubles]:
    """Vectors (T, 3) with ``grad d = first * dd/du + second * dd/dv`` on each triangle."""
    p, q = np.asarray(vertices, np.float64)[triangles], np.asarray(uv, np.float64)[uv_triangles]
    e1, e2 = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    (u1, v1), (u2, v2) = (q[:, 1] - q[:, 0]).T, (q[:, 2] - q[:, 0]).T
    # Duals of e1 and e2 in the triangle's plane, then the chain rule.
    normal = np.cross(e1, e2)
    square = np.maximum((normal * normal).sum(axis=1, keepdims=True), 1e-30)
    one, two = np.cross(e2, normal) / square, np.cross(normal, e1) / square
    return (
        one * u1[:, None] + two * u2[:, None],
        one * v1[:, None] + two * v2[:, None],
    )
