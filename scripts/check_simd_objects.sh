#!/usr/bin/env bash
# check_simd_objects.sh ARCHIVE: what is compiled for one instruction set must define nothing that the linker may take for
# everybody. An inline function of the standard library would be such a thing, and CPUs without that set would die in it.
set -euo pipefail

archive=$1
if ! ar t "$archive" | grep -q '_avx'; then
  printf '%s: no object for an instruction set in it; this check is for nothing\n' "$archive" >&2
  exit 1
fi
if weak=$(nm -A -C --defined-only "$archive" | grep -E '_avx[^:]*:[^:]* [WVu] '); then
  printf 'defined for everybody, in code for one instruction set:\n%s\n' "$weak" >&2
  exit 1
fi
