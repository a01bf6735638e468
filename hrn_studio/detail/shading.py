"""Light from all around as nine numbers a colour, and the sRGB transfer curve.

A matt surface under distant light is very nearly a quadratic function of its normal: Ramamoorthi
and Hanrahan 2001, "An efficient representation for irradiance environment maps".

Convention
----------
``light`` is (9, C): the coefficients of the **radiance** arriving from each direction, in the
frame of the normals (the camera frame in :class:`hrn_studio.records.View`).  :func:`shade` gives
irradiance / pi, which times a linear albedo is the colour seen: the same light ``L`` from
everywhere (``light[0] = L / 0.282095``, the rest 0) makes a white surface look ``L``.

Each function takes numpy arrays or torch tensors and returns the same kind.
"""

from __future__ import annotations

from typing import Any

# Real spherical harmonics, orthonormal over the sphere (their equation 3) ...
BASIS = (0.282095, 0.488603, 1.092548, 0.315392, 0.546274)
# ... and the clamped cosine's own coefficients, A_l / pi (their equation 8).
COSINE = (1.0, 2 / 3, 1 / 4)


def sh_basis(normals: Any) -> Any:
    """The nine harmonics Y00, Y1-1, Y10, Y11, Y2-2, Y2-1, Y20, Y21, Y22 in given directions.

    Parameters
    ----------
    normals
        (..., 3) unit vectors.

    Returns
    -------
    (..., 9)
    """
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    c0, c1, c2, c3, c4 = BASIS
    columns = [
        0 * x + c0,
        c1 * y,
        c1 * z,
        c1 * x,
        c2 * x * y,
        c2 * y * z,
        c3 * (3 * z * z - 1),
        c2 * x * z,
        c4 * (x * x - y * y),
    ]
    return _library(normals).stack(columns, -1)


def shade(normals: Any, light: Any) -> Any:
    """Irradiance / pi on surfaces facing ``normals``.

    Parameters
    ----------
    normals
        (..., 3) unit vectors in the light's frame.
    light
        (9, C) radiance coefficients.

    Returns
    -------
    (..., C), linear; may be slightly negative under strongly directional light.
    """
    first, second, third = COSINE
    basis = sh_basis(normals)
    return (
        first * basis[..., :1] @ light[:1]
        + second * basis[..., 1:4] @ light[1:4]
        + third * basis[..., 4:] @ light[4:]
    )


def linear_from_srgb(srgb: Any) -> Any:
    """Linear light from sRGB-encoded values, both 0..1 (IEC 61966-2-1)."""
    library = _library(srgb)
    curve = ((library.clip(srgb, 0.04045, None) + 0.055) / 1.055) ** 2.4
    return library.where(srgb <= 0.04045, srgb / 12.92, curve)


def srgb_from_linear(linear: Any) -> Any:
    """sRGB-encoded values from linear light, both 0..1 (IEC 61966-2-1)."""
    library = _library(linear)
    curve = 1.055 * library.clip(linear, 0.0031308, None) ** (1 / 2.4) - 0.055
    return library.where(linear <= 0.0031308, 12.92 * linear, curve)


def _library(values: Any) -> Any:
    if type(values).__module__ == "torch":
        import torch

        return torch
    import numpy as np

    return np
