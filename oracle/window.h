#pragma once
// What one output element depends on: its window of activations, its weights, its parameters. Hypotheses are functions of
// a Window, so that none of them indexes a tensor, and all of them see the same element.

#include <cstdint>
#include <optional>
#include <vector>

#include "cases/layer_view.h"

namespace tieout {

struct Window {
  const ConvCase* spec = nullptr;  // the case that the element belongs to: for rules that depend on the shape

  // In the order kd, kh, kw, channel, the channel fastest: the order in which integer kernels pair neighbours.
  std::vector<std::uint8_t> x;       // outside of the input: the activation's zero point, as uint8
  std::vector<std::int8_t> w;        // empty where only the sums are known, and that no pair of products leaves int16
  std::vector<std::uint8_t> inside;  // 1 where x lies in the input, 0 where it is padding

  double xs = 1, ws = 1, os = 1;
  std::int64_t xz = 0, wz = 0, oz = 0;
  std::optional<float> bias;
  Relu relu = Relu::off;
  Granularity granularity = Granularity::per_tensor;
  std::int64_t group_channels = 1;  // channels a tap: x.size() is this times the kernel's volume

  // Exact sums over the window, made once for all hypotheses.
  std::int64_t products = 0, activations = 0, weights = 0;

  // sum (x - xz) * (w - wz), exactly.
  [[nodiscard]] std::int64_t exact_sum() const {
    return products - xz * weights - wz * activations + static_cast<std::int64_t>(x.size()) * xz * wz;
  }
};

// The window of output element `offset` (row-major in N x K x spatial). Reuses the window's memory.
void gather(const ConvProblem& problem, std::int64_t offset, Window& window);
void gather(const LayerView& layer, const OutputElement& element, Window& window);

// What the window has of its output channel: scales, zero points, bias. Not its elements and sums.
void describe(const ConvCase& c, std::int64_t k, Window& window);

}  // namespace tieout
