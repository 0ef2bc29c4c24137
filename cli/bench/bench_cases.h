#pragma once
// Measures the time that Tieout takes for a random case in addition to LibTorch's own time for it, for `tieout bench
// --cases`.

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

#include "oracle/libtorch/libtorch.h"

namespace tieout {

inline constexpr std::uint64_t kBenchSeed = 1;       // of the random cases
inline constexpr std::int64_t kSmallProducts = 300;  // approximate maximum number of multiplications of a small case

// Prints a table for cases as campaigns draw them and for small ones: with the engines and threads that are drawn, and
// for each engine alone on one thread. Each line is measured in a process of its own, as a campaign's workers are.
// cases: number of cases per line, at least 1. Error: how such a process died.
[[nodiscard]] tl::expected<void, std::string> bench_cases(LibTorch& reference, std::int64_t cases);

}  // namespace tieout
