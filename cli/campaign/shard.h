#pragma once
// Determines which part of a campaign this process runs, from --shard or from the job system that started it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "reports/data/run_summary.h"

namespace tieout {

// The maximum number of shards: no job system starts more, and block numbers cannot overflow.
inline constexpr std::int64_t kMostShards = 1'000'000;

// Parses a shard: "2/8" is the second of eight. The error states what is allowed.
[[nodiscard]] tl::expected<Shard, std::string> parse_shard(const std::string& text);

// Returns the value of an environment variable, if it is set.
using Environment = std::function<std::optional<std::string>(const char*)>;

// Returns the shard that is set by Slurm's array jobs (SLURM_ARRAY_TASK_ID, _MIN, _STEP, _COUNT), Kubernetes' indexed
// Jobs (JOB_COMPLETION_INDEX, with the number of completions in TIEOUT_SHARDS, because Kubernetes does not provide it)
// or GoogleTest's sharding variables (GTEST_SHARD_INDEX, GTEST_TOTAL_SHARDS), in this order; the whole campaign if none
// is set. The error names the variable.
[[nodiscard]] tl::expected<Shard, std::string> shard_of_environment(const Environment& environment);

}  // namespace tieout
