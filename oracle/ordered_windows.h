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
  const std::uint8_t* x = nullptr;  // in `bytes`, or where they lie, or not yet
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

  // Whether the window is the element's already.
  [[nodiscard]] bool holds(const OutputElement& element, const OrderedWindow& window) const {
    return window.position == element.position && window.group == group_of(element);
  }

  // Where the channels of each kernel position lie: window.taps. Outside of the input x is its zero point.
  void locate(const OutputElement& element, OrderedWindow& window) const {
    if (holds(element, window)) return;
    const std::int64_t group = group_of(element);
    window.position = element.position;
    window.group = group;
    window.x = nullptr;
    const OutputPlace place(element.position, output_size(c_));
    window.taps.resize(static_cast<std::size_t>(windows_.taps()));
    for (std::size_t t = 0; t < window.taps.size(); ++t) {
      const std::uint8_t* const from = windows_.tap_at(place, group, static_cast<std::int64_t>(t));
      window.taps[t] = from == nullptr ? padding_.data() : from;
    }
  }

  // The bytes in their order: window.x.
  void gather(const OutputElement& element, OrderedWindow& window) const {
    locate(element, window);
    if (window.x != nullptr) return;
    if (window.taps.size() == 1) {
      window.x = window.taps.front();
      return;
    }
    window.bytes.resize(static_cast<std::size_t>(length()));
    interleave(window.taps, std::ssize(padding_), window.bytes.data());
    window.x = window.bytes.data();
  }

 private:
  [[nodiscard]] std::int64_t group_of(const OutputElement& element) const {
    return element.k / (c_.out_channels / c_.groups);
  }

  const ConvCase& c_;
  LayerWindows windows_;
  std::vector<std::uint8_t> padding_;  // a pixel of zero points
};

}  // namespace tieout
