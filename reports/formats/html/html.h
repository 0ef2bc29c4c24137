#pragma once
// Formats a report as a single HTML file that needs no other file and no network.
//
// Without scripts the page shows the verdict, the totals, the coverage, the trend and the headlines of the first
// findings. The page's script unpacks the findings (html_payload.h) and draws their tensors. Sources: *.mustache,
// *.css and *.js.

#include <string>

#include "reports/data/report.h"

namespace tieout {

[[nodiscard]] std::string html(const Report& report);

}  // namespace tieout
