"""The 68 iBUG landmarks HRN aligns with, out of those the studio tracks.

Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV-W 2013: jaw from the subject's right to
left, brows, nose, eyes, lips.  Each is the nearest of FaceMesh's 478 points; on the jaw, which has
fewer of them, it lies up to a few millimetres off.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.records import Doubles, Track

JAW = (127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356)
BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
NOSE = (168, 197, 5, 4, 98, 97, 2, 326, 327)
EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87)
FACEMESH = (*JAW, *BROWS, *NOSE, *EYES, *LIPS)


def ibug_points(track: Track, height: int) -> Doubles:
    """(68, 2) landmarks in a picture of ``height`` rows as HRN counts them.

    HRN's pixels are whole numbers at their centres and y runs up from the bottom row: the middle
    of the bottom left pixel is (0, 0), where the studio says (0.5, height - 0.5).
    """
    points = np.asarray(track.points_px[list(FACEMESH)], np.float64) - 0.5
    return np.stack([points[:, 0], height - 1 - points[:, 1]], axis=1)
