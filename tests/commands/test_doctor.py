from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from hrn_studio import cli
from hrn_studio.commands import doctor, probes
from hrn_studio.commands.probes import Finding

WORKS = Finding("Part", "works", "as it should")
LIMITED = Finding("Camera", "limited", "none found", "connect one")
BROKEN = Finding("OpenGL", "broken", "no context", "update the driver")


def dies() -> Finding:
    os._exit(7)


def hangs() -> Finding:
    time.sleep(60)
    return WORKS


def raises() -> Finding:
    raise OSError("libGL.so.1: cannot open shared object file")


def shouts() -> Finding:
    os.write(2, b"noise from a driver\n")
    return WORKS


def test_this_machine_is_examined(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["doctor", "--json"])
    report = json.loads(capsys.readouterr().out)
    findings = {finding["name"]: finding for finding in report["findings"]}
    broken = {name: f["text"] for name, f in findings.items() if f["state"] == "broken"}
    assert broken == {}
    assert code == 0
    assert report["works"] is True
    assert set(doctor.TRIALS) < set(findings)
    assert all(f["remedy"] for f in findings.values() if f["state"] != "works")


@pytest.mark.parametrize(
    ("findings", "code"), [([WORKS], 0), ([WORKS, LIMITED], 0), ([WORKS, LIMITED, BROKEN], 1)]
)
def test_only_what_is_essential_fails(
    findings: list[Finding],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: findings)
    assert cli.main(["doctor"]) == code
    text = capsys.readouterr().out
    for finding in findings:
        assert f"{finding.name}: {finding.text}" in text
        assert finding.remedy in text
    assert ("put right first: OpenGL" in text) == bool(code)


def test_a_trial_that_ends_the_program_is_a_finding() -> None:
    found = probes.isolated("GL", dies)
    assert (found.name, found.state) == ("GL", "broken")
    assert "7" in found.text


def test_a_trial_that_hangs_is_a_finding() -> None:
    found = probes.isolated("Camera", hangs, timeout_s=1.5)
    assert found.state == "broken", "had it been waited for, it would work"
    assert "no answer" in found.text


def test_a_trial_that_fails_is_a_finding() -> None:
    found = probes.isolated("GL", raises)
    assert found.state == "broken"
    assert "libGL.so.1" in found.text


def test_a_trial_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    assert probes.isolated("Part", shouts) == WORKS
    assert capfd.readouterr().err == ""


def test_wrong_versions_are_named_with_the_remedy() -> None:
    found = doctor.packages(["numpy>=99", "no-such-thing", "pytest", 'nowhere; extra == "x"'])
    assert found.state == "broken"
    assert "numpy" in found.text
    assert ">=99" in found.text
    assert "no-such-thing is missing" in found.text
    assert '"numpy>=99" "no-such-thing"' in found.remedy


def test_old_pythons_are_refused() -> None:
    assert doctor.python((3, 10)).state == "broken"
    assert doctor.python((3, 12)).state == "works"
    assert doctor.python((3, 13)).state == "broken"


def test_a_damaged_head_is_named(tmp_path: Path) -> None:
    file = tmp_path / "head.npz"
    assert doctor.head(file).state == "broken"
    file.write_bytes(b"PK\x03\x04 half a file")
    found = doctor.head(file)
    assert found.state == "broken"
    assert str(file) in found.text
    assert found.remedy


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = doctor.folders([tmp_path, tmp_path / "file" / "cache"])
    assert found.state == "limited"
    assert str(tmp_path / "file") in found.text


def test_damaged_settings_are_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    assert doctor.user_settings(file).state == "works"
    file.write_text("{")
    assert doctor.user_settings(file).state == "limited"


def test_models_of_the_user_are_listed(tmp_path: Path) -> None:
    assert "none" in doctor.user_models(tmp_path / "models").text
    (tmp_path / "face_landmarker.task").touch()
    assert "face_landmarker.task" in doctor.user_models(tmp_path).text


def test_a_program_that_is_not_installed_is_said(monkeypatch):
    def missing(name):
        raise doctor.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "requires", missing)
    found = doctor.own_packages()
    assert found.state == "limited"
    assert "not installed" in found.text
    assert "pip install" in found.remedy
