#pragma once
// The elements of a layer in whose windows a pair of neighbouring products leaves int16. Few layers have any, and in those few
// activations are large enough: only around them anything is computed.

#include <cstdint>
#include <vector>

#include "oracle/channel_bounds.h"
#include "oracle/layer_windows.h"
#include "oracle/proof_lanes.h"

namespace tieout {

// How far sums of two neighbouring weights reach, negative ones and positive ones, in the order kd, kh, kw, channel.
struct PairExtremes {
  int lowest = 0, highest = 0;

  [[nodiscard]] bool leave_int16(int activation) const {
    return lowest * activation < -32768 || highest * activation > 32767;
  }
};
// Which neighbours are a pair: an even place and the next one, as in FBGEMM; or an odd one and the next, among which
// are those that oneDNN has besides where the channels of a kernel position are odd in number.
enum class PairsFrom { even, odd };

// Whether some arithmetic has pairs from odd places.
[[nodiscard]] bool has_odd_pairs(const ConvCase& c);

// By output channel.
[[nodiscard]] std::vector<PairExtremes> pair_extremes(const ConvCase& c, const std::int8_t* weight,
                                                      VectorIsa isa = best_vector_isa(),
                                                      PairsFrom from = PairsFrom::even);
[[nodiscard]] PairExtremes widest(const std::vector<PairExtremes>& channels);

class SaturatingPairs {
 public:
  // range: of the layer's activations. extremes: of its channels.
  SaturatingPairs(const LayerView& layer, const ActivationRange& range, const std::vector<PairExtremes>& extremes,
                  VectorIsa isa, PairsFrom from = PairsFrom::even);

  // Adds those of `count` positions from `first` on, each once, position by position.
  void find(std::int64_t first, std::int64_t count, std::vector<OutputElement>& found) const;

 private:
  // Two neighbours in the reduction whose products can leave int16 together in output channel k.
  struct Pair {
    std::int64_t index = 0;  // of the first, in the reduction
    std::int64_t k = 0;
    int first = 0, second = 0;  // weights
  };
  void add_pairs(std::int64_t k, int largest);
  void add_pair(std::int64_t k, std::int64_t index, int a, int b, const PairExtremes& both);
  void find_pixels(VectorIsa isa);
  [[nodiscard]] bool none_large(const OutputPlace& place) const;
  void look(const OutputPlace& place, std::int64_t position, std::int64_t channel, std::int64_t tap,
            std::vector<std::int64_t>& found_in, std::vector<OutputElement>& found) const;
  [[nodiscard]] int activation(const OutputPlace& place, std::int64_t group, std::int64_t index) const;

  const LayerView& layer_;
  const ConvCase& c_;
  LayerWindows windows_;
  std::int64_t channels_, outputs_;
  std::int64_t from_;                       // where in the reduction the first pair begins
  std::vector<std::vector<Pair>> pairs_;    // groups x pairs of the reduction
  std::vector<std::uint8_t> limits_;        // taps x C: what activations must exceed to matter; 255: none does
  std::vector<std::uint32_t> large_begin_;  // N x D x H x W, then padding, and the end: where in `large_`
  std::vector<std::uint32_t> large_;        // the channels in which a pixel could matter at some kernel position
  std::vector<std::uint8_t> padding_;
};

}  // namespace tieout
