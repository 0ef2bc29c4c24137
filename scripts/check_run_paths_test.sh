#!/usr/bin/env bash
# Tests that check_run_paths.sh finds wrong entries in libraries that are linked with them, and accepts right ones.
#
#   scripts/check_run_paths_test.sh CC
set -euo pipefail
cc=$1
check=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/check_run_paths.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/tieout run paths.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
echo 'int planted(void) { return 0; }' >"$work/planted.c"

# passes RUNPATH: links a library with this run path; succeeds if the check accepts it.
passes() {
  "$cc" -shared -fPIC "$work/planted.c" -o "$work/planted.so" "-Wl,--enable-new-dtags,-rpath,$1"
  "$check" --files "$work/planted.so" >"$work/log"
}

for right in '$ORIGIN' '$ORIGIN/../lib' '/usr/lib:$ORIGIN'; do
  passes "$right" || { echo "refused: $right"; cat "$work/log"; exit 1; }
done
for wrong in '$ORIGIN/../lib:' ':/usr/lib' '/usr/lib::/lib' 'lib' '.' '../lib' '$ORIGINS/lib'; do
  if passes "$wrong"; then echo "not found: $wrong"; exit 1; fi
done
if "$check" --files "$work/planted.c" >"$work/log"; then echo "no library was read, and that was not found"; exit 1; fi
