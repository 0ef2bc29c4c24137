#pragma once
// Measures how long a campaign takes as a function of its length, and predicts how long it would take in shards, for
// `tieout bench --shards`.

#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "oracle/libtorch/libtorch.h"

namespace tieout {

// Returns the seconds until the last of `shards` processes ends if all start at once, each on a core of its own, and
// the i-th runs every shards-th block from the i-th on, as with `--shard i/shards`. blocks: seconds of each block.
// shards: at least 1. before: seconds that each process takes before its first block.
[[nodiscard]] double seconds_by_shards(std::span<const double> blocks, std::int64_t shards, double before);

// Runs a campaign of `cases` cases with one worker, and one of as many small cases, and prints a table of the time
// after 1, 2, 4, .. blocks with the share spent inside of LibTorch's calls and the peak memory; then a table for 1, 2,
// 4, .. shards up to `most`, computed by seconds_by_shards(). load: seconds that loading LibTorch took. Error: why a
// campaign did not reach its end.
[[nodiscard]] tl::expected<void, std::string> bench_shards(LibTorch& reference, std::int64_t cases, std::int64_t most,
                                                           double load);

}  // namespace tieout
