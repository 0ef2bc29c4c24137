#pragma once
// Whether what a record holds can be: what no run of Tieout leaves behind is refused before anything is made of it.

#include <string>
#include <string_view>
#include <vector>

#include "reports/run_record.h"

namespace tieout {

// What is wrong with the counts of a run, its blocks and its findings; "" if nothing is. Costs time and memory in proportion
// to what is given.
[[nodiscard]] std::string what_is_wrong(const RunSummary& run, const std::vector<RecordBlock>& blocks);

}  // namespace tieout
