// Loops in plain C++, for CPUs without AVX2 and as a baseline for tests of the other loops.

#include <cmath>
#include <cstring>

#include "kernels/packed/loops_template.h"

namespace tieout {
namespace {

using Products = Arithmetic::Products;

constexpr std::int64_t kLanes = 16;

struct Lanes16 {
  std::int32_t lane[kLanes];
};

std::int32_t wrapped(std::uint32_t value) { return static_cast<std::int32_t>(value); }

template <Products kGiven>
struct PortableLanes {
  static constexpr Products kProducts = kGiven;
  static constexpr std::int64_t kBlock = kLanes;
  static constexpr int kBlocks = 1;
  static constexpr int positions(int) { return 4; }
  static constexpr std::size_t kDepthwiseWide = 1;

  using Sums = Lanes16;
  struct Weights {
    const std::int8_t* bytes;
  };
  struct Activations {
    std::uint8_t bytes[4 * kBlock];
  };

  static Sums load(const std::int32_t* from) {
    Sums sums;
    std::memcpy(sums.lane, from, sizeof sums.lane);
    return sums;
  }
  static void store(std::int32_t* to, const Sums& sums) { std::memcpy(to, sums.lane, sizeof sums.lane); }
  static Sums splat(std::int32_t value) {
    Sums sums;
    for (std::int32_t& lane : sums.lane) lane = value;
    return sums;
  }
  static Weights weights(const std::int8_t* from) { return {from}; }
  static Activations broadcast(const std::uint8_t* from) {
    Activations x;
    for (int i = 0; i < kBlock; ++i) std::memcpy(x.bytes + 4 * i, from, 4);
    return x;
  }

  static std::int32_t pair(int a, int b) {
    if constexpr (kProducts == Products::exact) return a + b;
    return a + b > 32767 ? 32767 : a + b < -32768 ? -32768 : a + b;
  }
  static Sums dot(Sums sums, const Activations& x, const Weights& w) {
    for (int i = 0; i < kBlock; ++i) {
      const std::uint8_t* const xs = x.bytes + 4 * i;
      const std::int8_t* const ws = w.bytes + 4 * i;
      const std::int32_t both = pair(xs[0] * ws[0], xs[1] * ws[1]) + pair(xs[2] * ws[2], xs[3] * ws[3]);
      sums.lane[i] = wrapped(static_cast<std::uint32_t>(sums.lane[i]) + static_cast<std::uint32_t>(both));
    }
    return sums;
  }
  static Sums subtract_product(Sums sums, const Sums& a, const Sums& b) {
    for (int i = 0; i < kBlock; ++i) {
      const auto product = static_cast<std::uint32_t>(a.lane[i]) * static_cast<std::uint32_t>(b.lane[i]);
      sums.lane[i] = wrapped(static_cast<std::uint32_t>(sums.lane[i]) - product);
    }
    return sums;
  }
  static Sums at_most(Sums sums, std::int32_t most) {
    for (std::int32_t& lane : sums.lane) lane = lane < most ? lane : most;
    return sums;
  }
  struct Bytes {
    std::uint8_t byte[4 * kBlock];
  };
  template <std::size_t kParts>
  static Bytes bytes(const std::uint8_t* const (&at)[kParts]) {
    constexpr std::size_t kSize = 4 * kBlock / kParts;
    Bytes bytes;
    for (std::size_t i = 0; i < kParts; ++i) std::memcpy(bytes.byte + i * kSize, at[i], kSize);
    return bytes;
  }
  static void interleave(const Bytes& a, const Bytes& b, const Bytes& c, const Bytes& d, Activations (&x)[4]) {
    for (int r = 0; r < 4; ++r) {
      for (int i = 0; i < kBlock; ++i) {
        const std::int64_t channel = channel_of_lane(4, r, i);
        std::uint8_t* const to = x[r].bytes + 4 * i;
        to[0] = a.byte[channel];
        to[1] = b.byte[channel];
        to[2] = c.byte[channel];
        to[3] = d.byte[channel];
      }
    }
  }

  static std::uint8_t requantize(std::int32_t raw, const BlockNumbers& numbers, int at, OutputRange range) {
    auto f = static_cast<float>(raw);
    // std::fma() is slow in a libm without FMA instructions, and most biases are not fused.
    f = numbers.reciprocal[at] == 1.0F ? f + numbers.bias[at] : std::fma(numbers.bias[at], numbers.reciprocal[at], f);
    const float s = f * numbers.multiplier[at];
    // Clamping to whole numbers before rounding gives the same result. Values that do not fit int32, and NaN, count as
    // INT32_MIN.
    const bool fits = s >= -0x1p31F && s < 0x1p31F;
    const float inside = !fits || s < -32768.0F ? -32768.0F : s > 32767.0F ? 32767.0F : s;
    const float below = std::floor(inside);
    const float fraction = inside - below;
    const auto whole = static_cast<std::int32_t>(below);
    const bool up = fraction > 0.5F || (fraction == 0.5F && whole % 2 != 0);
    const std::int32_t q = whole + (up ? 1 : 0) + range.zero_point;
    return static_cast<std::uint8_t>(q < range.lowest ? range.lowest : q > 255 ? 255 : q);
  }
  template <std::size_t kPanel, std::size_t kParts>
  static void finish_one(const Sums (&raw)[kPanel], const BlockNumbers* numbers, OutputRange range,
                         std::uint8_t* const (&y)[kParts], std::int64_t count) {
    constexpr std::int64_t kSize = 4 * kBlock / kParts;
    for (int r = 0; r < int{kPanel}; ++r) {
      for (int i = 0; i < kBlock; ++i) {
        const std::int64_t place = channel_of_lane(kPanel, r, i), channel = place % kSize;
        if (channel >= count) continue;
        y[place / kSize][channel] = requantize(raw[r].lane[i], numbers[r], i, range);
      }
    }
  }
  template <std::size_t kPositions, std::size_t kPanel, std::size_t kParts>
  static void finish(const Sums (&sums)[kPositions][kPanel], const BlockNumbers* numbers, OutputRange range,
                     std::uint8_t* const (&y)[kPositions][kParts], std::int64_t count) {
    for (std::size_t p = 0; p < kPositions; ++p) finish_one(sums[p], numbers, range, y[p], count);
  }
};

}  // namespace

Loops portable_loops(Products products) {
  return products == Products::exact ? loops_with<PortableLanes<Products::exact>>()
                                     : loops_with<PortableLanes<Products::int16_pairs>>();
}

}  // namespace tieout
