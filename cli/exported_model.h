#pragma once
// Verifies an exported program for `tieout model`, and prints the results.

#include <cstdint>
#include <string>
#include <vector>

#include "cli/common/call_files.h"
#include "cli/options/report_outputs.h"
#include "props/model/layer_verify.h"

namespace tieout {

struct ExportedModelCall {
  std::string model;                // the file
  std::vector<std::string> inputs;  // as ModelInputs::open() takes them
  LayerOptions layers;              // engine: of eager quantization
  bool all_hypotheses = false;      // print a row for each hypothesis, and not only for those of the document
  std::uint64_t seed = 0;           // of random inputs
  std::int64_t memory = 8192;       // limit beyond LibTorch itself, MiB
  std::string isa;                  // the instruction set that LibTorch is held to; "": that of the CPU
  ReportOutputs outputs;
  CallFiles files;  // that the call reads
};

// Returns the exit status, after the results or the error have been printed.
[[nodiscard]] int verify_exported_model(const ExportedModelCall& call);

}  // namespace tieout
