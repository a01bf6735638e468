"""Centre the sampled heads on published measures of real faces.

Sampled heads vary as people do, but their average is nobody's: its nose stands out 13 mm over the
lip where people's noses do 16 to 17, and its chin lies 8 mm behind the lip's root where people's
lie 3.  The mean is moved, along the identity components and as little as their spread allows,
towards averages of women and men from the literature:

* profile distances from a true vertical through subnasale, with the head's pitch left free:
  Arnett et al., "Soft tissue cephalometric analysis", Am J Orthod Dentofacial Orthop 116 (1999);
* lengths: Zhuang and Bradtmiller, "Head-and-face anthropometric survey of U.S. respirator users",
  J Occup Environ Hyg 2 (2005), and Farkas et al., "International anthropometric study of facial
  morphology", J Craniofac Surg 16 (2005).

Most of these people are of European descent; ``TRUST_MM`` lets the mean stop short of their values,
nearer to the sampled heads of everywhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

Array = NDArray[Any]

TRUST_MM = 2.0
POINTS: dict[str, tuple[int, ...]] = {
    "glabella": (227, 234),
    "sellion": (132,),
    "pronasale": (5054, 297),
    "subnasale": (343,),
    "labrale_superius": (455, 466),
    "labrale_inferius": (496, 495),
    "sublabiale": (724,),
    "pogonion": (733, 5162),
    "menton": (5296,),
    "alare_left": (7099,),
    "alare_right": (337,),
    "cheilion_left": (7272,),
    "cheilion_right": (527,),
    "zygion_left": (11845,),
    "zygion_right": (5236,),
}
"""Vertices of the MakeHuman base mesh by anthropometric landmark; several are averaged."""
PROFILE_MM = {
    "glabella": -8.2,
    "pronasale": 16.7,
    "labrale_superius": 3.5,
    "labrale_inferius": 1.5,
    "sublabiale": -6.2,
    "pogonion": -3.0,
}
"""Forward of subnasale, in natural head position."""
LENGTHS_MM = {
    ("subnasale", "pronasale"): 19.5,
    ("sellion", "subnasale"): 50.5,
    ("sellion", "menton"): 118.0,
    ("cheilion_right", "cheilion_left"): 50.0,
    ("alare_right", "alare_left"): 36.0,
    ("zygion_right", "zygion_left"): 138.0,
}


def recentre(mean: Array, components: Array, index: Array) -> tuple[Array, list[str]]:
    """Identity coefficients of the new mean, and what it measures.

    Parameters
    ----------
    mean, components
        (V, 3) and (I, V, 3), metres; symmetric and antisymmetric components.
    index
        Row of ``mean`` for each vertex of the MakeHuman base mesh.
    """
    rows = {name: index[list(vertices)] for name, vertices in POINTS.items()}
    mirror_free = np.array([abs(c[rows["pronasale"], 0]).max() < 1e-5 for c in components])
    used = np.flatnonzero(mirror_free)
    at = {n: (mean[r].mean(0), components[used][:, r].mean(1)) for n, r in rows.items()}

    def measures(x: Array) -> dict[str, float]:
        p = {n: (m + np.tensordot(x[:-1], c, 1)) * 1000 for n, (m, c) in at.items()}
        forward = np.array([0, np.sin(x[-1]), np.cos(x[-1])])
        found = {n: float((p[n] - p["subnasale"]) @ forward) for n in PROFILE_MM}
        lengths = {f"{a} to {b}": float(np.linalg.norm(p[a] - p[b])) for a, b in LENGTHS_MM}
        return found | lengths

    target = np.array([*PROFILE_MM.values(), *LENGTHS_MM.values()])

    def residuals(x: Array) -> Array:
        return np.concatenate([(np.array([*measures(x).values()]) - target) / TRUST_MM, x[:-1]])

    found = least_squares(residuals, np.zeros(len(used) + 1)).x
    before, after = measures(np.zeros(len(used) + 1)), measures(found)
    coefficients = np.zeros(len(components))
    coefficients[used] = found[:-1]
    report = [
        f"{name}: {before[name]:.1f} -> {after[name]:.1f} mm (published {t:.1f})"
        for name, t in zip(after, target, strict=True)
    ]
    return coefficients, report
