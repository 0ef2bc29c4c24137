#pragma once
// Turns a difference in a layer of a model into a case that stands alone, with a crop of the real activation.

#include <optional>

#include "props/model/layer_verify.h"

namespace tieout {

// Returns the smallest crop of the problem that FBGEMM computes on the same path and in which the element at `offset`
// of the output has the same window: its group or as many groups as the path needs, its rows and columns. Contents are
// listed.
[[nodiscard]] ConvCase crop(const ConvProblem& problem, std::int64_t offset, const Hardware& hardware);

// Shrinks the case as long as LibTorch's operator and the column still differ on it on the same path and, but for
// subjects, in the same class, for at most `seconds`. Returns nothing if they do not differ on it: the difference then
// depends on what was cropped away.
[[nodiscard]] std::optional<Finding> reduce(const ConvCase& c, std::size_t column, const LayerOptions& options,
                                            LibTorch& reference, double seconds);

}  // namespace tieout
