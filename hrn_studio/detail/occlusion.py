"""Which directions the head hides from its own skin, and what that does to soft light.

Precomputed radiance transfer (Sloan, Kautz and Snyder 2002): a surface point answers light given
as spherical harmonics with nine numbers, found once from the directions it sees.  Chins, eye
sockets and nostrils then come out dark because of the shape, and the albedo need not explain it.
What hides the sky is skin as well and sends some light back, more of the red: occlusion counts
less by :data:`BOUNCE` (the idea of Jimenez et al. 2016, "Practical real-time strategies for
accurate indirect occlusion").
"""

from __future__ import annotations

import numpy as np

from hrn_studio.detail.shading import COSINE, sh_basis
from hrn_studio.geometry.occlusion import Hidden, hidden_directions, openness, spread_directions
from hrn_studio.records import AnyFloats, Floats

__all__ = ["BOUNCE", "Hidden", "hidden_directions", "openness", "spread_directions", "transfer"]

BOUNCE = (0.45, 0.30, 0.24)
"""Share of the light from a hidden direction that skin returns, for R, G, B."""
_MOST = 0.6  # of even light that occlusion may take


def transfer(normals: AnyFloats, hidden: Hidden, rotation: AnyFloats) -> Floats:
    """What each vertex makes of each light coefficient, in each colour.

    ``(transfer * light).sum(axis=1)`` is irradiance / pi with self-shadowing, where ``light`` is
    that of :mod:`.shading`.  Where nothing is hidden it equals :func:`.shading.shade` exactly:
    only the hidden part is summed over directions.

    Parameters
    ----------
    normals
        (V, 3) unit, head frame; those of the posed expression.
    hidden
        From :func:`hidden_directions`.
    rotation
        (3, 3) from the head frame to the light's.

    Returns
    -------
    (V, 9, 3)
    """
    n = np.asarray(normals, np.float64)
    open_part = sh_basis(n @ np.asarray(rotation).T)
    open_part *= np.repeat(COSINE, (1, 3, 5))
    cosine = np.clip(n @ hidden.directions.T, 0.0, None) * hidden.blocked
    basis = sh_basis(hidden.directions @ np.asarray(rotation).T)
    lost = (4.0 / len(hidden.directions)) * (cosine @ basis)
    # Deep folds are never where the fit has them, so no more than a part is taken away.
    lost *= np.minimum(1.0, _MOST / np.maximum(lost[:, :1] / open_part[:, :1], 1e-9))
    kept = 1.0 - np.array(BOUNCE)
    result = open_part[:, :, None] - lost[:, :, None] * kept
    return np.asarray(result, np.float32)
