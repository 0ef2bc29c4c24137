#!/usr/bin/env bash
# Tests that check_definitions.py accepts what is allowed and reports planted violations.
set -euo pipefail
check=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/check_definitions.py
. "${check%/*}/planted.sh"
mkdir "$work/oracle" "$work/props"

printf 'namespace t {\nstruct Range { int low; };\nint f(int x) { return x; }\nnamespace {\nstruct Own {};\n}\n}\n' >"$work/oracle/a.cpp"
printf 'namespace t {\nstruct Range;\nint f(long x) { return 2; }\nnamespace {\nstruct Own {};\n}\n}\n' >"$work/props/b.cpp"
expect 0 ", 0 of them"
printf 'namespace t {\nenum class Range { low };\n}\n' >"$work/props/c.h"
expect 1 "t::Range in oracle/a.cpp, props/c.h"
printf 'namespace t {\nint f(int x) { return 3; }\n}\n' >"$work/props/c.h"
expect 1 "t::f(int x) in oracle/a.cpp, props/c.h"
rm "$work/props/c.h"
printf 'namespace t {\nnamespace {\nint own(int x) { return x; }\n}\n}\n' >"$work/props/d.cpp"
printf 'namespace t {\nnamespace {\nint own(long x) { return 1; }\n}\n}\n' | tee "$work/props/d_test.cpp" >"$work/oracle/e.cpp"
expect 0 ", 0 of them"
cp "$work/oracle/e.cpp" "$work/props/e.cpp"
expect 1 "props: own in props/d.cpp, props/e.cpp"
rm -r "$work/oracle" "$work/props"
expect 2 "no definitions found"
