#pragma once
// Formats a report as Markdown: the verdict first, then what was verified, then each finding with the line that replays
// it.

#include <cstddef>
#include <string>

#include "reports/data/report.h"

namespace tieout {

// Limits of GitHub: 1 MiB for a job's summary, 65,536 characters for an issue or comment.
inline constexpr std::size_t kJobSummaryBytes = 1'048'576;
inline constexpr std::size_t kIssueBytes = 65'536;

// Returns at most `most_bytes` bytes, which should be some thousands: findings and tables that do not fit are left out
// as a whole, and the last lines state their number.
[[nodiscard]] std::string markdown(const Report& report, std::size_t most_bytes = kJobSummaryBytes);

}  // namespace tieout
