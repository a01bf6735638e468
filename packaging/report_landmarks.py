"""Say how surely the tracker points at each part of the face: a table for docs/accuracy.md.

    python packaging/report_landmarks.py [--write]

Reads ``resources/landmarks.npz``, which ``packaging/build_landmarks.py`` measured.  ``--write``
puts the table into the page between its two marks; otherwise it is printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from hrn_studio.face.landmarks import LandmarkEmbedding, load_embedding  # noqa: E402
from hrn_studio.face.model import HeadModel, load_head  # noqa: E402
from hrn_studio.live import facemesh  # noqa: E402

PAGE = ROOT / "docs" / "accuracy.md"
BEGIN, END = "<!-- landmarks -->", "<!-- /landmarks -->"
NAMED: dict[str, Collection[int]] = {
    "lids": (*facemesh.LEFT_EYE, *facemesh.RIGHT_EYE),
    "lips": (*facemesh.LIPS_OUTER, *facemesh.LIPS_INNER),
    "brows": (*facemesh.LEFT_BROW, *facemesh.RIGHT_BROW),
    "irises": (*facemesh.LEFT_IRIS, *facemesh.RIGHT_IRIS),
    "outline": facemesh.OVAL,
}
"""Landmarks that are what they are by definition; the others go by where they lie."""
REGIONS = {"nose": "nose", "forehead": "forehead", "cheeks": "cheeks", "chin": "chin"}
NOTES = {"irises": "on the eyeballs by definition", "outline": "slides; used as an outline only"}


def main() -> None:
    """Print the table, or write it into the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="into docs/accuracy.md")
    options = parser.parse_args()
    found = table(load_embedding(), load_head())
    if not options.write:
        print(found, end="")
        return
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    PAGE.write_text(f"{before}{BEGIN}\n{found}{END}{after}", encoding="utf-8")


def groups(embedding: LandmarkEmbedding, head: HeadModel) -> dict[str, list[int]]:
    """Every landmark's indices by part of the face."""
    found = {name: list(members) for name, members in NAMED.items()}
    taken = {index for members in found.values() for index in members}
    share = {
        name: (head.regions[region][embedding.corners] * embedding.barycentric).sum(1)
        for name, region in REGIONS.items()
    }
    for name in (*REGIONS, "around eyes and mouth, and the rest"):
        found[name] = []
    for index in range(len(embedding.triangles)):
        if index not in taken:
            best = max(share, key=lambda name: share[name][index])
            found[
                best if share[best][index] > 0.3 else "around eyes and mouth, and the rest"
            ].append(index)
    return found


def table(embedding: LandmarkEmbedding, head: HeadModel) -> str:
    """Median and largest spread of each part, in Markdown; surest first."""
    spread = embedding.spread_m.astype(float) * 1000
    parts = {name: m for name, m in groups(embedding, head).items() if m}
    lines = ["| part | landmarks | used | median, mm | largest, mm |", "|---|---|---|---|---|"]
    for name in sorted(parts, key=lambda name: float(np.median(spread[parts[name]]))):
        members = parts[name]
        used = int(embedding.usable[members].sum())
        title = f"{name} ({NOTES[name]})" if name in NOTES else name
        median, largest = np.median(spread[members]), spread[members].max()
        lines.append(f"| {title} | {len(members)} | {used} | {median:.2f} | {largest:.2f} |")
    used_spread = spread[embedding.usable]
    count, all_of_them = len(used_spread), len(spread)
    median, largest = np.median(used_spread), used_spread.max()
    lines.append(
        f"| **all that are used** | {all_of_them} | {count} | {median:.2f} | {largest:.2f} |"
    )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
