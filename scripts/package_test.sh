#!/usr/bin/env bash
# Installs a build into a prefix of its own, which it then moves, and builds and tests examples/ctest_project against it,
# as a user would. Then plants a fault in the example's kernel, which its tests must find.
#
#   scripts/package_test.sh BUILD
#   scripts/package_test.sh --installed PREFIX     uses what is installed there
set -euo pipefail
source=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/tieout package.XXXXXX") # the space tests that commands quote paths
trap 'rm -rf -- "$work"' EXIT

if [[ $1 == --installed ]]; then
  prefix=$(cd -- "$2" && pwd)
else
  cmake --install "$1" --prefix "$work/first" >"$work/install.log"
  prefix="$work/pre fix"
  mv -- "$work/first" "$prefix"
fi
share=$prefix/share
for file in doc/tieout/{LICENSE,THIRD_PARTY_NOTICES,CHANGELOG.md,SECURITY.md,CITATION.cff,stability.md} man/man1/tieout.1 \
  bash-completion/completions/tieout zsh/site-functions/_tieout fish/vendor_completions.d/tieout.fish; do
  [[ -s $share/$file ]] || {
    echo "share/$file was not installed"
    exit 1
  }
done
cp -r -- "$source/examples/ctest_project" "$work/project"
cmake -S "$work/project" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/configure.log"
cmake --build "$work/build" >"$work/build.log" || {
  cat "$work/build.log"
  exit 1
}
ctest --test-dir "$work/build" --output-on-failure

# Rounds ties away from zero, which the contract's case for ties and the random cases must both find.
sed -i 's/nearbyintf(/roundf(/' "$work/project/pointwise.c"
cmake --build "$work/build" >"$work/build.log"
for test in pointwise.contract pointwise.fuzz pointwise_test; do
  if ctest --test-dir "$work/build" -R "^$test\$" --output-on-failure >"$work/ctest.log"; then
    echo "$test did not find the fault that was planted"
    exit 1
  fi
  grep -q 'replay: tieout check --subject' "$work/ctest.log" || {
    cat "$work/ctest.log"
    echo "$test does not say how to replay what it found"
    exit 1
  }
done
