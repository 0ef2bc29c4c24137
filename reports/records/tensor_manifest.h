#pragma once
// Writes the list of a folder's recorded tensors as JSON, for programs on a device or a simulator.

#include <string>

#include "reports/data/recorded_tensor.h"

namespace tieout {

// Returns the manifest: an object with "format": 1, the names of model and input, and "tensors", a list of objects with
// the members of RecordedTensor. docs/model.md describes it.
[[nodiscard]] std::string to_json(const TensorManifest& manifest);

}  // namespace tieout
