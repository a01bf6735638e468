"""What no picture shows: the other side's skin, then skin of the same colour all over.

First the mirrored texel, shifted in tone so that it meets the seen skin without an edge (the
membrane of Pérez et al. 2003, "Poisson image editing", by push-pull).  Where neither side was
seen, a colour that is smooth over the head itself, across texture seams, from a sparse system on
the mesh: harmonic, with a slight pull to the typical skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from hrn_studio.detail.atlas import Atlas, mirrored
from hrn_studio.detail.filters import blur, fill, smoothstep, weighted_blur
from hrn_studio.detail.light import LUMINANCE
from hrn_studio.detail.zones import Zones
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.mesh import edges
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints, frozen

_PULL = 2e-3  # towards the typical skin, against one neighbour's colour
_RIM = 5.0  # texels of a 512 atlas from the edge of the seen skin that are not sure to be skin
_FADE = 8.0  # over which the seen skin ends
_HAIRY = (0.03, 0.12)  # log units darker than the skin beyond from which such a rim is left out
_REACH = 14.0  # texels of a 512 atlas over which a mismatch at the border fades


@dataclass(frozen=True, slots=True, eq=False)
class Completion:
    """A recipe for every texel: seen, mirrored, or invented; all (A, A, ...)."""

    seen: Floats
    """0..1 share of the seen albedo."""
    from_mirror: Floats
    """0..1 share of the mirrored one in the rest."""
    mirror_gain: Floats
    """(A, A, 3) factor on the mirrored albedo."""
    base: Floats
    """(A, A, 3) linear colour of what is invented."""

    def __post_init__(self) -> None:
        for name in ("seen", "from_mirror", "mirror_gain", "base"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float32))


def complete(
    head: HeadModel,
    atlas: Atlas,
    mirror: Ints,
    albedo: AnyFloats,
    seen: AnyFloats,
    quality: AnyFloats,
    zone: Zones,
    skin: Doubles,
) -> Completion:
    """How to fill the skin's texels.

    Parameters
    ----------
    mirror
        (A, A) from :meth:`.atlas.Atlas.mirror`.
    albedo, seen
        (A, A, 3) linear, (A, A) 0..1.
    quality
        (A, A) 0..1, how squarely each texel is seen.
    zone
        Seen skin lends its colour to the unseen only where it is plain.
    skin
        (3,) linear, what far regions tend to.
    """
    unit = atlas.size / 512
    plain = zone.plain
    # A side seen at a slant gives way to the other one when that faces the lens.
    better = mirrored(quality, mirror)
    slant = smoothstep(0.40, 0.70, quality / np.maximum(better, 0.1))
    share = smoothstep(0.25, 0.95, seen) * slant
    log = np.log(np.maximum(np.asarray(albedo, np.float32), 0.004))

    other, there = mirrored(log, mirror), mirrored(share, mirror)
    both = np.minimum(share, there) * np.minimum(plain, mirrored(plain, mirror))
    shift = fill(*_with_zeros(log - other, both, 0.02))
    gain = np.exp(np.clip(blur(shift, 2 * unit), -0.7, 0.7))
    from_mirror = smoothstep(0.1, 1.0, there)

    known = share + (1 - share) * from_mirror
    mixed = share[..., None] * log + ((1 - share) * from_mirror)[..., None] * (other + np.log(gain))
    mixed /= np.maximum(known, 1e-6)[..., None]
    # What lies at the rim of the seen skin is half hair or outline, and lends no colour.
    inner = smoothstep(0.55, 0.95, blur(np.minimum(known, 1), _RIM * unit))
    sure = known * plain * np.maximum(inner, 0.02)
    smooth, support = weighted_blur(mixed, sure, 5 * unit)
    base = _over_the_head(head, atlas, smooth, smoothstep(0.02, 0.5, support), np.log(skin))
    rest, _ = weighted_blur(mixed - base, sure, _REACH * unit)
    near = smoothstep(0.0, 0.5, blur(sure, _REACH * unit))
    base = base + near[..., None] * rest
    darker = (base - mixed) @ LUMINANCE.astype(np.float32)
    hairy = blur((1 - inner) * plain * (known > 0) * smoothstep(*_HAIRY, darker), 1.5 * unit)
    hairy = np.maximum(
        hairy, plain * smoothstep(0.95, 0.5, blur(np.minimum(known, 1), _FADE * unit))
    )
    share, from_mirror = share * (1 - hairy), from_mirror * (1 - mirrored(hairy, mirror))
    lips = _lips(mixed, known * zone.lips, zone.lips, np.log(skin), unit)
    base = np.exp(base + smoothstep(0.2, 0.8, zone.lips)[..., None] * (lips - base))
    return Completion(share, from_mirror, gain, base)


def _lips(log: Floats, known: Floats, lips: Floats, skin: Doubles, unit: float) -> Floats:
    """(A, A, 3) log colour for lips that no picture shows: that of the lips seen, else usual."""
    usual = (skin + np.log((0.72, 0.47, 0.50))).astype(np.float32)
    near, support = weighted_blur(log, known, 6 * unit)
    share = smoothstep(0.02, 0.3, support)[..., None]
    total = float(known.sum())
    mean = (log * known[..., None]).sum(axis=(0, 1)) / max(total, 1e-6)
    sure = total / (total + 0.1 * float(lips.sum()) + 1e-6)
    return np.asarray(share * near + (1 - share) * (sure * mean + (1 - sure) * usual), np.float32)


def _with_zeros(values: Floats, weight: Floats, doubt: float) -> tuple[Floats, Floats]:
    """Values drawn towards zero where little supports them."""
    share = weight / (weight + doubt)
    return values * share[..., None], np.maximum(weight, doubt)


def _over_the_head(
    head: HeadModel, atlas: Atlas, values: AnyFloats, weight: AnyFloats, far: Doubles
) -> Floats:
    """Colours at texels, continued smoothly over the mesh; (A, A, 3)."""
    rows = np.clip(((1 - head.uv[:, 1]) * atlas.size).astype(int), 0, atlas.size - 1)
    columns = np.clip((head.uv[:, 0] * atlas.size).astype(int), 0, atlas.size - 1)
    count = head.vertex_count
    vertex, texture = head.triangles.ravel(), head.uv_triangles.ravel()
    w = np.asarray(weight, np.float64)[rows, columns]
    sums = np.bincount(vertex, w[texture], count)
    colour = (
        np.stack(
            [
                np.bincount(
                    vertex, w[texture] * np.asarray(values)[rows, columns, k][texture], count
                )
                for k in range(3)
            ],
            axis=1,
        )
        / np.maximum(sums, 1e-9)[:, None]
    )
    trust = 10 * sums / np.maximum(np.bincount(vertex, minlength=count), 1)

    pairs = edges(head.triangles)
    lengths = np.linalg.norm(head.mean[pairs[:, 0]] - head.mean[pairs[:, 1]], axis=1)
    pull = np.minimum(0.004 / np.maximum(lengths, 1e-4), 10.0)
    graph = sparse.coo_matrix((pull, (pairs[:, 0], pairs[:, 1])), (count, count))
    graph = (graph + graph.T).tocsr()
    degree = np.asarray(graph.sum(axis=1)).ravel()
    system = sparse.diags(degree + trust + _PULL) - graph
    solved = splu(system.tocsc()).solve(trust[:, None] * colour + _PULL * far)
    return atlas.interpolate(solved, head.triangles)
