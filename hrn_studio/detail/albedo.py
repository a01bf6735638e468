"""What light left behind in the albedo, taken out: shine, cast shadows, uneven brightness.

Works on logs, so that a factor is a difference, and on brightness and hue apart: a shadow changes
brightness, a mole both.  Only what is larger than a mole is touched.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from hrn_studio.detail.atlas import mirrored
from hrn_studio.detail.creases import creases, without
from hrn_studio.detail.filters import blur, enlarge, fill, pool, smoothstep, weighted_blur
from hrn_studio.detail.light import LUMINANCE
from hrn_studio.detail.zones import Zones
from hrn_studio.records import AnyFloats, Doubles, Floats, Ints

_BROAD_M = 0.024
"""Skin's own brightness is compared with its surroundings at this scale ..."""
_PATCH_M = 0.005
"""... and at this one: smaller marks are left alone."""
_SPECK_M = 0.0025
"""Highlights are found and changed at this scale."""
_SHINE = 0.10
"""Log units: how much brighter than its surroundings skin may be."""
_SHADE = 0.12
"""How much darker a patch may be, unless it is bearded."""
_TINT = 0.10
"""How far a patch's hue may differ."""
_FLATTEN = 0.5
"""Share of broad, symmetric differences of brightness that is removed."""
_FLATTEN_HUE = 0.7
_HAIR = 0.32
"""A streak on the forehead that is this much darker than skin is hair."""
_SMEAR = 0.2
"""The same for a patch of a centimetre, blurred hair or its shadow."""
_APART = 0.2
"""How far (log) the neck's brightness may be from the face's."""
_ALIEN = 0.4
"""Outside the face, a hue this far from the face's (log units) is no skin."""
_ROUGH = 0.08
"""Log units: root mean square of the hue's fine differences that skin has at most."""
_DIM = (0.25, 0.25)
"""Log units: how far from the plain skin beside it the nose and the skin around the lips may be as
they are, and how much beyond that they are bent to at most."""
_DULL_LIP = 0.25
"""How much brighter than lips are as a rule a part of them may be: more is wet, or a tooth."""
_HOPELESS = (1.1, 0.6)
"""Log units of brightening beyond which a picture shows nothing, and up to which it does."""
_GREY = LUMINANCE.astype(np.float32)


def skin_only(albedo: AnyFloats, trust: AnyFloats, zone: Zones, texel_m: float) -> Floats:
    """Trust without the hair and the clothes that the mask let through; (A, A) 0..1."""
    known = np.asarray(trust, np.float32)
    weight = known * zone.plain
    bright = _bright(albedo)
    base, support = weighted_blur(bright, weight, _BROAD_M / texel_m)
    around, _ = weighted_blur(bright, np.maximum(known, 1e-3), 0.0012 / texel_m)
    dark = smoothstep(0.7 * _HAIR, 1.3 * _HAIR, base - around)
    wide, _ = weighted_blur(bright, np.maximum(known, 1e-3), 0.004 / texel_m)
    dark = np.maximum(dark, smoothstep(0.7 * _SMEAR, 1.3 * _SMEAR, base - wide))
    dark = dark * (support > 1e-3) * zone.above
    hue = np.log(np.maximum(np.asarray(albedo, np.float32), 0.004)) - bright[..., None]
    hues, _ = weighted_blur(hue, np.maximum(known, 1e-3), 0.002 / texel_m)
    typical = (hue * weight[..., None]).sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
    alien = smoothstep(0.6 * _ALIEN, _ALIEN, np.abs(hues - typical).max(axis=2))
    alien *= smoothstep(0.6, 0.3, zone.face)
    odd = ndimage.grey_opening(np.maximum(dark, alien) * (known > 0), size=3)
    odd = ndimage.grey_dilation(odd, size=2 * max(round(0.0025 / texel_m), 1) + 1)
    away = blur(odd, 0.002 / texel_m) * np.maximum(zone.above, smoothstep(0.8, 0.4, zone.face))
    return np.asarray(known * (1 - np.clip(away, 0, 1)) * (1 - zone.ears), np.float32)


def cleaned(
    albedo: AnyFloats,
    seen: AnyFloats,
    zone: Zones,
    mirror: Ints,
    skin: Doubles,
    texel_m: float,
    hard: float = 0.0,
) -> Floats:
    """The albedo without what is more likely light than skin.

    Parameters
    ----------
    albedo
        (A, A, 3) linear.
    seen
        (A, A) 0..1, how far it is to be believed.
    mirror
        (A, A) from :meth:`.atlas.Atlas.mirror`.
    skin
        (3,) the typical colour.
    texel_m
        Side of a texel on the face, metres.
    hard
        0..1 how far part of the face lay in a lamp's shadow, :func:`.groundwork.hardness`.
    """
    known = np.asarray(seen, np.float32)
    weight = known * zone.plain
    bright = _bright(albedo)
    hue = np.log(np.maximum(np.asarray(albedo, np.float32), 0.004)) - bright[..., None]

    if hard > 0:
        bare = known * zone.face * (1 - zone.brows)
        bright, hue = _unspeckled(bright, hue, bare, weight, hard, texel_m)
    folding = _folding(known, zone)
    lines = creases(bright, folding, texel_m)
    bright, hue = bright + lines, without(hue, lines, folding)
    broad = _BROAD_M / texel_m
    lips, ample, room = known * zone.lips, np.full_like(known, 3), 1 - 0.7 * zone.eyes
    bright, hue = _without_shine(bright, hue, weight, known * (1 - zone.lips), room, broad, texel_m)
    bright, hue = _without_shine(bright, hue, lips, lips, ample, 0.4 * broad, texel_m)
    bright = bright + _evened(bright, weight, known, mirror, texel_m)
    lids = known * zone.face * (1 - zone.plain)
    bright = bright + _evened(bright, lids, lids, mirror, texel_m, spare=0.2) * (1 - zone.plain)
    hue = hue + np.stack(
        [0.5 * _evened(hue[..., k], weight, known, mirror, texel_m, lift=0) for k in range(3)], -1
    )
    bright, hue = _lit_corners(bright, hue, weight, known, zone, texel_m)
    bright, hue = _dry_lips(bright, hue, lips)
    bright = bright + _patches(bright, hue, weight, known, skin, texel_m)
    typical = (hue * weight[..., None]).sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
    wide, support = weighted_blur(hue - typical, weight, broad)
    hue = hue - _FLATTEN_HUE * smoothstep(0.0, 0.1, support)[..., None] * wide
    patch, _ = weighted_blur(hue - typical, weight, _PATCH_M / texel_m)
    # Skin blushes; a patch that is greyer or bluer is more likely a shadow's.
    room = np.where(patch * (1, 0, -1) < 0, 0.5 * _TINT, _TINT)
    change = room * np.tanh(patch / room) - patch
    hue = hue + _spread(change, weight, texel_m) * (known > 0)[..., None]
    hue = typical + _believable(hue - typical, bright, zone, skin)
    bright, hue = _rim(bright, hue, typical, known, weight, texel_m)
    bright, hue = _outside(bright, hue, zone, skin, typical)
    result = np.exp(bright[..., None] + hue - (hue @ _GREY)[..., None])
    return np.where(known[..., None] > 0, np.clip(result, 0.003, 0.9), 0).astype(np.float32)


def folded(albedo: AnyFloats, seen: AnyFloats, zone: Zones, texel_m: float) -> Floats:
    """(A, A) log units: how much darker the folds in an albedo are, :func:`.creases.creases`."""
    return creases(_bright(albedo), _folding(np.asarray(seen, np.float32), zone), texel_m)


def _folding(known: Floats, zone: Zones) -> Floats:
    """(A, A) 0..1 skin whose dark lines are folds: no brows, lids, lips or nostrils."""
    bare = 1 - np.maximum.reduce([zone.brows, zone.eyes, zone.lips])
    return np.asarray(known * zone.face * bare * smoothstep(0.35, 0.5, zone.open), np.float32)


def repairable(albedo: AnyFloats, clean: AnyFloats) -> Floats:
    """(A, A) 0..1: less where a picture is so dark that brightening it would show its noise only.

    ``clean`` is what :func:`cleaned` makes of ``albedo``, (A, A, 3) linear both.
    """
    return smoothstep(*_HOPELESS, _bright(clean) - _bright(albedo))


def _unspeckled(
    bright: Floats, hue: Floats, known: Floats, plain: Floats, hard: float, texel_m: float
) -> tuple[Floats, Floats]:
    """Smooth hue and brightness where the hue is rough all over a patch.

    Light that grazes skin picks out every pore in red and white; a mole or a beard is rough too,
    but the one is small and the other of one hue.  ``plain`` skin takes most of its usual hue.
    """
    own, _ = weighted_blur(hue, known, _SPECK_M / texel_m)
    rough = weighted_blur(np.square(hue - own).sum(axis=2), known, 2 * _SPECK_M / texel_m)[0]
    share = hard * smoothstep(_ROUGH, 2 * _ROUGH, np.sqrt(rough)) * np.minimum(4 * known, 1)
    sure = plain * (1 - share)
    typical = (hue * sure[..., None]).sum(axis=(0, 1)) / max(float(sure.sum()), 1e-6)
    bare = 0.8 * smoothstep(0.0, 0.3, plain / np.maximum(known, 1e-3))[..., None]
    calm, _ = weighted_blur(bright, known, _SPECK_M / texel_m)
    target = own + bare * (typical - own)
    return bright + share * (calm - bright), hue + share[..., None] * (target - hue)


def _lit_corners(
    bright: Floats, hue: Floats, weight: Floats, known: Floats, zone: Zones, texel_m: float
) -> tuple[Floats, Floats]:
    """Nose and skin around the lips, where shadows and lights lie, held near the skin beside it.

    No hair grows on a nose; beside a beard the skin is dark itself, so a moustache stays.
    """
    bare = 1 - np.maximum.reduce([zone.plain * (1 - zone.nose), zone.brows, zone.eyes])
    own = known * zone.face * bare * (1 - smoothstep(0.2, 0.6, zone.lips))
    beyond, sigma = weight * (1 - zone.nose), 0.5 * _BROAD_M / texel_m
    near, support = weighted_blur(bright, beyond, sigma)
    beside, _ = weighted_blur(hue, beyond, sigma)
    own = own * smoothstep(0.001, 0.02, support)
    away = bright - near
    held = np.where(away < 0, -_held(-away, *_DIM), _held(away, *_DIM))
    doubt = (own * smoothstep(0.0, 0.3, np.abs(away - held)))[..., None]
    return bright + own * (held - away), hue + doubt * (beside - hue)


def _dry_lips(bright: Floats, hue: Floats, lips: Floats) -> tuple[Floats, Floats]:
    """Lips without the small lights on them, and without teeth that the fit took for lips."""
    total = float(lips.sum())
    if total < 1:
        return bright, hue
    middle = float((bright * lips).sum() / total)
    typical = (hue * lips[..., None]).sum(axis=(0, 1)) / total
    over = np.maximum(bright - middle, 0)
    held = _held(over, 0.6 * _DULL_LIP, 0.4 * _DULL_LIP)
    pale = (lips * smoothstep(0.0, 0.2, over - held))[..., None]
    return bright - lips * (over - held), hue + pale * (typical - hue)


def _rim(
    bright: Floats, hue: Floats, typical: Floats, known: Floats, weight: Floats, texel_m: float
) -> tuple[Floats, Floats]:
    """What is barely seen, at a slant or by an outline, differs less from the skin around it."""
    doubt = (
        0.7 * smoothstep(0.9, 0.3, known) * smoothstep(0.0, 0.3, weight / np.maximum(known, 1e-3))
    )
    base, support = weighted_blur(bright, weight, 0.5 * _BROAD_M / texel_m)
    doubt = doubt * (support > 1e-3)
    return bright + doubt * (base - bright), hue + doubt[..., None] * (typical - hue)


def _believable(hue: Floats, bright: Floats, zone: Zones, skin: Doubles) -> Floats:
    """Hues against the typical one, limited to what skin, lips and hair can have.

    In dark pixels, lashes above all, haze and a coloured light leave a hue of their own once the
    light is divided out: the darker, the less it is believed.
    """
    red = 0.16 + 0.5 * zone.lips + 0.1 * (1 - zone.plain)
    limit = np.stack([red, red, np.minimum(red, 0.2)], axis=-1)
    limited = limit * np.tanh(hue / limit)
    middle = float(np.log(np.maximum(skin, 1e-3)) @ LUMINANCE)
    doubt = smoothstep(-0.4, -1.4, bright - middle) * (1 - zone.lips)
    return np.asarray(limited * (1 - 0.85 * doubt[..., None]), np.float32)


def _outside(
    bright: Floats, hue: Floats, zone: Zones, skin: Doubles, typical: Floats
) -> tuple[Floats, Floats]:
    """Neck, ears and scalp, where light and fit are least sure, kept close to the face's colour."""
    away = smoothstep(0.7, 0.2, zone.face)
    middle = float(np.log(np.maximum(skin, 1e-3)) @ LUMINANCE)
    near = middle + _APART * np.tanh((bright - middle) / _APART)
    close = typical + _TINT * np.tanh((hue - typical) / _TINT)
    return bright + away * (near - bright), hue + away[..., None] * (close - hue)


def _bright(albedo: AnyFloats) -> Floats:
    return np.asarray(np.log(np.maximum(np.asarray(albedo, np.float32), 0.004)) @ _GREY)


def _spread(change: Floats, weight: Floats, texel_m: float) -> Floats:
    """A change worked out where ``weight`` is 1, carried on smoothly elsewhere."""
    sure = smoothstep(0.2, 0.8, weight)
    out = fill(change, np.minimum(sure + 1e-4, 1))
    out = blur(out, 0.002 / texel_m)
    share = sure if change.ndim == 2 else sure[..., None]
    return np.asarray(share * change + (1 - share) * out, np.float32)


def _without_shine(
    bright: Floats,
    hue: Floats,
    weight: Floats,
    share: Floats,
    room: AnyFloats,
    sigma: float,
    texel_m: float,
) -> tuple[Floats, Floats]:
    """Highlights held down to a little above their surroundings, and given their hue.

    Only what is smooth is changed, so pores and freckles stay.  The surroundings are what
    ``weight`` (A, A) says, within ``sigma`` texels; ``share`` (A, A) 0..1 says where to act,
    ``room`` how much brighter things may be there, 1 as a rule.
    """
    known = np.maximum(share, 1e-3)
    smooth, _ = weighted_blur(bright, known, _SPECK_M / texel_m)
    robust = weight
    for _ in range(3):
        base, support = weighted_blur(bright, robust, sigma)
        robust = weight / (1 + (np.maximum(smooth - base - _SHINE, 0) / _SHINE) ** 2)
    above = np.where(support > 1e-3, np.maximum(smooth - base, 0), 0)
    typical = (hue * robust[..., None]).sum(axis=(0, 1)) / max(float(robust.sum()), 1e-6)
    around, _ = weighted_blur(hue, robust, 0.4 * sigma)
    own, _ = weighted_blur(hue, known, _SPECK_M / texel_m)
    pale = share * smoothstep(0.7 * _SHINE, 3 * _SHINE, above)
    hue = hue + pale[..., None] * (0.5 * (around + typical) - own)
    bright = bright - share * (above - _held(above, 0.5 * _SHINE, _SHINE * room))
    bright = bright - 0.6 * pale * (bright - weighted_blur(bright, known, _SPECK_M / texel_m)[0])
    over = np.where(support > 1e-3, np.maximum(bright - base, 0), 0)
    return bright - share * (over - _held(over, 2 * _SHINE * room, _SHINE)), hue


def _held(values: Floats, start: float | AnyFloats, room: float | AnyFloats) -> Floats:
    """Values as they are up to ``start``, then bent so as never to exceed ``start + room``."""
    over = np.maximum(values - start, 0)
    return np.asarray(np.minimum(values, start) + room * np.tanh(over / room), np.float32)


def _evened(
    values: Floats,
    weight: Floats,
    known: Floats,
    mirror: Ints,
    texel_m: float,
    lift: float = 0.7,
    spare: float = 0.0,
) -> Floats:
    """What to add so that both sides of the face agree in all that is larger than a mole.

    The difference of the sides goes through a median filter, which drops small marks and keeps
    the edges of shadows.  ``lift`` chooses between the sides' mean (0) and the brighter one (1):
    what is dark on one side only is usually in shadow.  Differences up to ``spare`` stay.
    """
    both = np.minimum(weight, mirrored(weight, mirror))
    factor = 2 if values.shape[0] % 2 == 0 and texel_m < 0.001 else 1
    small, support = pool(values - mirrored(values, mirror), both, factor)
    side = int(np.clip(2 * round(0.004 / (texel_m * factor)) + 1, 3, 11))
    sure = smoothstep(0.1, 0.5, support)
    smooth = ndimage.median_filter(fill(small, sure), size=side, mode="nearest")
    difference = enlarge(blur(smooth, 0.7), factor)
    difference = np.sign(difference) * np.maximum(np.abs(difference) - spare, 0)
    fade = smoothstep(0.02, 0.3, blur(both, 0.008 / texel_m))
    target = -(1 - lift) * difference / 2 + lift * np.maximum(-difference, 0)
    return np.asarray(target * fade * (known > 0), np.float32)


def _patches(
    bright: Floats, hue: Floats, weight: Floats, known: Floats, skin: Doubles, texel_m: float
) -> Floats:
    """What to add so that broad differences halve and patches stay within skin's own range.

    Patches are limited at two scales, the smaller ones only where the hue stays the same: a mole
    changes it, a fold's shadow does not.
    """
    sigma = _BROAD_M / texel_m
    broad, support = weighted_blur(bright, weight, sigma)
    middle = float(np.log(np.maximum(skin, 1e-3)) @ LUMINANCE)
    here = smoothstep(0.0, 0.1, support)
    flatten = -_FLATTEN * here * (broad - middle)
    small = bright - weighted_blur(bright, np.maximum(weight, 1e-3), 0.0015 / texel_m)[0]
    rough = np.sqrt(weighted_blur(small * small, weight, 0.005 / texel_m)[0])
    bearded = smoothstep(0.07, 0.14, rough)
    warm = hue[..., 0] - hue[..., 2]
    warm_around, _ = weighted_blur(warm, weight, sigma)
    rest, change = bright - broad, np.zeros_like(bright)
    for scale, strict in ((1.0, 0.0), (0.5, 1.0)):
        patch, _ = weighted_blur(rest, weight, scale * _PATCH_M / texel_m)
        tint, _ = weighted_blur(warm - warm_around, weight, scale * _PATCH_M / texel_m)
        same = 1 - strict * smoothstep(0.04, 0.10, np.abs(tint))
        limit = np.where(patch < 0, _SHADE, _SHINE)
        held = np.sign(patch) * _held(np.abs(patch), 0.3 * _SHINE, limit)
        part = here * same * (held - patch)
        change += part * (1 - bearded * (patch < 0))
        rest = rest - patch
    return np.asarray((flatten + _spread(change, weight, texel_m)) * (known > 0), np.float32)
