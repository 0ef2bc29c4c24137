#pragma once
// Provides upper bounds of |x|, the Euclidean norm of x - xz over a window of a layer, by which the bounds of
// error_bounds.h are multiplied.

#include <cstdint>
#include <vector>

#include "layers/error_bounds.h"
#include "layers/simd/layer_loops.h"

namespace tieout {

class WindowNorms {
 public:
  // windows: measure each window where that pays. none: use one bound for all windows, from the range of the
  // activations.
  enum class Detail { none, windows };

  // layer: must outlive this; its activation may be exchanged, followed by begin().
  WindowNorms(const LayerView& layer, SimdIsa isa, Detail detail);

  // Starts with the layer's current activation. range: of its numbers.
  void begin(const ActivationRange& range);

  // Fills `norms` for `count` output positions from `first` on: one bound for each `positions` of them, that of the
  // longest window.
  void measure(std::int64_t first, std::int64_t count, std::int64_t positions, std::vector<float>& norms) const;

 private:
  [[nodiscard]] std::uint64_t squares_of_window(const OutputPlace& place) const;

  const LayerView& layer_;
  const ConvCase& c_;
  LayerLoops lanes_;
  bool by_pixel_;
  float widest_ = 0;
  // N x D x H x W: for each pixel, the sum of squares over its channels; empty if windows are not measured.
  std::vector<std::uint64_t> pixels_;
};

}  // namespace tieout
