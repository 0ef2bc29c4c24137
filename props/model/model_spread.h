#pragma once
// Measures how a difference in a layer spreads: it runs the model with another implementation's output in place of the
// layer's.

#include <optional>
#include <vector>

#include "props/model/layer_verify.h"

namespace tieout {

struct SpreadQuestion {
  // The index in columns_of(*options) of the implementation whose output is used.
  std::size_t column = 0;
  const LayerOptions* options = nullptr;
  LibTorch* reference = nullptr;
};

// Runs the model on the input again and compares its result with `usual`. call: the number of the layer to replace;
// none: every layer is replaced, each computed from the outputs of the replaced ones before it.
[[nodiscard]] Spread spread_of(Model& model, const ModelInput& input, const ModelRun& usual,
                               const SpreadQuestion& question, std::optional<std::size_t> call);

// Does the same with the output that each other operator is predicted to have if LibTorch runs on `threads` threads.
[[nodiscard]] Spread spread_of_threads(Model& model, const ModelInput& input, const ModelRun& usual, int threads);
// Returns "2 threads".
[[nodiscard]] std::string counted_threads(int threads);

// Adds the spread to the one of the same column and layer, or appends it, so that all inputs are summed up.
void add_spread(std::vector<Spread>& spreads, const std::string& column, const std::string& layer, Spread spread);

}  // namespace tieout
