#pragma once
// Provides LayerWindows, which locates the windows of a layer in its activation (channels last).

#include <cstdint>
#include <vector>

#include "cases/layer_view.h"

namespace tieout {

// True if `holds` returns true for every input line that the window at `place` covers. The argument of `holds` is the
// index of the line's first pixel in N x D x H x W.
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
  // layer: must outlive this; its activation may be exchanged.
  explicit LayerWindows(const LayerView& layer)
      : layer_(layer), c_(*layer.spec), channels_(c_.in_channels / c_.groups), taps_(volume(c_.kernel)) {
    for (std::int64_t tap = 0; tap < taps_; ++tap) {
      steps_.push_back({tap / (c_.kernel[1] * c_.kernel[2]) * c_.dilation[0],
                        tap / c_.kernel[2] % c_.kernel[1] * c_.dilation[1], tap % c_.kernel[2] * c_.dilation[2]});
    }
  }

  [[nodiscard]] std::int64_t length() const { return channels_ * taps_; }
  [[nodiscard]] std::int64_t taps() const { return taps_; }
  // Returns the distance of a kernel position from the first one, in pixels.
  [[nodiscard]] const Spatial& step(std::int64_t tap) const { return steps_[static_cast<std::size_t>(tap)]; }

  // Returns the bytes of one group's channels at one kernel position, or nullptr if that lies outside of the input.
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
