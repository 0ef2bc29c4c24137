#pragma once
// Recognises model files that are not TorchScript: ONNX, programs of torch.export, state dicts and others.

#include <filesystem>
#include <string>

namespace tieout {

// Returns a message that states what the file is and what is needed instead: "an ONNX model; ...". Returns an empty
// string for a TorchScript archive and for files that are not recognised or cannot be read.
[[nodiscard]] std::string describe_foreign_model(const std::filesystem::path& file);

}  // namespace tieout
