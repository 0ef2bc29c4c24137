#pragma once
// A run as Markdown: the verdict first, then what was verified, then each finding with the line that replays it.

#include <string>

#include "reports/report.h"

namespace tieout {

[[nodiscard]] std::string markdown(const Report& report);

}  // namespace tieout
