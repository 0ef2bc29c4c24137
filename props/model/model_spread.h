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
[[nodiscard]] Spread spread_of_threads(Model& model, const ModelInput& input, const ModelRun& usual,
                                       const Hardware& hardware, int threads);
// Returns "2 threads".
[[nodiscard]] std::string counted_threads(int threads);

// A call whose output is replaced by a recorded one.
struct Recorded {
  bool is_conv = false;
  std::int64_t call = 0;  // number among the convolutions, or among the other operators
  std::string name;
  std::vector<std::int32_t> values;  // in the order of the output
};

// Does the same with a recorded output.
[[nodiscard]] Spread spread_of_recorded(Model& model, const ModelInput& input, const ModelRun& usual,
                                        const Recorded& recorded);

// What decides how layers are computed on other CPUs: the engine of the model, and LibTorch.
struct ModelEngine {
  Engine engine = Engine::fbgemm;
  LibTorch& reference;
};

// Does the same with the output that each layer is predicted to have on the CPU, one of those of cpu_forecasts().
[[nodiscard]] Spread spread_of_cpu(Model& model, const ModelInput& input, const ModelRun& usual, const std::string& cpu,
                                   const ModelEngine& engine, int threads);

// Returns how the outputs of a run differ from the usual ones. Names and the number of replaced elements stay empty.
[[nodiscard]] Spread compare_outputs(const ModelRun& usual, const ModelRun& run);

// Adds the spread to the one of the same column and layer, or appends it, so that all inputs are summed up.
void add_spread(std::vector<Spread>& spreads, const std::string& column, const std::string& layer, Spread spread);

}  // namespace tieout
