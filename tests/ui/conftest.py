"""These tests need a display with OpenGL (xvfb-run); elsewhere they are skipped."""

from __future__ import annotations

import os
import sys

import pytest

from hrn_studio.settings import share_processor

share_processor()


@pytest.fixture(scope="session")
def _display() -> None:
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("no display; run under xvfb-run")


@pytest.fixture(scope="session")
def qapp(_display):
    from hrn_studio.ui.start import application

    return application()


@pytest.fixture
def theme(qapp):
    from hrn_studio.ui.theme import Theme
    from hrn_studio.ui.tokens import load_tokens

    made = Theme(load_tokens())
    made.apply(qapp)
    return made
