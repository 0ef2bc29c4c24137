#pragma once
// Provides OrderedWindows, which gathers the windows of a layer in the order in which dequantized numbers are summed:
// channel, then kernel position.

#include <cstdint>
#include <span>
#include <vector>

#include "layers/layer_windows.h"

namespace tieout {

// One gathered window: the channels of one group at one output position, which several output channels share. Reset
// `position` to -1 when the activation changes.
struct OrderedWindow {
  std::int64_t position = -1, group = -1;
  // Points into `bytes` or into the activation; nullptr before gather().
  const std::uint8_t* x = nullptr;
  std::vector<std::uint8_t> bytes;
  std::vector<const std::uint8_t*> taps;
};

// Computes to[i * taps.size() + t] = taps[t][i] for i below count.
void interleave(std::span<const std::uint8_t* const> taps, std::int64_t count, std::uint8_t* to);

class OrderedWindows {
 public:
  // layer: must outlive this; its activation may be exchanged.
  explicit OrderedWindows(const LayerView& layer)
      : c_(*layer.spec),
        windows_(layer),
        padding_(static_cast<std::size_t>(c_.in_channels / c_.groups),
                 static_cast<std::uint8_t>(c_.activation_zero_point)) {}

  [[nodiscard]] std::int64_t length() const { return windows_.length(); }

  // True if `window` already holds the element's window.
  [[nodiscard]] bool holds(const OutputElement& element, const OrderedWindow& window) const {
    return window.position == element.position && window.group == group_of(element);
  }

  // Sets window.taps to the channels of each kernel position. Kernel positions outside of the input hold the zero
  // point.
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

  // Sets window.x to the bytes in the order of summation.
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
