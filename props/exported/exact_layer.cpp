#include "props/exported/exact_layer.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "oracle/element/window.h"
#include "oracle/engines/engine_model.h"

namespace tieout {
namespace {

constexpr double kUnit = 0x1p-24;

}  // namespace

ExactLayer::ExactLayer(const ExportedCall& call, const ExportedLayer& layer, const Hardware& hardware)
    : call_(call), layer_(layer), hardware_(hardware) {}

ExactElement ExactLayer::at(std::size_t place) const {
  const ConvCase& c = call_.spec;
  const auto channels = static_cast<std::size_t>(c.out_channels);
  const OutputElement element{static_cast<std::int64_t>(place / channels), static_cast<std::int64_t>(place % channels)};
  Window window;
  gather({&c, call_.activation.data(), call_.weight.data()}, element, window);
  double magnitude = 0;
  for (std::size_t i = 0; i < window.x.size(); ++i) {
    magnitude += static_cast<double>(std::abs((window.x[i] - window.xz) * (window.w[i] - window.wz)));
  }
  const double unit = window.xs * window.ws;
  const double bias = window.bias ? static_cast<double>(*window.bias) : 0;
  const double summand = call_.summand.empty() ? 0 : static_cast<double>(call_.summand[place]);
  const auto raw = static_cast<double>(window.exact_sum());
  // Most code without VNNI adds pairs; weight zero points are 0 in layers that are lowered.
  const OnednnCode code = onednn_code(c, hardware_, OnednnScales::as_given);
  const double sum = adds_in_pairs(code) ? static_cast<double>(onednn_sum(window, code, nullptr)) : raw;
  const double others = std::abs(bias) + std::abs(summand);
  const auto n = static_cast<double>(window.x.size());
  return {.value = raw * unit + bias + summand,
          .float_bound = (n + 8) * kUnit * magnitude * unit + 8 * kUnit * others,
          .integer_bound = 8 * kUnit * (std::max(std::abs(raw), std::abs(sum)) * unit + others),
          .saturated = sum * unit + bias + summand};
}

bool ExactLayer::can_be(std::uint8_t byte, double value, double bound, bool clamped) const {
  const ConvCase& c = call_.spec;
  const double shift = stored_shift(c.output_type);
  const ValueQuantization range = layer_.y_quantization.value_or(ValueQuantization{});
  const double lowest = clamped ? static_cast<double>(range.lowest) + shift : 0;
  const double highest = clamped ? static_cast<double>(range.highest) + shift : 255;
  const auto zero_point = static_cast<double>(c.output_zero_point);
  const auto result = [&](double v) {
    const double kept = layer_.relu ? std::max(v, 0.0) : v;
    const double steps = kept / c.output_scale;
    return std::pair(steps, 4 * kUnit * (std::abs(steps) + zero_point + 256));
  };
  const auto [low, low_bound] = result(value - bound);
  const auto [high, high_bound] = result(value + bound);
  const double first = std::clamp(std::nearbyint(low - low_bound) + zero_point, lowest, highest);
  const double last = std::clamp(std::nearbyint(high + high_bound) + zero_point, lowest, highest);
  return first <= byte && byte <= last;
}

bool ExactLayer::can_be(float number, double value, double bound) const {
  const auto relu = [&](double v) { return layer_.relu ? std::max(v, 0.0) : v; };
  const auto given = static_cast<double>(number);
  return relu(value - bound) <= given && given <= relu(value + bound);
}

}  // namespace tieout
