#!/usr/bin/env bash
# Builds everything and runs the tests; arguments go to ctest: scripts/test.sh -L unit
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

"$root/scripts/setup.sh" --tests all
cd -- "$root"
exec ctest --preset release -j "$(nproc)" "$@"
