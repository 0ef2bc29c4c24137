// Loops for AVX2. They work as those for AVX-512 without VNNI, on half as many registers of half the width.

#include <immintrin.h>

#include "kernels/packed/loops_template.h"

namespace tieout {
namespace {

using Register = __m256i;

Register load_register(const void* from) { return _mm256_loadu_si256(static_cast<const Register*>(from)); }

// Loads, sums and requantization, which do not depend on how products are computed.
struct CommonLanes {
  static constexpr std::int64_t kBlock = 8;
  static constexpr int kBlocks = 2;
  // The sums of two blocks take 12 of the 16 registers, those of one block 8.
  static constexpr std::int64_t positions(std::size_t blocks) { return blocks == 2 ? 6 : 8; }
  static constexpr std::size_t kDepthwiseWide = 3;

  using Sums = Register;
  static Sums load(const std::int32_t* from) { return load_register(from); }
  static void store(std::int32_t* to, Sums sums) { _mm256_storeu_si256(reinterpret_cast<Register*>(to), sums); }
  // Stores the sums in the order of their channels, which moves halves of 128 bits with four channels each: see
  // channel_of_lane().
  template <std::size_t kPanel, std::size_t kParts>
  static void store_in_order(const Sums (&sums)[kPanel], std::int64_t count, std::int32_t* const (&to)[kParts]) {
    if constexpr (kPanel == 1) {
      store_some(to[0], sums[0], count);
    } else {
      constexpr std::size_t kOfPart = kPanel / kParts;  // registers
      const auto store_one = [&](std::size_t i, Sums ordered) {
        const std::int64_t channel = static_cast<std::int64_t>(i % kOfPart) * kBlock;
        store_some(to[i / kOfPart] + channel, ordered, count - channel);
      };
#pragma GCC unroll 2
      for (std::size_t i = 0; i < kPanel / 2; ++i) {
        store_one(i, _mm256_permute2x128_si256(sums[2 * i], sums[2 * i + 1], 0x20));
        store_one(kPanel / 2 + i, _mm256_permute2x128_si256(sums[2 * i], sums[2 * i + 1], 0x31));
      }
    }
  }
  // Stores the first `count` sums. count may exceed the number of lanes or be negative.
  static void store_some(std::int32_t* to, Sums sums, std::int64_t count) {
    if (count >= kBlock) return store(to, sums);
    if (count <= 0) return;
    const Sums lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_epi32(to, _mm256_cmpgt_epi32(splat(static_cast<std::int32_t>(count)), lanes), sums);
  }
  static Sums splat(std::int32_t value) { return _mm256_set1_epi32(value); }
  static Sums subtract_product(Sums sums, Sums a, Sums b) { return _mm256_sub_epi32(sums, _mm256_mullo_epi32(a, b)); }
  static Sums at_most(Sums sums, std::int32_t most) { return _mm256_min_epi32(sums, _mm256_set1_epi32(most)); }

  // Computes requantization in float32 up to the rounded integer, without the zero point. The rounding instruction
  // names the rounding mode, so that the conversion has nothing left to round; values that do not fit int32, and NaN,
  // become INT32_MIN. All positions share the constants of their channels.
  template <std::size_t kPositions, std::size_t kPanel>
  static void round(Sums (&sums)[kPositions][kPanel], const BlockNumbers* numbers) {
#pragma GCC unroll 4
    for (int r = 0; r < int{kPanel}; ++r) {
      const __m256 bias = _mm256_load_ps(numbers[r].bias), reciprocal = _mm256_load_ps(numbers[r].reciprocal);
      const __m256 multiplier = _mm256_load_ps(numbers[r].multiplier);
#pragma GCC unroll 16
      for (std::size_t p = 0; p < kPositions; ++p) {
        const __m256 s = _mm256_fmadd_ps(bias, reciprocal, _mm256_cvtepi32_ps(sums[p][r])) * multiplier;
        sums[p][r] = _mm256_cvttps_epi32(_mm256_round_ps(s, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
      }
    }
  }

  // Adds the zero point and narrows to uint8: see bytes_of() in lanes_avx512.h. a, b: the low and the high half of each
  // 128 bits.
  static Register bytes_of(Register a, Register b, Register c, Register d, OutputRange range) {
    const Register zero_point = _mm256_set1_epi16(static_cast<std::int16_t>(range.zero_point));
    const Register low = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point);
    const Register high = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero_point);
    return _mm256_max_epu8(_mm256_packus_epi16(low, high), _mm256_set1_epi8(static_cast<char>(range.lowest)));
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
    const Register order =
        kPanel == 2 ? _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7) : _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kPositions; p += kTogether) {
      const auto block = [&](std::size_t i) {
        const std::size_t position = p + i / kPanel;
        return sums[position < kPositions ? position : p][i % kPanel];
      };
      Register bytes = bytes_of(block(0), block(1), block(2), block(3), range);
      if constexpr (kPanel < 4) bytes = _mm256_permutevar8x32_epi32(bytes, order);
#pragma GCC unroll 4
      for (std::size_t i = 0; i < kTogether * kParts; ++i) {
        const std::size_t position = p + i / kParts;
        if (position < kPositions) store_part<kPanel / kParts>(y[position][i % kParts], bytes, i, count);
      }
    }
  }
  // Stores the i-th part of the register, which has as many bytes as kOfPart blocks have lanes, but at most `count` of
  // them.
  template <std::size_t kOfPart>
  static void store_part(std::uint8_t* y, Register bytes, std::size_t i, std::int64_t count) {
    constexpr std::size_t kBytes = kOfPart * kBlock;
    if (count < std::int64_t{kBytes}) {
      std::uint8_t all[32];
      _mm256_storeu_si256(reinterpret_cast<Register*>(all), bytes);
      __builtin_memcpy(y, all + i * kBytes, static_cast<std::size_t>(count));
      return;
    }
    if constexpr (kOfPart == 4) {
      _mm256_storeu_si256(reinterpret_cast<Register*>(y), bytes);
      return;
    }
    const __m128i half = i * kBytes < 16 ? _mm256_castsi256_si128(bytes) : _mm256_extracti128_si256(bytes, 1);
    if constexpr (kOfPart == 2) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y), half);
    } else {
      const std::int64_t eight = i % 2 == 0 ? _mm_cvtsi128_si64(half) : _mm_extract_epi64(half, 1);
      __builtin_memcpy(y, &eight, sizeof eight);
    }
  }

  // Loads 32 bytes, the same number from each address.
  using Bytes = Register;
  template <std::size_t kParts>
  static Bytes bytes(const std::uint8_t* const (&at)[kParts]) {
    if constexpr (kParts == 1) return load_register(at[0]);
    if constexpr (kParts == 2) {
      return _mm256_loadu2_m128i(reinterpret_cast<const __m128i*>(at[1]), reinterpret_cast<const __m128i*>(at[0]));
    }
    if constexpr (kParts == 4) {
      return _mm256_setr_epi64x(load_eight(at[0]), load_eight(at[1]), load_eight(at[2]), load_eight(at[3]));
    }
  }
  static std::int64_t load_eight(const std::uint8_t* from) {
    std::int64_t eight;
    __builtin_memcpy(&eight, from, sizeof eight);
    return eight;
  }

  // Interleaves the bytes of four rows within 128 bits: channels 16 l + 4 r + i go to lane 4 l + i of register r.
  static void interleave_bytes(Bytes a, Bytes b, Bytes c, Bytes d, Register (&x)[4]) {
    const Register ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
    const Register cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
    x[0] = _mm256_unpacklo_epi16(ab_low, cd_low);
    x[1] = _mm256_unpackhi_epi16(ab_low, cd_low);
    x[2] = _mm256_unpacklo_epi16(ab_high, cd_high);
    x[3] = _mm256_unpackhi_epi16(ab_high, cd_high);
  }
  static Register broadcast_bytes(const std::uint8_t* from) {
    std::int32_t four;
    __builtin_memcpy(&four, from, sizeof four);
    return _mm256_set1_epi32(four);
  }
};

struct PairLanes : CommonLanes {
  static constexpr auto kProducts = Arithmetic::Products::int16_pairs;
  using Weights = Register;
  using Activations = Register;

  static Weights weights(const std::int8_t* from) { return load_register(from); }
  static Activations broadcast(const std::uint8_t* from) { return broadcast_bytes(from); }
  static Sums dot(Sums sums, Activations x, Weights w) {
    return _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_maddubs_epi16(x, w), _mm256_set1_epi16(1)));
  }
  static void interleave(Bytes a, Bytes b, Bytes c, Bytes d, Activations (&x)[4]) { interleave_bytes(a, b, c, d, x); }
};

// Exact products in 16 bits: the first and third number of a step are in `even`, the second and fourth in `odd`.
struct ExactLanes : CommonLanes {
  static constexpr auto kProducts = Arithmetic::Products::exact;
  struct Halves {
    Register even, odd;
  };
  using Weights = Halves;
  using Activations = Halves;

  static Weights weights(const std::int8_t* from) {
    const Register w = load_register(from);
    return {_mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8), _mm256_srai_epi16(w, 8)};
  }
  static Activations activations(Register x) { return {x & _mm256_set1_epi16(0xff), _mm256_srli_epi16(x, 8)}; }
  static Activations broadcast(const std::uint8_t* from) { return activations(broadcast_bytes(from)); }
  static Sums dot(Sums sums, Activations x, Weights w) {
    const Sums even = _mm256_add_epi32(sums, _mm256_madd_epi16(x.even, w.even));
    return _mm256_add_epi32(even, _mm256_madd_epi16(x.odd, w.odd));
  }
  static void interleave(Bytes a, Bytes b, Bytes c, Bytes d, Activations (&x)[4]) {
    Register bytes[4];
    interleave_bytes(a, b, c, d, bytes);
    for (int r = 0; r < 4; ++r) x[r] = activations(bytes[r]);
  }
};

bool seven_bits(const std::uint8_t* x, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 128 <= count; i += 128) {
    const std::uint8_t* const at = x + i;
    const Register all = load_register(at) | load_register(at + 32) | load_register(at + 64) | load_register(at + 96);
    if (_mm256_movemask_epi8(all) != 0) return false;
  }
  unsigned rest = 0;
  for (; i < count; ++i) rest |= x[i];
  return rest < 128;
}

}  // namespace

Loops avx2_loops(Arithmetic::Products products) {
  if (products == Arithmetic::Products::int16_pairs) return loops_with<PairLanes>();
  Loops exact = loops_with<ExactLanes>();
  exact.seven_bits = seven_bits;
  exact.seven_bit_loops = seven_bit_loops<PairLanes>;
  return exact;
}

}  // namespace tieout
