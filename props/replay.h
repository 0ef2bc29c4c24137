#pragma once
// A corpus verified again, before a campaign draws anything.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "props/campaign.h"

namespace tieout {

// Each case in a process of its own, options.workers side by side. go_on is asked a few times a second with the run and what
// is under way; where it answers false there is no block. Where the time of options.seconds ends first, the block
// holds the cases that came before. Its i-th has index -1 - i. run: its seconds go on.
[[nodiscard]] std::optional<RecordBlock> replay(const std::vector<ConvCase>& cases, LibTorch& reference,
                                                const CampaignOptions& options, RunSummary& run,
                                                const std::function<bool(const RunSummary&, const Underway&)>& go_on);

}  // namespace tieout
