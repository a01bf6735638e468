#!/usr/bin/env bash
# Starts HRN Studio, and first installs what it needs. Arguments go to the program:
#     bash packaging/run.sh                               the demo
#     bash packaging/run.sh reconstruct a.jpg -o out
#     bash packaging/run.sh --help
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
prepare run
exec "$VENV/bin/hrn-studio" "$@"
