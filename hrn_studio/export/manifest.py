"""``manifest.json``: what the files are, what they were made from, and how.

The same reconstruction and files give the same manifest, but for ``created`` and ``timings_s``.
Lengths are metres unless a key says otherwise.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from hrn_studio import __version__
from hrn_studio.export.arkit import ARKIT_NAMES
from hrn_studio.export.asset import Asset
from hrn_studio.export.readmes import eye_distance_m
from hrn_studio.export.textures import Texture
from hrn_studio.face.model import HeadModel
from hrn_studio.geometry.transforms import angles_from_rotation
from hrn_studio.licenses import License
from hrn_studio.records import AnyFloats, Reconstruction, View

SCHEMA_VERSION = 1
_LIBRARIES = ("numpy", "scipy", "numba", "torch", "mediapipe", "opencv-python", "pillow")


def make_manifest(
    reconstruction: Reconstruction,
    head: HeadModel,
    name: str,
    assets: Sequence[Asset],
    files: Sequence[Mapping[str, Any]],
    *,
    licenses: Sequence[License],
    options: Mapping[str, Any],
    export: Mapping[str, Any],
    created: str,
) -> dict[str, Any]:
    """The manifest as plain JSON values.

    Parameters
    ----------
    name
        Of the head.
    assets
        What was written, one for each level of detail; at least one.
    files
        One :func:`describe_file` for each file written, this one left out.
    options
        What the user asked for (texture size, stage, seed, ...), as plain values.
    export
        How it was written, as plain values.
    created
        ISO 8601 time.
    """
    asset = assets[0]
    written = {entry["name"] for entry in files}
    textures = {
        one.texture_file(role): (role, one) for one in reversed(assets) for role in one.textures
    }
    morphs = [morph.name for morph in asset.morphs]
    known = {morph.arkit for morph in asset.morphs}
    return {
        "schema_version": SCHEMA_VERSION,
        "name": name,
        "created": created,
        "units": "metres",
        "axes": {
            "handedness": "right",
            "up": "+Y",
            "forward": "+Z, the way the face looks",
            "subject_left": "+X",
            "origin": "on the skull's mid-plane, between the centres of the eyes",
        },
        "scale": {"source": reconstruction.scale_source, "value": _short(reconstruction.scale)},
        "geometry": _geometry(reconstruction, head, asset),
        "morphs": {
            "names": morphs,
            "missing_arkit": [name for name in ARKIT_NAMES if name not in known],
        },
        "maps": {
            role if one is asset else f"{role} of {one.name}": _map(file, one.textures[role])
            for file, (role, one) in textures.items()
            if file in written
        },
        "levels": {one.name: _size(one) for one in assets},
        "frames": [
            {
                "name": report.name,
                "used": report.used,
                "note": report.reason,
                "residual_px": _short(report.residual_px),
                "weight": _short(report.weight),
            }
            for report in reconstruction.reports
        ],
        "views": [_view(view) for view in reconstruction.views],
        "notes": list(reconstruction.notes),
        "options": dict(options),
        "export": dict(export),
        "timings_s": {
            stage: round(float(value), 3) for stage, value in reconstruction.timings_s.items()
        },
        "head_model": {"name": head.name, "licence": head.licence},
        "licences": [
            {"name": part.name, "licence": part.license, "source": part.source, "use": part.use}
            for part in licenses
            if part.bundled
        ],
        "versions": versions(),
        "files": list(files),
    }


def manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    """JSON text, two blanks deep, in the order given; refuses numbers that are not finite."""
    return (json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def describe_file(name: str, content: bytes) -> dict[str, Any]:
    """Name, size and SHA-256 of one file."""
    return {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def versions() -> dict[str, str]:
    """Of this program, Python, and the libraries that had a part in the result."""
    found = {"hrn-studio": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _map(file: str, texture: Texture) -> dict[str, Any]:
    size = {"size_px": texture.pixels.shape[0], "bits": 8 * texture.pixels.dtype.itemsize}
    return {"file": file, **size, **texture.coding}


def _size(asset: Asset) -> dict[str, int]:
    return {
        "vertices": len(asset.vertices),
        "texture_vertices": len(asset.uv),
        "triangles": sum(len(part.triangles) for part in asset.parts),
    }


def _geometry(reconstruction: Reconstruction, head: HeadModel, asset: Asset) -> dict[str, Any]:
    low, high = asset.vertices.min(0), asset.vertices.max(0)
    result: dict[str, Any] = {
        **_size(asset),
        "parts": {part.name: len(part.triangles) for part in asset.parts},
        "bounds_m": {"min": _list(low), "max": _list(high), "size": _list(high - low)},
        "spread_mm": {
            "median": _short(float(np.median(reconstruction.spread_mm))),
            "p95": _short(float(np.percentile(reconstruction.spread_mm, 95))),
        },
    }
    distance = eye_distance_m(asset)
    if distance:
        result["eye_distance_m"] = _short(distance)
    return result


def _view(view: View) -> dict[str, Any]:
    state, camera = view.state, view.state.camera
    yaw, pitch, roll = np.degrees(angles_from_rotation(state.T_camera_head[:3, :3]))
    return {
        "name": view.frame.name,
        "notes": list(view.frame.notes) + list(view.track.notes),
        "camera": {
            "width_px": camera.width,
            "height_px": camera.height,
            "focal_px": _short(camera.focal_px),
            "center_px": [_short(value) for value in camera.center_px],
            "hfov_deg": _short(camera.hfov_deg),
            "source": camera.source,
        },
        "head_pose": {
            "yaw_deg": _short(yaw),
            "pitch_deg": _short(pitch),
            "roll_deg": _short(roll),
            "distance_m": _short(float(np.linalg.norm(state.T_camera_head[:3, 3]))),
            "T_camera_head": [_list(row) for row in state.T_camera_head],
        },
        "residual_px": _short(state.residual_px),
    }


def _short(value: float) -> float:
    """Six significant digits, so that the file is read by people too."""
    return float(f"{float(value):.6g}")


def _list(values: AnyFloats) -> list[float]:
    return [_short(value) for value in values.tolist()]
