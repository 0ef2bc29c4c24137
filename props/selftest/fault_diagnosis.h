#pragma once
// Tests the diagnosis: diagnoses a faulty kernel as `tieout diagnose` does, and checks the cause on cases that the
// diagnosis has not seen.

#include <cstdint>
#include <optional>
#include <string>

#include "cases/conv_case.h"
#include "props/diagnose/diagnose.h"
#include "props/selftest/fault.h"

namespace tieout {

// Holds the result of diagnosing one faulty kernel.
struct FaultDiagnosis {
  enum class Outcome : std::uint8_t {
    explained,    // the causes predict every fresh case, some of which differ from the contract
    partly,       // the causes predict some of the differing fresh cases
    unexplained,  // no cause was found, or no difference
    named,        // a fault of state or of conduct whose text contains what it must
    misnamed,     // a fault of state or of conduct with another text, or a fault of values that was taken for one
    ended,        // the diagnosis crashed or did not end in time; `causes` states how
  } outcome = Outcome::unexplained;
  // The causes in words with their conditions, one a line; or the text of the conduct.
  std::string causes;
  // Numbers of fresh cases: answered, predicted in every element, differing from the contract, and of these those that
  // are predicted. 0 for state and conduct.
  std::int64_t fresh = 0, predicted = 0, differing = 0, differing_predicted = 0;
  // Number of fresh cases with an element at which the model has a wrong value and the contract the right one: the
  // fresh cases refute a cause.
  std::int64_t refuting = 0;
  // Time that the diagnosis took.
  double seconds = 0;
};

// Returns true if the outcome is the one that the fault must have.
[[nodiscard]] bool is_right(const FaultDiagnosis& diagnosis);

// Diagnoses the kernel in a process of its own. options.proof is also the number of fresh cases. patience: time limit
// of one answer of the kernel, seconds. shown: a case that shows the fault; some of the fresh cases differ from it only
// in their contents, because few others show a rare fault.
[[nodiscard]] FaultDiagnosis diagnose_fault(const FaultyKernel& faulty, const DiagnoseOptions& options, double patience,
                                            const std::optional<ConvCase>& shown = {});

}  // namespace tieout
