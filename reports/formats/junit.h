#pragma once
// Formats a report as JUnit XML, using what Jenkins, GitLab and GitHub's actions have in common: a test suite per run,
// a test case per engine, instruction set and path. Unknown findings are failures; known ones are listed in the output.

#include <string>

#include "reports/data/report.h"

namespace tieout {

[[nodiscard]] std::string junit(const Report& report);

}  // namespace tieout
