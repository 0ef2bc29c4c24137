// AVX-512 without VNNI. Saturating pairs are what vpmaddubsw computes. Exact products are 16 bits wide: of each step's four
// activations the first and third, and the second and fourth, are taken apart by a mask and a shift.

#include "kernels/lanes_avx512.h"

namespace tieout {
namespace {

using avx512::Register;

struct PairLanes : avx512::CommonLanes {
  static constexpr auto kProducts = Arithmetic::Products::int16_pairs;
  static constexpr WeightForm kForm = WeightForm::bytes;
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
  static constexpr WeightForm kForm = WeightForm::shorts;
  struct Halves {
    Register even, odd;
  };
  using Weights = Halves;
  using Activations = Halves;
  // A block's weights take two registers here.
  static constexpr std::int64_t positions(std::size_t blocks) { return blocks == 2 ? 8 : 12; }

  static Halves halves(Register x) { return {x & _mm512_set1_epi16(0xff), _mm512_srli_epi16(x, 8)}; }
  static Weights weights(const std::int8_t* from) { return {_mm512_load_si512(from), _mm512_load_si512(from + 64)}; }
  static Activations broadcast(const std::uint8_t* from) { return halves(broadcast_bytes(from)); }
  static Sums dot(Sums sums, Activations x, Weights w) {
    const Sums even = _mm512_add_epi32(sums, _mm512_madd_epi16(x.even, w.even));
    return _mm512_add_epi32(even, _mm512_madd_epi16(x.odd, w.odd));
  }
  static void interleave(const Bytes& a, const Bytes& b, const Bytes& c, const Bytes& d, Activations (&x)[4]) {
    Register bytes[4];
    interleave_bytes(a, b, c, d, bytes);
    for (int r = 0; r < 4; ++r) x[r] = halves(bytes[r]);
  }
};

}  // namespace

Loops avx512_loops(Arithmetic::Products products) {
  return products == Arithmetic::Products::exact ? loops_with<ExactLanes>() : loops_with<PairLanes>();
}

}  // namespace tieout
