#pragma once
// Recognises model files that are no TorchScript: ONNX, programs of torch.export, state dicts and others.

#include <filesystem>
#include <string>

namespace tieout {

// What the file is and what is needed in its place, for a message: "an ONNX model; ...". Empty for a TorchScript
// archive, and for what is not recognised.
[[nodiscard]] std::string describe_foreign_model(const std::filesystem::path& file);

}  // namespace tieout
