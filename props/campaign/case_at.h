#pragma once
// Provides the sequence of cases that a campaign's options name: the case of each index, and what it is drawn for.

#include <cstdint>
#include <string_view>

#include "cases/conv_case.h"
#include "props/campaign/campaign_options.h"

namespace tieout {

// attempt: how many cases for this index the subject has declined.
[[nodiscard]] ConvCase draw(const CampaignOptions& options, std::int64_t index, std::int64_t attempt = 0);
[[nodiscard]] std::string_view strategy_name(const CampaignOptions& options, std::int64_t index);

}  // namespace tieout
