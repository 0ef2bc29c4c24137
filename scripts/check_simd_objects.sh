#!/usr/bin/env bash
# Checks that objects compiled for one instruction set define no weak symbols, such as inline functions of the standard
# library. The linker could use such a definition for the whole program, which would crash on CPUs without these
# instructions.
#
#   scripts/check_simd_objects.sh ARCHIVE
set -euo pipefail

archive=$1
if ! ar t "$archive" | grep -q '_avx'; then
  printf '%s: no object for an instruction set in it; this check is for nothing\n' "$archive" >&2
  exit 1
fi
if weak=$(nm -A -C --defined-only "$archive" | grep -E '_avx[^:]*:[^:]* [WVu] '); then
  printf 'visible to the whole program, in code for one instruction set:\n%s\n' "$weak" >&2
  exit 1
fi
