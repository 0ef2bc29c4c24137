#!/usr/bin/env bash
# Tests that check_definitions.py accepts what is allowed and reports planted violations.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/oracle" "$work/props"

# expect STATUS WORDS: fails unless the check of $work exits with STATUS and prints WORDS.
expect() {
  local status=0 output
  output=$("$here/check_definitions.py" "$work" 2>&1) || status=$?
  if ((status != $1)) || [[ $output != *"$2"* ]]; then
    printf 'expected status %s and "%s"; got %s and:\n%s\n' "$1" "$2" "$status" "$output" >&2
    exit 1
  fi
}

printf 'namespace t {\nstruct Range { int low; };\nint f(int x) { return x; }\nnamespace {\nstruct Own {};\n}\n}\n' >"$work/oracle/a.cpp"
printf 'namespace t {\nstruct Range;\nint f(long x) { return 2; }\nnamespace {\nstruct Own {};\n}\n}\n' >"$work/props/b.cpp"
expect 0 ", 0 of them"
printf 'namespace t {\nenum class Range { low };\n}\n' >"$work/props/c.h"
expect 1 "t::Range in oracle/a.cpp, props/c.h"
printf 'namespace t {\nint f(int x) { return 3; }\n}\n' >"$work/props/c.h"
expect 1 "t::f(int x) in oracle/a.cpp, props/c.h"
rm -r "$work/oracle" "$work/props"
expect 2 "no definitions found"
