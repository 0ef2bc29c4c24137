#pragma once
// Opens exported programs: see oracle/libtorch/exported_model.h.

#include <memory>
#include <vector>

#include "oracle/libtorch/exported_model.h"

namespace tieout {

// program and layers: copied into the model; layers: find_exported_layers(program).
[[nodiscard]] ModelResult<std::unique_ptr<ExportedModel>> open_exported(ExportedProgram program,
                                                                        std::vector<ExportedLayer> layers);

}  // namespace tieout
