#pragma once
// `tieout check --before`: a case verified after others by the same process, as a finding that needs them is replayed.

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "cases/conv_case.h"
#include "oracle/libtorch.h"
#include "props/verify.h"
#include "reports/run_summary.h"

namespace tieout {

// The run of the one case, for the reports, after printing what came of it. command: repeats it. subject: nullptr if
// LibTorch itself is verified. The error is for the user: one of the cases before ends the process.
[[nodiscard]] tl::expected<RunSummary, std::string> check_after(const std::vector<ConvCase>& before, const ConvCase& c,
                                                                const std::string& command, LibTorch& reference,
                                                                Subject* subject, const Rules& rules);

// The cases of the lines, or what is wrong with the first that is none.
[[nodiscard]] tl::expected<std::vector<ConvCase>, std::string> parse_all(const std::vector<std::string>& lines);

}  // namespace tieout
