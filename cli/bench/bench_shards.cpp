#include "cli/bench/bench_shards.h"

#include <fmt/core.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <optional>
#include <vector>

#include "cli/bench/bench_cases.h"
#include "cli/common/duration.h"
#include "props/campaign/campaign.h"

namespace tieout {
namespace {

using Clock = std::chrono::steady_clock;

// Returns the peak memory of this process (RUSAGE_SELF), or of the largest worker that has ended (RUSAGE_CHILDREN),
// MiB.
double peak_memory(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// The course of a campaign.
struct Course {
  std::vector<double> blocks;  // seconds of each block
  double before = 0;           // seconds until the first block's worker could start
  RunSummary whole;
};

bool power_of_two(std::int64_t n) { return (n & (n - 1)) == 0; }

Course follow(LibTorch& reference, const CampaignOptions& options, const char* name) {
  Course course;
  const auto start = Clock::now();
  CampaignStart begin{.so_far = empty_run(options, reference), .blocks_done = 0, .corpus = std::nullopt};
  course.before = seconds_since(start);
  auto last = Clock::now();
  const auto first = last;
  const auto block = [&](const RecordBlock&, const RunSummary& so_far) {
    course.blocks.push_back(seconds_since(last));
    last = Clock::now();
    const std::int64_t blocks = std::ssize(course.blocks);
    if (!power_of_two(blocks) && !so_far.finished) return true;
    const std::int64_t cases = std::min(blocks * kBlock, options.cases);
    const double seconds = seconds_since(first);
    fmt::print("{:<22} {:>8} {:>9.2f} {:>8.0f} {:>8.0f} % {:>10.0f} {:>10.0f}\n", name, cases, seconds,
               1e6 * seconds / static_cast<double>(cases), 100 * so_far.seconds_in_engine / seconds,
               peak_memory(RUSAGE_SELF), peak_memory(RUSAGE_CHILDREN));
    std::fflush(stdout);
    return true;
  };
  const CampaignCalls calls{.progress = [](const RunSummary&, const Underway&) { return true; }, .block = block};
  course.whole = run_campaign(options, reference, std::move(begin), calls);
  return course;
}

}  // namespace

double seconds_by_shards(std::span<const double> blocks, std::int64_t shards, double before) {
  std::vector<double> each(static_cast<std::size_t>(shards), before);
  for (std::size_t i = 0; i < blocks.size(); ++i) each[i % each.size()] += blocks[i];
  return *std::max_element(each.begin(), each.end());
}

tl::expected<void, std::string> bench_shards(LibTorch& reference, std::int64_t cases, std::int64_t most, double load) {
  struct Mix {
    const char* name;
    std::optional<std::int64_t> products;
  };
  fmt::print(
      "One worker; blocks of {} cases; memory: the largest so far, of the parent and of a worker\n"
      "cases                     so many   seconds  us each  in LibTorch parent MiB worker MiB\n",
      kBlock);
  std::vector<std::pair<const char*, Course>> courses;
  for (const Mix& mix : {Mix{"as campaigns draw them", std::nullopt}, Mix{"small", kSmallProducts}}) {
    const CampaignOptions options{.cases = cases, .seed = kBenchSeed, .products = mix.products};
    courses.emplace_back(mix.name, follow(reference, options, mix.name));
    if (!courses.back().second.whole.finished) return tl::unexpected(std::string("a campaign did not reach its end"));
  }
  fmt::print(
      "\nBy simulation: every shard a process on a core of its own, {:.2f} s to load LibTorch, then every N-th block\n"
      "cases                   shards   seconds  times as fast  of ideal\n",
      load);
  for (const auto& [name, course] : courses) {
    const double alone = seconds_by_shards(course.blocks, 1, load + course.before);
    for (std::int64_t shards = 1; shards <= most; shards *= 2) {
      const double seconds = seconds_by_shards(course.blocks, shards, load + course.before);
      fmt::print("{:<22} {:>7} {:>9.2f} {:>14.2f} {:>7.0f} %\n", name, shards, seconds, alone / seconds,
                 100 * alone / seconds / static_cast<double>(shards));
    }
  }
  return {};
}

}  // namespace tieout
