#pragma once
// Runs `tieout identify --operator NAME`: which arithmetic does an implementation of an operator follow?

#include <cstdint>
#include <string>

#include "cli/options/report_outputs.h"

namespace tieout {

struct IdentifyOperatorArguments {
  std::string name;     // of the operator
  std::string subject;  // "aten", "specification", or the name of a change
  std::int64_t cases = 400;
  bool details = false;              // prints the refuted variants, too
  ReportOutputs* outputs = nullptr;  // outlives the call
};

// Returns the exit status.
[[nodiscard]] int identify_operator_of(const IdentifyOperatorArguments& arguments);

}  // namespace tieout
