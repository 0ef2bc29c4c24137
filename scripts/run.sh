#!/usr/bin/env bash
# Builds the command and runs it. On a bare Debian 12 it first installs and fetches what the build needs (see setup.sh).
#
#   scripts/run.sh            runs the experiment and ten thousand random cases; writes reports to build/report
#   scripts/run.sh ARGS...    runs tieout ARGS...
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
tieout=$root/build/release/bin/tieout

"$root/scripts/setup.sh" tieout
if (($#)); then exec "$tieout" "$@"; fi

worst=0
"$tieout" experiment || worst=$?
report=$root/build/report
"$tieout" fuzz --cases 10000 --html "$report/report.html" --markdown "$report/report.md" || { status=$?; ((status <= worst)) || worst=$status; }
echo "The report: $report/report.html"
exit "$worst"
