#!/usr/bin/env bash
# check_words.py accepts plain words and exceptions, and reports planted words and exceptions that nothing needs.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
mkdir "$work/oracle" "$work/scripts"

# expect STATUS WORDS: of the check over $work
expect() {
  local status=0 output
  output=$("$here/check_words.py" "$work" 2>&1) || status=$?
  if ((status != $1)) || [[ $output != *"$2"* ]]; then
    printf 'expected status %s and "%s"; got %s and:\n%s\n' "$1" "$2" "$status" "$output" >&2
    exit 1
  fi
}

printf '// Predicts the value that LibTorch rounds differently.\n' >"$work/oracle/a.h"
expect 0 "1 files, 0 wrong"
printf '// What Nobody knows.\n' >>"$work/oracle/a.h"
expect 1 "oracle/a.h:2: 'Nobody'"
printf 'oracle/a.h\tNobody knows\tthe name of a song\n' >"$work/scripts/words_allowed.txt"
expect 0 "0 wrong"
printf '// Predicts.\n' >"$work/oracle/a.h"
expect 1 "nothing needs this any more"
rm "$work/scripts/words_allowed.txt"
printf 'It is foretold, and made small.\n' >"$work/README.md"
expect 1 "README.md:1: 'foretold'"
expect 1 "README.md:1: 'made small'"
