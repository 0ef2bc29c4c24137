#pragma once
// Verifies the cases of a file, one per line, for `tieout check --file`.

#include <string>
#include <tl/expected.hpp>

#include "cases/text/domain.h"
#include "props/campaign/given_cases.h"

namespace tieout {

// How the reading of a file ended.
struct FileEnd {
  // kEqual: every line was read. Otherwise kBadUsage or kNotVerified, and the reason has been printed.
  int status = 0;
  std::int64_t lines = 0;         // number of lines read
  std::int64_t without_case = 0;  // number of blank lines and comments among these
  std::int64_t outside = 0;       // number of cases outside of the domain, which are not verified
};

// Reads the file, verifies each case of the domain with `cases` on the engine that the case names, and prints findings
// as they occur. A line is CASE or "equal CASE"; a comment starts with #, and blank lines are ignored. file: "-" is
// standard input. Cases of operators are outside of every domain but the whole one. Reading ends at the first line that
// is not a valid case, that is too costly or that cannot be read, and if the record cannot be written.
[[nodiscard]] FileEnd check_file(const std::string& file, const Domain& domain, GivenCases& cases);

// Prints the number of lines, cases and elements, and the reasons why cases were not verified.
void print_counts(const FileEnd& end, const RunSummary& run);

}  // namespace tieout
