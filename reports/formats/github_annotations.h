#pragma once
// Formats a report as GitHub workflow commands; a job prints them to show them as annotations: the verdict, then
// unknown findings as errors, then known findings as warnings. GitHub shows ten of each per step; the number of those
// left out is stated.

#include <string>

#include "reports/data/report.h"

namespace tieout {

[[nodiscard]] std::string github_annotations(const Report& report);

}  // namespace tieout
