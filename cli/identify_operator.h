#pragma once
// Runs `tieout identify --operator NAME`: which arithmetic does an implementation of an operator follow?

#include <cstdint>
#include <optional>
#include <string>

#include "cli/options/report_outputs.h"

namespace tieout {

struct IdentifyOperatorArguments {
  std::string name;     // of the operator
  std::string subject;  // "aten", "specification", the name of a change, or what --subject takes for a kernel
  std::int64_t cases = 400;
  bool details = false;              // prints the refuted variants, too
  std::optional<double> patience;    // time limit of an answer of a kernel, seconds
  ReportOutputs* outputs = nullptr;  // outlives the call
};

// Returns the exit status.
[[nodiscard]] int identify_operator_of(const IdentifyOperatorArguments& arguments);

}  // namespace tieout
