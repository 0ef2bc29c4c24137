#pragma once
// Checks that the contents of a record are possible: contents that no run of Tieout writes are refused before they are
// used.

#include <string>
#include <string_view>
#include <vector>

#include "reports/records/run_record.h"

namespace tieout {

// Returns what is wrong with the counts of a run, its blocks and its findings, or "". Takes time and memory in
// proportion to the arguments.
[[nodiscard]] std::string find_record_error(const RunSummary& run, const std::vector<RecordBlock>& blocks);

}  // namespace tieout
