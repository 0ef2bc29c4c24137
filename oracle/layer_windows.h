#pragma once
// Where the windows of a layer lie.

#include <cstdint>
#include <vector>

#include "cases/layer_view.h"

namespace tieout {

// Whether `holds` is true of every line of the input that the window at `place` looks at, given the line's first pixel among N x D x H x W.
template <typename Holds>
[[nodiscard]] bool every_line(const ConvCase& c, const OutputPlace& place, const Holds& holds) {
  const auto from = [&](std::size_t d) { return place.at[d] * c.stride[d] - c.padding[d]; };
  for (std::int64_t kd = 0; kd < c.kernel[0]; ++kd) {
    const std::int64_t z = from(0) + kd * c.dilation[0];
    if (z < 0 || z >= c.input[0]) continue;
    for (std::int64_t kh = 0; kh < c.kernel[1]; ++kh) {
      const std::int64_t y = from(1) + kh * c.dilation[1];
      if (y < 0 || y >= c.input[1]) continue;
      if (!holds(((place.image * c.input[0] + z) * c.input[1] + y) * c.input[2])) return false;
    }
  }
  return true;
}

class LayerWindows {
 public:
  // layer: outlives this; its activation may be exchanged for another one.
  explicit LayerWindows(const LayerView& layer)
      : layer_(layer), c_(*layer.spec), channels_(c_.in_channels / c_.groups), taps_(volume(c_.kernel)) {
    for (std::int64_t tap = 0; tap < taps_; ++tap) {
      steps_.push_back({tap / (c_.kernel[1] * c_.kernel[2]) * c_.dilation[0],
                        tap / c_.kernel[2] % c_.kernel[1] * c_.dilation[1], tap % c_.kernel[2] * c_.dilation[2]});
    }
  }

  [[nodiscard]] std::int64_t length() const { return channels_ * taps_; }
  [[nodiscard]] std::int64_t taps() const { return taps_; }
  // How far a kernel position is from the first one, in pixels.
  [[nodiscard]] const Spatial& step(std::int64_t tap) const { return steps_[static_cast<std::size_t>(tap)]; }

  // The channels of one group at one kernel position; nullptr where that lies outside of the input.
  [[nodiscard]] const std::uint8_t* tap_at(const OutputPlace& place, std::int64_t group, std::int64_t tap) const {
    std::int64_t pixel = place.image;
    for (std::size_t d = 0; d < 3; ++d) {
      const std::int64_t at = place.at[d] * c_.stride[d] - c_.padding[d] + step(tap)[d];
      if (at < 0 || at >= c_.input[d]) return nullptr;
      pixel = pixel * c_.input[d] + at;
    }
    return layer_.activation + pixel * c_.in_channels + group * channels_;
  }

 private:
  const LayerView& layer_;
  const ConvCase& c_;
  std::int64_t channels_, taps_;
  std::vector<Spatial> steps_;
};

}  // namespace tieout
