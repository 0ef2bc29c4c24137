#pragma once
// Runs a campaign in tests.

#include "props/campaign/campaign.h"

namespace tieout {

// Runs all cases of the campaign.
inline RunSummary run_whole_campaign(const CampaignOptions& options, const Reference& reference) {
  return run_campaign(options, reference, {.so_far = empty_run(options, reference)},
                      {.progress = [](const RunSummary&, const Underway&) { return true; }});
}

}  // namespace tieout
