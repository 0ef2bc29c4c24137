// AVX2: as AVX-512 without VNNI, 16 lanes in two registers.

#include <immintrin.h>

#include "kernels/loops_template.h"

namespace tieout {
namespace {

using Register = __m256i;

struct Lanes16 {
  Register low, high;
};

Register load_register(const void* from) { return _mm256_loadu_si256(static_cast<const Register*>(from)); }

struct CommonLanes {
  static constexpr int kBlocks = 2;
  // Sums of a panel's positions: 12 of 16 registers, the weights come from memory.
  static constexpr std::int64_t positions(std::size_t blocks) { return blocks == 2 ? 3 : 5; }
  static constexpr std::size_t kDepthwiseWide = 1;

  using Sums = Lanes16;
  static Sums load(const std::int32_t* from) { return {load_register(from), load_register(from + 8)}; }
  static void store(std::int32_t* to, const Sums& sums) {
    _mm256_storeu_si256(reinterpret_cast<Register*>(to), sums.low);
    _mm256_storeu_si256(reinterpret_cast<Register*>(to + 8), sums.high);
  }
  static Sums splat(std::int32_t value) { return {_mm256_set1_epi32(value), _mm256_set1_epi32(value)}; }
  static Sums subtract_product(const Sums& sums, const Sums& a, const Sums& b) {
    return {_mm256_sub_epi32(sums.low, _mm256_mullo_epi32(a.low, b.low)),
            _mm256_sub_epi32(sums.high, _mm256_mullo_epi32(a.high, b.high))};
  }
  static Sums at_most(const Sums& sums, std::int32_t most) {
    const Register limit = _mm256_set1_epi32(most);
    return {_mm256_min_epi32(sums.low, limit), _mm256_min_epi32(sums.high, limit)};
  }

  // The rounding mode is named; then nothing is left to round, and what does not fit int32, and NaN, becomes INT32_MIN.
  static Register rounded(Register raw, const BlockNumbers& numbers, int at) {
    const __m256 f = _mm256_cvtepi32_ps(raw);
    const __m256 with_bias =
        _mm256_fmadd_ps(_mm256_load_ps(numbers.bias + at), _mm256_load_ps(numbers.reciprocal + at), f);
    const __m256 s = with_bias * _mm256_load_ps(numbers.multiplier + at);
    return _mm256_cvttps_epi32(_mm256_round_ps(s, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }

  // Lanes of 128 bits, half a register each, hold 4 * blocks neighbouring channels; `half` is 0 for the lower 8 lanes.
  template <std::size_t kPanel>
  static Register bytes_of(const Sums (&raw)[kPanel], int half, const BlockNumbers* numbers, OutputRange range) {
    Register q[kPanel];
#pragma GCC unroll 4
    for (int r = 0; r < int{kPanel}; ++r) {
      q[r] = rounded(half == 0 ? raw[r].low : raw[r].high, numbers[r], half * 8);
    }
    const Register zero_point = _mm256_set1_epi16(static_cast<std::int16_t>(range.zero_point));
    const auto shorts = [&](Register a, Register b) { return _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point); };
    Register bytes;
    if constexpr (kPanel == 4) {
      bytes = _mm256_packus_epi16(shorts(q[0], q[1]), shorts(q[2], q[3]));
    } else {
      const Register both = shorts(q[0], q[kPanel - 1]);
      bytes = _mm256_packus_epi16(both, both);
    }
    return _mm256_max_epu8(bytes, _mm256_set1_epi8(static_cast<char>(range.lowest)));
  }
  template <std::size_t kPanel, std::size_t kParts>
  static void finish_one(const Sums (&raw)[kPanel], const BlockNumbers* numbers, OutputRange range,
                         std::uint8_t* const (&y)[kParts], std::int64_t count) {
    constexpr std::size_t kBytes = 4 * kPanel;     // of each 128 bits
    constexpr std::size_t kQuarters = 4 / kParts;  // of a part
    std::uint8_t bytes[64];
    const bool whole = count >= static_cast<std::int64_t>(kBytes * kQuarters);
#pragma GCC unroll 2
    for (std::size_t half = 0; half < 2; ++half) {
      const Register both = bytes_of(raw, static_cast<int>(half), numbers, range);
      const __m128i quarters[2] = {_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)};
#pragma GCC unroll 2
      for (std::size_t i = 0; i < 2; ++i) {
        const std::size_t quarter = 2 * half + i;
        std::uint8_t* const to =
            whole ? y[quarter / kQuarters] + quarter % kQuarters * kBytes : bytes + quarter * kBytes;
        __builtin_memcpy(to, &quarters[i], kBytes);
      }
    }
    if (!whole) __builtin_memcpy(y[0], bytes, static_cast<std::size_t>(count));
  }
  template <std::size_t kPositions, std::size_t kPanel, std::size_t kParts>
  static void finish(const Sums (&sums)[kPositions][kPanel], const BlockNumbers* numbers, OutputRange range,
                     std::uint8_t* const (&y)[kPositions][kParts], std::int64_t count) {
    for (std::size_t p = 0; p < kPositions; ++p) finish_one(sums[p], numbers, range, y[p], count);
  }

  // 64 bytes, as many from each place.
  using Bytes = Lanes16;
  template <std::size_t kParts>
  static Bytes bytes(const std::uint8_t* const (&at)[kParts]) {
    if constexpr (kParts == 1) return {load_register(at[0]), load_register(at[0] + 32)};
    if constexpr (kParts == 2) return {load_register(at[0]), load_register(at[1])};
    if constexpr (kParts == 4) return {load_halves(at[0], at[1]), load_halves(at[2], at[3])};
  }
  static Register load_halves(const std::uint8_t* low, const std::uint8_t* high) {
    return _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(high), reinterpret_cast<const __m128i*>(low));
  }

  // Channels 16 l + 4 r + i in lane 4 l + i of block r.
  static void interleave_bytes(const Bytes& a, const Bytes& b, const Bytes& c, const Bytes& d, Lanes16 (&x)[4]) {
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const auto of = [&](const Bytes& bytes) { return half == 0 ? bytes.low : bytes.high; };
      const Register ra = of(a), rb = of(b), rc = of(c), rd = of(d);
      const Register ab_low = _mm256_unpacklo_epi8(ra, rb), ab_high = _mm256_unpackhi_epi8(ra, rb);
      const Register cd_low = _mm256_unpacklo_epi8(rc, rd), cd_high = _mm256_unpackhi_epi8(rc, rd);
      const Register quads[4] = {_mm256_unpacklo_epi16(ab_low, cd_low), _mm256_unpackhi_epi16(ab_low, cd_low),
                                 _mm256_unpacklo_epi16(ab_high, cd_high), _mm256_unpackhi_epi16(ab_high, cd_high)};
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) (half == 0 ? x[r].low : x[r].high) = quads[r];
    }
  }
  static Register broadcast_bytes(const std::uint8_t* from) {
    std::int32_t four;
    __builtin_memcpy(&four, from, sizeof four);
    return _mm256_set1_epi32(four);
  }
};

struct PairLanes : CommonLanes {
  static constexpr auto kProducts = Arithmetic::Products::int16_pairs;
  static constexpr WeightForm kForm = WeightForm::bytes;
  using Weights = Lanes16;
  using Activations = Lanes16;

  static Weights weights(const std::int8_t* from) { return {load_register(from), load_register(from + 32)}; }
  static Activations broadcast(const std::uint8_t* from) {
    const Register x = broadcast_bytes(from);
    return {x, x};
  }
  static Register add(Register sums, Register x, Register w) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), _mm256_set1_epi16(1)));
  }
  static Sums dot(const Sums& sums, const Activations& x, const Weights& w) {
    return {add(sums.low, x.low, w.low), add(sums.high, x.high, w.high)};
  }
  static void interleave(const Bytes& a, const Bytes& b, const Bytes& c, const Bytes& d, Activations (&x)[4]) {
    interleave_bytes(a, b, c, d, x);
  }
};

struct ExactLanes : CommonLanes {
  static constexpr auto kProducts = Arithmetic::Products::exact;
  static constexpr WeightForm kForm = WeightForm::shorts;
  struct Halves {
    Lanes16 even, odd;
  };
  using Weights = Halves;
  using Activations = Halves;

  static Register even(Register x) { return x & _mm256_set1_epi16(0xff); }
  static Register odd(Register x) { return _mm256_srli_epi16(x, 8); }
  static Weights weights(const std::int8_t* from) {
    return {{load_register(from), load_register(from + 32)}, {load_register(from + 64), load_register(from + 96)}};
  }
  static Activations broadcast(const std::uint8_t* from) {
    const Register x = broadcast_bytes(from);
    return {{even(x), even(x)}, {odd(x), odd(x)}};
  }
  static Register add(Register sums, Register x, Register w) { return _mm256_add_epi32(sums, _mm256_madd_epi16(x, w)); }
  static Sums dot(const Sums& sums, const Activations& x, const Weights& w) {
    return {add(add(sums.low, x.even.low, w.even.low), x.odd.low, w.odd.low),
            add(add(sums.high, x.even.high, w.even.high), x.odd.high, w.odd.high)};
  }
  static void interleave(const Bytes& a, const Bytes& b, const Bytes& c, const Bytes& d, Activations (&x)[4]) {
    Lanes16 bytes[4];
    interleave_bytes(a, b, c, d, bytes);
    for (int r = 0; r < 4; ++r) {
      x[r] = {{even(bytes[r].low), even(bytes[r].high)}, {odd(bytes[r].low), odd(bytes[r].high)}};
    }
  }
};

}  // namespace

Loops avx2_loops(Arithmetic::Products products) {
  return products == Arithmetic::Products::exact ? loops_with<ExactLanes>() : loops_with<PairLanes>();
}

}  // namespace tieout
