#pragma once
// Verifies many cases from a file, one a line.

#include <string>
#include <tl/expected.hpp>

#include "cases/domain.h"
#include "props/given_cases.h"

namespace tieout {

// How the reading of a file ended.
struct FileEnd {
  int status = 0;  // kEqual: every line was read; else kBadUsage or kNotVerified, and `problem` has been printed
  std::int64_t lines = 0;         // read
  std::int64_t without_case = 0;  // blank ones and comments, among them
  std::int64_t outside = 0;       // cases outside of the domain, which are not verified
};

// A line is CASE or "equal CASE"; what follows a # is a comment, and blank lines count for nothing. "-" is standard
// input. Each case is added to `cases`, whatever engine it names; findings are printed as they are found. The first
// line that is no case ends the reading, and so does the first that cannot be read.
[[nodiscard]] FileEnd check_file(const std::string& file, const Domain& domain, GivenCases& cases);

// Prints how many lines, cases and elements that were, and why cases were not verified.
void print_counts(const FileEnd& end, const RunSummary& run);

}  // namespace tieout
