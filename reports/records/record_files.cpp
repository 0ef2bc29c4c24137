#include "reports/records/record_files.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

namespace tieout {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtension = ".tieout";

// The contents of a record, and its file.
struct Part {
  RunSummary run;
  std::vector<RecordBlock> blocks;  // sorted by number
  fs::path file;
};

// Returns the properties that are equal for records of the same run, however it was split into shards.
auto identity(const RunSummary& run) {
  return std::tuple(run.command, run.subject, run.subject_digest, run.seed, run.reference);
}
using Parts = std::map<decltype(identity(RunSummary{})), std::vector<Part>>;

// If two records share blocks, one must contain all blocks of the other. A record without blocks is that of a shard
// without any, or of one that has not begun; only a record of the same shard or of the whole run contains it.
enum class Overlap { none, contained, partial };

Overlap overlap(const Part& part, const Part& larger) {
  if (part.blocks.empty()) {
    return part.run.shard == larger.run.shard || larger.run.shard.count == 1 ? Overlap::contained : Overlap::none;
  }
  std::size_t shared = 0;
  for (const RecordBlock& block : part.blocks) {
    if (std::ranges::binary_search(larger.blocks, block.number, {}, &RecordBlock::number)) ++shared;
  }
  if (shared == 0) return Overlap::none;
  return shared == part.blocks.size() ? Overlap::contained : Overlap::partial;
}

tl::expected<Part, std::string> read_part(const fs::path& file) {
  auto record = RunRecord::open(file, RunRecord::For::reading);
  if (!record) return tl::unexpected(record.error());
  auto run = record->summary();
  if (!run) return tl::unexpected(run.error());
  auto blocks = record->blocks();
  if (!blocks) return tl::unexpected(blocks.error());
  return Part{std::move(*run), std::move(*blocks), file};
}

// Reads the records such that each case counts once: the longest record is taken, and those that it contains are left
// out.
tl::expected<Parts, std::string> read_parts(const std::vector<fs::path>& files) {
  std::vector<Part> all;
  for (const fs::path& file : files) {
    auto part = read_part(file);
    if (!part) return tl::unexpected(part.error());
    all.push_back(std::move(*part));
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, [](const Part& part) { return part.blocks.size(); });
  Parts parts;
  for (Part& part : all) {
    auto& taken = parts[identity(part.run)];
    bool contained = false;
    for (const Part& larger : taken) {
      const Overlap with = overlap(part, larger);
      if (with == Overlap::partial) {
        return tl::unexpected(part.file.string() + " and " + larger.file.string() +
                              " hold some of the same cases, and each of them others: leave one of them out");
      }
      contained = contained || with == Overlap::contained;
    }
    if (!contained || taken.empty()) taken.push_back(std::move(part));
  }
  for (auto& [key, shards] : parts) {
    std::ranges::sort(shards, {}, [](const Part& part) { return part.run.shard.index; });
  }
  return parts;
}

// Lists the shards that are missing, by name for the first ones only. parts: sorted by the index of their shard.
void note_missing_shards(RunSummary& whole, const std::vector<Part>& parts) {
  constexpr std::size_t kNamed = 8;
  const std::int64_t count = whole.shard.count;
  std::int64_t missing = 0;
  const auto note = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t index = begin; index < end && whole.incomplete.size() < kNamed; ++index) {
      whole.incomplete.push_back("shard " + std::to_string(index + 1) + " of " + std::to_string(count) + " is missing");
    }
    missing += std::max<std::int64_t>(0, end - begin);
  };
  std::int64_t next = 0;
  for (const Part& part : parts) {
    note(next, std::min(part.run.shard.index, count));
    next = std::max(next, part.run.shard.index + 1);
  }
  note(next, count);
  const std::int64_t unnamed = missing - std::ssize(whole.incomplete);
  if (unnamed > 0) whole.incomplete.push_back("and " + std::to_string(unnamed) + " more shards are missing");
  if (missing > 0) whole.finished = false;
}

RunSummary join(const std::vector<Part>& parts) {
  const bool diagnosed = std::ranges::any_of(parts, [](const Part& part) { return !part.run.causes.empty(); });
  // Differences of a shard without a diagnosis are counted as unexplained, where others have one.
  const auto run_of = [&](const Part& part) {
    RunSummary run = part.run;
    if (diagnosed) run.cases_by_cause = reported_differences(run);
    return run;
  };
  RunSummary whole = run_of(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const RunSummary shard = run_of(parts[i]);
    const double longest = std::max(whole.seconds, shard.seconds);
    merge(whole, shard);
    whole.seconds = longest;  // the shards ran concurrently
    whole.workers += shard.workers;
    whole.started = std::min(whole.started, shard.started);
    whole.findings.insert(whole.findings.end(), shard.findings.begin(), shard.findings.end());
    if (shard.machine != whole.machine) whole.machine.cpu = "several machines";
  }
  note_missing_shards(whole, parts);
  if (whole.incomplete.empty()) whole.shard = {};
  if (parts.size() > 1) keep_first_findings(whole);
  find_missing_classes(whole);
  return whole;
}

}  // namespace

tl::expected<std::vector<fs::path>, std::string> record_files(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector{path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    if (entry.path().extension() == kExtension) files.push_back(entry.path());
  }
  if (files.empty()) return tl::unexpected(path.string() + ": there is no run record (*.tieout) in it; name a file");
  std::ranges::sort(files);
  return files;
}

tl::expected<std::vector<RunSummary>, std::string> read_records(const std::vector<fs::path>& files) {
  const auto parts = read_parts(files);
  if (!parts) return tl::unexpected(parts.error());
  std::vector<RunSummary> runs;
  for (const auto& [key, shards] : *parts) runs.push_back(join(shards));
  return runs;
}

tl::expected<void, std::string> merge_records(const fs::path& merged, const std::vector<fs::path>& files) {
  auto parts = read_parts(files);
  if (!parts) return tl::unexpected(parts.error());
  if (parts->size() != 1) {
    return tl::unexpected("these are records of " + std::to_string(parts->size()) +
                          " different runs; merge takes the shards of one, and `tieout report` takes many runs");
  }
  const RunSummary whole = join(parts->begin()->second);
  if (!whole.incomplete.empty()) return tl::unexpected(whole.incomplete.front() + ": name its record, too");
  std::vector<RecordBlock> blocks;
  for (Part& part : parts->begin()->second) std::ranges::move(part.blocks, std::back_inserter(blocks));
  std::ranges::sort(blocks, {}, &RecordBlock::number);

  return RunRecord::write(merged, whole, blocks);
}

}  // namespace tieout
