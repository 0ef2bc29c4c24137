#pragma once
// Verifies cases that a user gives, one after another, and counts them as a run, for `tieout check`.

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "cases/operators/any_case.h"
#include "kernels/subject/subject.h"
#include "props/verify/reference.h"
#include "props/verify/verify.h"
#include "reports/records/run_record.h"

namespace tieout {

class GivenCases {
 public:
  // command: repeats the run. subject: nullptr if LibTorch itself is verified. Both references must outlive this
  // object.
  GivenCases(std::string command, const Reference& reference, Subject* subject, const Rules& rules);

  // Records the following cases in a new file. The error states what to do.
  [[nodiscard]] tl::expected<void, std::string> record_to(const std::filesystem::path& file);

  // Verifies the case in a process of its own and counts it. Error, with the option that it concerns: the
  // record could not be written, or the subject's files were changed, so that this case is not counted.
  [[nodiscard]] tl::expected<Verdict, std::string> verify(const AnyCase& c);

  // Ends the run. complete: true if all given cases were verified. Error: the record could not be written.
  [[nodiscard]] tl::expected<void, std::string> end(bool complete);

  // Notes the causes of the run's differences, after end(). Error: the record could not be written.
  [[nodiscard]] tl::expected<void, std::string> note_causes(const RunSummary& diagnosed);

  // Returns the run. It keeps all of the first 1,000 findings, and after that the first four of each kind.
  [[nodiscard]] const RunSummary& run() const { return run_; }

 private:
  void add(const AnyCase& c, const Verdict& verdict);
  [[nodiscard]] tl::expected<void, std::string> write_block();

  Reference reference_;
  Subject* subject_;
  Rules rules_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  RunSummary run_;
  std::map<std::string, std::size_t> kept_;  // Number of findings by kind.
  std::optional<RunRecord> record_;
  RecordBlock block_;
};

}  // namespace tieout
