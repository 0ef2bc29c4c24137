#include "reports/records/record_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "reports/data/small_case.h"

namespace tieout {
namespace {

constexpr std::int64_t kMostCounted = std::int64_t{1} << 56;  // so that sums over many records fit 64 bits
constexpr std::int64_t kMostProcesses = 1 << 20;              // cores and workers
constexpr std::int64_t kLatest = 253'402'300'799;             // the last second of the year 9999
constexpr double kLongest = 1e12;                             // seconds

bool between(std::int64_t low, std::int64_t value, std::int64_t high) { return low <= value && value <= high; }
bool is_time(double seconds) { return seconds >= 0 && seconds <= kLongest; }  // false for NaN

// Adds a count to a sum. Returns false if one of them is out of range.
bool counted(std::int64_t& sum, std::int64_t count) {
  if (!between(0, count, kMostCounted - sum)) return false;
  sum += count;
  return true;
}

// Returns the sum of the counts, or -1 if a count is negative or the sum is out of range.
std::int64_t sum_of(const std::map<std::string, std::int64_t>& counts) {
  std::int64_t sum = 0;
  for (const auto& [text, count] : counts) {
    if (!counted(sum, count)) return -1;
  }
  return sum;
}

std::string wrong_run(const RunSummary& run) {
  if (run.shard.count < 1 || !between(0, run.shard.index, run.shard.count - 1)) {
    return fmt::format("there is no shard {} of {}", run.shard.index, run.shard.count);
  }
  if (!between(0, run.machine.cores, kMostProcesses) || !between(0, run.workers, kMostProcesses)) {
    return "cores or workers are out of range";
  }
  if (!between(0, run.started, kLatest)) return "the time at which it was started is out of range";
  if (!is_time(run.seconds) || !is_time(run.seconds_in_engine)) return "its times are out of range";
  for (const auto& [strategy, seconds] : run.strategy_seconds) {
    if (!is_time(seconds)) return "its times are out of range";
  }
  return {};
}

std::string wrong_counts(const RunSummary& run) {
  const CaseCounts& cases = run.cases;
  std::int64_t all = 0;
  for (const StatusName& status : kStatusNames) {
    if (!counted(all, cases.*status.count)) return "a count is negative or out of range";
  }
  std::int64_t verified = 0;
  std::int64_t differed = 0;
  std::int64_t elements = 0;
  std::int64_t reached = 0;
  for (const auto& [cell, counts] : run.cells) {
    const bool in_range =
        counted(verified, counts.cases) && counted(differed, counts.differed) && counted(elements, counts.elements);
    if (!in_range) return "a count is negative or out of range";
    for (const auto& [cls, count] : counts.classes) {
      if (!between(0, count, counts.cases) || !counted(reached, count)) return "a class has more cases than its cell";
    }
  }
  for (const auto& [cause, departures] : run.departures) {
    if (!between(0, departures.cases, kMostCounted) || !between(0, departures.elements, kMostCounted)) {
      return "a count is negative or out of range";
    }
  }
  if (verified != cases.verified() || differed != cases.differed) {
    return "the counts of its cells and of its cases do not belong together";
  }
  if (sum_of(run.differences) != cases.differed + cases.crashed) {
    return "the counts of its differences and of its cases do not belong together";
  }
  if (sum_of(run.reasons) < 0 || sum_of(run.declined) < 0 || sum_of(run.accepted_deviations) < 0 ||
      sum_of(run.strategies) < 0) {
    return "a count is negative or out of range";
  }
  return {};
}

// Returns true if the output of the case can have the value.
bool is_value(std::int32_t value, std::string_view case_line) {
  const OutputType type = output_type_of_line(case_line);
  const int shift = stored_shift(type);
  return type == OutputType::int32 || between(-shift, value, 255 - shift);
}

std::string wrong_causes(const RunSummary& run) {
  if (!run.cases_by_cause.empty() && sum_of(run.cases_by_cause) != run.cases.differed + run.cases.crashed) {
    return "the counts of its causes and of its cases do not belong together";
  }
  for (const ReportedCause& cause : run.causes) {
    const auto counted_cases = run.cases_by_cause.find(name_of(cause));
    if (counted_cases == run.cases_by_cause.end() || counted_cases->second != cause.cases) {
      return "a cause and its count do not belong together";
    }
    if (!is_value(cause.expected, cause.case_line) || !is_value(cause.actual, cause.case_line)) {
      return "a value is out of range";
    }
    for (const std::int64_t count : {cause.fresh, cause.predicted, cause.fresh_differing, cause.explains}) {
      if (!between(0, count, kMostCounted)) return "a count is negative or out of range";
    }
    if (!is_case_line(cause.case_line)) return "a cause has a line that is not a case";
  }
  return {};
}

// Checks that the letters of all blocks together agree with the counts of cases.
std::string wrong_blocks(const RunSummary& run, const std::vector<RecordBlock>& blocks) {
  CaseCounts counts;
  for (const RecordBlock& block : blocks) {
    if (block.number < -1 || (block.number >= 0 && block.number % run.shard.count != run.shard.index)) {
      return fmt::format("block {} is not one of its shard's", block.number);
    }
    for (const char letter : block.verdicts) {
      const auto status = std::ranges::find(kStatusNames, letter, &StatusName::letter);
      if (status == kStatusNames.end()) return fmt::format("block {} has a verdict that there is not", block.number);
      ++(counts.*status->count);
    }
  }
  return counts == run.cases ? "" : "its blocks and its counts do not belong together";
}

std::string wrong_findings(const RunSummary& run) {
  for (const Finding& finding : run.findings) {
    std::vector<std::string_view> lines{finding.case_line, finding.original_line};
    lines.insert(lines.end(), finding.before.begin(), finding.before.end());
    for (const std::string_view line : lines) {
      if (!is_case_line(line)) return fmt::format("a finding of case {} has a line that is not a case", finding.index);
    }
  }
  return {};
}

}  // namespace

std::string find_record_error(const RunSummary& run, const std::vector<RecordBlock>& blocks) {
  std::string wrong = wrong_run(run);
  if (wrong.empty()) wrong = wrong_counts(run);
  if (wrong.empty()) wrong = wrong_blocks(run, blocks);
  if (wrong.empty()) wrong = wrong_findings(run);
  if (wrong.empty()) wrong = wrong_causes(run);
  return wrong;
}

}  // namespace tieout
