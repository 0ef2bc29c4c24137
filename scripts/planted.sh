# For tests of checks of the sources, which source this file: a folder $work, removed at the end, and expect(). $check:
# the program that checks the folder which it is given.
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# expect STATUS WORDS: fails unless the check of $work exits with STATUS and prints WORDS.
expect() {
  local status=0 output
  output=$("$check" "$work" 2>&1) || status=$?
  if ((status != $1)) || [[ $output != *"$2"* ]]; then
    printf 'expected status %s and "%s"; got %s and:\n%s\n' "$1" "$2" "$status" "$output" >&2
    exit 1
  fi
}
