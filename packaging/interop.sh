# Installs the programs that tests/interop shows our files to, into a folder of their own: Blender
# (bpy), Khronos' glTF validator, three.js, and a driver for Chromium. Sourced by test.sh after
# setup.sh.
#
#   HRN_INTEROP        where they go (default: .interop in the checkout)
#   HRN_STUDIO_PYTHON  Blender's package needs Python 3.11

INTEROP=${HRN_INTEROP:-$ROOT/.interop}
[[ $INTEROP = /* ]] || INTEROP=$PWD/$INTEROP
INTEROP_PYTHON=(bpy==5.0.1 numpy==1.26.4)
INTEROP_NODE=(gltf-validator@2.0.0-dev.3.10 puppeteer-core@24.43.1 three@0.187.0)
DEBIAN_INTEROP=(chromium nodejs npm libsm6 libxi6 libxxf86vm1 libxfixes3 libgl1 libegl1)

# What cannot be had is said and left out: its tests skip with the reason.
prepare_interop() {
  export HRN_INTEROP=$INTEROP
  local stamp=$INTEROP/.ready wanted
  wanted=$(cksum <"$ROOT/packaging/interop.sh")
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
  mkdir -p "$INTEROP"
  install_debian "${DEBIAN_INTEROP[@]}"
  say "installing Blender and the glTF tools into $INTEROP; the first time takes some minutes"
  local python complete=1
  python=$(interop_python) && "$python" -m venv "$INTEROP/python" &&
    "$INTEROP/python/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
      "${INTEROP_PYTHON[@]}" </dev/null || {
    say "Blender's package could not be installed (it needs Python 3.11); its tests will skip"
    complete=
  }
  if command -v npm >/dev/null; then
    npm install --prefix "$INTEROP" --no-audit --no-fund --silent "${INTEROP_NODE[@]}" </dev/null ||
      { say "the npm packages could not be installed; their tests will skip" && complete=; }
  else
    say "npm is missing; the tests that need it will skip"
    complete=
  fi
  "$VENV/bin/python" -c 'import pxr' 2>/dev/null ||
    pip_install --constraint "$CONSTRAINTS" usd-core ||
    { say "usd-core could not be installed; its tests will skip" && complete=; }
  [ -z "$complete" ] || echo "$wanted" >"$stamp"
}

interop_python() {
  local python
  for python in ${HRN_STUDIO_PYTHON:-} "$VENV/bin/python" python3.11 python3; do
    if "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
      command -v "$python"
      return 0
    fi
  done
  return 1
}
