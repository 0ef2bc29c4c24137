#!/usr/bin/env bash
# Prepares the checkout: installs Debian's packages, fetches LibTorch into .deps/libtorch, configures and builds. Steps
# whose result exists are left out, so that a second call only checks. scripts/run.sh and scripts/test.sh call it.
#
#   scripts/setup.sh [--tests] [--torch VERSION]... [TARGET]
#       TARGET              target of the release preset to build; default: only configures
#       --tests             also installs and fetches what only the tests need
#       --torch VERSION     also fetches that LibTorch into .deps/libtorch-VERSION, so that the build has an adapter for it.
#                           VERSION: one of scripts/libtorch.txt, or oldest, or all
#
#   TIEOUT_TORCH=DIR      uses the LibTorch of that folder and does not fetch the default one
#   TIEOUT_WERROR=1       treats warnings as errors
#   TIEOUT_SKIP_APT=1     does not check Debian's packages, because they are provided in another way
set -euo pipefail

torch=${TIEOUT_TORCH:-}
if [[ $torch && -d $torch ]]; then torch=$(cd -- "$torch" && pwd); fi
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

readonly packages=(g++ cmake ninja-build librapidcheck-dev libfmt-dev libgtest-dev libgmock-dev libcli11-dev libexpected-dev
  nlohmann-json3-dev libsqlite3-dev libkainjow-mustache-dev zlib1g-dev)
readonly test_packages=(
  chromium chromium-driver python3-selenium python3-jsonschema fonts-dejavu-core  # for the HTML and JSON reports
  zsh fish mandoc  # for the completion scripts and the manual page
  universal-ctags codespell  # for the checks that no name is defined twice, and of the spelling
  gfortran libdnnl-dev python3-numpy  # for the examples in Fortran and Python, and for oneDNN as a subject
  python3-pytest python3-mypy python3-venv  # for the Python module and the wheel
  slurmctld slurmd slurm-client munge python3 python3-yaml  # for the job files
)
readonly pins=scripts/libtorch.txt logs=build/log
readonly wheel_pins=scripts/onnxruntime.txt wheels=.deps/onnxruntime
# The wheels' layout is kept, because libtorch_cpu.so looks for CUDA's libraries at $ORIGIN/../../nvidia/cu13/lib.
readonly kept=('torch/include/*' torch/version.py torch/lib/libtorch_cpu.so torch/lib/libc10.so torch/lib/libgomp.so.1
  'nvidia/*/lib/libcupti.so.1?' 'nvidia/*/lib/libcudart.so.1?')
readonly fetch_mib=2400  # two copies of the largest wheel while pip moves it; the unpacked files need 520 MiB
work=""                  # folder of the fetch, on the same file system as its destination
fetch_group=""           # process group of the fetch in the background

say() { printf 'tieout: %s\n' "$*" >&2; }

# fail MESSAGE [LOG]: prints the end of the log and the message, and ends the script.
fail() {
  if [[ ${2:-} && -s $2 ]]; then
    say "the last lines of $2:"
    tail -n 25 -- "$2" >&2
  fi
  say "$1"
  exit 3  # as tieout itself: could not verify
}

stop_fetch() {
  if [[ $fetch_group ]]; then
    kill -TERM -- "-$fetch_group" 2>/dev/null || true
    wait "$fetch_group" 2>/dev/null || true
    while kill -0 -- "-$fetch_group" 2>/dev/null; do sleep 0.05; done  # pip may outlive its shell by a moment
    fetch_group=""
  fi
  if [[ $work ]]; then rm -rf -- "$work"; fi
}

on_signal() {
  trap '' INT TERM HUP
  stop_fetch
  say "stopped. What was half done has been removed; the next call takes up from here."
  exit "$1"
}

trap stop_fetch EXIT
trap 'on_signal 130' INT
trap 'on_signal 143' TERM
trap 'on_signal 129' HUP

# ---- Debian's packages -----------------------------------------------------------------------------------------------

missing_packages() {
  local name
  declare -A installed=()
  while read -r name; do installed[${name%%:*}]=1; done < <(
    dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p')
  for name in "$@"; do
    if [[ ! ${installed[$name]:-} ]]; then echo "$name"; fi
  done
}

apt_ready=""

# install PACKAGE...: installs the packages with apt-get, or fails with a message that states what to do.
install() {
  local log=$logs/apt.log as_root=()
  command -v apt-get >/dev/null || fail "this needs: $*. There is no apt-get to install them with: install them, then
call again with TIEOUT_SKIP_APT=1."
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "these Debian packages are missing, and neither root nor sudo is at hand.
Have them installed, then call again:  apt-get install --no-install-recommends $*"
    as_root=(sudo)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  say "installing Debian packages: $*"
  if [[ ! $apt_ready ]]; then
    "${as_root[@]}" dpkg --configure -a >>"$log" 2>&1 </dev/null || fail "dpkg --configure -a failed." "$log"
    "${as_root[@]}" apt-get update -q -o DPkg::Lock::Timeout=300 >>"$log" 2>&1 </dev/null ||
      fail "apt-get update failed: is there a network, and a Debian mirror in /etc/apt?" "$log"
    apt_ready=yes
  fi
  "${as_root[@]}" apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" \
    >>"$log" 2>&1 </dev/null ||
    fail "apt-get could not install: $*. The reason stands above; put it right and call again." "$log"
}

# ---- LibTorch --------------------------------------------------------------------------------------------------------

# Prints the versions of the table, the default one first and the oldest last.
torch_versions() { awk '/^[0-9]/ && !seen[$1]++ { print $1 }' "$pins"; }

# Prints what pip has to fetch for the version.
requirements() { awk -v version="$1" '$1 == version { $1 = ""; print }' "$pins"; }

# Prints the folder of the version.
torch_folder() { if [[ $1 == "$default_torch" ]]; then echo .deps/libtorch; else echo ".deps/libtorch-$1"; fi; }

# Prints a digest of everything that decides the contents of the version's folder.
libtorch_stamp() { { requirements "$1" && printf '%s\n' "${kept[@]}"; } | sha256sum; }

have_libtorch() {
  local folder
  folder=$(torch_folder "$1")
  [[ -e $folder/stamp && $(<"$folder/stamp") == "$(libtorch_stamp "$1")" ]]
}

pip_python() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      echo "$python"
      return
    fi
  done
  return 1
}

# unpack PYTHON WHEELS TARGET PATTERN...: unpacks the files of the wheels in a folder that match the patterns, removes the
# wheels, and fails if nothing matches one of the patterns.
unpack() {
  "$1" - "${@:2}" <<'PYTHON'
import fnmatch, os, sys, zipfile
wheels, target, *wanted = sys.argv[1:]
unpacked = set()
for wheel in os.listdir(wheels):
    with zipfile.ZipFile(os.path.join(wheels, wheel)) as archive:
        for name in archive.namelist():
            for kept in wanted:
                if fnmatch.fnmatchcase(name, kept):
                    archive.extract(name, target)
                    unpacked.add(kept)
    os.remove(os.path.join(wheels, wheel))
if unpacked != set(wanted):
    sys.exit("the wheels lack: " + ", ".join(sorted(set(wanted) - unpacked)))
PYTHON
}

# fetch PYTHON VERSION: fills $work/libtorch, or fails. TMPDIR is set so that pip's temporary files are removed with the folder.
fetch() {
  mkdir -p "$work/tmp" "$work/wheels"
  requirements "$2" >"$work/requirements.txt"
  TMPDIR=$PWD/$work/tmp PIP_REQUIRE_VIRTUALENV=0 PIP_PROGRESS_BAR=off PIP_DISABLE_PIP_VERSION_CHECK=1 \
    "$1" -m pip download --no-deps --require-hashes --only-binary=:all: \
    --python-version 3.11 --implementation cp --abi cp311 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux2014_x86_64 \
    --dest "$work/wheels" -r "$work/requirements.txt"
  rm -rf -- "$work/tmp"
  unpack "$1" "$work/wheels" "$work/libtorch" "${kept[@]}"
  libtorch_stamp "$2" >"$work/libtorch/stamp"
}

# start_fetch VERSION
start_fetch() {
  local python free
  [[ $(uname -s) == Linux && $(uname -m) == x86_64 ]] || fail "LibTorch is fetched for Linux on x86-64 only."
  python=$(pip_python) || fail "python3 has no pip, which fetches LibTorch: install python3-pip."
  free=$(df -Pm .deps | awk 'NR == 2 { print $4 }')
  ((free >= fetch_mib)) ||
    fail "fetching LibTorch needs $fetch_mib MiB on the disk of $PWD/.deps, and $free MiB are free."
  say "fetching LibTorch $1 from PyPI (500 to 900 MB, once) into $(torch_folder "$1")"
  work=$(mktemp -d .deps/fetch.XXXXXX)
  # The fetch has a process group of its own, which Ctrl-C does not reach; on_signal ends all of it, including pip.
  set -m
  (
    trap - EXIT INT TERM HUP
    set -e
    fetch "$python" "$1"
  ) >"$logs/libtorch.log" 2>&1 </dev/null 9>&- &
  fetch_group=$!
  set +m
}

# finish_fetch VERSION: waits for start_fetch VERSION.
finish_fetch() {
  local log=$logs/libtorch.log seconds=0 libtorch
  libtorch=$(torch_folder "$1")
  while kill -0 "$fetch_group" 2>/dev/null; do
    sleep 0.2 &
    wait $! || true
    if ((++seconds % 75 == 0)); then say "  $(du -sm "$work" | cut -f1) MiB so far"; fi
  done
  if ! wait "$fetch_group"; then
    fetch_group=""
    if grep -q 'No space left' "$log"; then
      fail "the disk of $PWD/.deps is full. Nothing half done was kept: free $fetch_mib MiB and call again." "$log"
    elif grep -q 'DO NOT MATCH THE HASHES' "$log"; then
      fail "what came is not the file that $pins pins: a broken download, or a mirror with other files.
Nothing of it was kept: call again." "$log"
    fi
    fail "LibTorch could not be fetched. Nothing half done was kept: put right what stands above and call again,
or name a LibTorch that is there already with TIEOUT_TORCH=DIR." "$log"
  fi
  fetch_group=""
  rm -rf -- "$libtorch"
  mv -- "$work/libtorch" "$libtorch"
  rm -rf -- "$work"
  work=""
}

# ---- ONNX Runtime, for one test, which is disabled without it --------------------------------------------------------

have_wheels() { [[ -e $wheels/stamp && $(<"$wheels/stamp") == "$(sha256sum <"$wheel_pins")" ]]; }

fetch_wheels() {
  local python
  say "fetching ONNX Runtime from PyPI (60 MB, once) into $wheels"
  rm -rf -- "$wheels"
  if python=$(pip_python) && PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip install -q \
    --no-deps --require-hashes --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 --abi abi3 \
    --abi none --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 \
    --platform manylinux2014_x86_64 --target "$wheels" -r "$wheel_pins" >"$logs/onnxruntime.log" 2>&1 </dev/null; then
    sha256sum <"$wheel_pins" >"$wheels/stamp"
  else
    rm -rf -- "$wheels"
    say "ONNX Runtime could not be fetched ($logs/onnxruntime.log): its test is disabled. Call again to try again."
  fi
  rm -f build/release/words  # CMake must search again
}

# ---- XNNPACK and TOSA's reference model, each for tests that are disabled without it ----------------------------------

# What of the wheel that scripts/NAME.txt pins is kept in .deps/NAME.
readonly xnnpack_kept=(executorch/lib/libexecutorch.so executorch/lib/libexecutorch_threadpool.so
  executorch/lib/libexecutorch_backend_xnnpack.so)
readonly tosa_kept=('tosa_reference_model/*.py' 'tosa_reference_model/tosa_reference_model.*.so' 'tosa_serializer/*')

# parts_stamp NAME PATTERN...: prints a digest of everything that decides the contents of .deps/NAME.
parts_stamp() { { cat "scripts/$1.txt" && printf '%s\n' "${@:2}"; } | sha256sum; }

# fetch_parts NAME TEXT PATTERN...: fills .deps/NAME with the files that match, if it does not have them. TEXT: what is
# fetched, for messages.
fetch_parts() {
  local name=$1 text=$2 python folder log=$logs/$1.log
  shift 2
  if [[ -e .deps/$name/stamp && $(<".deps/$name/stamp") == "$(parts_stamp "$name" "$@")" ]]; then return; fi
  say "fetching $text into .deps/$name"
  rm -rf -- ".deps/$name"
  folder=$(mktemp -d .deps/fetch.XXXXXX)
  if python=$(pip_python) && PIP_REQUIRE_VIRTUALENV=0 PIP_DISABLE_PIP_VERSION_CHECK=1 "$python" -m pip download -q \
    --no-deps --require-hashes --only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --dest "$folder/wheels" \
    -r "scripts/$name.txt" >"$log" 2>&1 </dev/null &&
    unpack "$python" "$folder/wheels" "$folder/parts" "$@" >>"$log" 2>&1; then
    parts_stamp "$name" "$@" >"$folder/parts/stamp"
    mv -- "$folder/parts" ".deps/$name"
  else
    say "$name could not be fetched ($log): its tests are disabled. Call again to try again."
  fi
  rm -rf -- "$folder"
  rm -f build/release/words  # CMake must search again
}

# ---- the build -------------------------------------------------------------------------------------------------------

# configure: configures the build if its settings or the path of the checkout have changed since the last time. --fresh
# discards the former settings. Changes of files that CMake depends on are handled by ninja.
configure() {
  local words version versions=""
  for version in $(torch_versions); do
    if [[ $version != "$default_torch" ]] && have_libtorch "$version"; then versions+="$PWD/$(torch_folder "$version");"; fi
  done
  words="$PWD ${torch:-$PWD/.deps/libtorch} $versions ${TIEOUT_WERROR:-0}"
  if [[ -e build/release/words && $(<build/release/words) == "$words" ]]; then return; fi
  say "configuring build/release"
  rm -f build/release/words
  cmake --fresh --preset release -DTIEOUT_TORCH="${torch:-$PWD/.deps/libtorch}" -DTIEOUT_TORCH_VERSIONS="$versions" \
    -DTIEOUT_WERROR="${TIEOUT_WERROR:-0}" >"$logs/configure.log" 2>&1 || fail "CMake refused. What to do stands above." "$logs/configure.log"
  echo "$words" >build/release/words
}

build() {
  if ninja -C build/release -n "$1" 2>/dev/null | grep -q 'no work to do'; then return; fi
  say "building $1 (log: $logs/build.log)"
  cmake --build --preset release --target "$1" -j "$(nproc)" >"$logs/build.log" 2>&1 ||
    fail "the build failed." "$logs/build.log"
}

# ----------------------------------------------------------------------------------------------------------------------

default_torch=$(torch_versions | head -n 1)
wanted=("${packages[@]}")
tests=""
more_torch=()  # versions beside the default one
while [[ ${1:-} == --* ]]; do
  case $1 in
    --tests)
      tests=1
      wanted+=("${test_packages[@]}")
      ;;
    --torch)
      mapfile -t versions < <(torch_versions)
      case ${2:-} in
        all) more_torch+=("${versions[@]}") ;;
        oldest) more_torch+=("${versions[-1]}") ;;
        *)
          if [[ " ${versions[*]} " != *" ${2:-} "* ]]; then
            say "--torch ${2:-}: VERSION must be one of ${versions[*]}, or oldest, or all"
            exit 2
          fi
          more_torch+=("$2")
          ;;
      esac
      shift
      ;;
    *)
      say "there is no option $1; the first lines of scripts/setup.sh list them"
      exit 2
      ;;
  esac
  shift
done
mkdir -p "$logs" .deps
# Only one set-up may run at a time. The lock is released when its process ends.
exec 9>.deps/lock
if ! flock -n 9; then
  say "another set-up of this checkout is at work: waiting for it"
  flock 9
fi
rm -rf -- .deps/fetch.*  # left by a set-up that was killed

: >"$logs/apt.log"
missing=()
if [[ ${TIEOUT_SKIP_APT:-0} != 1 ]]; then mapfile -t missing < <(missing_packages "${wanted[@]}"); fi
if [[ ! $torch ]] && ! have_libtorch "$default_torch"; then
  if ! pip_python >/dev/null && [[ ${TIEOUT_SKIP_APT:-0} != 1 ]]; then install python3-pip ca-certificates; fi
  start_fetch "$default_torch"
fi
if ((${#missing[@]})); then
  install "${missing[@]}"
  rm -f build/release/words  # CMake must search again
fi
if [[ $fetch_group ]]; then finish_fetch "$default_torch"; fi
for version in "${more_torch[@]}"; do
  if have_libtorch "$version" || [[ $torch && $version == "$default_torch" ]]; then continue; fi
  start_fetch "$version"
  finish_fetch "$version"
done
if [[ $tests ]]; then
  if ! have_wheels; then fetch_wheels; fi
  fetch_parts xnnpack "XNNPACK from PyPI, in the wheel of ExecuTorch (19 MB, once)," "${xnnpack_kept[@]}"
  fetch_parts tosa "TOSA's reference model from PyPI (27 MB, once)" "${tosa_kept[@]}"
fi
configure
if (($#)); then build "$1"; fi
if ((SECONDS > 5)); then say "ready after $SECONDS s"; fi
