#pragma once
// Made-up findings, for sample_report.

#include <cstdint>
#include <vector>

#include "reports/finding.h"

namespace tieout {

// What an explanation looks like.
[[nodiscard]] const char* sample_explanation();

// Of FBGEMM, without case line and tensors.
[[nodiscard]] Finding difference(std::int64_t index, const char* kind, const char* derivation, const char* isa,
                                 const char* path);

// spread: of the differences, -spread..spread. density: one element in so many differs, in every `every`-th channel.
void fill_tensors(Finding& finding, const Shape& shape, int spread, std::uint32_t density, std::int64_t every);

// Four differences and a crash, as a night might find them.
[[nodiscard]] std::vector<Finding> findings_of_a_night();

}  // namespace tieout
