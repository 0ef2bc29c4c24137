// Computes sixteen sums in float32 with AVX2, eight at a time.

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "cases/machine/cpu.h"
#include "layers/simd/float_sums.h"

namespace tieout {
namespace {

constexpr std::size_t kLanes = 8;          // float32 numbers in a register
constexpr std::int64_t kLoadedBytes = 32;  // bytes of each element that are loaded at a time

// Transposes 8 rows of 8 numbers.
[[TIEOUT_AVX2]] void transpose(__m256i (&v)[kLanes]) {
  __m256i t[kLanes];
  for (std::size_t i = 0; i < kLanes; i += 2) {
    t[i] = _mm256_unpacklo_epi32(v[i], v[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32(v[i], v[i + 1]);
  }
  for (std::size_t i = 0; i < kLanes; i += 4) {
    for (std::size_t j = 0; j < 2; ++j) {
      v[i + 2 * j] = _mm256_unpacklo_epi64(t[i + j], t[i + j + 2]);
      v[i + 2 * j + 1] = _mm256_unpackhi_epi64(t[i + j], t[i + j + 2]);
    }
  }
  // v[4 i + j] holds numbers j and 4 + j of rows 4 i .. 4 i + 3, 128 bits each.
  for (std::size_t j = 0; j < 4; ++j) {
    t[j] = _mm256_permute2x128_si256(v[j], v[4 + j], 0x20);
    t[4 + j] = _mm256_permute2x128_si256(v[j], v[4 + j], 0x31);
  }
  for (std::size_t i = 0; i < kLanes; ++i) v[i] = t[i];
}

// Loads `count` bytes, followed by zeros.
[[TIEOUT_AVX2]] __m256i some_bytes(const void* from, std::int64_t count) {
  if (count == kLoadedBytes) return _mm256_loadu_si256(static_cast<const __m256i*>(from));
  alignas(32) std::uint8_t bytes[kLoadedBytes] = {};
  std::memcpy(bytes, from, static_cast<std::size_t>(count));
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes));
}

// The constants of all products, with one lane for each of eight elements.
struct Constants {
  __m256i xz, wz;
  __m256 xs, ws;
};

// Returns the product of byte kByte of each number. kByte is a template parameter because a shift by a constant is one
// instruction.
template <int kByte>
[[TIEOUT_AVX2, gnu::always_inline]] inline __m256 product(__m256i x, __m256i w, const Constants& by) {
  const __m256i low = _mm256_and_si256(_mm256_srli_epi32(x, 8 * kByte), _mm256_set1_epi32(0xff));
  const __m256i high = _mm256_srai_epi32(_mm256_slli_epi32(w, 24 - 8 * kByte), 24);
  const __m256 real_x = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(low, by.xz)), by.xs);
  const __m256 real_w = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(high, by.wz)), by.ws);
  return _mm256_mul_ps(real_x, real_w);
}

[[TIEOUT_AVX2]] __m256 sums_of_eight(const SixteenElements& elements, std::size_t begin) {
  const Constants by{_mm256_set1_epi32(elements.activation_zero_point),
                     _mm256_loadu_si256(reinterpret_cast<const __m256i*>(elements.weight_zero_point.data() + begin)),
                     _mm256_set1_ps(elements.activation_scale), _mm256_loadu_ps(elements.weight_scale.data() + begin)};
  __m256 sum = _mm256_setzero_ps();
  for (std::int64_t first = 0; first < elements.count; first += kLoadedBytes) {
    const std::int64_t here = std::min(kLoadedBytes, elements.count - first);
    __m256i x[kLanes], w[kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      x[lane] = some_bytes(elements.x[begin + lane] + first, here);
      w[lane] = some_bytes(elements.w[begin + lane] + first, here);
    }
    transpose(x);
    transpose(w);
    std::int64_t i = 0;
    for (; i + 4 <= here; i += 4) {
      sum = _mm256_add_ps(sum, product<0>(x[i / 4], w[i / 4], by));
      sum = _mm256_add_ps(sum, product<1>(x[i / 4], w[i / 4], by));
      sum = _mm256_add_ps(sum, product<2>(x[i / 4], w[i / 4], by));
      sum = _mm256_add_ps(sum, product<3>(x[i / 4], w[i / 4], by));
    }
    if (i < here) sum = _mm256_add_ps(sum, product<0>(x[i / 4], w[i / 4], by));
    if (i + 1 < here) sum = _mm256_add_ps(sum, product<1>(x[i / 4], w[i / 4], by));
    if (i + 2 < here) sum = _mm256_add_ps(sum, product<2>(x[i / 4], w[i / 4], by));
  }
  return sum;
}

}  // namespace

[[TIEOUT_AVX2]] void sums_of_sixteen_avx2(const SixteenElements& elements, float* sums) {
  for (std::size_t begin = 0; begin < 2 * kLanes; begin += kLanes) {
    _mm256_storeu_ps(sums + begin, sums_of_eight(elements, begin));
  }
}

}  // namespace tieout
