#pragma once
// The sums of dequantized numbers, operation by operation in their own order (dequantized.h), of some elements of a layer. An
// addition waits for the one before it: several elements are summed side by side, each in its own order.

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "oracle/dequantized.h"
#include "oracle/layer_windows.h"

namespace tieout {

template <typename Real>
class LiteralSums {
 public:
  static constexpr std::size_t kSideBySide = 8;

  explicit LiteralSums(const LayerView& layer) : layer_(layer), c_(*layer.spec), windows_(layer) {}

  // see(i, sum) for every element's number i, in order. room: reused from call to call.
  template <typename See>
  void visit(std::span<const OutputElement> elements, std::vector<Real>& room, const See& see) const {
    const auto length = static_cast<std::size_t>(windows_.length());
    room.resize(kSideBySide * length);
    for (std::size_t first = 0; first < elements.size(); first += kSideBySide) {
      const std::size_t count = std::min(kSideBySide, elements.size() - first);
      for (std::size_t lane = 0; lane < count; ++lane) products(elements[first + lane], room.data() + lane * length);
      std::array<Real, kSideBySide> sums{};
      for (std::size_t i = 0; i < length; ++i) {
        for (std::size_t lane = 0; lane < kSideBySide; ++lane) sums[lane] += room[lane * length + i];
      }
      for (std::size_t lane = 0; lane < count; ++lane) see(first + lane, sums[lane]);
    }
  }

 private:
  // In the order channel, then kernel position.
  void products(const OutputElement& element, Real* to) const {
    const OutputPlace place(element.position, output_size(c_));
    const std::int64_t channels = c_.in_channels / c_.groups, taps = windows_.taps();
    const std::int8_t* const w = layer_.weight + element.k * channels * taps;
    const double scale = weight_scale(c_, element.k);
    const auto wz = static_cast<std::int32_t>(weight_zero_point(c_, element.k));
    const auto xz = static_cast<std::int32_t>(c_.activation_zero_point);
    for (std::int64_t t = 0; t < taps; ++t) {
      const std::uint8_t* const x = windows_.tap_at(place, element.k / (c_.out_channels / c_.groups), t);
      for (std::int64_t i = 0; i < channels; ++i) {
        const float real = x == nullptr ? 0.0F : dequantized_activation(x[i] - xz, c_.activation_scale);
        to[i * taps + t] = static_cast<Real>(real) * dequantized_weight<Real>(w[i * taps + t] - wz, scale, c_.granularity);
      }
    }
  }

  LayerView layer_;
  const ConvCase& c_;
  LayerWindows windows_;
};

}  // namespace tieout
