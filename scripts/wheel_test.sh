#!/usr/bin/env bash
# Builds the wheel from a build tree, installs it into a fresh virtual environment beside the LibTorch of the build, and
# uses the command, a kernel, the Python module, its pytest plug-in and the CMake package from there.
#
#   scripts/wheel_test.sh BUILD
set -euo pipefail
build=$(cd -- "$1" && pwd)
source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/tieout wheel.XXXXXX") # the space tests that paths are quoted
trap 'rm -rf -- "$work"' EXIT

# expect TEXT COMMAND...: fails unless the command succeeds and prints TEXT.
expect() {
  local output status=0
  output=$("${@:2}" 2>&1) || status=$?
  if ((status)) || [[ $output != *"$1"* ]]; then
    printf '%s\nstatus %s, expected 0 and "%s": %s\n' "$output" "$status" "$1" "${*:2}"
    exit 1
  fi
}

wheel=$source/$("$source/scripts/build_wheel.sh" "$build")

# numpy and pytest are those of the system, so that no network is needed; torch and tieout are only in the environment.
/usr/bin/python3 -m venv --system-site-packages "$work/env"
"$work/env/bin/python" -m pip install -q --no-index --no-deps --disable-pip-version-check "$wheel"

# LibTorch as the wheel of torch has it. The files that Python itself would need are left out.
torch=$(sed -n 's/^TIEOUT_TORCH:PATH=//p' "$build/CMakeCache.txt")
if [[ ! -d $torch/lib ]]; then torch=$torch/torch; fi
# The file that contains the version depends on the release.
version=$(cat "$torch"/include/torch/{headeronly,csrc/api/include/torch}/version.h 2>/dev/null |
  sed -n 's/^#define TORCH_VERSION_[MP][A-Z]* //p' | paste -sd .) || true
[[ $version == [0-9]*.[0-9]*.[0-9]* ]] || {
  echo "the version of $torch is not found: '$version'"
  exit 1
}
packages=$("$work/env/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir "$packages/torch"
ln -s "$torch/lib" "$torch/include" "$packages/torch/"
printf '__version__ = "%s"\n' "$version" >"$packages/torch/version.py"

# The environment of a user: no settings of this build, and the commands of the virtual environment.
clean=(env -i HOME="$work" PATH="$work/env/bin:/usr/bin:/bin" LANG=C.UTF-8)
cd -- "$work"
expect "manual_output_1 and conv_outputs differ by: 0.0" "${clean[@]}" tieout experiment --seed 3
expect "LibTorch $version" "${clean[@]}" tieout engines
expect "folder: $(realpath -- "$packages")/torch" "${clean[@]}" tieout engines
expect "200 cases verified" "${clean[@]}" tieout fuzz --cases 200 --seed 3

cc -O2 -ffp-contract=off -shared -fPIC -I env/include "$source/examples/c/conv_relu.c" -lm -o libmine.so
expect "200 cases verified" "${clean[@]}" tieout fuzz --cases 200 --seed 1 --subject ./libmine.so
cc -O2 -ffp-contract=off -shared -fPIC -Dnearbyintf=roundf -I env/include "$source/examples/c/conv_relu.c" -lm -o libwrong.so
status=0
"${clean[@]}" tieout check 'conv2d bias=[0.5] x=[0] w=[0]' --subject ./libwrong.so >wrong.log 2>&1 || status=$?
if ((status != 1)); then
  cat wrong.log
  echo "a wrong kernel gives status $status instead of 1"
  exit 1
fi

# The process is tieout itself and no script of Python, so that signals reach it and its exit status is its own.
if [[ $(head -c 4 env/bin/tieout | od -An -tx1) != ' 7f 45 4c 46' ]]; then
  echo "env/bin/tieout is not the program"
  exit 1
fi
# The installed files have the path of the wheel, which pip notes, so that the wheel itself is read.
/usr/bin/python3 -m zipfile -e "$wheel" unpacked
if grep -rlaF -e "$source/" -e "$build" -e "$torch" unpacked; then
  echo "these files of the wheel contain a path of the machine that built it"
  exit 1
fi

cat >test_mine.py <<'PYTHON'
import tieout


def test_installed(tieout_kernel):
    assert tieout.program().endswith("/env/bin/tieout"), tieout.program()
    assert tieout_kernel("./libmine.so", cases=50).totals.passed == 50
    assert tieout.experiment(3).report.passed
PYTHON
expect "1 passed" "${clean[@]}" python -m pytest -p no:cacheprovider test_mine.py

cd -- "$source"
"${clean[@]}" "$source/scripts/package_test.sh" --installed "$work/env"
echo "the wheel works: ${wheel##*/}"
