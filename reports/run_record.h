#pragma once
// The record of a run: one SQLite file, written as the run goes, block by block, so that a killed run leaves all that it
// had done. docs/reports.md describes its tables for who wants to ask it in SQL.
//
// A record holds one run of one shard. What it holds is always the beginning of that shard's sequence of cases: two records
// of the same shard agree as far as the shorter one goes, and the longer one counts.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/digest.h"
#include "reports/run_summary.h"

namespace tieout {

// What is added to a record at once.
struct RecordBlock {
  std::int64_t number = 0;  // of the block in the whole sequence, all shards together
  // A letter a case: passed '.', differed 'D', skipped 's', mistrusted 'm', crashed 'C', errored 'e', starved 'x'.
  std::string verdicts{};
  // Over everything that is counted of its cases: equal runs have equal digests.
  std::uint64_t digest = Digest().value();
  RunSummary counts{};  // of this block alone; its findings are the block's
};

// Written through; anything that fails is told in words, and what was written before stays.
//
// A record holds digests over everything in it. They are verified when it is opened, with everything else that a whole record
// has in common with itself; one that is damaged, cut off or changed by another program is refused. Reading one costs memory
// in proportion to its size.
class RunRecord {
 public:
  using Error = std::string;

  // A new file. It must not exist; what a removed record has left beside this name is removed.
  [[nodiscard]] static tl::expected<RunRecord, Error> create(const std::filesystem::path& file, const RunSummary& run);
  // One that exists: to go on with, or only to read.
  enum class For { reading, writing };
  [[nodiscard]] static tl::expected<RunRecord, Error> open(const std::filesystem::path& file, For what = For::writing);

  // A new file with all of a run, blocks in ascending order. The findings are the run's; the blocks' counts are not used.
  [[nodiscard]] static tl::expected<void, Error> write(const std::filesystem::path& file, const RunSummary& run,
                                                       const std::vector<RecordBlock>& blocks);

  // In one transaction: all of the block is in the record, or nothing. Blocks come in ascending order. run: the whole, for its
  // times.
  [[nodiscard]] tl::expected<void, Error> append(const RecordBlock& block, const RunSummary& run);

  // The run's times, and whether it came to its end.
  [[nodiscard]] tl::expected<void, Error> update(const RunSummary& run);

  [[nodiscard]] tl::expected<RunSummary, Error> summary() const;
  [[nodiscard]] tl::expected<std::vector<RecordBlock>, Error> blocks() const;  // without their counts

  RunRecord(RunRecord&&) noexcept;
  RunRecord& operator=(RunRecord&&) noexcept;
  ~RunRecord();

 private:
  struct State;

  explicit RunRecord(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// The n-th letter of RecordBlock::verdicts, in the order of CaseCounts' members.
inline constexpr std::string_view kVerdictLetters = ".DsmCex";

}  // namespace tieout
