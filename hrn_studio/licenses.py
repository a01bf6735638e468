"""Whose work HRN Studio is made of: ``resources/licenses.json`` as records.

The manifest of an export, the About box and ``resources/LICENSES.md`` all come from that one file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hrn_studio.errors import ModelDataError


@dataclass(frozen=True, slots=True)
class License:
    """One bundled part or library."""

    name: str
    use: str
    """What it does here, in a few words."""
    license: str
    """SPDX expression where there is one."""
    source: str
    """Address."""
    commercial_use: bool
    """May be used commercially without asking anyone."""
    optional: bool
    """Not installed unless the user does it."""
    bundled: bool
    """Comes inside HRN Studio rather than as a package of its own."""


def read(file: Path) -> tuple[License, ...]:
    """All parts listed in ``file`` (``paths.resources() / "licenses.json"``).

    Raises
    ------
    ModelDataError
        The file is missing or damaged.
    """
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        return tuple(License(**row) for row in rows)
    except (OSError, ValueError, TypeError) as error:
        raise ModelDataError(f"the list of licenses {file} is damaged; install again") from error


def page(parts: Sequence[License]) -> str:
    """``resources/LICENSES.md`` for ``parts``, in Markdown."""
    libraries = [part for part in parts if not part.bundled and not part.optional]
    return f"""# Licenses

HRN Studio itself is Apache-2.0. This page is made from `licenses.json`; change that file.
Everything the default way uses may be used commercially; what may not is optional and never
installed by itself.

## Inside HRN Studio

{_table([part for part in parts if part.bundled])}
## Libraries, installed beside it

{_table(libraries)}
## Only when you add them

{_table([part for part in parts if part.optional])}"""


def _table(parts: Sequence[License]) -> str:
    rows = ["| part | use | license | commercial use |", "|---|---|---|---|"]
    for part in parts:
        allowed = "yes" if part.commercial_use else "**no**"
        rows.append(f"| [{part.name}]({part.source}) | {part.use} | {part.license} | {allowed} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":  # makes the page anew
    _folder = Path(__file__).resolve().parents[1] / "resources"
    (_folder / "LICENSES.md").write_text(page(read(_folder / "licenses.json")), encoding="utf-8")
