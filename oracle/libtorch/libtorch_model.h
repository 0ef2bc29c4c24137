#pragma once
// Opens TorchScript models and reads their inputs, for the adapter (libtorch_conv.cpp).

#include <memory>
#include <string>
#include <vector>

#include "oracle/libtorch/model.h"

namespace tieout {

// Opens a model. engine: selected before the file is read, because LibTorch packs the weights while reading. Errors:
// see ModelError.
[[nodiscard]] ModelResult<std::unique_ptr<Model>> open_model(const std::string& file, Engine engine);

// Reads the inputs that torch.save() wrote: see LibTorch::read_inputs().
[[nodiscard]] ModelResult<std::vector<ModelInput>> read_inputs(const std::string& file);

}  // namespace tieout
