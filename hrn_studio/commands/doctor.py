"""``hrn-studio doctor``: what works on this machine, in plain words."""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from hrn_studio import __version__, paths, settings
from hrn_studio.commands import Commands, probes
from hrn_studio.commands.probes import Finding
from hrn_studio.errors import ModelDataError

TRIALS: dict[str, probes.Probe] = {
    "OpenGL": probes.opengl,
    "torch": probes.torch,
    "nvdiffrast": probes.nvdiffrast,
    "numba": probes.numba,
    "Face tracker": probes.tracker,
    "Camera": probes.cameras,
    "Window": probes.window,
}


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser(
        "doctor",
        help="say what works on this machine",
        description="Try every part HRN Studio needs and say what works. Exits with 0 when the "
        "default way works, else with 1.",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    findings = examine()
    print(as_json(findings) if args.json else as_text(findings))
    return 1 if any(finding.state == "broken" for finding in findings) else 0


def examine() -> list[Finding]:
    """Everything that was tried; takes about ten seconds."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        tried = [pool.submit(probes.isolated, *trial) for trial in TRIALS.items()]
        at_hand = [
            python(),
            own_packages(),
            head(paths.resources() / "head.npz"),
            user_models(paths.user_models_dir()),
            folders([paths.user_data_dir(), paths.cache_dir()]),
            user_settings(paths.settings_file()),
        ]
        return at_hand + [trial.result() for trial in tried]


def python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Whether the interpreter is one the libraries exist for."""
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if not (3, 11) <= version < (3, 13):
        return Finding("Python", "broken", text, "use Python 3.11 or 3.12")
    return Finding("Python", "works", text)


def own_packages() -> Finding:
    """:func:`packages` of what HRN Studio asks for."""
    try:
        return packages(metadata.requires("hrn-studio") or [])
    except metadata.PackageNotFoundError:
        return Finding(
            "Packages",
            "limited",
            "HRN Studio itself is not installed, so what it needs cannot be compared",
            "run 'pip install .' in its folder, or 'bash packaging/setup.sh'",
        )


def packages(requirements: Sequence[str]) -> Finding:
    """Whether the installed packages are the wanted versions and do not overwrite each other."""
    wanted = [Requirement(line) for line in requirements]
    wanted = [want for want in wanted if want.marker is None or want.marker.evaluate({"extra": ""})]
    wrong = []
    for want in wanted:
        try:
            found = metadata.version(want.name)
        except metadata.PackageNotFoundError:
            wrong.append((f"{want.name} is missing", want))
            continue
        if found not in want.specifier:
            wrong.append((f"{want.name} {found} clashes, it must be {want.specifier}", want))
    if wrong:
        remedy = " ".join(f'"{want}"' for _, want in wrong)
        return Finding(
            "Packages",
            "broken",
            "; ".join(text for text, _ in wrong),
            f"pip install --force-reinstall --no-deps {remedy}",
        )
    for name in ("opencv-python-headless", "opencv-contrib-python-headless"):
        if _installed(name):
            return Finding(
                "Packages",
                "broken",
                f"{name} overwrites parts of opencv-python",
                f"pip uninstall {name}, then pip install --force-reinstall --no-deps "
                "opencv-python==4.11.0.86 opencv-contrib-python==4.11.0.86",
            )
    return Finding("Packages", "works", f"all {len(wanted)} are there in versions that go together")


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def head(file: Path) -> Finding:
    """Whether the bundled head can be read."""
    from hrn_studio.face.model import load_head

    try:
        model = load_head(file)
    except ModelDataError as error:
        return Finding("Head model", "broken", *str(error).split("; ", 1))
    text = f"{model.vertex_count} vertices, {model.expression_count} expressions"
    return Finding("Head model", "works", text)


def user_models(folder: Path) -> Finding:
    """What the user added."""
    names = sorted(item.name for item in folder.iterdir()) if folder.is_dir() else []
    return Finding("Your models", "works", (", ".join(names) or "none") + f" in {folder}")


def folders(wanted: Sequence[Path]) -> Finding:
    """Whether settings and cached files can be written."""
    for folder in wanted:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            return Finding(
                "Folders",
                "limited",
                f"{folder} cannot be written ({error.strerror})",
                "make it writable, or name others: HRN_STUDIO_DATA, HRN_STUDIO_CACHE",
            )
    return Finding("Folders", "works", "settings and cache can be written")


def user_settings(file: Path) -> Finding:
    """Whether the settings can be read."""
    _, notes = settings.load(file)
    if notes:
        return Finding("Settings", "limited", "; ".join(notes), f"correct or delete {file}")
    return Finding("Settings", "works", str(file) if file.exists() else "the defaults")


def as_text(findings: Sequence[Finding]) -> str:
    """The findings for people."""
    lines = [f"HRN Studio {__version__}", ""]
    for finding in findings:
        lines.append(f"  {finding.state:8} {finding.name}: {finding.text}")
        if finding.remedy:
            lines.append(f"           -> {finding.remedy}")
    broken = [finding.name for finding in findings if finding.state == "broken"]
    lines.append("")
    if broken:
        lines.append(f"To be put right first: {', '.join(broken)}.")
    else:
        lines.append("Everything that making a head needs works here.")
    return "\n".join(lines)


def as_json(findings: Sequence[Finding]) -> str:
    """The findings for programs."""
    return json.dumps(
        {
            "version": __version__,
            "works": all(finding.state != "broken" for finding in findings),
            "findings": [dataclasses.asdict(finding) for finding in findings],
        },
        indent=2,
    )
