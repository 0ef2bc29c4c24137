#pragma once
// The windows of a layer in the order in which dequantized numbers are summed: channel, then kernel position.

#include <cstdint>
#include <span>
#include <vector>

#include "oracle/layer_windows.h"

namespace tieout {

// Kept for the elements that share it: the channels of one group at one position. Forgotten with the activations.
struct OrderedWindow {
  std::int64_t position = -1, group = -1;
  const std::uint8_t* x = nullptr;  // in `bytes`, or where they lie
  std::vector<std::uint8_t> bytes;
  std::vector<const std::uint8_t*> taps;
};

// to[i * taps.size() + t] = taps[t][i]
void interleave(std::span<const std::uint8_t* const> taps, std::int64_t count, std::uint8_t* to);

class OrderedWindows {
 public:
  // layer: outlives this.
  explicit OrderedWindows(const LayerView& layer)
      : c_(*layer.spec),
        windows_(layer),
        padding_(static_cast<std::size_t>(c_.in_channels / c_.groups),
                 static_cast<std::uint8_t>(c_.activation_zero_point)) {}

  [[nodiscard]] std::int64_t length() const { return windows_.length(); }

  // Outside of the input x is its zero point.
  void gather(const OutputElement& element, OrderedWindow& window) const {
    const std::int64_t group = element.k / (c_.out_channels / c_.groups);
    if (window.position == element.position && window.group == group) return;
    window.position = element.position;
    window.group = group;
    const OutputPlace place(element.position, output_size(c_));
    const std::int64_t taps = windows_.taps();
    if (taps == 1) {
      window.x = windows_.at(place, group, window.bytes);
    } else {
      const std::int64_t channels = c_.in_channels / c_.groups;
      window.bytes.resize(static_cast<std::size_t>(length()));
      window.taps.resize(static_cast<std::size_t>(taps));
      for (std::int64_t t = 0; t < taps; ++t) {
        const std::uint8_t* const from = windows_.tap_at(place, group, t);
        window.taps[static_cast<std::size_t>(t)] = from == nullptr ? padding_.data() : from;
      }
      interleave(window.taps, channels, window.bytes.data());
      window.x = window.bytes.data();
    }
  }

 private:
  const ConvCase& c_;
  LayerWindows windows_;
  std::vector<std::uint8_t> padding_;  // a pixel of zero points
};

}  // namespace tieout
