# Checks format, lint, types, imports and tests on Windows. Arguments go to pytest.
# With --interop as the first, Blender and the glTF tools are installed beside it for tests/interop.
$ErrorActionPreference = "Stop"
. "$PSScriptRoot\setup.ps1"
Initialize-Studio "test"
$rest = @($args)
if ($rest.Count -and $rest[0] -eq "--interop") {
    $rest = @($rest | Select-Object -Skip 1)
    . "$PSScriptRoot\interop.ps1"
    Initialize-Interop
}
Set-Location $Root
$env:PATH = "$Venv\Scripts;$env:PATH"

$steps = @(
    @("ruff", "format", "--check", "."),
    @("ruff", "check", "."),
    @("mypy", "--strict"),
    @("lint-imports", "--no-logo")
)
if ($rest.Count) { $steps += , (@("pytest") + $rest) }
else {
    # A window's OpenGL and that without one do not get along in one process.
    $steps += , @("pytest", "tests/ui")
    $steps += , @("pytest", "--ignore=tests/ui")
}
$failed = @()
foreach ($step in $steps) {
    Write-Host "`n== $step"
    $words = @($step | Select-Object -Skip 1)
    & $step[0] @words
    if ($LASTEXITCODE -ne 0) { $failed += $step[0] }
}
if ($failed) { Write-Host "`nfailed: $failed"; exit 1 }
