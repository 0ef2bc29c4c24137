#pragma once
// Cases that a user gives, verified one after another and counted as a run, for `tieout check`.

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "kernels/subject.h"
#include "oracle/libtorch.h"
#include "props/verify.h"
#include "reports/run_record.h"

namespace tieout {

class GivenCases {
 public:
  // command: repeats the run. subject: nullptr if LibTorch itself is verified. Both references outlive this object.
  GivenCases(std::string command, LibTorch& reference, Subject* subject, const Rules& rules);

  // Records the cases that follow, in a new file. The error says what to do.
  [[nodiscard]] tl::expected<void, std::string> record_to(const std::filesystem::path& file);

  // Verifies the case in a process of its own and counts it. Error: the record could not be written.
  [[nodiscard]] tl::expected<Verdict, std::string> verify(const ConvCase& c);

  // Ends the run. complete: all cases that there are were verified. Error: the record could not be written.
  [[nodiscard]] tl::expected<void, std::string> end(bool complete);

  // All findings are kept up to 1,000; of more, the first four of each kind.
  [[nodiscard]] const RunSummary& run() const { return run_; }

 private:
  void add(const ConvCase& c, const Verdict& verdict);
  [[nodiscard]] tl::expected<void, std::string> write_block();

  LibTorch& reference_;
  Subject* subject_;
  Rules rules_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  RunSummary run_;
  std::map<std::string, std::size_t> kept_;  // findings by kind
  std::optional<RunRecord> record_;
  RecordBlock block_;
};

}  // namespace tieout
