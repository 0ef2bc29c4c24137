#pragma once
// The project's own pseudo-random numbers: the same bits on every compiler, library and machine.
// The standard distributions are not used anywhere, because their results differ between libraries.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tieout {

// SplitMix64 (Steele, Lea, Flood 2014): one 64-bit word of state, every seed gives an independent,
// full-period sequence, so that a stream per tensor costs nothing.
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}
  // Stream `stream` of `seed`: what one stream draws never shifts what another one draws.
  constexpr Random(std::uint64_t seed, std::uint64_t stream)
      : state_(Random(seed ^ (0xd1342543de82ef95U * (stream + 1))).next()) {}

  constexpr std::uint64_t next() {
    state_ += kStep;
    return mix(state_);
  }

  // What next() will give after `skipped` others: no word depends on the one before it, so that many are drawn side by side.
  [[nodiscard]] constexpr std::uint64_t peek(std::uint64_t skipped) const {
    return mix(state_ + (skipped + 1) * kStep);
  }

  // Uniform over 0..n-1 for n >= 1, by the high half of a 32x32-bit product. The bias is below n / 2^32.
  constexpr std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(between(0, std::int64_t{n} - 1)); }

  // Uniform over low..high, both ends included; high - low < 2^32.
  constexpr std::int64_t between(std::int64_t low, std::int64_t high) { return between(next(), low, high); }
  // The same of a word that was drawn.
  static constexpr std::int64_t between(std::uint64_t word, std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(((word >> 32U) * static_cast<std::uint64_t>(high - low + 1)) >> 32U);
  }

  // True with probability numerator / denominator.
  constexpr bool chance(std::uint32_t numerator, std::uint32_t denominator) { return below(denominator) < numerator; }

  // Uniform over [0, 1), 53 bits.
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
