#pragma once
// Verifies an exported program for `tieout model`, and prints the results.

#include <cstdint>
#include <string>
#include <vector>

#include "props/model/layer_verify.h"

namespace tieout {

struct ExportedModelCall {
  std::string model;                // the file
  std::vector<std::string> inputs;  // as ModelInputs::open() takes them
  LayerOptions layers;              // engine: of eager quantization
  std::uint64_t seed = 0;           // of random inputs
  double patience = 600;            // time limit of a run of the program, seconds
  std::int64_t memory = 8192;       // limit beyond LibTorch itself, MiB
  std::string isa;                  // the instruction set that ONEDNN is held to; "": that of the CPU
};

// Returns the exit status, after the results or the error have been printed.
[[nodiscard]] int verify_exported_model(const ExportedModelCall& call);

}  // namespace tieout
