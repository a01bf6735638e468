from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from hrn_studio import __version__, cli
from hrn_studio.commands import demo, reconstruct, studio
from hrn_studio.errors import NoFaceError


def run_with(error: BaseException, monkeypatch: pytest.MonkeyPatch, *argv: str) -> int:
    def fail(_: argparse.Namespace) -> int:
        raise error

    monkeypatch.setattr(reconstruct, "run", fail)
    return cli.main([*argv, "reconstruct", "a.jpg", "-o", "out"])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"hrn-studio {__version__}\n"


def test_a_problem_of_the_user_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_with(NoFaceError("no face in a.jpg; use another"), monkeypatch) == 2
    assert capsys.readouterr().err == "hrn-studio: no face in a.jpg; use another\n"


def test_debug_shows_where_it_comes_from(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_with(NoFaceError("no face"), monkeypatch, "--debug") == 2
    assert "Traceback" in capsys.readouterr().err


def test_stopping_is_not_a_crash(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_with(KeyboardInterrupt(), monkeypatch) == 130
    assert capsys.readouterr().err == "hrn-studio: stopped; nothing was written\n"


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        run_with(ZeroDivisionError(), monkeypatch)


@pytest.mark.parametrize("argv", [["nonsense"], ["reconstruct"], ["reconstruct", "a.jpg"]])
def test_wrong_use_is_explained(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(argv)
    assert stop.value.code == 2
    assert "usage: hrn-studio" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "out"), [([], demo.OUT), (["--debug"], demo.OUT), (["demo", "-o", "x"], Path("x"))]
)
def test_the_demo_is_reconstructed(
    argv: list[str], out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "demo").mkdir()
    for name in ("b.jpg", "a.jpg", "clip.mp4"):
        (tmp_path / "demo" / name).touch()
    monkeypatch.setattr(demo.paths, "resources", lambda: tmp_path)
    monkeypatch.setattr(studio, "has_display", lambda: False)
    seen: list[argparse.Namespace] = []

    def take(args: argparse.Namespace) -> int:
        seen.append(args)
        return 0

    monkeypatch.setattr(reconstruct, "run", take)
    assert cli.main(argv) == 0
    assert seen[0].images == [tmp_path / "demo" / "a.jpg", tmp_path / "demo" / "b.jpg"]
    assert seen[0].out == out
    assert not seen[0].each


def test_a_missing_demo_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo.paths, "resources", lambda: tmp_path)
    monkeypatch.setattr(studio, "has_display", lambda: False)
    assert cli.main([]) == 2
    assert "demo's pictures are missing" in capsys.readouterr().err


def test_the_window_opens_where_there_is_a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def take(args: argparse.Namespace) -> int:
        seen.append(list(args.files))
        return 0

    monkeypatch.setattr(studio, "has_display", lambda: True)
    monkeypatch.setattr(studio, "run", take)
    assert cli.main([]) == 0
    assert cli.main(["studio", "a.mp4"]) == 0
    assert seen == [[], ["a.mp4"]]


def test_help_loads_nothing_slow() -> None:
    code = (
        "import sys, hrn_studio.cli as cli; cli.parser().format_help();"
        "print([m for m in ('torch', 'cv2', 'mediapipe', 'moderngl', 'numba', 'scipy', 'numpy',"
        " 'PySide6') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_openmp_waits_passively_before_anything_loads() -> None:
    code = (
        "import hrn_studio, os, sys; print(os.environ['OMP_WAIT_POLICY'], 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["PASSIVE", "False"]
