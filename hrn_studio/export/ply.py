"""PLY with a colour at every vertex: for scanning tools, measuring and meshing programs."""

from __future__ import annotations

import numpy as np

from hrn_studio import __version__
from hrn_studio.export.asset import Asset
from hrn_studio.export.options import PLAIN, ExportOptions
from hrn_studio.geometry.uv import sample
from hrn_studio.records import Bytes


def write_ply(asset: Asset, options: ExportOptions = PLAIN) -> dict[str, bytes]:
    """``NAME.ply``: the captured head, and ``NAME_neutral.ply``; binary, little-endian."""
    return {
        f"{asset.name}.ply": _ply(asset, options, captured=True),
        f"{asset.name}_neutral.ply": _ply(asset, options, captured=False),
    }


def _ply(asset: Asset, options: ExportOptions, captured: bool) -> bytes:
    space = options.space
    triangles = np.concatenate([part.triangles for part in asset.parts])
    rows = np.zeros(
        len(asset.vertices), [("position", "<f4", 3), ("normal", "<f4", 3), ("color", "u1", 3)]
    )
    rows["position"] = space.points(asset.captured if captured else asset.vertices)
    rows["normal"] = space.directions(asset.captured_normals if captured else asset.normals)
    rows["color"] = vertex_colors(asset)
    faces = np.zeros(len(triangles), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, triangles
    forward = "+Z" if space.up == "y" else "-Y"
    head = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment {asset.name}, {'captured' if captured else 'neutral'}; HRN Studio {__version__}",
        f"comment units: {space.unit}; +{space.up.upper()} up, the face looks along {forward}, "
        "+X is the subject's left",
        *([f"comment {asset.notice}"] if asset.notice else []),
        f"element vertex {len(rows)}",
        *(f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz")),
        *(f"property uchar {name}" for name in ("red", "green", "blue")),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    text = "".join(line + "\n" for line in head).encode("ascii", "replace")
    return text + rows.tobytes() + faces.tobytes()


def vertex_colors(asset: Asset) -> Bytes:
    """(V, 3) sRGB from the albedo, or of the material where there is none.

    A vertex on a texture seam gets the mean of its places in the texture.
    """
    total = np.zeros((len(asset.vertices), 3))
    count = np.zeros(len(asset.vertices))
    materials = {material.name: material for material in asset.materials}
    albedo = asset.textures.get("albedo")
    for part in asset.parts:
        at = np.unique(np.stack([part.triangles.ravel(), part.uv_triangles.ravel()], 1), axis=0)
        if materials[part.material].textured and albedo is not None:
            colors = sample(albedo.pixels.astype(np.float32), asset.uv[at[:, 1]])
        else:
            linear = np.array(materials[part.material].color_linear)
            curve = 1.055 * linear ** (1 / 2.4) - 0.055
            plain = np.where(linear <= 0.0031308, 12.92 * linear, curve)
            colors = np.broadcast_to(255 * plain, (len(at), 3)).astype(np.float32)
        np.add.at(total, at[:, 0], colors)
        np.add.at(count, at[:, 0], 1)
    mean = total / np.maximum(count, 1)[:, None]
    return np.asarray(np.rint(np.clip(mean, 0, 255)), np.uint8)
