#include "oracle/libtorch/libtorch_global_state.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <fbgemm/Utils.h>
#include <omp.h>

#include <algorithm>
#include <string_view>

#include "oracle/libtorch/libtorch_pointwise.h"

namespace tieout {
namespace {

using fbgemm::inst_set_t;

at::QEngine qengine(Engine engine) {
  switch (engine) {
    case Engine::fbgemm:
    case Engine::fbgemm_direct: return at::QEngine::FBGEMM;
    case Engine::onednn:
    case Engine::onednn_pointwise: return at::QEngine::ONEDNN;
    case Engine::x86: return at::QEngine::X86;
    case Engine::qnnpack: return at::QEngine::QNNPACK;
  }
  return at::QEngine::NoQEngine;
}

inst_set_t fbgemm_isa(Isa isa) {
  switch (isa) {
    case Isa::native: return inst_set_t::anyarch;  // no instruction set is forced
    case Isa::avx2: return inst_set_t::avx2;
    case Isa::avx512: return inst_set_t::avx512;
    case Isa::avx512_256: return inst_set_t::avx512_ymm;
    case Isa::avx512_vnni: return inst_set_t::avx512_vnni;
    case Isa::avx512_vnni_256: return inst_set_t::avx512_vnni_ymm;
  }
  return inst_set_t::anyarch;
}

}  // namespace

int most_threads() { return omp_get_thread_limit(); }

bool has_engine(Engine engine) {
  if (engine == Engine::onednn_pointwise && !has_pointwise_operators()) return false;
  const std::vector<at::QEngine>& supported = at::globalContext().supportedQEngines();
  return std::find(supported.begin(), supported.end(), qengine(engine)) != supported.end();
}

void select(const Execution& execution) {
  // OMP_DYNAMIC would give a parallel region fewer threads than omp_get_max_threads() promises.
  omp_set_dynamic(0);
  // OMP_MAX_ACTIVE_LEVELS=0 would do the same.
  if (omp_get_max_active_levels() < 1) omp_set_max_active_levels(1);
  at::globalContext().setQEngine(qengine(execution.engine));
  fbgemm::fbgemmForceIsa(fbgemm_isa(execution.isa));
  if (at::get_num_threads() != execution.threads) at::set_num_threads(execution.threads);
}

Engine packed_by(const std::type_info& type) {
  const std::string_view name = type.name();
  if (name.find("Onednn") != std::string_view::npos) return Engine::onednn;
  if (name.find("Qnnp") != std::string_view::npos) return Engine::qnnpack;
  return Engine::fbgemm;
}

struct WithoutDeprecation::Handler final : public c10::WarningHandler {
  void process(const c10::Warning& warning) override {
    if (warning.msg().find("will be removed in a future PyTorch release") == std::string::npos) {
      c10::WarningHandler::process(warning);
    }
  }
  c10::WarningUtils::WarningHandlerGuard guard{this};
};

WithoutDeprecation::WithoutDeprecation() : handler_(std::make_unique<Handler>()) {}
WithoutDeprecation::~WithoutDeprecation() = default;

std::string reason_of(const std::exception& error) {
  const auto* const ours = dynamic_cast<const c10::Error*>(&error);
  std::string text = ours == nullptr ? error.what() : ours->what_without_backtrace();
  // The text is "The following operation failed in the TorchScript interpreter.", frames, then the operator's own
  // message.
  constexpr std::string_view kOperator = "RuntimeError: ";
  if (const std::size_t at = text.rfind(kOperator); at != std::string::npos) text.erase(0, at + kOperator.size());
  // Some messages begin with an empty line, or with a line that LibTorch appends to the errors of every damaged file.
  text.erase(0, text.find_first_not_of(" \n\t"));
  const std::string words = text.substr(0, std::min(text.find('\n'), text.find(". This is an internal")));
  return words.empty() ? "no reason given" : words;
}

}  // namespace tieout
