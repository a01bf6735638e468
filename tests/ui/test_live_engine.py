"""What sees the live face, chosen in the settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrn_studio import paths, settings
from hrn_studio.live.regression import load_maps
from hrn_studio.models import live
from hrn_studio.ui.parts import RealParts
from hrn_studio.ui.start import live_engine


@pytest.fixture
def wanted():
    chosen = replace(settings.CameraSettings(), engine="hrn")
    settings.save(settings.Settings(camera=chosen), paths.settings_file())


def test_the_studio_sees_the_face_unless_told_otherwise():
    assert live_engine() == "studio"


def test_hrn_sees_it_only_with_its_weights(wanted, monkeypatch):
    assert live_engine() == "studio"
    monkeypatch.setattr("hrn_studio.ui.start.live_reason", lambda engine: None)
    assert live_engine() == "hrn"


def test_each_regressor_asks_anew(monkeypatch):
    asked = []
    answers = iter(("studio", "hrn"))

    def make(engine, head, embedding):
        asked.append(engine)
        return load_maps()

    monkeypatch.setattr(live, "make_estimator", make)
    parts = RealParts(lambda: next(answers))
    parts.regressor()
    parts.regressor()
    assert asked == ["studio", "hrn"]
