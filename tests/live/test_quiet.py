"""What native code writes to stderr."""

from __future__ import annotations

import os

import pytest

from hrn_studio.live._quiet import quiet


def test_only_known_noise_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet(), quiet():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n")
        os.write(2, b"something new is wrong\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "something new is wrong\nafter\n"


def test_stderr_comes_back_after_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="stop"), quiet():
        raise ValueError("stop")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
