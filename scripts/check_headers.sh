#!/usr/bin/env bash
# Compiles each header of a folder alone, so that it includes what it uses. The build has done that where a source of the
# same name includes it before all others. LibTorch is not on the path: no header needs it.
#
#   scripts/check_headers.sh FOLDER COMPILER FLAGS...
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
folder=$1
shift

count=0 wrong=0
while IFS= read -r header; do
  if [[ -e ${header%.h}.cpp && $(grep -m 1 '^#include' "${header%.h}.cpp") == "#include \"$header\"" ]]; then continue; fi
  count=$((count + 1))
  isa=()
  if [[ $header == *_avx512.h ]]; then isa=(-O1 -mavx512f -mavx512bw); fi  # as what includes it; -O0 intrinsics warn
  if ! printf '#include "%s"\n' "$header" | "$@" "${isa[@]}" -fsyntax-only -x c++ -; then
    echo "not self-contained: $header"
    wrong=$((wrong + 1))
  fi
done < <(find "$folder" -name '*.h' | LC_ALL=C sort)
echo "$count headers compiled alone, $wrong not self-contained"
exit $((wrong > 0))
