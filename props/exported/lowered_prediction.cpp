#include "props/exported/lowered_prediction.h"

#include <bit>
#include <cmath>
#include <cstdint>

#include "cases/case_predicates.h"
#include "cases/layer_view.h"
#include "oracle/element/window_iterator.h"
#include "oracle/engines/engine_model.h"
#include "oracle/engines/known_defects.h"

namespace tieout {
namespace {

std::string why_unknown(const ConvCase& c, const Hardware& hardware) {
  if (const KnownDefect* const defect = known_defect(c, hardware); defect != nullptr) {
    return "known defect " + std::string(defect->id) + " of LibTorch";
  }
  if (onednn_other_code(c, hardware)) return "oneDNN chooses between two codes, by estimates of their speed";
  const bool avx512_only = hardware.avx512 && !onednn_has_vnni(hardware);
  if (avx512_only && c.in_channels == c.groups && !is_depthwise(c) && volume(c.kernel) > 1) {
    return "it is not known which pairs of products oneDNN adds with AVX-512 but no VNNI";
  }
  return {};
}

// Returns what the operator adds to an element. A convolution that returns bytes adds bytes, in steps of their scale,
// which the quotient recovers exactly; other operators add floats.
Summand summand_of(const ExportedLayer& layer, float value) {
  const bool bytes = layer.dims > 0 && layer.y_quantization && layer.summand_quantization;
  if (!bytes) return {.scale = 1, .steps = value};
  const auto scale = static_cast<float>(layer.summand_quantization->scale);
  return {.scale = scale, .steps = std::nearbyint(value / scale)};
}

}  // namespace

LoweredPrediction predict_lowered(const ExportedCall& call, const ExportedLayer& layer, const Hardware& hardware) {
  ConvProblem problem = problem_of({&call.spec, call.activation.data(), call.weight.data()});
  ConvCase& c = problem.spec;
  c.execution.engine = Engine::onednn_pointwise;
  LoweredPrediction prediction{.unknown = why_unknown(c, hardware), .values = {}};
  if (!prediction.unknown.empty()) return prediction;
  const OnednnCode code = onednn_code(c, hardware, OnednnScales::as_given);
  const Spatial out = output_size(c);
  const std::int64_t positions = volume(out), outputs = c.out_channels / c.groups;
  const auto elements = static_cast<std::size_t>(c.batch * positions * c.out_channels);
  const bool bytes = layer.y_quantization.has_value();
  if (bytes) {
    prediction.values.bytes.resize(elements);
  } else {
    prediction.values.floats.resize(elements);
  }
  WindowIterator windows(problem, adds_in_pairs(code) ? WindowIterator::Detail::all : WindowIterator::Detail::sums);
  for (std::int64_t image = 0; image < c.batch * c.groups; ++image) {
    windows.enter(image);
    const std::int64_t first = image % c.groups * outputs;
    for (std::int64_t position = 0; position < positions; ++position) {
      windows.stand({position / (out[1] * out[2]), position / out[2] % out[1], position % out[2]});
      for (std::int64_t k = first; k < first + outputs; ++k) {
        const Window& window = windows.look(k);
        const auto place = static_cast<std::size_t>((image / c.groups * positions + position) * c.out_channels + k);
        const bool adds = !call.summand.empty();
        const Summand summand = adds ? summand_of(layer, call.summand[place]) : Summand{};
        const float value = onednn_value(window, code, adds ? &summand : nullptr, nullptr);
        if (bytes) {
          prediction.values.bytes[place] = onednn_byte(window, code, value, nullptr);
        } else {
          prediction.values.floats[place] = value;
        }
      }
    }
  }
  return prediction;
}

bool is_predicted(float answer, float predicted) {
  if (std::isnan(predicted)) return std::isnan(answer);
  return std::bit_cast<std::uint32_t>(answer) == std::bit_cast<std::uint32_t>(predicted);
}

}  // namespace tieout
