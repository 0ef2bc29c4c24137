#pragma once
// Provides LayerView, a convolution as LibTorch runs it (channels last), and conversions between its layouts. A view
// points to the tensors; it neither copies nor owns them.

#include <cstdint>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

struct LayerView {
  // A valid case; its contents are not read.
  const ConvCase* spec = nullptr;
  const std::uint8_t* activation = nullptr;  // N x D x H x W x C
  const std::int8_t* weight = nullptr;       // K x C/groups x kernel
};

// Identifies an output element by its position in N x D' x H' x W' and its output channel.
struct OutputElement {
  std::int64_t position = 0;
  std::int64_t k = 0;

  bool operator==(const OutputElement&) const = default;
};

// Convert between an element and its offset in N x K x spatial, the order of output tensors.
[[nodiscard]] std::int64_t offset_of(const OutputElement& element, const ConvCase& c);
[[nodiscard]] OutputElement element_at(std::int64_t offset, const ConvCase& c);

// Convert N x C x plane to N x plane x C, and back. values: batch * channels * plane of them.
[[nodiscard]] std::vector<std::uint8_t> channels_last(const std::uint8_t* values, std::int64_t batch,
                                                      std::int64_t channels, std::int64_t plane);
[[nodiscard]] std::vector<std::uint8_t> channels_first(const std::uint8_t* values, std::int64_t batch,
                                                       std::int64_t channels, std::int64_t plane);

// Returns the layer as a problem that owns its contents, in the order of ConvProblem.
[[nodiscard]] ConvProblem problem_of(const LayerView& layer);

// Holds the coordinates of an output position. advance() moves to the next position without divisions.
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
