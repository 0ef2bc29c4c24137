#pragma once
// Formats the verification of an exported program as plain text.

#include <string>

#include "reports/data/exported_report.h"
#include "reports/data/report.h"

namespace tieout {

// Returns how many layers run as int8 operators once lowered, and a line for each that does not, with the reason.
[[nodiscard]] std::string lowering_text(const ExportedReport& report);

// Returns a line for each quantized layer: from eager quantization to the exported program to the lowered one, how many
// elements change. Below it are the causes.
[[nodiscard]] std::string migration_table(const ExportedReport& report);

// Returns the same table for the other formats, with the layers that are not lowered.
[[nodiscard]] ReportedTable exported_table(const ExportedReport& report);

// Returns the columns with the number of elements at which they differ from each of the three answers.
[[nodiscard]] std::string arithmetic_table(const ExportedReport& report);

// Returns what reaches the program's output, a line for each way.
[[nodiscard]] std::string ends_text(const ExportedReport& report);

// Returns the last lines: for each way how many layers and elements there are, and how many nothing explains.
[[nodiscard]] std::string exported_totals_text(const ExportedReport& report);

}  // namespace tieout
