#pragma once
// The parts of `Lanes` (see loops_template.h) that the AVX-512 loops with and without VNNI share. Include it only in
// files that are compiled for AVX-512.

#include <immintrin.h>

#include "kernels/packed/loops_template.h"

namespace tieout::avx512 {
namespace {  // anonymous, because each including file is compiled for its own instruction set

// A register of 64 activations: four bytes in each of 16 lanes.
using Register = __m512i;

// Loads, sums and requantization, which do not depend on how products are computed.
struct CommonLanes {
  static constexpr std::int64_t kBlock = 16;
  static constexpr int kBlocks = 2;
  // A tile of two blocks uses 27 of the 32 registers: 24 for sums, two for weights and one for the broadcast
  // activations. Four blocks of six positions have as many sums, but read twice the weights for each product. The
  // narrower panel also stays in the first level cache up to 1024 input channels.
  static constexpr std::int64_t positions(std::size_t) { return 12; }
  static constexpr std::size_t kDepthwiseWide = 4;

  using Sums = Register;
  static Sums load(const std::int32_t* from) { return _mm512_loadu_si512(from); }
  static void store(std::int32_t* to, Sums sums) { _mm512_storeu_si512(to, sums); }
  // Stores the sums in the order of their channels, which moves lanes of 128 bits with four channels each: see
  // channel_of_lane().
  template <std::size_t kPanel, std::size_t kParts>
  static void store_in_order(const Sums (&sums)[kPanel], std::int64_t count, std::int32_t* const (&to)[kParts]) {
    if constexpr (kPanel == 1) {
      store_some(to[0], sums[0], count);
    } else if constexpr (kPanel == 2) {
      const Register first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
      const Register second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
      store_some(to[0], _mm512_permutex2var_epi64(sums[0], first, sums[1]), count);
      store_some(to[0] + kBlock, _mm512_permutex2var_epi64(sums[0], second, sums[1]), count - kBlock);
    } else {
      constexpr int kLow = 0x44, kHigh = 0xee, kEven = 0x88, kOdd = 0xdd;
      const Register ab_low = _mm512_shuffle_i64x2(sums[0], sums[1], kLow);
      const Register ab_high = _mm512_shuffle_i64x2(sums[0], sums[1], kHigh);
      const Register cd_low = _mm512_shuffle_i64x2(sums[2], sums[3], kLow);
      const Register cd_high = _mm512_shuffle_i64x2(sums[2], sums[3], kHigh);
      const Sums quarters[4] = {_mm512_shuffle_i64x2(ab_low, cd_low, kEven), _mm512_shuffle_i64x2(ab_low, cd_low, kOdd),
                                _mm512_shuffle_i64x2(ab_high, cd_high, kEven),
                                _mm512_shuffle_i64x2(ab_high, cd_high, kOdd)};
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) {
        const std::int64_t channel = static_cast<std::int64_t>(i % (4 / kParts)) * kBlock;
        store_some(to[i / (4 / kParts)] + channel, quarters[i], count - channel);
      }
    }
  }
  // Stores the first `count` sums. count may exceed the number of lanes or be negative.
  static void store_some(std::int32_t* to, Sums sums, std::int64_t count) {
    if (count >= kBlock) return _mm512_storeu_si512(to, sums);
    if (count > 0) _mm512_mask_storeu_epi32(to, static_cast<__mmask16>((1U << static_cast<unsigned>(count)) - 1), sums);
  }
  static Sums splat(std::int32_t value) { return _mm512_set1_epi32(value); }
  static Sums subtract_product(Sums sums, Sums a, Sums b) { return _mm512_sub_epi32(sums, _mm512_mullo_epi32(a, b)); }
  static Sums at_most(Sums sums, std::int32_t most) { return _mm512_min_epi32(sums, _mm512_set1_epi32(most)); }

  // Computes requantization in float32 up to the rounded integer, without the zero point. The conversion names the
  // rounding mode; values that do not fit int32, and NaN, become INT32_MIN. All positions share the constants of their
  // channels.
  template <std::size_t kPositions, std::size_t kPanel>
  static void round(Sums (&sums)[kPositions][kPanel], const BlockNumbers* numbers) {
#pragma GCC unroll 16
    for (int r = 0; r < int{kPanel}; ++r) {
      const __m512 bias = _mm512_load_ps(numbers[r].bias), reciprocal = _mm512_load_ps(numbers[r].reciprocal);
      const __m512 multiplier = _mm512_load_ps(numbers[r].multiplier);
#pragma GCC unroll 16
      for (std::size_t p = 0; p < kPositions; ++p) {
        const __m512 f = _mm512_cvtepi32_ps(sums[p][r]);
        const __m512 s = _mm512_fmadd_ps(bias, reciprocal, f) * multiplier;
        sums[p][r] = _mm512_cvt_roundps_epi32(s, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      }
    }
  }

  // Adds the zero point and narrows to uint8. Saturating to int16, adding the zero point in int16 and saturating to
  // uint8 gives what the specification computes; relu is the maximum of that and the zero point. a, b: the low and the
  // high half of each 128 bits.
  static Register bytes_of(Register a, Register b, Register c, Register d, OutputRange range) {
    const Register zero_point = _mm512_set1_epi16(static_cast<std::int16_t>(range.zero_point));
    const Register low = _mm512_adds_epi16(_mm512_packs_epi32(a, b), zero_point);
    const Register high = _mm512_adds_epi16(_mm512_packs_epi32(c, d), zero_point);
    return _mm512_max_epu8(_mm512_packus_epi16(low, high), _mm512_set1_epi8(static_cast<char>(range.lowest)));
  }
  static void store_bytes(std::uint8_t* y, Register bytes, std::int64_t count) {
    if (count >= 64) return _mm512_storeu_si512(y, bytes);
    _mm512_mask_storeu_epi8(y, (__mmask64{1} << static_cast<unsigned>(count)) - 1, bytes);
  }

  // Requantizes and stores. Four blocks of a position fill a register of bytes; panels with fewer blocks fill it with
  // two or four positions.
  template <std::size_t kPositions, std::size_t kPanel, std::size_t kParts>
  static void finish(Sums (&sums)[kPositions][kPanel], const BlockNumbers* numbers, OutputRange range,
                     std::uint8_t* const (&y)[kPositions][kParts], std::int64_t count) {
    constexpr std::size_t kTogether = 4 / kPanel;
    round(sums, numbers);
    // In each 128 bits the first 4 * kPanel bytes belong to the first position, and so on. This order brings each
    // position's bytes together.
    const Register order = kPanel == 2 ? _mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15)
                                       : _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPositions; p += kTogether) {
      const auto block = [&](std::size_t i) {
        const std::size_t position = p + i / kPanel;
        return sums[position < kPositions ? position : p][i % kPanel];
      };
      Register bytes = bytes_of(block(0), block(1), block(2), block(3), range);
      if constexpr (kParts > 1) {
#pragma GCC unroll 4
        for (std::size_t i = 0; i < kParts; ++i) store_part<4 / kParts>(y[p][i], bytes, i, count);
      } else if constexpr (kPanel == 4) {
        store_bytes(y[p][0], bytes, count);
      } else {
        bytes = _mm512_permutexvar_epi32(order, bytes);
#pragma GCC unroll 4
        for (std::size_t i = 0; i < kTogether; ++i) {
          if (p + i >= kPositions) break;
          store_part<kPanel>(y[p + i][0], bytes, i, count);
        }
      }
    }
  }
  // Stores the i-th position's part of the register, at most `count` bytes.
  template <std::size_t kPanel>
  static void store_part(std::uint8_t* y, Register bytes, std::size_t i, std::int64_t count) {
    const std::uint32_t mask = count < 32 ? (1U << static_cast<unsigned>(count)) - 1 : ~0U;
    if constexpr (kPanel == 2) {
      const __m256i half = i == 0 ? _mm512_castsi512_si256(bytes) : _mm512_extracti64x4_epi64(bytes, 1);
      if (count >= 32) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(y), half);
      _mm256_mask_storeu_epi8(y, mask, half);
    } else {
      const __m128i quarter = i == 0   ? _mm512_castsi512_si128(bytes)
                              : i == 1 ? _mm512_extracti32x4_epi32(bytes, 1)
                              : i == 2 ? _mm512_extracti32x4_epi32(bytes, 2)
                                       : _mm512_extracti32x4_epi32(bytes, 3);
      if (count >= 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(y), quarter);
      _mm_mask_storeu_epi8(y, static_cast<__mmask16>(mask), quarter);
    }
  }

  // Loads 64 bytes, the same number from each address.
  using Bytes = Register;
  template <std::size_t kParts>
  static Bytes bytes(const std::uint8_t* const (&at)[kParts]) {
    if constexpr (kParts == 1) return _mm512_loadu_si512(at[0]);
    if constexpr (kParts == 2) {
      return _mm512_inserti64x4(_mm512_castsi256_si512(load256(at[0])), load256(at[1]), 1);
    }
    if constexpr (kParts == 4) {
      Register all = _mm512_castsi128_si512(load128(at[0]));
      all = _mm512_inserti32x4(all, load128(at[1]), 1);
      all = _mm512_inserti32x4(all, load128(at[2]), 2);
      return _mm512_inserti32x4(all, load128(at[3]), 3);
    }
  }
  static __m256i load256(const std::uint8_t* at) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)); }
  static __m128i load128(const std::uint8_t* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

  // Interleaves the bytes of four rows within 128 bits: channels 16 l + 4 r + i go to lane 4 l + i of register r.
  static void interleave_bytes(Bytes a, Bytes b, Bytes c, Bytes d, Register (&x)[4]) {
    const Register ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
    const Register cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
    x[0] = _mm512_unpacklo_epi16(ab_low, cd_low);
    x[1] = _mm512_unpackhi_epi16(ab_low, cd_low);
    x[2] = _mm512_unpacklo_epi16(ab_high, cd_high);
    x[3] = _mm512_unpackhi_epi16(ab_high, cd_high);
  }
  static Register broadcast_bytes(const std::uint8_t* from) {
    std::int32_t four;
    __builtin_memcpy(&four, from, sizeof four);
    return _mm512_set1_epi32(four);
  }
};

}  // namespace
}  // namespace tieout::avx512
