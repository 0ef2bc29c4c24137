// Checks sums by random numbers with AVX-512 VNNI: multiplies eight bytes of a window by the eight digits of their R at
// a time. Intrinsics that g++ 12 warns of in their unmasked form (GCC bug 105593) are used in their masked form, with
// all lanes selected.

#include <immintrin.h>

#include <cstring>

#include "layers/simd/layer_loops.h"

namespace tieout {
namespace {

constexpr __mmask8 kEight = 0xff;
constexpr std::int64_t kBytes = 8;  // bytes of a window that one instruction multiplies by 64 digits

// Combines the sums of all digits. Each 64-bit lane belongs to one digit, the lowest first, and holds two sums of 32
// bits.
[[TIEOUT_AVX512_VNNI]] __m512i by_digit(__m512i sums) {
  const __m512i low = _mm512_maskz_srai_epi64(kEight, _mm512_maskz_slli_epi64(kEight, sums, 32), 32);
  const __m512i both = _mm512_add_epi64(low, _mm512_maskz_srai_epi64(kEight, sums, 32));
  return _mm512_maskz_sllv_epi64(kEight, both, _mm512_setr_epi64(0, 8, 16, 24, 32, 40, 48, 56));
}

[[TIEOUT_AVX512_VNNI]] std::uint64_t added_up(__m512i v) {
  const __m256i four =
      _mm256_add_epi64(_mm512_maskz_extracti64x4_epi64(kEight, v, 0), _mm512_maskz_extracti64x4_epi64(kEight, v, 1));
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(two)) + static_cast<std::uint64_t>(_mm_extract_epi64(two, 1));
}

[[TIEOUT_AVX512_VNNI]] __m512i eight_times(const std::uint8_t* x) {
  std::int64_t bytes = 0;
  std::memcpy(&bytes, x, sizeof bytes);
  return _mm512_set1_epi64(bytes);
}

// Returns a mask in which bit n is set if position p + n does not pass the check.
template <std::size_t kPositions>
[[TIEOUT_AVX512_VNNI]] unsigned unproven(const CombinedRow& row, std::int64_t p) {
  __m512i digits[kPositions], error[kPositions];
  for (std::size_t n = 0; n < kPositions; ++n) digits[n] = error[n] = _mm512_setzero_si512();
  const std::int64_t whole = row.run_length / kBytes * kBytes;
  const auto rest = static_cast<__mmask8>((1U << static_cast<unsigned>(row.run_length - whole)) - 1);
  for (std::int64_t run = 0; run < row.run_count; ++run) {
    const std::uint8_t* const x = row.runs[run].x + p * row.step;
    const std::uint64_t* const combined = row.runs[run].combined;
    for (std::int64_t i = 0; i < whole; i += kBytes) {
      const __m512i r = _mm512_loadu_si512(combined + i);
      for (std::size_t n = 0; n < kPositions; ++n) {
        digits[n] = _mm512_dpbusd_epi32(digits[n], eight_times(x + static_cast<std::int64_t>(n) * row.step + i), r);
      }
    }
    if (rest == 0) continue;
    const __m512i r = _mm512_loadu_si512(combined + whole);
    for (std::size_t n = 0; n < kPositions; ++n) {
      const __m128i bytes = _mm_maskz_loadu_epi8(rest, x + static_cast<std::int64_t>(n) * row.step + whole);
      digits[n] = _mm512_dpbusd_epi32(digits[n], _mm512_maskz_broadcastq_epi64(kEight, bytes), r);
    }
  }
  // Multiplies the low halves of 64-bit lanes with their signs, then the high halves.
  for (std::int64_t k = 0; k < row.outputs; k += 16) {
    const std::int64_t left = row.outputs - k;
    const auto live = static_cast<__mmask16>(left >= 16 ? 0xffffU : (1U << static_cast<unsigned>(left)) - 1);
    const __m512i r = _mm512_maskz_loadu_epi32(live, row.random + k), high = _mm512_maskz_srli_epi64(kEight, r, 32);
    for (std::size_t n = 0; n < kPositions; ++n) {
      const std::int32_t* const sums = row.sums + (p + static_cast<std::int64_t>(n)) * row.sums_step + k;
      const __m512i raw = _mm512_maskz_loadu_epi32(live, sums);
      error[n] = _mm512_sub_epi64(error[n], _mm512_maskz_mul_epi32(kEight, r, raw));
      error[n] =
          _mm512_sub_epi64(error[n], _mm512_maskz_mul_epi32(kEight, high, _mm512_maskz_srli_epi64(kEight, raw, 32)));
    }
  }
  unsigned found = 0;
  for (std::size_t n = 0; n < kPositions; ++n) {
    const std::uint64_t off = added_up(_mm512_add_epi64(error[n], by_digit(digits[n]))) - row.zero_point;
    found |= (off != 0 ? 1U : 0U) << n;
  }
  return found;
}

[[TIEOUT_AVX512_VNNI]] std::int64_t first_unproven(const CombinedRow& row, std::int64_t begin) {
  constexpr std::int64_t kAtOnce = 4;
  std::int64_t p = begin;
  for (; p + kAtOnce <= row.positions; p += kAtOnce) {
    if (const unsigned found = unproven<kAtOnce>(row, p); found != 0) return p + __builtin_ctz(found);
  }
  for (; p < row.positions; ++p) {
    if (unproven<1>(row, p) != 0) return p;
  }
  return p;
}

// Turns each eight R into eight bytes for each digit. Digits are in -128 .. 127, the lowest first, with R = sum of
// digit[d] * 2^(8 d) modulo 2^64. Adding 128 at every digit position makes them unsigned bytes; flipping their highest
// bits subtracts it again.
void arrange(std::uint64_t* combined, std::int64_t count) {
  constexpr std::uint64_t kMiddles = 0x8080808080808080;
  for (std::int64_t i = 0; i < count; i += kBytes) {
    std::uint64_t digits[kBytes] = {};
    for (unsigned place = 0; place < kBytes; ++place) {
      const std::uint64_t plain = (combined[i + place] + kMiddles) ^ kMiddles;
      for (unsigned d = 0; d < kBytes; ++d) digits[d] |= (plain >> (8 * d) & 0xff) << (8 * place);
    }
    std::memcpy(combined + i, digits, sizeof digits);
  }
}

}  // namespace

LayerLoops layer_loops_avx512_vnni() {
  LayerLoops lanes = layer_loops_avx512();
  lanes.first_unproven = first_unproven;
  lanes.arrange = arrange;
  lanes.first_wrong = first_wrong_vnni;
  lanes.pack_taps = pack_taps_vnni;
  return lanes;
}

}  // namespace tieout
