#include "cli/campaign/shard.h"

#include <fmt/core.h>

#include <charconv>

namespace tieout {
namespace {

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return {};
  return value;
}

}  // namespace

tl::expected<Shard, std::string> parse_shard(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::int64_t number = whole(text.substr(0, slash)).value_or(0);
  const std::int64_t count = slash == std::string::npos ? 0 : whole(text.substr(slash + 1)).value_or(0);
  if (number < 1 || number > count || count > kMostShards) {
    return tl::unexpected(fmt::format("must be I/N with 1 <= I <= N <= {}, as in 2/8; is '{}'", kMostShards, text));
  }
  return Shard{.index = number - 1, .count = count};
}

tl::expected<Shard, std::string> shard_of_environment(const Environment& environment) {
  // The maximum number of a task; Slurm counts tasks in 32 bits.
  constexpr std::int64_t kMostNumber = std::int64_t{1} << 32;
  std::string wrong;
  const auto number = [&](const char* variable, std::optional<std::int64_t> otherwise) -> std::int64_t {
    const auto text = environment(variable);
    const auto value = text ? whole(*text) : otherwise;
    const bool usable = value && *value >= 0 && *value <= kMostNumber;
    if (!usable && wrong.empty()) {
      wrong = text ? fmt::format("{} must be a whole number from 0 to {}, is '{}'", variable, kMostNumber, *text)
                   : fmt::format("{} is not set, and the number of shards is not known without it", variable);
    }
    return usable ? *value : 0;
  };
  Shard shard;
  if (environment("SLURM_ARRAY_TASK_ID")) {
    const std::int64_t step = number("SLURM_ARRAY_TASK_STEP", 1);
    shard.index = (number("SLURM_ARRAY_TASK_ID", {}) - number("SLURM_ARRAY_TASK_MIN", {})) / (step > 0 ? step : 1);
    shard.count = number("SLURM_ARRAY_TASK_COUNT", {});
  } else if (environment("JOB_COMPLETION_INDEX")) {
    shard.index = number("JOB_COMPLETION_INDEX", {});
    shard.count = number("TIEOUT_SHARDS", {});
  } else if (environment("GTEST_TOTAL_SHARDS")) {
    shard.index = number("GTEST_SHARD_INDEX", {});
    shard.count = number("GTEST_TOTAL_SHARDS", {});
  }
  if (!wrong.empty()) return tl::unexpected(wrong);
  if (shard.index < 0 || shard.index >= shard.count || shard.count > kMostShards) {
    return tl::unexpected(
        fmt::format("the environment says shard {} of {}, counted from 0 and at most {}: name it by --shard I/N",
                    shard.index, shard.count, kMostShards));
  }
  return shard;
}

}  // namespace tieout
