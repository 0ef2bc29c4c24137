#pragma once
// Reads and writes the record of a run: one SQLite file that is written block by block during the run, so that a killed
// run keeps all finished blocks. docs/reports.md describes its tables for use in SQL.
//
// A record contains one shard of one run, always from the beginning of the shard's sequence of cases: two records of
// the same shard agree up to the end of the shorter one, and the longer one counts.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/strings/digest.h"
#include "reports/data/run_summary.h"

namespace tieout {

// The part of a run that is added to a record at once.
struct RecordBlock {
  std::int64_t number = 0;  // number of the block in the sequence of all shards
  // One letter per case, see kStatusNames.
  std::string verdicts{};
  // A digest of everything that is counted for its cases: equal runs have equal digests.
  std::uint64_t digest = Digest().value();
  RunSummary counts{};  // the counts and findings of this block alone
};

// A record file. Every change is committed at once; an error is reported as a message, and earlier contents stay.
//
// A record contains digests over all of its contents. They are verified when it is opened, together with all
// consistency checks; a record that is damaged, cut off or changed by another program is refused. Reading takes memory
// in proportion to the record's size.
class RunRecord {
 public:
  using Error = std::string;

  // Creates a new record without blocks. The file must not exist; journals that a removed record left beside this name
  // are removed.
  [[nodiscard]] static tl::expected<RunRecord, Error> create(const std::filesystem::path& file, const RunSummary& run);
  // Opens an existing record, to continue it or only to read it.
  enum class For { reading, writing };
  [[nodiscard]] static tl::expected<RunRecord, Error> open(const std::filesystem::path& file, For what = For::writing);

  // Writes a new record with all of a run, with blocks in ascending order. The findings are those of the run; the
  // blocks' counts are not used.
  [[nodiscard]] static tl::expected<void, Error> write(const std::filesystem::path& file, const RunSummary& run,
                                                       const std::vector<RecordBlock>& blocks);

  // Adds a block in one transaction, so that the record has all of it or nothing. Blocks must come in ascending order.
  // run: the whole run, for its times.
  [[nodiscard]] tl::expected<void, Error> append(const RecordBlock& block, const RunSummary& run);

  // Updates the run's times, and whether it has finished.
  [[nodiscard]] tl::expected<void, Error> update(const RunSummary& run);

  // Notes the causes of the run and of its findings, and its cases by cause. append() removes those of the run again,
  // because they do not count the new block.
  [[nodiscard]] tl::expected<void, Error> note_causes(const RunSummary& run);

  [[nodiscard]] tl::expected<RunSummary, Error> summary() const;
  [[nodiscard]] tl::expected<std::vector<RecordBlock>, Error> blocks() const;  // returned without their counts

  RunRecord(RunRecord&&) noexcept;
  RunRecord& operator=(RunRecord&&) noexcept;
  ~RunRecord();

 private:
  struct State;

  explicit RunRecord(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace tieout
