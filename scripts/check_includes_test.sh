#!/usr/bin/env bash
# Tests check_includes.sh: it passes a clean tree, and finds each violation that is planted in one.
set -euo pipefail
check=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)/check_includes.sh
tree=$(mktemp -d)
trap 'rm -rf -- "$tree"' EXIT
failures=0

# put FILE INCLUDE...: writes a file of the tree.
put() {
  mkdir -p "$tree/$(dirname -- "$1")"
  printf '#include %s\n' "${@:2}" >"$tree/$1"
}

fresh() {
  rm -rf -- "${tree:?}"/*
  put cases/strings/a.h '<string>'
  put cases/a.h '<vector>' '<tl/expected.hpp>' '"cases/tensor.h"' '"cases/strings/a.h"'
  put cases/text/a.h '"cases/a.h"'
  put kernels/a.cpp '<immintrin.h>' '"cases/a.h"'
  put kernels/a_test.cpp '<gtest/gtest.h>' '<sys/mman.h>' '"kernels/a.h"'
  put kernels/subject/a.h '"kernels/a.h"'
  put kernels/host/a.cpp '"kernels/subject/a.h"'
  put oracle/element/a.h '"cases/a.h"'
  put oracle/engines/a.h '"oracle/element/a.h"'
  put oracle/hypotheses/a.cpp '"oracle/element/a.h"' '"oracle/engines/a.h"'
  put oracle/libtorch/libtorch_a.cpp '<ATen/ATen.h>' '<fbgemm/Utils.h>'
  put oracle/libtorch/libtorch_loader.cpp '<dlfcn.h>' '"oracle/libtorch/a.h"'
  put layers/simd/a.cpp '<immintrin.h>' '"cases/machine/a.h"'
  put layers/a.cpp '"layers/simd/a.h"' '"oracle/hypotheses/a.h"'
  put reports/data/a.cpp '<fmt/core.h>' '"cases/a.h"'
  put reports/formats/html/a.cpp '<kainjow/mustache.hpp>' '<zlib.h>' '"reports/formats/a.h"'
  put props/verify/a.cpp '"oracle/engines/a.h"' '"kernels/a.h"' '"props/generate/a.h"'
  put props/model/a.cpp '"layers/a.h"'
  put props/properties/a_test.cpp '<rapidcheck.h>' '"layers/simd/a.h"'
  put cli/common/b.cpp '<CLI/CLI.hpp>'
  put cli/options/a.cpp '"cli/common/a.h"'
  put cli/a.cpp '"props/verify/a.h"' '"cli/options/a.h"'
}

# planted FILE INCLUDE: that line alone makes the tree wrong, and is named.
planted() {
  local line output
  fresh
  mkdir -p "$tree/$(dirname -- "$1")"
  printf '#include %s\n' "$2" >>"$tree/$1"
  line=$(wc -l <"$tree/$1")
  if output=$("$check" "$tree") || ! grep -qF "$1:$line: " <<<"$output" || ! grep -qF ', 1 wrong' <<<"$output"; then
    printf 'not found: %s in %s\n%s\n' "$2" "$1" "$output"
    failures=$((failures + 1))
  fi
}

fresh
"$check" "$tree" || failures=$((failures + 1))

# From one top folder to another.
planted cases/a.h '"kernels/a.h"'
planted kernels/a.cpp '"oracle/element/a.h"'
planted kernels/a.cpp '"layers/a.h"'
planted kernels/a.cpp '"reports/data/a.h"'
planted kernels/a_test.cpp '"oracle/element/a.h"'
planted oracle/engines/a.h '"kernels/a.h"'
planted oracle/element/a.h '"layers/a.h"'
planted oracle/hypotheses/a.cpp '"layers/simd/a.h"'
planted oracle/libtorch/libtorch_a.cpp '"kernels/a.h"'
planted layers/a.cpp '"kernels/packed/a.h"'
planted layers/a.cpp '"props/model/a.h"'
planted reports/data/a.cpp '"oracle/element/a.h"'
planted props/verify/a.cpp '"layers/a.h"'
planted props/verify/a.cpp '"cli/a.h"'

# From one folder to another of the same top folder: upward, or without need.
planted cases/strings/a.h '"cases/a.h"'
planted cases/a.h '"cases/text/a.h"'
planted kernels/a.cpp '"kernels/subject/a.h"'
planted kernels/subject/a.h '"kernels/host/a.h"'
planted kernels/subject/a.h '"kernels/packed/a.h"'
planted oracle/element/a.h '"oracle/hypotheses/a.h"'
planted oracle/engines/a.h '"oracle/hypotheses/a.h"'
planted oracle/hypotheses/a.cpp '"oracle/libtorch/a.h"'
planted layers/simd/a.cpp '"layers/a.h"'
planted layers/simd/a.cpp '"oracle/element/a.h"'
planted reports/data/a.cpp '"reports/formats/a.h"'
planted props/verify/a.cpp '"props/campaign/a.h"'
planted props/model/a.cpp '"props/campaign/a.h"'
planted cli/options/a.cpp '"cli/campaign/a.h"'

# Folders that the list does not have.
planted oracle/engines/a.h '"oracle/a.h"'
planted cli/a.cpp '"props/elsewhere/a.h"'

# LibTorch.
planted kernels/a_test.cpp '<torch/torch.h>'
planted oracle/engines/a.h '<ATen/ATen.h>'
planted oracle/hypotheses/a.cpp '<c10/core/Scalar.h>'
planted oracle/libtorch/libtorch_loader.cpp '<torch/script.h>'
planted oracle/libtorch/libtorch_a.h '<torch/script.h>'
planted oracle/libtorch/a.cpp '<torch/script.h>'
planted layers/a.cpp '<torch/script.h>'
planted props/verify/a.cpp '  <fbgemm/Utils.h>  // why not'
planted cli/a.cpp '<ATen/ATen.h>'
planted elsewhere.cpp '<torch/torch.h>'

# Other libraries, and the system.
planted cases/a.h '<dlfcn.h>'
planted cases/a.h '<fmt/core.h>'
planted cases/a.h '"tensor.h"'
planted kernels/a.cpp '<gtest/gtest.h>'
planted kernels/a.cpp '<nlohmann/json.hpp>'
planted cli/options/b.cpp '<CLI/CLI.hpp>'
planted oracle/engines/a.h '<immintrin.h>'
planted reports/data/a.cpp '<sqlite3.h>'
planted reports/data/a.cpp '<zlib.h>'
planted cli/a.cpp '<kainjow/mustache.hpp>'
planted props/verify/a.cpp '<rapidcheck.h>'
planted cli/a.cpp '<boost/any.hpp>'
planted cli/a.cpp 'HEADER'

# A file in a folder that the list does not have.
fresh
put oracle/a.h '<vector>'
if output=$("$check" "$tree") || ! grep -qF "oracle/a.h:0: " <<<"$output"; then
  printf 'not found: a file in a folder that is not listed\n%s\n' "$output"
  failures=$((failures + 1))
fi

# A list in which a folder may include one that stands below it: the order is what excludes cycles.
fresh
copy=$tree/check_includes.sh
sed 's,^  cases/strings:.*,  cases/strings: cases,' "$check" >"$copy"
chmod +x "$copy"
if output=$("$copy" "$tree") || ! grep -qF 'cases/strings stands above cases' <<<"$output"; then
  printf 'not found: a list with a cycle\n%s\n' "$output"
  failures=$((failures + 1))
fi

rm -rf -- "${tree:?}"/*
if "$check" "$tree" >/dev/null; then
  echo "an empty tree passed"
  failures=$((failures + 1))
fi
exit $((failures > 0))
