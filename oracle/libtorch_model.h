#pragma once
// TorchScript models and their inputs, for the adapter (libtorch_conv.cpp) to call.

#include <memory>
#include <string>
#include <vector>

#include "oracle/model.h"

namespace tieout {

// The engine is chosen before the file is read, because weights are packed as they are read.
[[nodiscard]] ModelResult<std::unique_ptr<Model>> open_model(const std::string& file, Engine engine);

[[nodiscard]] ModelResult<std::vector<ModelInput>> read_inputs(const std::string& file);

}  // namespace tieout
