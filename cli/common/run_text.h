#pragma once
// Prints the parts of a run's summary that several commands have.

#include <cstddef>
#include <string>

#include "reports/data/report.h"

namespace tieout {

// Prints a line, wrapped at the width of the terminal and with further lines indented by 4 spaces.
void print_wrapped(const std::string& line);

// Prints the verdict in the colour of its exit status, wrapped as by print_wrapped() and without the end of the line.
// prefix: printed before it.
void print_run_verdict(const Report& report, const std::string& prefix = "");

// Prints finding_text(), with the sentence that states the difference in red.
void print_finding(const Finding& finding);

// Prints the verdict and the causes of the differences, if a diagnosis has proven any.
void print_causes(const Report& report);

// Prints the sentences on departures and accepted deviations, and then the reasons for which cases were not verified,
// at most `most_reasons` of them.
void print_departures_and_reasons(const RunSummary& run, std::size_t most_reasons = 30);

}  // namespace tieout
