#pragma once
// A report as GitHub's workflow commands, which a job prints to have them shown beside its name: the verdict, then the
// findings that are not known as errors, then the known ones as warnings. GitHub shows ten of each a step; what is left
// out is counted.

#include <string>

#include "reports/report.h"

namespace tieout {

[[nodiscard]] std::string github_annotations(const Report& report);

}  // namespace tieout
