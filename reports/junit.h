#pragma once
// A report as JUnit XML, in what Jenkins, GitLab and GitHub's actions have in common: a test suite a run, a test case an
// engine, instruction set and path. Findings that are not known are failures; known ones are named in the output.

#include <string>

#include "reports/report.h"

namespace tieout {

[[nodiscard]] std::string junit(const Report& report);

}  // namespace tieout
