#pragma once
// Formats a report in SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), which GitHub code scanning, Azure
// DevOps and editors read. A rule is a cause or a kind of finding; a result is a cause, or a finding that no cause
// explains.

#include <string>

#include "reports/data/report.h"

namespace tieout {

// Returns one line of JSON with one SARIF run, which has an invocation for each run of the report. Results are located
// at the file of the subject, because no format of a kernel is required from which a line of source could be named.
[[nodiscard]] std::string sarif(const Report& report);

}  // namespace tieout
