#pragma once
// A convolution as LibTorch runs it, channels last, and where it lies: nothing is copied or owned.

#include <cstdint>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

struct LayerView {
  const ConvCase* spec = nullptr;            // valid; its contents are not looked at
  const std::uint8_t* activation = nullptr;  // N x D x H x W x C
  const std::int8_t* weight = nullptr;       // K x C/groups x kernel
};

// An output element: the position in N x D' x H' x W', and the output channel.
struct OutputElement {
  std::int64_t position = 0;
  std::int64_t k = 0;

  bool operator==(const OutputElement&) const = default;
};

// The element's place in N x K x spatial, where the rest of the house counts.
[[nodiscard]] std::int64_t offset_of(const OutputElement& element, const ConvCase& c);
[[nodiscard]] OutputElement element_at(std::int64_t offset, const ConvCase& c);

// N x C x plane as N x plane x C, and back. `values`: batch * channels * plane of them.
[[nodiscard]] std::vector<std::uint8_t> channels_last(const std::uint8_t* values, std::int64_t batch,
                                                      std::int64_t channels, std::int64_t plane);
[[nodiscard]] std::vector<std::uint8_t> channels_first(const std::uint8_t* values, std::int64_t batch,
                                                       std::int64_t channels, std::int64_t plane);

// The same problem with contents of its own, in the order of ConvProblem.
[[nodiscard]] ConvProblem problem_of(const LayerView& layer);

// Where an output position stands, moved on without dividing.
struct OutputPlace {
  std::int64_t image = 0;
  Spatial at{};

  OutputPlace(std::int64_t position, const Spatial& out)
      : image(position / volume(out)),
        at{position / (out[1] * out[2]) % out[0], position / out[2] % out[1], position % out[2]} {}

  void advance(const Spatial& out) {
    for (std::size_t d = 3; d-- > 0;) {
      if (++at[d] < out[d]) return;
      at[d] = 0;
    }
    ++image;
  }
};

}  // namespace tieout
