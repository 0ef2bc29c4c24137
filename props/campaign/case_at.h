#pragma once
// Provides the sequence of cases that a campaign's options name: the case of each index, and what it is drawn for.

#include <cstdint>
#include <string_view>

#include "cases/operators/any_case.h"
#include "props/campaign/campaign_options.h"

namespace tieout {

// Returns the convolution of that number of the sequence of convolutions. attempt: how many cases for this index the
// subject has declined.
[[nodiscard]] ConvCase draw(const CampaignOptions& options, std::int64_t index, std::int64_t attempt = 0);

// Returns the case of an index. Without operators it is draw(). With operators and convolutions, every fourth case, the
// last of four, is one of an operator, and the others are the same sequence of convolutions as without operators. The
// operators take turns.
[[nodiscard]] AnyCase draw_any(const CampaignOptions& options, std::int64_t index, std::int64_t attempt = 0);
[[nodiscard]] std::string_view strategy_name(const CampaignOptions& options, std::int64_t index);

}  // namespace tieout
