#!/usr/bin/env bash
# Builds everything and runs the tests. Arguments are passed to ctest, for example: scripts/test.sh -L unit
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

"$root/scripts/setup.sh" --tests all
cd -- "$root"
exec ctest --preset release -j "$(nproc)" "$@"
