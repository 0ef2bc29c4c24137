#pragma once
// What a random case costs beside LibTorch's own time for it.

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "oracle/libtorch.h"

namespace tieout {

// Prints a table: cases as campaigns draw them, and small ones; by all engines, and each engine alone on one thread.
// Every line is measured in a process of its own, as campaigns' workers are. Error: how such a process died.
[[nodiscard]] tl::expected<void, std::string> bench_cases(LibTorch& reference, std::int64_t cases);

}  // namespace tieout
