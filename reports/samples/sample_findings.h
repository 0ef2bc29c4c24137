#pragma once
// Provides invented findings for sample_report.

#include <cstdint>
#include <vector>

#include "reports/data/finding.h"

namespace tieout {

// Returns an example of an explanation.
[[nodiscard]] const char* sample_explanation();

// Returns a finding of FBGEMM without case line and tensors.
[[nodiscard]] Finding difference(std::int64_t index, const char* kind, const char* derivation, const char* isa,
                                 const char* path);

// Fills the tensors of a finding. spread: the differences are in -spread..spread. density: one element of `density`
// differs, in every `every`-th channel.
void fill_tensors(Finding& finding, const Shape& shape, int spread, std::uint32_t density, std::int64_t every);

// Returns four differences and a crash, as a nightly run might find them.
[[nodiscard]] std::vector<Finding> findings_of_a_night();

}  // namespace tieout
