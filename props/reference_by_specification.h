#pragma once
// A stand-in for LibTorch in tests: answers as FBGEMM does on a machine with VNNI, by the specification kernel.

#include "kernels/conv_relu.h"
#include "oracle/engine_model.h"
#include "oracle/libtorch.h"

namespace tieout {

class SpecificationReference : public LibTorch {
 public:
  std::string version() const override { return "by specification"; }
  std::vector<Engine> engines() const override { return {Engine::fbgemm}; }
  Hardware hardware() const override { return {.avx512 = true, .avx512_vnni = true}; }
  FbgemmPath fbgemm_path(const ConvCase& c) const override { return tieout::fbgemm_path(c, hardware()); }
  Isa native_isa() const override { return Isa::avx512_vnni; }
  EngineResult<void> available(const Execution& execution) const override {
    if (execution.engine == Engine::fbgemm) return {};
    return tl::unexpected(EngineError{EngineError::Kind::absent, "there is no such engine"});
  }
  EngineResult<EngineAnswer> conv(const ConvProblem& problem) override {
    if (auto can = available(problem.spec.execution); !can) return tl::unexpected(can.error());
    const Arithmetic arithmetic = fbgemm_arithmetic(fbgemm_path(problem.spec), problem.spec.execution.isa, hardware());
    return EngineAnswer{conv_relu(problem, arithmetic), Engine::fbgemm};
  }
  void guard_tensors(bool /*on*/) override {}
  double seconds_inside() const override { return 0; }
  EngineResult<Experiment> experiment(std::uint64_t /*seed*/) override { return Experiment{}; }
  ModelResult<std::unique_ptr<Model>> open_model(const std::string& /*file*/, Engine /*engine*/) override {
    return std::unique_ptr<Model>();
  }
  ModelResult<std::vector<ModelInput>> read_inputs(const std::string& /*file*/) const override {
    return std::vector<ModelInput>();
  }
};

}  // namespace tieout
