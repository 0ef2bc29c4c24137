// Loops for AVX-512 without VNNI. vpmaddubsw computes saturating pairs. Exact products use numbers of 16 bits: a mask
// and a shift separate the first and third activation of a step from the second and fourth.

#include "kernels/packed/lanes_avx512.h"

namespace tieout {
namespace {

using avx512::Register;

struct PairLanes : avx512::CommonLanes {
  static constexpr auto kProducts = Arithmetic::Products::int16_pairs;
  using Weights = Register;
  using Activations = Register;

  static Weights weights(const std::int8_t* from) { return _mm512_load_si512(from); }
  static Activations broadcast(const std::uint8_t* from) { return broadcast_bytes(from); }
  static Sums dot(Sums sums, Activations x, Weights w) {
    return _mm512_add_epi32(sums, _mm512_madd_epi16(_mm512_maddubs_epi16(x, w), _mm512_set1_epi16(1)));
  }
  static void interleave(const Bytes& a, const Bytes& b, const Bytes& c, const Bytes& d, Activations (&x)[4]) {
    interleave_bytes(a, b, c, d, x);
  }
};

struct ExactLanes : avx512::CommonLanes {
  static constexpr auto kProducts = Arithmetic::Products::exact;
  struct Halves {
    Register even, odd;
  };
  using Weights = Halves;
  using Activations = Halves;
  // The weights of a block take two registers.
  static constexpr std::int64_t positions(std::size_t blocks) { return blocks == 2 ? 8 : 12; }

  static Weights weights(const std::int8_t* from) {
    const Register w = _mm512_load_si512(from);
    return {_mm512_srai_epi16(_mm512_slli_epi16(w, 8), 8), _mm512_srai_epi16(w, 8)};
  }
  static Activations activations(Register x) { return {x & _mm512_set1_epi16(0xff), _mm512_srli_epi16(x, 8)}; }
  static Activations broadcast(const std::uint8_t* from) { return activations(broadcast_bytes(from)); }
  static Sums dot(Sums sums, Activations x, Weights w) {
    const Sums even = _mm512_add_epi32(sums, _mm512_madd_epi16(x.even, w.even));
    return _mm512_add_epi32(even, _mm512_madd_epi16(x.odd, w.odd));
  }
  static void interleave(const Bytes& a, const Bytes& b, const Bytes& c, const Bytes& d, Activations (&x)[4]) {
    Register bytes[4];
    interleave_bytes(a, b, c, d, bytes);
    for (int r = 0; r < 4; ++r) x[r] = activations(bytes[r]);
  }
};

bool seven_bits(const std::uint8_t* x, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 128 <= count; i += 128) {
    const Register both = _mm512_loadu_si512(x + i) | _mm512_loadu_si512(x + i + 64);
    if (_mm512_movepi8_mask(both) != 0) return false;
  }
  unsigned rest = 0;
  for (; i < count; ++i) rest |= x[i];
  return rest < 128;
}

}  // namespace

Loops avx512_loops(Arithmetic::Products products) {
  if (products == Arithmetic::Products::int16_pairs) return loops_with<PairLanes>();
  Loops exact = loops_with<ExactLanes>();
  exact.seven_bits = seven_bits;
  exact.seven_bit_loops = seven_bit_loops<PairLanes>;
  return exact;
}

}  // namespace tieout
