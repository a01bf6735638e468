"""Wavefront OBJ and MTL: the captured head and the neutral one, sharing a material file.

OBJ has no units and no axes: the header says the units, and Y is up, as every program expects.
Textures are named relative to the file and written with it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hrn_studio import __version__
from hrn_studio.export.asset import Asset
from hrn_studio.export.options import PLAIN, ExportOptions, Space
from hrn_studio.face.appearance import Material
from hrn_studio.records import AnyFloats, Floats


def write_obj(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME.obj`` (captured expression), ``NAME_neutral.obj`` and ``NAME.mtl``."""
    name, space = asset.name, Space(options.space.metres_per_unit)
    files = {f"{name}_neutral.obj": _obj(asset, asset.vertices, asset.normals, "neutral", space)}
    if options.shapes:
        turned, what = asset.captured_normals, "captured expression"
        files[f"{name}.obj"] = _obj(asset, asset.captured, turned, what, space)
    used = {part.material for part in asset.parts}
    named = [m for m in asset.materials if m.name in used]
    wanted = {"albedo": any(m.textured for m in named), "normal": any(m.detailed for m in named)}
    for role in (role for role, use in wanted.items() if use and role in asset.textures):
        files[asset.texture_file(role)] = asset.textures[role].png
    return files | {f"{name}.mtl": _mtl(asset)}


def _obj(asset: Asset, vertices: Floats, normals: Floats, what: str, space: Space) -> bytes:
    lines = [
        f"# {asset.name}, {what}; HRN Studio {__version__}",
        f"# Units: {space.unit}.  Right-handed, +Y up, the face looks along +Z, +X is the "
        "subject's left.",
        *([f"# {asset.notice}"] if asset.notice else []),
        f"mtllib {asset.name}.mtl",
        *_rows("v", space.points(vertices), 7),
        *_rows("vt", asset.uv, 6),
        *_rows("vn", space.directions(normals), 5),
    ]
    for part in asset.parts:
        lines += [f"o {part.name}", f"usemtl {part.material}", "s 1"]
        v, t = part.triangles + 1, part.uv_triangles + 1
        corners = np.stack([v[:, 0], t[:, 0], v[:, 0], v[:, 1], t[:, 1], v[:, 1]], 1)
        table = np.concatenate([corners, np.stack([v[:, 2], t[:, 2], v[:, 2]], 1)], 1)
        lines += map("f %d/%d/%d %d/%d/%d %d/%d/%d".__mod__, map(tuple, table.tolist()))
    return ("\n".join(lines) + "\n").encode()


def _rows(key: str, values: AnyFloats, digits: int) -> Iterator[str]:
    """``key x y z`` for each row; zero never has a minus sign."""
    table = np.round(values.astype(np.float64), digits) + 0.0
    template = " ".join([key] + [f"%.{digits}f"] * values.shape[1])
    return map(template.__mod__, map(tuple, table.tolist()))


def _mtl(asset: Asset) -> bytes:
    lines = [f"# HRN Studio {__version__}"]
    for material in asset.materials:
        lines += ["", *_material(asset, material)]
    return ("\n".join(lines) + "\n").encode()


def _material(asset: Asset, material: Material) -> Iterator[str]:
    """The classic keys, and the physically based ones most programs read by now."""
    red, green, blue = material.color_linear
    gloss = 1.0 - material.roughness
    yield f"newmtl {material.name}"
    yield "Ka 0 0 0"
    yield f"Kd {red:.4f} {green:.4f} {blue:.4f}"
    yield f"Ks {0.04 + 0.2 * gloss:.4f} {0.04 + 0.2 * gloss:.4f} {0.04 + 0.2 * gloss:.4f}"
    yield f"Ns {1000 * gloss * gloss:.1f}"
    yield "d 1"
    yield "illum 2"
    yield f"Pr {material.roughness:.3f}"
    yield "Pm 0"
    if material.textured and "albedo" in asset.textures:
        yield f"map_Kd {asset.texture_file('albedo')}"
    if material.detailed and "normal" in asset.textures:
        yield f"norm {asset.texture_file('normal')}"
