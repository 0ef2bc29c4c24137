#pragma once
// Recognises model files that are neither TorchScript nor programs of torch.export: ONNX, packages of AOTInductor,
// state dicts and others.

#include <filesystem>
#include <string>

namespace tieout {

// Returns a message that states what the file is and what is needed instead: "an ONNX model; ...". Returns an empty
// string for a TorchScript archive. file: no exported program (is_exported_program()).
[[nodiscard]] std::string describe_foreign_model(const std::filesystem::path& file);

}  // namespace tieout
