#!/usr/bin/env bash
# Compiles each header of a folder alone, to check that it includes what it uses. Headers that a source of the same name
# includes first are left out, because the presets debug and sanitizers compile each source alone. LibTorch is not on
# the include path, because no header may need it.
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
  # These flags are those of the sources that include such a header; intrinsics cause warnings at -O0.
  if [[ $header == *_avx512.h ]]; then isa=(-O1 -mavx512f -mavx512bw); fi
  if ! printf '#include "%s"\n' "$header" | "$@" "${isa[@]}" -fsyntax-only -x c++ -; then
    echo "not self-contained: $header"
    wrong=$((wrong + 1))
  fi
done < <(find "$folder" -name '*.h' | LC_ALL=C sort)
echo "$count headers compiled alone, $wrong not self-contained"
exit $((wrong > 0))
