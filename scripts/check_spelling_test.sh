#!/usr/bin/env bash
# check_spelling.sh accepts correct and allowed words, and reports a planted misspelling.
set -euo pipefail
check=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/check_spelling.sh
. "${check%/*}/planted.sh"
mkdir "$work/oracle" "$work/scripts"

printf '// Returns the separate values.\n' >"$work/oracle/a.h"
expect 0 "1 files, 0 wrong words"
printf '// Returns the %s values.\n' "sep""erate" >>"$work/oracle/a.h"
expect 1 "oracle/a.h:2: sep"
echo "sep""erate" >"$work/scripts/spelling_allowed.txt"
expect 0 "0 wrong words"
