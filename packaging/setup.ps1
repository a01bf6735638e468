# Makes the environment the project runs in; the twin of setup.sh, dot-sourced by run.ps1 and test.ps1.
# PyPI's torch for Windows is the CPU build, so nothing here has to choose one. With an NVIDIA GPU:
#     .venv\Scripts\pip install torch --index-url https://download.pytorch.org/whl/cu130

$Root = Split-Path -Parent $PSScriptRoot
$Venv = if ($env:HRN_STUDIO_VENV) { $env:HRN_STUDIO_VENV } else { Join-Path $Root ".venv" }

function Find-Python {
    foreach ($candidate in @(@("py", "-3.12"), @("py", "-3.11"), @("python"))) {
        if (-not (Get-Command $candidate[0] -ErrorAction SilentlyContinue)) { continue }
        $rest = @($candidate | Select-Object -Skip 1)
        & $candidate[0] @rest -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))" 2>$null
        if ($LASTEXITCODE -eq 0) { return , $candidate }
    }
    throw "Python 3.11 or 3.12 is needed and was not found; install it from https://www.python.org/downloads/"
}

function Initialize-Studio([string]$Purpose) {
    $constraints = Join-Path $Root "packaging\constraints.txt"
    $stamp = Join-Path $Venv ".ready-$Purpose"
    $parts = @("$Root\pyproject.toml", $constraints) | ForEach-Object { (Get-FileHash $_).Hash }
    $wanted = ($parts + $Root) -join " "
    if ((Test-Path $stamp) -and ((Get-Content $stamp) -eq $wanted)) { return }

    $python = "$Venv\Scripts\python.exe"
    if (-not (Test-Path $python)) {
        $maker = Find-Python
        $rest = @($maker | Select-Object -Skip 1)
        & $maker[0] @rest -m venv $Venv
        if ($LASTEXITCODE -ne 0) { throw "no environment could be made in $Venv" }
    }
    Write-Host "hrn-studio: installing the Python packages into $Venv; the first time takes some minutes"
    & $python -m pip install --quiet --no-input --upgrade "pip>=24.1"
    $project = if ($Purpose -eq "test") { "$Root[test]" } else { $Root }
    & $python -m pip install --quiet --no-input --constraint $constraints --editable $project
    if ($LASTEXITCODE -ne 0) { throw "the Python packages could not be installed; see pip's message above" }
    Set-Content $stamp $wanted
}
