# The programs that tests/interop shows our files to; the twin of interop.sh, dot-sourced by test.ps1.
# Chromium or Chrome is the user's own: HRN_CHROMIUM names it.

$Interop = if ($env:HRN_INTEROP) { $env:HRN_INTEROP } else { Join-Path $Root ".interop" }

function Initialize-Interop {
    $env:HRN_INTEROP = $Interop
    $stamp = Join-Path $Interop ".ready"
    $wanted = (Get-FileHash "$Root\packaging\interop.ps1").Hash
    if ((Test-Path $stamp) -and ((Get-Content $stamp) -eq $wanted)) { return }
    Write-Host "hrn-studio: installing Blender and the glTF tools into $Interop; this takes some minutes"
    New-Item -ItemType Directory -Force $Interop | Out-Null
    & py -3.11 -m venv "$Interop\python"
    & "$Interop\python\Scripts\python.exe" -m pip install --quiet --no-input bpy==5.0.1 numpy==1.26.4
    $complete = $LASTEXITCODE -eq 0
    & npm install --prefix $Interop --no-audit --no-fund --silent gltf-validator@2.0.0-dev.3.10 puppeteer-core@24.43.1 three@0.187.0
    $complete = $complete -and $LASTEXITCODE -eq 0
    & "$Venv\Scripts\python.exe" -m pip install --quiet --no-input --constraint "$Root\packaging\constraints.txt" usd-core
    $complete = $complete -and $LASTEXITCODE -eq 0
    if ($complete) { Set-Content $stamp $wanted }
    else { Write-Host "hrn-studio: not all could be installed; the tests that need the rest will skip" }
}
