#pragma once
// Names the causes of a run's differences: it tests for each case that differs which cause of a diagnosis explains it.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cases/conv_case.h"
#include "props/diagnose/diagnose.h"
#include "reports/data/run_summary.h"

namespace tieout {

// The cases of a run that differ, by index in its sequence. Without a sequence, they are those of the findings.
struct DifferingCases {
  std::vector<std::int64_t> indices;
  // Returns the case of an attempt for an index, or nothing if there are no further attempts. The subject's answer to
  // the first attempt that it does not decline differed.
  std::function<std::optional<ConvCase>(std::int64_t index, std::int64_t attempt)> draw;
};

// Returns the cases of those findings whose cause is not known: each differs in its values.
[[nodiscard]] std::vector<ConvCase> unexplained_cases(const RunSummary& run);

// Returns true if every such finding has exactly the contract's values, so that there is nothing to diagnose.
[[nodiscard]] bool follows_contract(const RunSummary& run);

// Sets the causes of the run and of its findings, and counts its cases by cause. A finding has the cause if the model
// predicts all of its values, and either without this cause it does not, or with this cause alone it does. subject: the
// words of a command line that name the subject. go_on: is called often; if it returns false, the remaining cases are
// counted as unexplained.
void set_causes(RunSummary& run, const Diagnosis& diagnosis, const KernelAnswer& kernel,
                const DifferingCases& differing, const std::string& subject, const std::function<bool()>& go_on);

}  // namespace tieout
