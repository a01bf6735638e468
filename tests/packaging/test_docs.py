"""What the pages in docs/ promise."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

from hrn_studio.face.landmarks import load_embedding
from hrn_studio.face.model import load_head

MOST_BYTES, ALL_BYTES = 400_000, 2_000_000
"""Of one picture and of all, so that the pages open quickly."""
PATH = re.compile(r"`((?:hrn_studio|packaging|docs|resources|tests)/[\w./]+)`")
LINK = re.compile(r"\]\((?!http)([^)#]*)(?:#([\w½-]+))?\)")


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[Path, str]:
    files = [root / "README.md", *(root / "docs").glob("*.md")]
    return {file: file.read_text(encoding="utf-8") for file in files}


def test_links_lead_somewhere(pages: dict[Path, str]) -> None:
    for page, text in pages.items():
        for target, anchor in LINK.findall(text):
            file = (page.parent / target).resolve() if target else page
            assert file.exists(), f"{page.name}: {target}"
            if anchor:
                assert anchor in _anchors(file.read_text(encoding="utf-8")), (
                    f"{page.name}: {anchor}"
                )


def test_paths_exist(root: Path, pages: dict[Path, str]) -> None:
    named = {name for text in pages.values() for name in PATH.findall(text)}
    assert len(named) > 30
    assert {name for name in named if not (root / name).exists()} == set()


def test_modules_are_named_by_their_folder(root: Path, pages: dict[Path, str]) -> None:
    """In lines such as *`hrn_studio/live/tracker.py`, `_views.py`*."""
    text = pages[root / "docs" / "how-it-works.md"]
    for line in re.findall(r"^\*(`.*`)[^*`]*\*$", text, re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([\w./]+)`", line):
            inside = [name, f"hrn_studio/{name}", f"{folder}/{name}"]
            found = [place for place in inside if (root / place).exists()]
            assert found, f"{name} in: {line}"
            folder = str(Path(found[0]).parent)


def test_the_sources_are_those_the_code_names(root: Path, pages: dict[Path, str]) -> None:
    text = pages[root / "docs" / "how-it-works.md"]
    code = "\n".join(
        file.read_text(encoding="utf-8")
        for folder in ("hrn_studio", "packaging")
        for file in (root / folder).rglob("*.py")
    )
    rows = re.findall(r"^\| [^|]+ \| (.*) \|$", text.split("## Sources")[1], re.MULTILINE)
    assert len(rows) > 8
    for row in rows:
        for paper in row.split("; "):
            author = re.sub(r"^(?:-?[A-Z]\. ?)+", "", paper).split(" ")[0].strip(",")
            assert author in code, author


def test_pictures_are_small_and_wanted(root: Path, pages: dict[Path, str]) -> None:
    folder = root / "docs" / "images"
    sizes = {file.name: file.stat().st_size for file in folder.iterdir()}
    assert max(sizes.values()) < MOST_BYTES
    assert sum(sizes.values()) < ALL_BYTES
    text = "\n".join(pages.values())
    assert {name for name in sizes if f"images/{name})" not in text} == set()
    for name in sizes:
        with Image.open(folder / name) as picture:
            assert min(picture.size) > 300


def test_the_gallery_shows_every_case(root: Path, pages: dict[Path, str]) -> None:
    gallery = _script(root, "build_gallery")
    text = pages[root / "docs" / "gallery.md"]
    for case in gallery.CASES:
        assert gallery.section(case) in text, f"run packaging/build_gallery.py: {case.name}"


def test_the_table_of_landmarks_is_that_of_the_file(root: Path, pages: dict[Path, str]) -> None:
    report = _script(root, "report_landmarks")
    text = pages[root / "docs" / "accuracy.md"]
    written = text.split(report.BEGIN, 1)[1].split(report.END, 1)[0].strip()
    assert written == report.table(load_embedding(), load_head()).strip(), (
        "make it again: python packaging/report_landmarks.py --write"
    )


def _anchors(text: str) -> set[str]:
    """Names of a page's headings as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", title).strip().lower().replace(" ", "-") for title in titles}


def _script(root: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, root / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
