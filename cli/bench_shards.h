#pragma once
// What a campaign costs by its length, and what it would cost cut into shards.

#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "oracle/libtorch.h"

namespace tieout {

// Seconds until the last of `shards` processes is done, all begun at once, each on a core of its own: the i-th takes
// every shards-th block from the i-th on, as `--shard i/shards` does. before: what each takes before its first block.
[[nodiscard]] double seconds_by_shards(std::span<const double> blocks, std::int64_t shards, double before);

// Runs a campaign of `cases` with one worker, and the same of small ones, and prints a table of what it took after 1,
// 2, 4, .. blocks, with the share inside of LibTorch's calls and the memory; then a table of 1, 2, 4, .. shards up to
// `most`, by seconds_by_shards(). load: seconds that loading LibTorch took. Error: why a campaign did not reach its
// end.
[[nodiscard]] tl::expected<void, std::string> bench_shards(LibTorch& reference, std::int64_t cases, std::int64_t most,
                                                           double load);

}  // namespace tieout
