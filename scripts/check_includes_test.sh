#!/usr/bin/env bash
# Tests that check_includes.sh accepts a correct tree, and finds each violation that is planted in it.
set -euo pipefail
check=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/check_includes.sh
tree=$(mktemp -d)
trap 'rm -rf -- "$tree"' EXIT
failures=0

fresh() {
  rm -rf -- "${tree:?}"/*
  mkdir -p "$tree"/{cases,kernels,oracle,reports,props,cli}
  printf '%s\n' '#include <vector>' '#include <tl/expected.hpp>' '#include "cases/tensor.h"' >"$tree/cases/a.h"
  printf '%s\n' '#include <immintrin.h>' '#include "cases/a.h"' >"$tree/kernels/a.cpp"
  printf '%s\n' '#include <gtest/gtest.h>' '#include <sys/mman.h>' '#include "kernels/a.h"' >"$tree/kernels/a_test.cpp"
  printf '%s\n' '#include <ATen/ATen.h>' '#include <fbgemm/Utils.h>' >"$tree/oracle/libtorch_a.cpp"
  printf '%s\n' '#include <dlfcn.h>' '#include "oracle/a.h"' >"$tree/oracle/libtorch_loader.cpp"
  printf '%s\n' '#include <fmt/core.h>' '#include "cases/a.h"' >"$tree/reports/a.cpp"
  printf '%s\n' '#include <rapidcheck.h>' '#include "oracle/a.h"' '#include "kernels/a.h"' >"$tree/props/a.cpp"
  printf '%s\n' '#include <CLI/CLI.hpp>' '#include "props/a.h"' >"$tree/cli/a.cpp"
}

# planted FILE INCLUDE: adds the include to a correct tree; counts a failure unless the check reports that line alone.
planted() {
  fresh
  printf '#include %s\n' "$2" >>"$tree/$1"
  local line output
  line=$(wc -l <"$tree/$1")
  if output=$("$check" "$tree") || ! grep -qF "$1:$line: " <<<"$output" || ! grep -qF ', 1 wrong' <<<"$output"; then
    printf 'not found: %s in %s\n%s\n' "$2" "$1" "$output"
    failures=$((failures + 1))
  fi
}

fresh
"$check" "$tree" || failures=$((failures + 1))

planted cases/a.h '"kernels/a.h"'
planted cases/a.h '<dlfcn.h>'
planted cases/a.h '<fmt/core.h>'
planted cases/a.h '"tensor.h"'
planted kernels/a.cpp '"oracle/a.h"'
planted kernels/a.cpp '"reports/a.h"'
planted kernels/a.cpp '<gtest/gtest.h>'
planted kernels/a_test.cpp '"oracle/a.h"'
planted kernels/a_test.cpp '<torch/torch.h>'
planted oracle/a.h '<ATen/ATen.h>'
planted oracle/a.cpp '"kernels/a.h"'
planted oracle/a.cpp '<c10/core/Scalar.h>'
planted oracle/libtorch_loader.cpp '<torch/script.h>'
planted oracle/libtorch_a.h '<torch/script.h>'
planted oracle/libtorch_a.cpp '"kernels/a.h"'
planted reports/a.cpp '"oracle/a.h"'
planted kernels/a.cpp '<nlohmann/json.hpp>'
planted cli/a.cpp '<kainjow/mustache.hpp>'
planted props/a.cpp '<zlib.h>'
planted props/a.cpp '"cli/a.h"'
planted props/a.cpp '  <fbgemm/Utils.h>  // why not'
planted cli/a.cpp '<ATen/ATen.h>'
planted elsewhere.cpp '<torch/torch.h>'
planted cli/a.cpp '<boost/any.hpp>'
planted cli/a.cpp 'HEADER'

rm -rf -- "${tree:?}"/*
if "$check" "$tree" >/dev/null; then
  echo "an empty tree passed"
  failures=$((failures + 1))
fi
exit $((failures > 0))
