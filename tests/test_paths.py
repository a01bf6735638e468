from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hrn_studio import paths


def test_resources_are_those_of_the_checkout(resources: Path) -> None:
    assert paths.resources() == resources


def test_an_installed_wheel_has_its_own_resources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hrn_studio" / "_resources").mkdir(parents=True)
    monkeypatch.setattr(paths, "__file__", str(tmp_path / "hrn_studio" / "paths.py"))
    assert paths.resources() == tmp_path / "hrn_studio" / "_resources"


def test_a_frozen_build_has_them_in_its_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "_MEIPASS", str(tmp_path), raising=False)
    assert paths.resources() == tmp_path / "resources"


@pytest.mark.parametrize(
    ("platform", "cache", "data"),
    [
        ("linux", "xdg-cache/hrn-studio", "home/.local/share/hrn-studio"),
        ("darwin", "home/Library/Caches/hrn-studio", "home/Library/Application Support/hrn-studio"),
        ("win32", "local/hrn-studio/Cache", "local/hrn-studio"),
    ],
)
def test_user_folders_follow_the_platform(
    platform: str, cache: str, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HRN_STUDIO_CACHE", "HRN_STUDIO_DATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg-cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    monkeypatch.setattr(sys, "platform", platform)
    assert paths.cache_dir() == tmp_path / cache
    assert paths.user_data_dir() == tmp_path / data
    assert paths.settings_file().parent == paths.user_data_dir()


def test_a_variable_moves_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HRN_STUDIO_DATA", str(tmp_path / "mine"))
    assert paths.user_models_dir() == tmp_path / "mine" / "models"


def test_asking_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HRN_STUDIO_CACHE", str(tmp_path / "a"))
    monkeypatch.setenv("HRN_STUDIO_DATA", str(tmp_path / "b"))
    paths.cache_dir()
    paths.user_models_dir()
    assert list(tmp_path.iterdir()) == []
