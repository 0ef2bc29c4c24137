#pragma once
// A report for machines: one line of JSON that report.schema.json describes and docs/reports.md explains.
//
// Seeds are strings, because they need 64 bits and JSON's numbers give 53. A float is written with the digits of its
// double, which read back to the same bits; one that is not finite is "nan", "inf" or "-inf".

#include <string>

#include "reports/report.h"

namespace tieout {

[[nodiscard]] std::string json(const Report& report);

}  // namespace tieout
