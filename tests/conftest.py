"""Fixtures for every test: the user's folders are temporary, optional data is found or skipped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hrn_studio.pipeline import Models
    from hrn_studio.records import Reconstruction

# Before numpy and torch load: how many cores a machine has decides the order of their sums, and so
# the last digits; and on a busy machine several threads wait for each other.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or changes the user's settings, models or cache."""
    monkeypatch.setenv("HRN_STUDIO_DATA", str(tmp_path / "user-data"))
    monkeypatch.setenv("HRN_STUDIO_CACHE", str(tmp_path / "user-cache"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def resources() -> Path:
    """The program's own data."""
    return ROOT / "resources"


@pytest.fixture(scope="session")
def bench_dir() -> Path:
    """The benchmark: images/, gt/, clip.mp4, manifest.json, evaluate.py."""
    return _optional("HRN_BENCH_DIR", SHARED / "bench", "the benchmark pictures are")


@pytest.fixture(scope="session")
def photos_dir() -> Path:
    """Real photographs; for looking at results and for tests that need a real face."""
    return _optional("HRN_PHOTOS_DIR", SHARED / "photos", "the photographs are")


@pytest.fixture(scope="session")
def stills(resources: Path) -> list[Path]:
    """The bundled pictures of one invented person; the first from the front."""
    return sorted((resources / "demo").glob("*.jpg"))


@pytest.fixture(scope="session")
def models() -> Iterator[Models]:
    """Head, landmarks, maps and tracker, loaded once."""
    from hrn_studio.pipeline import Models

    loaded = Models.load()
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def result(models: Models, stills: list[Path]) -> Reconstruction:
    """A rough head of one bundled picture."""
    from hrn_studio.pipeline import Options, finish, read_pictures, reconstruct

    options = Options(stage="coarse", texture_px=256)
    return finish(reconstruct(models, read_pictures(stills[:1]), options))


def _optional(variable: str, default: Path, what: str) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{what} not part of the project; {variable} names their folder")
    return folder
