#pragma once
// Provides a replacement for LibTorch in tests. It can be made wrong on purpose, to test that differences are found.

#include <functional>
#include <utility>

#include "kernels/conv_relu.h"
#include "oracle/engines/engine_model.h"
#include "oracle/libtorch/libtorch.h"
#include "oracle/operators/operator_model.h"

namespace tieout {

// Answers as FBGEMM does on a machine with AVX-512 VNNI, by the specification kernel. `spoil`, if given, changes the
// answer.
class StandInReference final : public LibTorch {
 public:
  using Spoil = std::function<EngineResult<EngineAnswer>(const ConvProblem&, EngineAnswer)>;
  // spoil_operator: changes the answer of operators other than convolutions, which is the predicted one.
  using SpoilOperator = std::function<EngineResult<OperatorOutput>(const OperatorCase&, OperatorOutput)>;
  explicit StandInReference(Spoil spoil = {}, SpoilOperator spoil_operator = {})
      : spoil_(std::move(spoil)), spoil_operator_(std::move(spoil_operator)) {}

  std::string version() const override { return spoil_ ? "made wrong" : "by specification"; }
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
    EngineAnswer answer{as_bytes(conv_relu(problem, arithmetic)), Engine::fbgemm};
    return spoil_ ? spoil_(problem, std::move(answer)) : std::move(answer);
  }
  EngineResult<OperatorOutput> run_operator(const OperatorCase& c) override {
    OperatorOutput y = predict_operator(c, hardware());
    return spoil_operator_ ? spoil_operator_(c, std::move(y)) : std::move(y);
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

 private:
  Spoil spoil_;
  SpoilOperator spoil_operator_;
};

// Adds one to every value below 255 whose sum is above 1000.
inline EngineResult<EngineAnswer> off_by_one(const ConvProblem& problem, EngineAnswer answer) {
  for (std::size_t i = 0; i < answer.y.values.size(); ++i) {
    const ElementTrace trace = conv_relu_trace(problem, {}, static_cast<std::int64_t>(i));
    if (trace.accumulator > 1000 && answer.y.values[i] < 255) ++answer.y.values[i];
  }
  return answer;
}

}  // namespace tieout
