# Checks format, lint, types, imports and tests on Windows. Arguments go to pytest.
$ErrorActionPreference = "Stop"
. "$PSScriptRoot\setup.ps1"
Initialize-Studio "test"
Set-Location $Root
$env:PATH = "$Venv\Scripts;$env:PATH"

$steps = @(
    @("ruff", "format", "--check", "."),
    @("ruff", "check", "."),
    @("mypy", "--strict"),
    @("lint-imports", "--no-logo")
)
if ($args) { $steps += , (@("pytest") + $args) }
else {
    # A window's OpenGL and that without one do not get along in one process.
    $steps += , @("pytest", "tests/ui")
    $steps += , @("pytest", "--ignore=tests/ui")
}
$failed = @()
foreach ($step in $steps) {
    Write-Host "`n== $step"
    $rest = @($step | Select-Object -Skip 1)
    & $step[0] @rest
    if ($LASTEXITCODE -ne 0) { $failed += $step[0] }
}
if ($failed) { Write-Host "`nfailed: $failed"; exit 1 }
