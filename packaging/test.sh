#!/usr/bin/env bash
# Checks format, lint, types, imports and tests, and first installs what that needs.
# Every step runs; fails when one failed. Arguments go to pytest:  bash packaging/test.sh -k camera
# With --interop as the first, Blender, Khronos' validator and Chromium are installed beside it, and
# tests/interop shows them our files; without them those tests skip.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
prepare test
if [ "${1:-}" = --interop ]; then
  shift
  source "$ROOT/packaging/interop.sh"
  prepare_interop
fi
cd "$ROOT"
export PATH=$VENV/bin:$PATH
export LIBGL_ALWAYS_SOFTWARE=1 # the same pictures on every machine

failed=()
step() {
  local name=$1
  shift
  printf '\n== %s: %s\n' "$name" "$*"
  "$@" </dev/null || failed+=("$name")
}

step format ruff format --check .
step lint ruff check .
step types mypy --strict
step imports lint-imports --no-logo
run=(pytest)
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && command -v xvfb-run >/dev/null; then
  run=(xvfb-run --auto-servernum --server-args "-screen 0 1280x1024x24" pytest)
fi
if [ $# -gt 0 ]; then
  step tests "${run[@]}" "$@"
else
  # A window's OpenGL (GLX) and that without one (EGL) do not get along in one process.
  step window "${run[@]}" tests/ui
  step tests "${run[@]}" --ignore=tests/ui
fi

if [ ${#failed[@]} -gt 0 ]; then
  printf '\nfailed: %s\n' "${failed[*]}"
  exit 1
fi
