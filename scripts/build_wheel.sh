#!/usr/bin/env bash
# Builds the program and its wheel, build/wheel/tieout-VERSION-py3-none-manylinux_2_34_x86_64.whl, and prints the
# wheel's path. The tag follows from the symbols that the program needs. Installs and fetches what the build needs.
#
#   scripts/build_wheel.sh                      builds build/release first
#   scripts/build_wheel.sh --torch VERSION...   the same with adapters for further versions of LibTorch (scripts/setup.sh)
#   scripts/build_wheel.sh BUILD                takes what is built in the folder BUILD
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

if (($#)) && [[ $1 != --torch ]]; then
  build=$(realpath -- "$1")
else
  scripts/setup.sh "$@" tieout
  build=$PWD/build/release
fi
mkdir -p build/wheel
rm -f build/wheel/tieout-*.whl
# The backend is called directly: pip would need its packages wheel and setuptools, or a network.
exec /usr/bin/python3 -B - "$build" <<'PYTHON'
import sys

sys.path.insert(0, "python")
import build_backend

try:
    print("build/wheel/" + build_backend.build_wheel("build/wheel", {"build-dir": sys.argv[1]}))
except RuntimeError as error:
    sys.exit(f"build_wheel.sh: {error}")
PYTHON
