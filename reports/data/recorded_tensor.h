#pragma once
// Describes the tensors of a network's operators that are written to a folder, or compared with those of a folder.

#include <cstdint>
#include <string>
#include <vector>

#include "cases/tensor.h"

namespace tieout {

// One file of the folder.
struct RecordedTensor {
  std::string file;  // "0007_add_relu@3.output.npy"
  std::string call;  // name of the operator's call in the network: "add_relu@3"
  std::string op;    // "quantized::add_relu"
  std::string role;  // "input", "input2", ..., "output"
  std::string type;  // "uint8" or "float32"
  Shape shape;       // N x C x spatial, row-major
  double scale = 1;  // of uint8
  std::int64_t zero_point = 0;
};

struct TensorManifest {
  std::string model;
  std::string input;
  std::string libtorch;
  std::vector<RecordedTensor> tensors;  // in the order in which the network runs
};

}  // namespace tieout
