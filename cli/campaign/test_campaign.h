#pragma once
// Provides a folder for tests of campaigns, and compares their records.

#include <map>
#include <string>
#include <vector>

#include "cli/testing/test_command.h"
#include "reports/records/run_record.h"

namespace tieout {

class CampaignFolder : public TemporaryFolder {
 public:
  // Runs the command and returns its exit status; -1: a signal ended it.
  [[nodiscard]] int run(const std::vector<std::string>& arguments) const {
    return Running(arguments, *this / "output").wait();
  }

  // Returns what the last command printed on both streams.
  [[nodiscard]] std::string output() const { return read(*this / "output"); }
};

// Returns the arguments of a campaign of nine blocks.
inline std::vector<std::string> campaign(const std::string& dir, const std::vector<std::string>& more = {}) {
  std::vector<std::string> words{"campaign", "--dir", dir, "--cases", "4200", "--seed", "31"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Returns the summary without the times, the command and the number of workers, in which equal runs may differ.
inline RunSummary timeless(RunSummary run) {
  run.seconds = run.seconds_in_engine = 0;
  run.strategy_seconds.clear();
  run.started = run.workers = 0;
  run.command.clear();
  return run;
}

// Compares two records case by case, then their findings and counts. Returns the first difference, or "".
inline std::string difference(const std::filesystem::path& one, const std::filesystem::path& other) {
  const auto a = RunRecord::open(one);
  const auto b = RunRecord::open(other);
  if (!a || !b) return a ? b.error() : a.error();
  const auto blocks_a = a->blocks().value();
  const auto blocks_b = b->blocks().value();
  if (blocks_a.size() != blocks_b.size()) return "they have not as many blocks";
  for (std::size_t i = 0; i < blocks_a.size(); ++i) {
    const RecordBlock& of_a = blocks_a[i];
    const RecordBlock& of_b = blocks_b[i];
    if (of_a.number != of_b.number || of_a.verdicts != of_b.verdicts || of_a.digest != of_b.digest) {
      return "block " + std::to_string(of_a.number) + ": " + of_a.verdicts + "\n" + of_b.verdicts;
    }
  }
  const RunSummary run_a = timeless(a->summary().value());
  const RunSummary run_b = timeless(b->summary().value());
  if (run_a.findings != run_b.findings) return "the findings";
  return run_a == run_b ? "" : "the counts";
}

// Returns the contents of each file below a folder, by path; a folder has the contents "a folder".
inline std::map<std::string, std::string> files_below(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files[std::filesystem::relative(entry.path(), folder)] = read(entry.path());
    if (entry.is_directory()) files[std::filesystem::relative(entry.path(), folder)] = "a folder";
  }
  return files;
}

}  // namespace tieout
