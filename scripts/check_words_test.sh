#!/usr/bin/env bash
# check_words.py accepts plain words and exceptions, and reports planted words and exceptions that nothing needs.
set -euo pipefail
check=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/check_words.py
. "${check%/*}/planted.sh"
mkdir "$work/oracle" "$work/scripts"

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
