# Makes the environment the project runs in: .venv, Debian packages, Python packages.
# Sourced by run.sh and test.sh, which then call `prepare run` or `prepare test`.
# Needs bash and Python 3.11 or 3.12; asks nothing; says what it does on stderr.
#
#   HRN_STUDIO_VENV    where the environment goes (default: .venv in the checkout)
#   HRN_STUDIO_PYTHON  the interpreter to make it with
#   HRN_STUDIO_TORCH   cpu or cuda, instead of looking for an NVIDIA GPU

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=${HRN_STUDIO_VENV:-$ROOT/.venv}
[[ $VENV = /* ]] || VENV=$PWD/$VENV
CONSTRAINTS=$ROOT/packaging/constraints.txt
TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu

# OpenCV and MediaPipe; OpenGL; Qt and its X11 side.
DEBIAN_RUN=(libgl1 libglib2.0-0 libegl1 libxkbcommon0 libdbus-1-3 libfontconfig1
  libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-render-util0
  libxcb-render0 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0)
DEBIAN_TEST=(xvfb xauth)

say() { printf 'hrn-studio: %s\n' "$*" >&2; }

# prepare run|test: leaves $VENV ready for use; fast when it already is.
prepare() {
  local stamp=$VENV/.ready-$1
  if [ -x "$VENV/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$(stamp_for)" ]; then
    return 0
  fi
  local packages=("${DEBIAN_RUN[@]}") project=$ROOT
  if [ "$1" = test ]; then
    packages+=("${DEBIAN_TEST[@]}")
    project="$ROOT[test]"
  fi
  install_debian "${packages[@]}"
  make_venv || return 1
  say "installing the Python packages into $VENV; the first time takes some minutes"
  pip_install --upgrade "pip>=24.1" || say "pip could not be renewed; going on with the one there"
  install_torch || return 1
  pip_install --constraint "$CONSTRAINTS" --editable "$project" || {
    say "the Python packages could not be installed; see pip's message above"
    return 1
  }
  stamp_for >"$stamp"
}

# What an environment was made from and where; when it changes, the environment is made up to date.
stamp_for() {
  cat "$ROOT/pyproject.toml" "$CONSTRAINTS" "${BASH_SOURCE[0]}" | cksum
  echo "$ROOT $VENV"
}

pip_install() {
  "$VENV/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "$@" </dev/null
}

# What is missing of the given Debian packages is installed when that needs no password; else named.
install_debian() {
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || return 0
  local package missing=() root=()
  for package in "$@"; do # newer releases rename some to ...t64
    [[ $(dpkg-query -W -f '${db:Status-Status} ' "$package" "${package}t64" 2>/dev/null) =~ (^| )installed ]] ||
      missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ]; then
    if sudo -n true 2>/dev/null; then
      root=(sudo -n)
    else
      say "these system packages are missing; without them some parts will not work. Please run"
      say "    sudo apt-get install --no-install-recommends ${missing[*]}"
      return 0
    fi
  fi
  say "installing system packages: ${missing[*]}"
  "${root[@]}" apt-get update -qq </dev/null >/dev/null || true
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
    --no-install-recommends "${missing[@]}" </dev/null >/dev/null ||
    say "apt-get could not install them; going on, but some parts may not work"
}

find_python() {
  local python
  for python in ${HRN_STUDIO_PYTHON:-python3 python3.12 python3.11 python}; do
    if "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null; then
      command -v "$python"
      return 0
    fi
  done
  say "Python 3.11 or 3.12 is needed and was not found; install it (on Debian and Ubuntu:" \
    "sudo apt-get install python3 python3-venv) or name it: HRN_STUDIO_PYTHON=/path/to/python"
  return 1
}

make_venv() {
  "$VENV/bin/python" -m pip --version >/dev/null 2>&1 && return 0
  local python version
  python=$(find_python) || return 1
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    install_debian "python$version-venv"
  fi
  "$python" -m venv --clear "$VENV" || {
    say "no environment could be made in $VENV; on Debian and Ubuntu the package python3-venv is needed"
    return 1
  }
}

# PyTorch first, on its own: the ordinary Linux wheel brings gigabytes of CUDA, which only a machine
# with an NVIDIA GPU can use. Elsewhere the CPU build is taken, from PyTorch's own index where the
# registry has only the large one.
install_torch() {
  local torch
  torch=$(grep -E '^torch==' "$CONSTRAINTS")
  "$VENV/bin/python" -c '
import sys
from importlib.metadata import version
sys.exit(version("torch").split("+")[0] != sys.argv[1])' "${torch#*==}" 2>/dev/null && return 0
  if [ "$(uname -s)" != Linux ] || wants_cuda || registry_has_cpu_build "$torch"; then
    pip_install --constraint "$CONSTRAINTS" "$torch" && return 0
  else
    pip_install --no-deps --index-url "$TORCH_CPU_INDEX" "$torch" && return 0
  fi
  say "$torch could not be installed; see pip's message above"
  return 1
}

wants_cuda() {
  case ${HRN_STUDIO_TORCH:-} in
    cpu) return 1 ;;
    cuda) return 0 ;;
  esac
  [ -e /proc/driver/nvidia/version ] || nvidia-smi -L 2>/dev/null | grep -q GPU
}

registry_has_cpu_build() {
  "$VENV/bin/python" -m pip install --quiet --no-input --disable-pip-version-check --dry-run \
    --ignore-installed --no-deps --report - "$1" </dev/null 2>/dev/null |
    "$VENV/bin/python" -c '
import json, sys
needs = json.load(sys.stdin)["install"][0]["metadata"].get("requires_dist", [])
sys.exit(any(need.startswith(("nvidia", "cuda")) for need in needs))' 2>/dev/null
}
