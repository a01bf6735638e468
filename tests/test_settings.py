from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hrn_studio import settings
from hrn_studio.settings import CameraSettings, FitSettings, GuidanceSettings, Settings

CHANGED = Settings(
    camera=CameraSettings(index=2, hfov_deg=72.5, mirror=False),
    fit=FitSettings(texture_px=4096, device="cpu"),
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "new" / "settings.json"
    settings.save(CHANGED, file)
    assert settings.load(file) == (CHANGED, ())
    assert [item.name for item in file.parent.iterdir()] == ["settings.json"]


def test_no_file_is_no_news(tmp_path: Path) -> None:
    assert settings.load(tmp_path / "settings.json") == (Settings(), ())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"[]", b'{"schema_version": 99}'])
def test_a_damaged_file_gives_the_defaults_and_says_so(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_bytes(content)
    loaded, notes = settings.load(file)
    assert loaded == Settings()
    assert len(notes) == 1
    assert str(file) in notes[0]
    assert file.read_bytes() == content


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        ("camera", "index", "first"),
        ("camera", "index", True),
        ("camera", "mirror", 1),
        ("camera", "hfov_deg", None),
        ("fit", "texture_px", 3000),
        ("fit", "texture_px", 2048.0),
        ("fit", "device", "tpu"),
    ],
)
def test_one_wrong_value_costs_only_itself(
    group: str, name: str, value: Any, tmp_path: Path
) -> None:
    file = tmp_path / "settings.json"
    settings.save(CHANGED, file)
    tree = json.loads(file.read_text())
    tree[group][name] = value
    file.write_text(json.dumps(tree))
    loaded, notes = settings.load(file)
    default = getattr(getattr(Settings(), group), name)
    assert loaded == replace(
        CHANGED, **{group: replace(getattr(CHANGED, group), **{name: default})}
    )
    assert len(notes) == 1
    assert f"{group}.{name}" in notes[0]


def test_what_a_newer_version_added_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"schema_version": 1, "camera": {"index": 3, "zoom": 2}, "sound": {}}')
    assert settings.load(file) == (Settings(camera=CameraSettings(index=3)), ())


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.json"
    settings.save(CHANGED, file)

    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(json, "dump", full_disk)
    with pytest.raises(OSError, match="No space left"):
        settings.save(Settings(), file)
    assert settings.load(file) == (CHANGED, ())
    assert len(list(tmp_path.glob("settings.json*"))) == 1


def test_limits_of_the_user_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    own = {"yaw": [-3.0, 3.0, -5.0, 5.0, 1.0]}
    kept = Settings(guidance=GuidanceSettings(limits=own))
    settings.save(kept, file)
    assert settings.load(file) == (kept, ())
    file.write_text('{"schema_version": 1, "guidance": {"limits": {"yaw": "wide"}}}')
    read, notes = settings.load(file)
    assert read.guidance.limits == {}
    assert len(notes) == 1
