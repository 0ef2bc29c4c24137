#include "reports/record_files.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace tieout {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtension = ".tieout";

// Shards of one run are told by what they have in common.
auto identity(const RunSummary& run) { return std::tuple(run.command, run.subject, run.seed, run.shard.count); }

RunSummary join(const std::vector<RunSummary>& shards) {
  RunSummary whole = shards.front();
  for (std::size_t i = 1; i < shards.size(); ++i) {
    const RunSummary& shard = shards[i];
    const double longest = std::max(whole.seconds, shard.seconds);
    merge(whole, shard);
    whole.seconds = longest;  // they ran side by side
    whole.workers += shard.workers;
    whole.started = std::min(whole.started, shard.started);
    whole.findings.insert(whole.findings.end(), shard.findings.begin(), shard.findings.end());
    if (shard.machine != whole.machine) whole.machine.cpu = "several machines";
  }
  const auto missing = whole.shard.count - std::ssize(shards);
  if (missing > 0) whole.finished = false;
  if (missing == 0) whole.shard = {};
  keep_first_findings(whole);
  find_missing_classes(whole);
  return whole;
}

// A record that is read, and where it lies.
struct Part {
  RunSummary run;
  fs::path file;
};

// Runs in the order of their identities, each with its shards in theirs.
using Parts = std::map<decltype(identity(RunSummary{})), std::map<std::int64_t, Part>>;

tl::expected<Parts, std::string> read_parts(const std::vector<fs::path>& files) {
  Parts parts;
  for (const fs::path& file : files) {
    auto record = RunRecord::open(file, RunRecord::For::reading);
    if (!record) return tl::unexpected(record.error());
    auto run = record->summary();
    if (!run) return tl::unexpected(run.error());
    auto& shards = parts[identity(*run)];
    const auto there = shards.find(run->shard.index);
    if (there != shards.end() && there->second.run.cases.all() >= run->cases.all()) continue;
    shards[run->shard.index] = {std::move(*run), file};
  }
  return parts;
}

RunSummary join(const std::map<std::int64_t, Part>& parts) {
  std::vector<RunSummary> shards;
  for (const auto& [index, part] : parts) shards.push_back(part.run);
  return join(shards);
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
  const auto parts = read_parts(files);
  if (!parts) return tl::unexpected(parts.error());
  if (parts->size() != 1) {
    return tl::unexpected("these are records of " + std::to_string(parts->size()) +
                          " different runs; merge takes the shards of one, and `tieout report` takes many runs");
  }
  const auto& shards = parts->begin()->second;
  RunSummary whole = join(shards);
  std::vector<RecordBlock> blocks;
  for (const auto& [index, part] : shards) {
    auto record = RunRecord::open(part.file, RunRecord::For::reading);
    if (!record) return tl::unexpected(record.error());
    auto of_shard = record->blocks();
    if (!of_shard) return tl::unexpected(of_shard.error());
    std::ranges::move(*of_shard, std::back_inserter(blocks));
  }
  std::ranges::sort(blocks, {}, &RecordBlock::number);
  RunSummary start = whole;
  start.findings.clear();  // what create() writes down is the counts; the findings go with the blocks
  auto record = RunRecord::create(merged, start);
  if (!record) return tl::unexpected(record.error());
  if (blocks.empty()) return record->update(whole);
  blocks.back().counts.findings = whole.findings;
  for (const RecordBlock& block : blocks) {
    if (const auto written = record->append(block, whole); !written) return written;
  }
  return {};
}

}  // namespace tieout
