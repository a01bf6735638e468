# Starts HRN Studio on Windows, and first installs what it needs. Arguments go to the program:
#     powershell -ExecutionPolicy Bypass -File packaging\run.ps1 reconstruct a.jpg -o out
$ErrorActionPreference = "Stop"
. "$PSScriptRoot\setup.ps1"
Initialize-Studio "run"
& "$Venv\Scripts\hrn-studio.exe" @args
exit $LASTEXITCODE
