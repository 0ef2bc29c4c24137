#pragma once
// A difference in a layer of a model, as a case that stands alone: a crop of the real activation.

#include <optional>

#include "props/layer_verify.h"

namespace tieout {

// The smallest crop of the problem that FBGEMM computes on the same path, and in which element `offset` of the output has
// the same window: its group or as many groups as the path needs, its rows and columns. Contents listed.
[[nodiscard]] ConvCase crop(const ConvProblem& problem, std::int64_t offset, const Hardware& hardware);

// The case made small while LibTorch's operator and the column still differ on it, in the same class and on the same path.
// At most `seconds` are spent. Nothing where they do not differ on it: then the difference depends on what was cut away.
[[nodiscard]] std::optional<Finding> reduce(const ConvCase& c, std::size_t column, const LayerOptions& options,
                                            LibTorch& reference, double seconds);

}  // namespace tieout
