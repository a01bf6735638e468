"""A tiny head for tests: the same kind of thing as the real one, made in a few lines.

A face-like dome of 5 x 7 vertices with a nose, plus two octahedral eyes that turn.
"""

from __future__ import annotations

import numpy as np

from hrn_studio.face.model import Eye, HeadModel
from hrn_studio.records import AnyFloats, Doubles

EXPRESSIONS = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookUpLeft", "mouthSmileLeft")
WIDTH, HEIGHT, DEPTH = 0.14, 0.20, 0.06
EYE_RADIUS = 0.012


def tiny_head() -> HeadModel:
    """47 vertices, 64 triangles, 4 identity components, 5 expressions, named as in the real one."""
    across, up = 5, 7
    x, y = np.meshgrid(np.linspace(-1, 1, across), np.linspace(1, -1, up))
    x, y = x.ravel(), y.ravel()
    dome = np.stack(
        [x * WIDTH / 2, y * HEIGHT / 2 - 0.03, DEPTH * (1 - 0.5 * x**2 - 0.4 * y**2) - 0.04], 1
    )
    nose = np.exp(-((x / 0.3) ** 2) - ((y + 0.1) / 0.3) ** 2)
    dome[:, 2] += 0.02 * nose
    i = np.arange(across * up).reshape(up, across)
    a, b, c, d = (q.ravel() for q in (i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]))
    # The diagonals run up towards the middle, so that the halves mirror each other.
    left = np.tile(np.arange(across - 1) < (across - 1) // 2, up - 1)[:, None]
    first = np.where(left, np.stack([a, b, d], 1), np.stack([a, b, c], 1))
    second = np.where(left, np.stack([b, c, d], 1), np.stack([a, c, d], 1))
    skin = np.concatenate([first, second])

    corners = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0], [0, 0, -1.0]])
    ring = [1, 2, 3, 4]
    ball = np.array(
        [f for k in range(4) for f in ([0, ring[k], ring[k - 3]], [5, ring[k - 3], ring[k]])]
    )
    centers = np.array([[0.032, 0, -0.002], [-0.032, 0, -0.002]])
    flips = np.array([[1, 1, 1], [-1, 1, 1]])
    start = len(dome)
    mean = np.concatenate(
        [dome, *(c + EYE_RADIUS * corners * f for c, f in zip(centers, flips, strict=True))]
    )
    triangles = np.concatenate([skin, ball + start, ball[:, ::-1] + start + 6])
    count = len(mean)

    def offsets(
        dx: AnyFloats | float = 0.0, dy: AnyFloats | float = 0.0, dz: AnyFloats | float = 0.0
    ) -> Doubles:
        moved = np.zeros((count, 3))
        for k, value in enumerate((dx, dy, dz)):
            moved[:start, k] = value
        return moved

    centre_moves = np.zeros((4, 3))
    identity = np.stack(
        [
            offsets(dx=0.05 * dome[:, 0]),
            offsets(dy=0.05 * dome[:, 1]),
            offsets(dz=0.004 * nose),
            offsets(dz=0.003 * x**2),
        ]
    )
    sides = []
    for side, (label, center) in enumerate(zip(("Left", "Right"), centers, strict=True)):
        span = slice(start + 6 * side, start + 6 * side + 6)
        moves = centre_moves.copy()
        moves[0, 0] = 0.05 * center[0]
        identity[:, span] = moves[:, None]
        sides.append(Eye(label, span, center, moves, EYE_RADIUS))
    lower = np.clip(-y, 0, 1) ** 2
    lid = {s: np.exp(-(((x - s * 0.46) / 0.3) ** 2) - ((y - 0.35) / 0.25) ** 2) for s in (1, -1)}
    mouth = np.exp(-(((x - 0.4) / 0.3) ** 2) - ((y + 0.5) / 0.2) ** 2)
    expression = np.stack(
        [
            offsets(dy=-0.02 * lower, dz=-0.004 * lower),
            offsets(dy=-0.004 * lid[1]),
            offsets(dy=-0.004 * lid[-1]),
            offsets(dy=0.002 * lid[1]),
            offsets(dx=0.005 * mouth, dy=0.006 * mouth),
        ]
    )
    mirror = np.concatenate([i[:, ::-1].ravel(), np.arange(6) + start + 6, np.arange(6) + start])
    flat = np.stack([0.5 + 0.4 * x, 0.5 + 0.4 * y], 1)
    disks = [np.array([u, 0.05]) + 0.03 * corners[:, :2] * f for u, f in ((0.3, 1), (0.7, -1))]
    skin_part = np.zeros(len(skin), np.uint8)
    return HeadModel(
        name="tiny",
        licence="Apache-2.0",
        mean=mean,
        identity=identity.astype(np.float32),
        expression=expression.astype(np.float32),
        expression_names=EXPRESSIONS,
        triangles=triangles,
        uv=np.concatenate([flat, *disks]),
        uv_triangles=triangles,
        part_names=("skin", "eye_left", "eye_right"),
        triangle_part=np.concatenate([skin_part, np.repeat(np.array([1, 2], np.uint8), len(ball))]),
        regions={
            "face": np.pad(np.ones(start), (0, 12)),
            "lips": np.pad(np.exp(-((x / 0.4) ** 2) - ((y + 0.5) / 0.15) ** 2), (0, 12)),
        },
        symmetry=mirror,
        eyes=tuple(sides),
    )
