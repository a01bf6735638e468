"""What sees the live face, chosen in the settings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrn_studio import paths, settings
from hrn_studio.live.regression import load_maps
from hrn_studio.models import live
from hrn_studio.ui.form_page import camera_page
from hrn_studio.ui.parts import RealParts
from hrn_studio.ui.start import live_engine, live_network, make_window
from hrn_studio.ui.widgets.controls import Segmented


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

    def make(engine, head, embedding, network):
        asked.append((engine, network))
        return load_maps()

    monkeypatch.setattr(live, "make_estimator", make)
    parts = RealParts(lambda: next(answers), lambda: True)
    parts.regressor()
    parts.regressor()
    assert asked == [("studio", True), ("hrn", False)]  # HRN has nothing to do with the network


@pytest.fixture
def network_wanted():
    chosen = replace(settings.CameraSettings(), network=True)
    settings.save(settings.Settings(camera=chosen), paths.settings_file())


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)


def test_the_face_network_looks_when_asked():
    assert not live_network()


def test_the_face_network_looks_when_the_settings_say_so(network_wanted):
    assert live_network()


def test_without_its_weights_the_tracker_goes_on_alone(network_wanted, no_network):
    assert not live_network()


def test_the_log_says_that_the_weights_are_missing(network_wanted, qapp, parts, monkeypatch):
    missing = "the face network is missing; install HRN Studio again"
    monkeypatch.setattr("hrn_studio.ui.start.network_reason", lambda: missing)
    window = make_window(qapp, parts, paths.settings_file())
    try:
        assert f"{missing}; the tracker and the learned maps go on" in window.studio.log.text()
    finally:
        window.close()


def test_the_settings_tell_why_the_network_cannot_look(qapp, theme, parts, monkeypatch):
    monkeypatch.setattr("hrn_studio.ui.form_page.network_reason", lambda: "it is not here")
    window = make_window(qapp, parts, None)
    try:
        page = camera_page(theme, window.studio)
        row = next(c for c in page.findChildren(Segmented) if c.accessibleName() == "Face network")
        assert not row.button("True").isEnabled()
        assert row.button("True").toolTip() == "It is not here."
    finally:
        window.close()


def test_fits_ask_the_network_as_the_settings_say(qapp, parts, monkeypatch):
    window = make_window(qapp, parts, None)
    try:
        assert not window.studio.fit_choice().network
        window.studio.change("fit", network=True)
        assert window.studio.fit_choice().network
        monkeypatch.setattr("hrn_studio.ui.studio.network_reason", lambda: "it is not here")
        assert not window.studio.fit_choice().network
    finally:
        window.close()
