#include "reports/records/tensor_manifest.h"

#include <nlohmann/json.hpp>

namespace tieout {

std::string to_json(const TensorManifest& manifest) {
  auto tensors = nlohmann::ordered_json::array();
  for (const RecordedTensor& tensor : manifest.tensors) {
    nlohmann::ordered_json entry{{"file", tensor.file}, {"call", tensor.call}, {"operator", tensor.op},
                                 {"role", tensor.role}, {"type", tensor.type}, {"shape", tensor.shape}};
    if (tensor.type == "uint8") {
      entry["scale"] = tensor.scale;
      entry["zero_point"] = tensor.zero_point;
    }
    tensors.push_back(std::move(entry));
  }
  const nlohmann::ordered_json file{{"format", 1},
                                    {"model", manifest.model},
                                    {"input", manifest.input},
                                    {"libtorch", manifest.libtorch},
                                    {"layout", "row-major, N x C x spatial"},
                                    {"tensors", std::move(tensors)}};
  return file.dump(1) + "\n";
}

}  // namespace tieout
