#pragma once
// A report as one HTML file that needs nothing beside it and asks no network for anything.
//
// Without a script there are the verdict, the totals, the coverage, the trend and the first findings' headlines; the script
// in the page unpacks the findings (html_payload.h) and draws their tensors. Sources: html/*.mustache, *.css and *.js.

#include <string>

#include "reports/report.h"

namespace tieout {

[[nodiscard]] std::string html(const Report& report);

}  // namespace tieout
