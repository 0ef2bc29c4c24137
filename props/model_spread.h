#pragma once
// How a difference in a layer spreads: the model run on with another's output in the layer's place.

#include <optional>
#include <vector>

#include "props/layer_verify.h"

namespace tieout {

struct SpreadQuestion {
  std::size_t column = 0;  // of columns_of(*options): whose output
  const LayerOptions* options = nullptr;
  LibTorch* reference = nullptr;
};

// Runs the model on the input again and compares what it returns with `usual`. call: the layer's number; none: in every
// layer, each computed from what came out of those before.
[[nodiscard]] Spread spread_of(Model& model, const ModelInput& input, const ModelRun& usual,
                               const SpreadQuestion& question, std::optional<std::size_t> call);

// Adds to the one of the same column and layer, or appends: inputs add up.
void add_spread(std::vector<Spread>& spreads, const std::string& column, const std::string& layer, Spread spread);

}  // namespace tieout
