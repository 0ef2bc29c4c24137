#pragma once
// Which part of a campaign this process is: told by --shard, or by the job system that started it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "reports/run_summary.h"

namespace tieout {

// As many as any job system starts, and so few that no number of a block leaves its type.
inline constexpr std::int64_t kMostShards = 1'000'000;

// "2/8": the second of eight.
[[nodiscard]] tl::expected<Shard, std::string> parse_shard(const std::string& text);

// What an environment variable holds, if it is set.
using Environment = std::function<std::optional<std::string>(const char*)>;

// From Slurm's array jobs (SLURM_ARRAY_TASK_ID, _MIN, _STEP, _COUNT), Kubernetes' indexed Jobs (JOB_COMPLETION_INDEX,
// with the number of completions in TIEOUT_SHARDS, because Kubernetes does not tell it) and GoogleTest's sharding
// variables (GTEST_SHARD_INDEX, GTEST_TOTAL_SHARDS), in this order; the whole where none is set. The error names the
// variable.
[[nodiscard]] tl::expected<Shard, std::string> shard_of_environment(const Environment& environment);

}  // namespace tieout
