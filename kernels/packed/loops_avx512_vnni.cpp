// Loops for AVX-512 VNNI: vpdpbusd adds four products of bytes to a 32-bit sum without saturation.

#include "kernels/packed/lanes_avx512.h"

namespace tieout {
namespace {

struct VnniLanes : avx512::CommonLanes {
  static constexpr auto kProducts = Arithmetic::Products::exact;
  using Weights = avx512::Register;
  using Activations = avx512::Register;

  static Weights weights(const std::int8_t* from) { return _mm512_load_si512(from); }
  static Activations broadcast(const std::uint8_t* from) { return broadcast_bytes(from); }
  static Sums dot(Sums sums, Activations x, Weights w) { return _mm512_dpbusd_epi32(sums, x, w); }
  static void interleave(const Bytes& a, const Bytes& b, const Bytes& c, const Bytes& d, Activations (&x)[4]) {
    interleave_bytes(a, b, c, d, x);
  }
};

}  // namespace

Loops avx512_vnni_loops() {
  Loops loops = loops_with<VnniLanes>();
  loops.products_wait = true;
  return loops;
}

}  // namespace tieout
