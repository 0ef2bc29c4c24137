#!/usr/bin/env bash
# Checks the run path of every program and library that is built, and of those that are installed. The loader reads an
# empty or relative entry as a folder below the current one, where an attacker may have put a library. Prints each entry
# that does not begin with / or $ORIGIN; fails if there is one, or if there is no file to read.
#
#   scripts/check_run_paths.sh BUILD             checks BUILD/bin, BUILD/lib, and what cmake --install installs
#   scripts/check_run_paths.sh --files FILE...
set -euo pipefail

# Prints the file and the entry for each wrong entry of the files' run paths.
wrong_entries() {
  local file paths entry
  for file in "$@"; do
    # readelf prints "Library runpath: [A:B]" or "Library rpath: [A:B]".
    paths=$(LC_ALL=C readelf -d -- "$file" 2>/dev/null | sed -n 's/.*Library r\(un\)\?path: \[\(.*\)\]$/\2/p')
    [[ $paths ]] || LC_ALL=C readelf -d -- "$file" 2>/dev/null | grep -q 'r\(un\)\?path: \[\]' || continue
    while IFS= read -r -d : entry; do
      case $entry in
        /* | '$ORIGIN' | '$ORIGIN/'*) ;;
        *) printf '%s: run path has the entry "%s"\n' "$file" "$entry" ;;
      esac
    done <<<"$paths:"
  done
}

if [[ $1 == --files ]]; then
  shift
  files=("$@")
else
  build=$(cd -- "$1" && pwd)
  work=$(mktemp -d "${TMPDIR:-/tmp}/tieout run paths.XXXXXX")
  trap 'rm -rf -- "$work"' EXIT
  cmake --install "$build" --prefix "$work" >"$work/install.log"
  mapfile -d '' files < <(find "$build/bin" "$build/lib" "$work" -type f -print0)
fi

elf_files=()
for file in "${files[@]}"; do
  if [[ $(head -c 4 -- "$file" | od -An -tx1) == ' 7f 45 4c 46' ]]; then elf_files+=("$file"); fi
done
if ! ((${#elf_files[@]})); then
  echo "no program or library found"
  exit 1
fi
wrong=$(wrong_entries "${elf_files[@]}")
if [[ $wrong ]]; then
  echo "$wrong"
  exit 1
fi
echo "${#elf_files[@]} programs and libraries: every entry of their run paths is absolute or begins with \$ORIGIN"
