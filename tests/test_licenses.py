from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hrn_studio import licenses
from hrn_studio.errors import ModelDataError


def test_the_page_is_made_from_the_list(resources: Path) -> None:
    parts = licenses.read(resources / "licenses.json")
    assert (resources / "LICENSES.md").read_text(encoding="utf-8") == licenses.page(parts), (
        "make it again: python -m hrn_studio.licenses"
    )


def test_what_is_not_optional_may_be_used_commercially(resources: Path) -> None:
    forbidden = [
        part.name
        for part in licenses.read(resources / "licenses.json")
        if not part.commercial_use and not part.optional
    ]
    assert forbidden == []


def test_every_package_that_gets_installed_is_listed(resources: Path) -> None:
    listed = {canonicalize_name(part.name) for part in licenses.read(resources / "licenses.json")}
    installed = _needed_by("hrn-studio", set())
    missing = {name for name in installed - listed if not re.match("nvidia|cuda|triton", name)}
    assert missing == set()


def test_a_damaged_list_is_named(tmp_path: Path) -> None:
    file = tmp_path / "licenses.json"
    file.write_text('[{"name": "x"}]')
    with pytest.raises(ModelDataError, match=re.escape(str(file))):
        licenses.read(file)


def _needed_by(package: str, seen: set[str]) -> set[str]:
    """The names of everything ``package`` needs here, and what that needs."""
    for line in metadata.requires(package) or []:
        need = Requirement(line)
        name = canonicalize_name(need.name)
        if name not in seen and (need.marker is None or need.marker.evaluate({"extra": ""})):
            seen.add(name)
            _needed_by(name, seen)
    return seen
