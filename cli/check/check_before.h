#pragma once
// Implements `tieout check --before`: verifies a case after other cases in the same process, to replay findings that
// only occur after these.

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/operators/any_case.h"
#include "props/verify/reference.h"
#include "props/verify/verify.h"
#include "reports/data/run_summary.h"

namespace tieout {

// Verifies `c` after the cases `before`, prints the result and returns it as a run of one case, for the reports.
// command: the command that repeats the run. subject: nullptr if LibTorch itself is verified. Error: a message for the
// user, if one of the earlier cases ends the process.
[[nodiscard]] tl::expected<RunSummary, std::string> check_after(const std::vector<AnyCase>& before, const AnyCase& c,
                                                                const std::string& command, const Reference& reference,
                                                                Subject* subject, const Rules& rules);

// Parses each line as a case. Error: what is wrong with the first line that is not a case.
[[nodiscard]] tl::expected<std::vector<AnyCase>, std::string> parse_all(const std::vector<std::string>& lines);

}  // namespace tieout
