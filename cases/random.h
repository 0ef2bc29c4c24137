#pragma once
// Provides the project's own pseudo-random numbers, which have the same bits on every compiler, library and machine.
// The standard distributions are not used anywhere, because their results differ between libraries.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tieout {

// Implements SplitMix64 (Steele, Lea, Flood 2014). It has one 64-bit word of state, and every seed gives an
// independent, full-period sequence, so that a stream for each tensor costs nothing.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}
  // Starts stream `stream` of `seed`. Numbers drawn from one stream never change those of another.
  constexpr Random(std::uint64_t seed, std::uint64_t stream)
      : state_(Random(seed ^ (0xd1342543de82ef95U * (stream + 1))).next()) {}

  constexpr std::uint64_t next() {
    state_ += kStep;
    return mix(state_);
  }

  // Returns the value of next() after `skipped` further calls. No word depends on the one before it, so that compilers
  // can compute many at a time.
  [[nodiscard]] constexpr std::uint64_t peek(std::uint64_t skipped) const {
    return mix(state_ + (skipped + 1) * kStep);
  }

  // Draws uniformly from 0..n-1 for n >= 1, by the high half of a 32x32-bit product. The bias is below n / 2^32.
  constexpr std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(between(0, std::int64_t{n} - 1)); }

  // Draws uniformly from low..high, both ends included; high - low < 2^32.
  constexpr std::int64_t between(std::int64_t low, std::int64_t high) { return between(next(), low, high); }
  // Maps a word that was drawn before to low..high in the same way.
  static constexpr std::int64_t between(std::uint64_t word, std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(((word >> 32U) * static_cast<std::uint64_t>(high - low + 1)) >> 32U);
  }

  // Returns true with probability numerator / denominator.
  constexpr bool chance(std::uint32_t numerator, std::uint32_t denominator) { return below(denominator) < numerator; }

  // Draws uniformly from [0, 1) with 53 bits.
  constexpr double unit() { return static_cast<double>(next() >> 11U) * 0x1p-53; }

  template <typename T, std::size_t N>
  constexpr T pick(const std::array<T, N>& choices) {
    return choices[below(static_cast<std::uint32_t>(N))];
  }

 private:
  static constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15U;

  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  std::uint64_t state_;
};

}  // namespace tieout
