#!/usr/bin/env bash
# Checks the spelling of sources, documents and messages with codespell. scripts/spelling_allowed.txt lists the words
# that are meant. Generated reports, recorded data and models are left out.
#
#   scripts/check_spelling.sh [ROOT]
set -euo pipefail
cd -- "${1:-$(dirname -- "${BASH_SOURCE[0]}")/..}"

command -v codespell >/dev/null || {
  echo "codespell cannot be run: install the Debian package codespell" >&2
  exit 1
}
allowed=()
if [[ -e scripts/spelling_allowed.txt ]]; then allowed=(-I scripts/spelling_allowed.txt); fi
if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  list=(git ls-files -z)
else
  list=(find . \( -path './.*' -o -path './build*' \) -prune -o -type f -print0)
fi
mapfile -d '' -t files < <("${list[@]}" | grep -zE '\.(h|cpp|def|c|f90|py|sh|cmake|txt|md|mustache|yml|yaml|js|css)$' |
  grep -zvE '^(\./)?(reports|oracle|cli)/testdata/|spelling_allowed\.txt$')
((${#files[@]})) || {
  echo "no file found" >&2
  exit 1
}
codespell "${allowed[@]}" -- "${files[@]}" || exit 1
echo "${#files[@]} files, 0 wrong words"
