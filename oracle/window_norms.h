#pragma once
// How long the windows of a layer are as vectors of x - xz, at least: what the bounds of channel_bounds.h are multiplied by.

#include <cstdint>
#include <vector>

#include "oracle/channel_bounds.h"
#include "oracle/proof_lanes.h"

namespace tieout {

class WindowNorms {
 public:
  // windows: each by its own numbers, where that pays. none: what no window is longer than, for all of them.
  enum class Detail { none, windows };

  // layer: outlives this; its activation may be exchanged.
  WindowNorms(const LayerView& layer, VectorIsa isa, Detail detail);

  // Of another activation. range: of its numbers.
  void begin(const ActivationRange& range);

  // norms: of each `positions` of the `count` output positions from `first` on, the longest window's.
  void measure(std::int64_t first, std::int64_t count, std::int64_t positions, std::vector<float>& norms) const;

 private:
  [[nodiscard]] std::uint64_t squares_of_window(const OutputPlace& place) const;

  const LayerView& layer_;
  const ConvCase& c_;
  ProofLanes lanes_;
  bool by_pixel_;
  float widest_ = 0;
  std::vector<std::uint64_t> pixels_;  // N x D x H x W: sums of the squares of their channels; or empty
};

}  // namespace tieout
