#include <string>
#include <string_view>
#include <vector>

#include "cases/text/case_text.h"
#include "kernels/subject/subject_digest.h"
#include "props/campaign/campaign.h"
#include "props/generate/case_class.h"
#include "props/operators/any_case_outcome.h"
#include "props/operators/operator_verify.h"
#include "props/verify/run_head.h"
#include "props/verify/verify.h"

namespace tieout {
namespace {

// Adds every cell that this machine and this LibTorch have, so that a cell that is never reached is visible.
void add_cells(RunSummary& run, LibTorch& libtorch) {
  struct How {
    Execution execution;
    Engine picked;
  };
  std::vector<How> hows;
  for (const Isa isa : {Isa::avx2, Isa::avx512, Isa::avx512_256, Isa::avx512_vnni, Isa::avx512_vnni_256}) {
    hows.push_back({{.engine = Engine::fbgemm, .isa = isa}, Engine::fbgemm});
  }
  hows.push_back({{.engine = Engine::fbgemm_direct}, Engine::fbgemm_direct});
  hows.push_back({{.engine = Engine::onednn}, Engine::onednn});
  hows.push_back({{.engine = Engine::onednn_pointwise}, Engine::onednn_pointwise});
  hows.push_back({{.engine = Engine::qnnpack}, Engine::qnnpack});
  hows.push_back({{.engine = Engine::x86}, Engine::fbgemm});
  if (libtorch.hardware().avx512_vnni) hows.push_back({{.engine = Engine::x86}, Engine::onednn});
  for (const auto& [execution, picked] : hows) {
    if (!libtorch.available(execution)) continue;
    const bool x86_by_onednn = execution.engine == Engine::x86 && picked == Engine::onednn;
    for (const FbgemmPath path : {FbgemmPath::depthwise, FbgemmPath::groupwise, FbgemmPath::pointwise,
                                  FbgemmPath::im2col, FbgemmPath::linear}) {
      // The direct call is one of convolutions, and X86 leaves linear layers to FBGEMM.
      if (path == FbgemmPath::linear && (execution.engine == Engine::fbgemm_direct || x86_by_onednn)) continue;
      for (const Granularity granularity : {Granularity::per_tensor, Granularity::per_channel}) {
        ConvCase c{.granularity = granularity, .execution = execution};
        run.cells[cell_of(c, path, picked, libtorch)] = {};
        c.bias = {0};
        run.cells[cell_of(c, path, picked, libtorch)] = {};
        if (execution.engine != Engine::fbgemm_direct) continue;
        c.bias.clear();
        c.int32_bias = {0};
        run.cells[cell_of(c, path, picked, libtorch)] = {};
      }
    }
  }
}

}  // namespace

RunSummary empty_run(const CampaignOptions& options, const Reference& reference) {
  RunSummary run = run_of(options.command, reference, options.subject);
  run.domain = options.domain.text();
  run.seed = options.seed;
  run.shard = options.shard;
  run.finished = false;
  run.workers = options.workers;
  run.hunting = options.sampling == Sampling::by_strategy && options.convolutions;
  for (std::size_t i = 0; i < kCaseClasses; ++i) {
    const auto cls = static_cast<CaseClass>(i);
    // A subject is not told how LibTorch is run.
    if (options.subject != nullptr && of_execution(cls)) continue;
    if (reference.libtorch() == nullptr && of_fbgemm_code(cls)) continue;
    if (!options.convolutions && !of_operators(cls)) continue;
    run.classes.emplace_back(name(cls));
  }
  if (options.subject != nullptr) {
    run.subject_digest = subject_digest(run.subject);
  } else if (options.convolutions) {
    add_cells(run, *reference.libtorch());
  }
  for (const OperatorSchema* const schema : options.operators)
    run.cells[cell_of(default_case(*schema, schema->least_inputs), reference)] = {};
  return run;
}

}  // namespace tieout
