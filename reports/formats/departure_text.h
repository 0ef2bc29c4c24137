#pragma once
// Provides sentences for every report about cases that count as equal although the exact contract's values and
// LibTorch's differ. Without them, "equal" would hide that the value depends on the CPU, or that the subject's values
// are not LibTorch's.

#include <string>
#include <vector>

#include "reports/data/report.h"
#include "reports/data/run_summary.h"

namespace tieout {

// Returns one sentence for each entry of run.departures, then one for each entry of run.accepted_deviations, without
// line breaks of their own: "5 elements in 1 case are equal to LibTorch's values but not to the exact contract's,
// because ...". The causes are inserted as they are in the run: callers escape the sentences. Empty if the run has no
// such cases.
[[nodiscard]] std::vector<std::string> departure_sentences(const RunSummary& run);

// Returns the verdict of a report and the sentences about its runs together, one on a line.
[[nodiscard]] std::string verdict_with_departures(const Report& report);

}  // namespace tieout
