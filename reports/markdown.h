#pragma once
// A run as Markdown: the verdict first, then what was verified, then each finding with the line that replays it.

#include <string>

#include "reports/run_summary.h"

namespace tieout {

[[nodiscard]] std::string markdown(const RunSummary& run);

// One line: "10,000 cases verified, 1,234,567 elements equal".
[[nodiscard]] std::string verdict(const RunSummary& run);

}  // namespace tieout
