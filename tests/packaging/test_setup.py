"""What the scripts and the README promise."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture(scope="module")
def project(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def bash() -> str:
    found = shutil.which("bash")
    if found is None:
        pytest.skip("bash is not here")
    return found


def test_every_dependency_is_pinned_to_a_version_it_allows(root: Path, project: dict) -> None:
    lines = (root / "packaging" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    extras = project["project"]["optional-dependencies"].values()
    for line in [
        *project["project"]["dependencies"],
        *(line for extra in extras for line in extra),
    ]:
        wanted = Requirement(line)
        assert pins[canonicalize_name(wanted.name)] in wanted.specifier, line


def test_both_opencv_builds_are_the_same(project: dict) -> None:
    opencv = [line for line in project["project"]["dependencies"] if line.startswith("opencv")]
    assert sorted(line.split("==")[0] for line in opencv) == [
        "opencv-contrib-python",
        "opencv-python",
    ]
    assert len({line.split("==")[1] for line in opencv}) == 1


@pytest.mark.parametrize("script", ["run.sh", "test.sh", "setup.sh"])
def test_scripts_parse(script: str, root: Path, bash: str) -> None:
    subprocess.run([bash, "-n", str(root / "packaging" / script)], check=True)


def test_run_keeps_folder_and_arguments(root: Path, bash: str, tmp_path: Path) -> None:
    """A ready environment is only started, from where the user is."""
    checkout = tmp_path / "a b" / "checkout"
    shutil.copytree(root / "packaging", checkout / "packaging")
    shutil.copy(root / "pyproject.toml", checkout)
    program = checkout / ".venv" / "bin" / "hrn-studio"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!{bash}\npwd\nprintf "<%s>" "$@"\n')
    (program.parent / "python").write_text(f"#!{bash}\nexit 1\n")
    for file in program.parent.iterdir():
        file.chmod(0o755)
    here = tmp_path / "elsewhere"
    here.mkdir()
    stamp = f'source "{checkout}/packaging/setup.sh"; stamp_for >"$VENV/.ready-run"; echo "$VENV"'
    environment = {"PATH": "/usr/bin:/bin"}
    made = subprocess.run(
        [bash, "-c", stamp], env=environment, capture_output=True, text=True, check=True
    )
    assert made.stdout.strip() == str(checkout / ".venv")
    done = subprocess.run(
        [bash, str(checkout / "packaging" / "run.sh"), "reconstruct", "my photo.jpg", "-o", "out"],
        cwd=here,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{here}\n<reconstruct><my photo.jpg><-o><out>"


def test_a_large_torch_is_never_taken_without_a_gpu(root: Path, bash: str, tmp_path: Path) -> None:
    """The registry's wheel needs nvidia packages, so the CPU index is asked instead."""
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    report = '{"install": [{"metadata": {"requires_dist": ["sympy", "nvidia-cudnn-cu13; x"]}}]}'
    python.write_text(
        f"#!{bash}\n"
        'case "$*" in\n'
        f"  *--dry-run*) echo '{report}' ;;\n"
        f'  *"-m pip install"*) echo "$*" >>"{tmp_path}/asked" ;;\n'
        "  *version*) exit 1 ;;\n"
        '  *) exec "$REAL_PYTHON" "$@" ;;\n'
        "esac\n"
    )
    python.chmod(0o755)
    script = f'source "{root}/packaging/setup.sh"; uname() {{ echo Linux; }}; install_torch'
    subprocess.run(
        [bash, "-c", script],
        env={
            "PATH": "/usr/bin:/bin",
            "HRN_STUDIO_VENV": str(tmp_path / "venv"),
            "HRN_STUDIO_TORCH": "cpu",
            "REAL_PYTHON": sys.executable,
        },
        check=True,
    )
    asked = (tmp_path / "asked").read_text().splitlines()
    assert len(asked) == 1
    assert "--index-url https://download.pytorch.org/whl/cpu torch==" in asked[0]
    assert "--no-deps" in asked[0]


def test_the_readme_points_to_what_exists(root: Path) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\]\((?!http)([^)#]+)\)", text))
    named |= set(re.findall(r"`((?:hrn_studio|packaging|docs|resources)/[\w./]+)`", text))
    assert len(named) > 10
    assert {name for name in named if not (root / name).exists()} == set()


def test_the_readme_draws_the_ladder_that_is_checked(root: Path, project: dict) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    drawn = text.split("```\napp | cli", 1)[1].split("```", 1)[0]
    layers = project["tool"]["importlinter"]["contracts"][0]["layers"]
    checked = [re.sub(r"[()]", "", layer) for layer in layers]
    assert re.sub(r"\s+", " ", "app | cli" + drawn).strip().split(" → ") == checked
