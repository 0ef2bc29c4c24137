#pragma once
// Verifies the cases of a corpus again, before a campaign draws any case.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "cases/operators/any_case.h"
#include "props/campaign/campaign_options.h"
#include "props/verify/reference.h"
#include "reports/data/run_summary.h"
#include "reports/records/run_record.h"

namespace tieout {

// Verifies each case in a process of its own, options.workers at a time. go_on is called a few times a second with the
// run and the work in progress; if it returns false, there is no block. If the time of options.seconds ends first, the
// block holds the cases that were verified until then. Its case i has index -1 - i. run: its seconds continue to count.
[[nodiscard]] std::optional<RecordBlock> replay(const std::vector<AnyCase>& cases, const Reference& reference,
                                                const CampaignOptions& options, RunSummary& run,
                                                const std::function<bool(const RunSummary&, const Underway&)>& go_on);

}  // namespace tieout
