// The adapter. This file and the other libtorch_*.cpp are the only ones that use torch's types and exceptions.

#include <ATen/Version.h>
#include <c10/util/Exception.h>
#include <c10/util/ScopeExit.h>
#include <fbgemm/Fbgemm.h>
#include <fbgemm/Utils.h>
#include <torch/version.h>

#include <chrono>
#include <string>
#include <string_view>

#include "cases/case_predicates.h"
#include "cases/machine/cpu.h"
#include "cases/text/case_text.h"
#include "oracle/libtorch/libtorch.h"
#include "oracle/libtorch/libtorch_direct.h"
#include "oracle/libtorch/libtorch_experiment.h"
#include "oracle/libtorch/libtorch_exported.h"
#include "oracle/libtorch/libtorch_global_state.h"
#include "oracle/libtorch/libtorch_guard.h"
#include "oracle/libtorch/libtorch_model.h"
#include "oracle/libtorch/libtorch_operators.h"
#include "oracle/libtorch/libtorch_pointwise.h"
#include "oracle/libtorch/libtorch_prepared.h"

namespace tieout {
namespace {

using fbgemm::inst_set_t;
using Clock = std::chrono::steady_clock;

tl::unexpected<EngineError> refused(const std::exception& error) {
  const auto* const torch = dynamic_cast<const c10::Error*>(&error);
  return tl::unexpected(
      EngineError{EngineError::Kind::refused, torch == nullptr ? error.what() : torch->what_without_backtrace()});
}

bool cpu_has(Isa isa) {
  switch (isa) {
    case Isa::native:
    case Isa::avx2: return fbgemm::fbgemmHasAvx2Support();
    case Isa::avx512:
    case Isa::avx512_256: return fbgemm::fbgemmHasAvx512Support();
    case Isa::avx512_vnni:
    case Isa::avx512_vnni_256: return fbgemm::fbgemmHasAvx512VnniSupport();
  }
  return false;
}

// Returns the version of the library that is loaded. TORCH_VERSION is that of the headers, which may be another patch.
std::string loaded_version() {
  constexpr std::string_view kName = "TORCH_VERSION=";
  const std::string settings = at::show_config();
  const std::size_t at = settings.find(kName);
  if (at == std::string::npos) return TORCH_VERSION;
  const std::size_t begin = at + kName.size();
  return settings.substr(begin, settings.find_first_of(", \n", begin) - begin);
}

class Adapter final : public LibTorch {
 public:
  std::string version() const override { return version_; }

  std::vector<Engine> engines() const override {
    std::vector<Engine> found;
    for (const Engine engine : {Engine::fbgemm, Engine::onednn, Engine::x86, Engine::qnnpack, Engine::fbgemm_direct,
                                Engine::onednn_pointwise}) {
      if (has_engine(engine)) found.push_back(engine);
    }
    return found;
  }

  Hardware hardware() const override {
    return {.avx512 = fbgemm::fbgemmHasAvx512Support(),
            .avx512_vnni = fbgemm::fbgemmHasAvx512VnniSupport(),
            .avx_vnni = has_avx_vnni(),
            .amx_int8 = has_amx_int8(),
            .aten_avx512 = at::get_cpu_capability() == "AVX512",
            .libtorch = parse_libtorch_version(version_).value_or(kNewestLibTorch)};
  }

  FbgemmPath fbgemm_path(const ConvCase& c) const override {
    if (is_linear(c)) return FbgemmPath::linear;
    if (!has_even_padding(c)) return fbgemm_path(with_even_padding(c));
    return ask_fbgemm_for_path(c);
  }

  Isa native_isa() const override { return native_isa_; }

  EngineResult<void> available(const Execution& execution) const override {
    const auto cannot = [](EngineError::Kind kind, const char* what, std::string_view name) {
      return tl::unexpected(EngineError{kind, what + std::string(name)});
    };
    if (!has_engine(execution.engine)) {
      return cannot(EngineError::Kind::absent, "this LibTorch has no engine ", name(execution.engine));
    }
    if (!cpu_has(execution.isa)) {
      return cannot(EngineError::Kind::unsupported, "this CPU lacks the instruction set ", name(execution.isa));
    }
    if (execution.threads > most_threads()) {
      return cannot(EngineError::Kind::unsupported, "OMP_THREAD_LIMIT allows fewer threads than ",
                    std::to_string(execution.threads));
    }
    return {};
  }

  EngineResult<EngineAnswer> conv(const ConvProblem& problem) override {
    if (auto can = available(problem.spec.execution); !can) return tl::unexpected(can.error());
    const auto start = Clock::now();
    const auto count_time = c10::make_scope_exit([&] { inside_ += Clock::now() - start; });
    const WithoutDeprecation quiet;
    try {
      const std::unique_ptr<PreparedConv> prepared = prepare_by(problem);
      prepared->run();
      return prepared->answer();
    } catch (const std::exception& error) {
      return refused(error);
    }
  }

  EngineResult<std::unique_ptr<PreparedConv>> prepare(const ConvProblem& problem) override {
    if (auto can = available(problem.spec.execution); !can) return tl::unexpected(can.error());
    const WithoutDeprecation quiet;
    try {
      std::unique_ptr<PreparedConv> prepared = prepare_by(problem);
      prepared->run();  // errors of the case occur here
      return prepared;
    } catch (const std::exception& error) {
      return refused(error);
    }
  }

  EngineResult<OperatorOutput> run_operator(const OperatorCase& c) override {
    if (auto can = available({.threads = c.threads}); !can) return tl::unexpected(can.error());
    const auto start = Clock::now();
    const auto count_time = c10::make_scope_exit([&] { inside_ += Clock::now() - start; });
    const WithoutDeprecation quiet;
    try {
      return call_operator(c);
    } catch (const std::exception& error) {
      return refused(error);
    }
  }

  void guard_tensors(bool on) override { tieout::guard_tensors(on); }

  double seconds_inside() const override { return std::chrono::duration<double>(inside_).count(); }

  EngineResult<Experiment> experiment(std::uint64_t seed) override {
    const WithoutDeprecation quiet;
    try {
      return run_experiment(seed);
    } catch (const std::exception& error) {
      return refused(error);
    }
  }

  ModelResult<std::unique_ptr<Model>> open_model(const std::string& file, Engine engine) override {
    return tieout::open_model(file, engine);
  }

  ModelResult<std::unique_ptr<ExportedModel>> open_exported(ExportedProgram program,
                                                            std::vector<ExportedLayer> layers) override {
    return tieout::open_exported(std::move(program), std::move(layers));
  }

  ModelResult<std::vector<ModelInput>> read_inputs(const std::string& file) const override {
    return tieout::read_inputs(file);
  }

 private:
  static std::unique_ptr<PreparedConv> prepare_by(const ConvProblem& problem) {
    if (!has_even_padding(problem.spec)) return prepare_by(with_even_padding(problem));
    switch (problem.spec.execution.engine) {
      case Engine::fbgemm_direct: return prepare_direct_conv(problem);
      case Engine::onednn_pointwise: return prepare_pointwise_conv(problem);
      default: return prepare_conv(problem);
    }
  }

  // Determines the instruction set once, while none is forced.
  static Isa ask_for_isa() {
    switch (fbgemm::fbgemmInstructionSet()) {
      case inst_set_t::avx512_vnni: return Isa::avx512_vnni;
      case inst_set_t::avx512_vnni_ymm: return Isa::avx512_vnni_256;
      case inst_set_t::avx512: return Isa::avx512;
      case inst_set_t::avx512_ymm: return Isa::avx512_256;
      default: return Isa::avx2;
    }
  }

  // FBGEMM reports every feature of the CPU as absent until its cpuinfo has been initialised; its own operators do that
  // only when they first run.
  std::string version_ = loaded_version();
  bool supported_ = fbgemm::fbgemmSupportedCPU();
  Isa native_isa_ = ask_for_isa();
  Clock::duration inside_{};
};

}  // namespace
}  // namespace tieout

extern "C" __attribute__((visibility("default"))) tieout::LibTorch* tieout_libtorch() {
  static tieout::Adapter adapter;
  return &adapter;
}
