#pragma once
// Verifies an exported program: each quantized layer's answer, as the program computes it in floats, is compared with
// those of the operator that the layer is lowered to and of eager quantization; every answer must be one that its
// arithmetic can give. The whole program is run to its end in each of the three ways.

#include <functional>

#include "oracle/exported/exported_layers.h"
#include "oracle/libtorch/libtorch.h"
#include "props/model/layer_verify.h"
#include "props/model/model_inputs.h"
#include "reports/data/exported_report.h"

namespace tieout {

struct ExportedProblem {
  ExportedModel* model = nullptr;
  const ExportedProgram* program = nullptr;
  const std::vector<ExportedLayer>* layers = nullptr;
  // What ONEDNN uses of the CPU.
  Hardware onednn;
  // The instruction set that FBGEMM is held to, for the eager answers.
  Isa fbgemm = Isa::native;
};

// Runs and verifies the program on every input. options.engine: of the eager answers. progress: called after each
// layer, with the number of layers so far. The error names the input.
[[nodiscard]] ModelResult<ExportedReport> verify_exported(const ExportedProblem& problem, const ModelInputs& inputs,
                                                          const LayerOptions& options, LibTorch& reference,
                                                          const std::function<void(std::int64_t)>& progress);

// Returns 1 if an answer is not explained or a subject reproduces none of the three answers, 3 if no layer was
// compared, and else 0: that the ways differ from each other is a result and no failure.
[[nodiscard]] int exit_status(const ExportedReport& report);

}  // namespace tieout
