"""Paint a texture so that the face, drawn, is the picture: from coarse maps to fine ones.

What no pixel sees is filled by the coarse levels, whose texels are seen by more of them.
"""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor
from torch.nn import functional as F

from hrn_studio.detail.hrn import losses
from hrn_studio.detail.hrn.draw import draw
from hrn_studio.detail.hrn.hierarchy import resized
from hrn_studio.detail.hrn.single import Paint, as_tensor, mask_tensor
from hrn_studio.detail.rasterizer import Rasterizer, rasterize
from hrn_studio.errors import UsageError
from hrn_studio.records import Progress

FIRST = 64
STEPS, RATE, SMOOTH = 100, 1e-2, 0.01


def bake(
    vertices_camera: Tensor,
    triangles: Tensor,
    uv: Tensor,
    paint: Paint,
    size: int,
    rasterizer: Rasterizer = rasterize,
    *,
    steps: int = STEPS,
) -> Generator[Progress, None, Tensor]:
    """A texture (1, 3, size, size) 0..1, light baked in.

    Parameters
    ----------
    vertices_camera, triangles, uv
        (N, 3) in camera space, (T, 3), and (N, 2) one point of the texture per vertex.
    paint
        A crop of any size, and where to believe it.
    size
        64 times a power of two.

    Raises
    ------
    UsageError
        ``size`` is something else.
    """
    levels = size // FIRST
    if size != levels * FIRST or levels < 1 or levels & (levels - 1):
        raise UsageError(f"a texture of {size} px cannot be baked; choose 64, 128, 256, ... px")
    device = uv.device
    target, wanted = as_tensor(paint.image, device), mask_tensor(paint.mask, device)
    with torch.no_grad():
        seen = draw(vertices_camera.detach(), triangles, target.shape[2], rasterizer)
        wanted = wanted * seen.cover
    texture = torch.full((1, 3, FIRST, FIRST), 0.5, device=device)
    side = FIRST
    count = levels.bit_length()
    for level in range(count):
        texture = resized(texture, side).detach().requires_grad_()
        adam = torch.optim.Adam([texture], RATE)
        for step in range(steps):
            drawn = seen.from_map(texture, uv)
            loss = F.mse_loss(drawn * wanted, target * wanted)
            if level < count - 1 or count == 1:
                loss = loss + SMOOTH * losses.variation(texture)
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            if step % 10 == 9:
                done = (level + (step + 1) / steps) / count
                yield Progress("texture", 0.6 + 0.4 * done, f"{side} px")
        side *= 2
    return texture.detach().clamp(0, 1)
