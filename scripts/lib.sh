# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What demo and check share: packages, ptxas, builds. Sourced, not run.
# Anything missing is installed by apt; where that is impossible but everything
# is there, nothing is installed and the script goes on.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
llvm_bin=/usr/lib/llvm-22/bin
cores=$(nproc)

packages=(
  clang-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools
  liblld-22-dev libclang-rt-22-dev cmake ninja-build git
  libtbb-dev libgtest-dev libgmock-dev nlohmann-json3-dev
  zlib1g-dev libzstd-dev libffi-dev libxml2-dev
)
check_packages=(clang-format-22 shellcheck) # only scripts/check uses these

say() { printf '\n== %s\n' "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    printf 'not root and no sudo: cannot run: %s\n' "$*" >&2
    return 1
  fi
}

# Prints those of the packages "$@" that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -q '^installed$' ||
      printf '%s\n' "$package"
  done
}

# Installs the packages "$@" that are missing.
install_packages() {
  local missing
  if ! command -v dpkg-query >/dev/null; then
    say "Not Debian: taking for granted that these are installed: $*"
    return
  fi
  mapfile -t missing < <(missing_packages "$@")
  if [ ${#missing[@]} = 0 ]; then
    say "Every package is installed"
    return
  fi
  say "Installing ${missing[*]}"
  as_root apt-get update -q || printf 'apt-get update failed; going on with the lists at hand\n'
  if ! apt-cache show clang-22 >/dev/null 2>&1; then
    cat >&2 <<'HINT'
clang-22 is not in the package lists. On Debian 12, LLVM and MLIR 22 come from
bookworm-security; add this line to /etc/apt/sources.list and run the script again:
  deb http://deb.debian.org/debian-security bookworm-security main
HINT
    return 1
  fi
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends "${missing[@]}"
}

# Puts ptxas in PATH: that of PATH or of the CUDA toolkit, else the one that PyPI
# has, in a virtual environment of its own (.venv). Fails if there is none.
provide_ptxas() {
  export PATH="$PATH:/usr/local/cuda/bin:$repo/.venv/bin"
  if ! command -v ptxas >/dev/null && [ "${1:-}" != --no-install ]; then
    say "No CUDA toolkit: fetching ptxas from PyPI into .venv"
    install_packages python3-venv &&
      python3 -m venv "$repo/.venv" &&
      "$repo/.venv/bin/pip" install -q 'nvidia-cuda-nvcc==13.0.*' &&
      ln -sf "$(find "$repo/.venv" -name ptxas -type f | head -n 1)" "$repo/.venv/bin/ptxas"
  fi
  command -v ptxas >/dev/null || return 1
  printf 'ptxas: %s, %s\n' "$(command -v ptxas)" "$(ptxas --version | tail -n 2 | head -n 1)"
}

# build PRESET [TARGET…]: configures and builds (everything, unless told).
build() {
  local preset=$1 targets=()
  shift
  [ $# = 0 ] || targets=(--target "$@")
  say "Building preset $preset on $cores cores"
  (cd "$repo" && cmake --preset "$preset" >/dev/null &&
    cmake --build --preset "$preset" -j "$cores" "${targets[@]}")
}
