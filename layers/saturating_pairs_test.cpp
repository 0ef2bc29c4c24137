#include "layers/saturating_pairs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "layers/drawn_bytes.h"
#include "oracle/element/window.h"

namespace tieout {
namespace {

// Tests 1x1 kernels, larger ones, odd numbers of channels and of kernel positions, and a single channel. Neighbours are
// in the order kd, kh, kw, channel.
TEST(SaturatingPairs, ExtremesAreThoseOfNeighbours) {
  Random random(34);
  for (const Spatial kernel : {Spatial{1, 1, 1}, Spatial{1, 3, 3}, Spatial{1, 2, 2}}) {
    for (const std::int64_t channels : {1, 2, 3, 16, 33, 64}) {
      const ConvCase c{.in_channels = channels, .out_channels = 4, .input = {1, 5, 5}, .kernel = kernel};
      const std::int64_t taps = volume(kernel), length = channels * taps;
      const auto w = drawn<std::int8_t>(static_cast<std::size_t>(4 * length), random);
      std::vector<PairExtremes> expected(4);
      for (std::int64_t k = 0; k < 4; ++k) {
        // In the order of neighbours; 0 behind the last of an odd number.
        const auto weight = [&](std::int64_t i) {
          return i < length ? int{w[static_cast<std::size_t>(k * length + i % channels * taps + i / channels)]} : 0;
        };
        PairExtremes& extremes = expected[static_cast<std::size_t>(k)];
        for (std::int64_t i = 0; i < length; i += 2) {
          const int a = weight(i), b = weight(i + 1);
          extremes.lowest = std::min(extremes.lowest, std::min(a, 0) + std::min(b, 0));
          extremes.highest = std::max(extremes.highest, std::max(a, 0) + std::max(b, 0));
        }
      }
      for (const SimdIsa isa : simd_isas()) {
        const std::vector<PairExtremes> found = pair_extremes(c, w.data(), isa);
        for (std::size_t k = 0; k < 4; ++k) {
          ASSERT_EQ(found[k].lowest, expected[k].lowest) << channels << ' ' << taps;
          ASSERT_EQ(found[k].highest, expected[k].highest) << channels << ' ' << taps;
        }
      }
    }
  }
}

// Compares with brute force, for pairs from even and from odd places, and with numbers of channels that do not fill a
// register or exceed one.
TEST(SaturatingPairs, AreThoseOfTheWindows) {
  Random random(37);
  for (const std::int64_t channels : {3, 5, 17, 33}) {
    for (const Spatial kernel : {Spatial{1, 1, 2}, Spatial{1, 3, 3}}) {
      const ConvCase c{.in_channels = 2 * channels,
                       .out_channels = 4,
                       .groups = 2,
                       .input = {1, 4, 5},
                       .kernel = kernel,
                       .padding = {0, 1, 1},
                       .activation_zero_point = 200};
      const auto x = drawn<std::uint8_t>(static_cast<std::size_t>(20 * c.in_channels), random);
      const auto w = drawn<std::int8_t>(static_cast<std::size_t>(4 * reduction_length(c)), random);
      const LayerView layer{&c, x.data(), w.data()};
      const std::int64_t positions = volume(output_size(c));
      for (const PairsFrom from : {PairsFrom::even, PairsFrom::odd}) {
        std::set<std::pair<std::int64_t, std::int64_t>> expected;
        Window window;
        for (std::int64_t p = 0; p < positions; ++p) {
          for (std::int64_t k = 0; k < 4; ++k) {
            gather(layer, {p, k}, window);
            for (std::size_t i = from == PairsFrom::even ? 0 : 1; i + 1 < window.x.size(); i += 2) {
              const int pair = window.x[i] * window.w[i] + window.x[i + 1] * window.w[i + 1];
              if (pair < -32768 || pair > 32767) expected.insert({p, k});
            }
          }
        }
        EXPECT_FALSE(expected.empty());
        for (const SimdIsa isa : simd_isas()) {
          const SaturatingPairs pairs(layer, {.lowest = 0, .highest = 255}, pair_extremes(c, w.data(), isa, from), isa,
                                      from);
          std::vector<OutputElement> elements;
          pairs.find(0, positions, elements);
          std::set<std::pair<std::int64_t, std::int64_t>> found;
          for (const OutputElement& element : elements) found.insert({element.position, element.k});
          EXPECT_EQ(found.size(), elements.size());  // each once
          EXPECT_EQ(found, expected) << channels;
        }
      }
    }
  }
}

}  // namespace
}  // namespace tieout
