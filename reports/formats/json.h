#pragma once
// Formats a report as one line of JSON for other programs. report.schema.json describes the format, docs/reports.md
// explains it.
//
// Seeds are strings, because they need 64 bits and JSON numbers have 53. A float is written with the digits of its
// double, which read back to the same bits; one that is not finite is "nan", "inf" or "-inf".

#include <string>

#include "reports/data/report.h"

namespace tieout {

[[nodiscard]] std::string json(const Report& report);

}  // namespace tieout
