#!/usr/bin/env bash
# Builds the fuzz targets with clang and libFuzzer and runs each for SECONDS, as many at a time as there are cores. An
# input on which a target fails is printed in the end of its log and kept in build/fuzz/found. New inputs that reach
# more code are kept in build/fuzz/corpus.
#
#   scripts/fuzz.sh SECONDS [TARGET...]      TARGET: case_text, npy, ...; default: all targets in fuzz/corpus
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
seconds=${1:?the seconds that each target runs}
shift
if ! command -v clang++-19 >/dev/null || ! [[ -e $(clang++-19 -print-file-name=libclang_rt.fuzzer-x86_64.a) ]]; then
  printf 'fuzz: this needs the Debian packages clang-19 and libclang-rt-19-dev\n' >&2
  exit 3
fi
targets=("$@")
if ((!$#)); then mapfile -t targets < <(cd fuzz/corpus && printf '%s\n' *); fi

mkdir -p build/log
log=build/log/fuzzers.log
{
  cmake --preset sanitizers -DTIEOUT_TORCH="${TIEOUT_TORCH:-$PWD/.deps/libtorch}" &&
    cmake --build build/sanitizers -j "$(nproc)" --target "${targets[@]/#/fuzz_}"
} >"$log" 2>&1 || {
  tail -n 40 "$log" >&2
  printf 'fuzz: the fuzz targets could not be built (%s)\n' "$log" >&2
  exit 3
}

# run TARGET: runs the target; each input may take 10 s and 1 GiB. Fails if an input fails.
run() {
  local found=build/fuzz/found corpus=build/fuzz/corpus/$1
  mkdir -p "$found" "$corpus"
  if "build/sanitizers/bin/fuzz_$1" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=20000 \
    -artifact_prefix="$found/$1-" -print_final_stats=1 "$corpus" "fuzz/corpus/$1" >"build/log/fuzz_$1.log" 2>&1; then
    printf 'fuzz: %-18s %12s inputs, no fault\n' "$1" "$(sed -n 's/^stat::number_of_executed_units: *//p' "build/log/fuzz_$1.log")"
  else
    tail -n 30 "build/log/fuzz_$1.log"
    printf 'fuzz: %s fails on an input in %s. Mend it, and add the input to fuzz/corpus/%s\n' "$1" "$found" "$1"
    return 1
  fi
}
export -f run
export seconds
printf '%s\0' "${targets[@]}" | xargs -0 -P "$(nproc)" -I '{}' bash -c 'run {}'
