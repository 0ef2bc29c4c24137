#pragma once
// Finds the elements of a layer in whose windows a pair of neighbouring products leaves int16. Most layers have none,
// and activations that are large enough are rare elsewhere, so only the windows around them are evaluated.

#include <cstdint>
#include <vector>

#include "layers/error_bounds.h"
#include "layers/layer_windows.h"
#include "layers/simd/layer_loops.h"

namespace tieout {

// The extremes of the sums of two neighbouring weights, of the negative ones and of the positive ones only, with
// neighbours in the order kd, kh, kw, channel.
struct PairExtremes {
  int lowest = 0, highest = 0;

  // True if a pair of products can leave int16 when no activation is larger than `activation`.
  [[nodiscard]] bool leave_int16(int activation) const {
    return lowest * activation < -32768 || highest * activation > 32767;
  }
};
// Which neighbours form a pair: an element at an even place and the next one, as in FBGEMM; or one at an odd place and
// the next one. The latter include the additional pairs of oneDNN for kernel positions with an odd number of channels.
enum class PairsFrom { even, odd };

// True if oneDNN's code has pairs that begin at odd places.
[[nodiscard]] bool has_odd_pairs(const ConvCase& c);

// Returns the extremes of every output channel. weight: K x C/groups x kernel.
[[nodiscard]] std::vector<PairExtremes> pair_extremes(const ConvCase& c, const std::int8_t* weight,
                                                      SimdIsa isa = best_simd_isa(), PairsFrom from = PairsFrom::even);
// Returns the extremes over all channels.
[[nodiscard]] PairExtremes widest(const std::vector<PairExtremes>& channels);

class SaturatingPairs {
 public:
  // layer: must outlive this, with its activation. range: of the layer's activations, including padding. extremes: of
  // its output channels, for the same `from`.
  SaturatingPairs(const LayerView& layer, const ActivationRange& range, const std::vector<PairExtremes>& extremes,
                  SimdIsa isa, PairsFrom from = PairsFrom::even);

  // Appends the elements at `count` output positions from `first` on, each once, position by position.
  void find(std::int64_t first, std::int64_t count, std::vector<OutputElement>& found) const;

 private:
  // Two neighbours in the reduction whose products together can leave int16 in output channel k.
  struct Pair {
    std::int64_t index = 0;  // index of the first one in the reduction
    std::int64_t k = 0;
    int first = 0, second = 0;  // weights
  };
  void add_pairs(std::int64_t k, int largest);
  void add_pair(std::int64_t k, std::int64_t index, int a, int b, const PairExtremes& both);
  void find_pixels(SimdIsa isa);
  [[nodiscard]] bool none_large(const OutputPlace& place) const;
  void look(const OutputPlace& place, std::int64_t position, std::int64_t channel, std::int64_t tap,
            std::vector<std::int64_t>& found_in, std::vector<OutputElement>& found) const;
  [[nodiscard]] int activation(const OutputPlace& place, std::int64_t group, std::int64_t index) const;

  const LayerView& layer_;
  const ConvCase& c_;
  LayerWindows windows_;
  std::int64_t channels_, outputs_;
  std::int64_t from_;                     // place in the reduction where the first pair begins
  std::vector<std::vector<Pair>> pairs_;  // groups x pairs of the reduction
  // Taps x C: the largest activation that is irrelevant there; 255 if all are.
  std::vector<std::uint8_t> limits_;
  // For each pixel of N x D x H x W, then for padding, the index of its first entry in `large_`; the last number is the
  // end.
  std::vector<std::uint32_t> large_begin_;
  // The channels in which a pixel may be large enough at some kernel position.
  std::vector<std::uint32_t> large_;
  // A pixel of zero points.
  std::vector<std::uint8_t> padding_;
};

}  // namespace tieout
