#include "oracle/engines/engine_model.h"

#include <algorithm>
#include <cmath>

#include "cases/case_predicates.h"
#include "oracle/element/for_each_window.h"

namespace tieout {
namespace {

// True if QNNPACK accepts the multiplier of a channel with that weight scale.
bool qnnpack_takes(const ConvCase& c, double scale) {
  const float unit = static_cast<float>(scale) * static_cast<float>(c.activation_scale);
  return std::isnormal(unit * (1.0F / static_cast<float>(c.output_scale)));
}

// One channel suffices for a refusal. LibTorch always adds padding channels, whose weight scale is 1.
bool qnnpack_refuses(const ConvCase& c) {
  return !qnnpack_takes(c, 1.0) || !std::all_of(c.weight_scales.begin(), c.weight_scales.end(),
                                                [&](double scale) { return qnnpack_takes(c, scale); });
}

// Returns the problem as LibTorch's operators of quantized dtypes run it: they return uint8, and add the zero point of
// uint8.
ConvProblem with_uint8_output(ConvProblem problem) {
  problem.spec.output_type = OutputType::uint8;
  return problem;
}

// True if the operator returns int8 itself, so that the zero point that it adds is the one of int8.
bool returns_int8(Engine engine) { return engine == Engine::onednn_pointwise; }

Answers predict_onednn(const ConvProblem& problem, OnednnCode code, OnednnScales scales) {
  // Windows of sums suffice for code that neither adds in pairs nor treats padding differently.
  const bool by_tap = adds_in_pairs(code) || code == OnednnCode::amx;
  const auto detail = by_tap ? WindowIterator::Detail::all : WindowIterator::Detail::sums;
  return for_each_window(
      problem, [&](const Window& window) { return onednn_model(window, code, scales, nullptr); }, detail);
}

}  // namespace

Engine x86_picks(const ConvCase& c, const Hardware& hardware) {
  return !is_linear(c) && hardware.avx512_vnni && c.groups <= 100 && !has_weight_zero_point(c) ? Engine::onednn
                                                                                               : Engine::fbgemm;
}

Engine computing_engine(const ConvCase& c, const Hardware& hardware) {
  return c.execution.engine == Engine::x86 ? x86_picks(c, hardware) : c.execution.engine;
}

std::string_view hypothesis_of(Engine engine, Call call, const Hardware& hardware) {
  switch (engine) {
    case Engine::onednn:
    case Engine::onednn_pointwise:
      // No hypothesis models the weight scales of its linear layers.
      if (call == Call::linear) return {};
      // No hypothesis models the order of the scales before LibTorch 2.11, and none AVX-512 without VNNI.
      if (onednn_code(ConvCase{}, hardware) == OnednnCode::vnni_product) return {};
      if (hardware.avx512 && !onednn_has_vnni(hardware)) return {};
      if (engine == Engine::onednn) return onednn_has_vnni(hardware) ? "onednn" : "onednn_int16_pairs";
      return onednn_has_vnni(hardware) ? "onednn_pointwise" : "onednn_pointwise_int16_pairs";
    case Engine::qnnpack: return "qnnpack";
    case Engine::fbgemm:
    case Engine::fbgemm_direct:
    case Engine::x86: break;
  }
  return {};
}

Arithmetic fbgemm_arithmetic(const ConvCase& c, const Hardware& hardware) {
  return fbgemm_arithmetic(fbgemm_path(c, hardware), c.execution.isa, hardware);
}

Answers predict(const ConvProblem& problem, Engine engine, const Hardware& hardware) {
  if (!has_even_padding(problem.spec)) return predict(with_even_padding(problem), engine, hardware);
  if (problem.spec.output_type == OutputType::int8 && !returns_int8(engine)) {
    return predict(with_uint8_output(problem), engine, hardware);
  }
  constexpr auto kSums = WindowIterator::Detail::sums;  // QNNPACK does not add in pairs
  switch (engine) {
    case Engine::x86: return predict(problem, x86_picks(problem.spec, hardware), hardware);
    case Engine::onednn:
    case Engine::onednn_pointwise:
      return predict_onednn(problem, onednn_code(problem.spec, hardware, onednn_scales(engine)), onednn_scales(engine));
    case Engine::qnnpack:
      return for_each_window(problem, [](const Window& window) { return qnnpack_model(window, nullptr); }, kSums);
    case Engine::fbgemm:
    case Engine::fbgemm_direct: break;
  }
  const Arithmetic arithmetic = fbgemm_arithmetic(problem.spec, hardware);
  const bool is_sum = problem.spec.output_type == OutputType::int32;
  return for_each_window(problem, [&](const Window& window) -> std::int32_t {
    return is_sum ? fbgemm_sum(window, arithmetic, nullptr) : fbgemm_model(window, arithmetic, nullptr);
  });
}

std::optional<Answers> predict_other(const ConvProblem& problem, Engine engine, const Hardware& hardware) {
  const Engine picked = engine == Engine::x86 ? x86_picks(problem.spec, hardware) : engine;
  if (!is_onednn(picked)) return {};
  if (!has_even_padding(problem.spec)) return predict_other(with_even_padding(problem), engine, hardware);
  if (problem.spec.output_type == OutputType::int8 && !returns_int8(engine)) {
    return predict_other(with_uint8_output(problem), engine, hardware);
  }
  const auto other = onednn_other_code(problem.spec, hardware);
  return other ? std::optional(predict_onednn(problem, *other, onednn_scales(engine))) : std::nullopt;
}

Answers nearest_prediction(const ConvProblem& problem, Engine engine, const Hardware& hardware, const Answers& y) {
  Answers prediction = predict(problem, engine, hardware);
  if (prediction.values == y.values) return prediction;
  auto other = predict_other(problem, engine, hardware);
  return other && other->values == y.values ? std::move(*other) : std::move(prediction);
}

bool refuses_relu(const ConvCase& c) {
  return c.execution.engine == Engine::onednn_pointwise && c.dims == 3 && c.relu == Relu::on;
}

std::string_view refusal(const ConvCase& c, const Hardware&) {
  if (needs_direct_call(c) && c.execution.engine != Engine::fbgemm_direct) {
    return "PyTorch's operators take no int32 bias and return no int32 sums";
  }
  switch (c.execution.engine) {
    case Engine::onednn_pointwise:
      if (refuses_relu(c)) return "onednn::qconv3d_pointwise has no relu";
      [[fallthrough]];
    case Engine::onednn:
      if (has_weight_zero_point(c)) return "ONEDNN takes only weights whose zero points are all 0";
      break;
    case Engine::qnnpack:
      if (qnnpack_refuses(c)) return "QNNPACK takes only multipliers xs * ws / os, and xs / os, that are normal floats";
      break;
    case Engine::fbgemm:
    case Engine::fbgemm_direct:
    case Engine::x86: break;
  }
  return {};
}

}  // namespace tieout
