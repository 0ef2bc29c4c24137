#pragma once
// A report as Markdown: the verdict first, then what was verified, then each finding with the line that replays it.

#include <cstddef>
#include <string>

#include "reports/report.h"

namespace tieout {

// What GitHub takes, in bytes: of a job's summary 1 MiB, of an issue or comment 65,536 characters.
inline constexpr std::size_t kJobSummaryBytes = 1'048'576;
inline constexpr std::size_t kIssueBytes = 65'536;

// At most `most_bytes` long, which should be some thousands: findings and tables that do not fit are left out, whole, and
// counted in the last lines.
[[nodiscard]] std::string markdown(const Report& report, std::size_t most_bytes = kJobSummaryBytes);

}  // namespace tieout
