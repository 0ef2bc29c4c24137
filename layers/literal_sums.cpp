#include "layers/literal_sums.h"

namespace tieout {
namespace {

// This form allows g++ to vectorize the loops.
template <typename Real>
[[gnu::always_inline]] inline void products(const std::uint8_t* __restrict x, const std::int8_t* __restrict w,
                                            std::int64_t count, const Dequantization& by, Real* __restrict to) {
  const double activation_scale = by.activation_scale, weight_scale = by.weight_scale;
  const std::int32_t xz = by.activation_zero_point, wz = by.weight_zero_point;
  if (by.granularity == Granularity::per_tensor) {
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] = static_cast<Real>(dequantized_activation(x[i] - xz, activation_scale)) *
              dequantized_weight<Real>(w[i] - wz, weight_scale, Granularity::per_tensor);
    }
  } else {
    for (std::int64_t i = 0; i < count; ++i) {
      to[i] = static_cast<Real>(dequantized_activation(x[i] - xz, activation_scale)) *
              dequantized_weight<Real>(w[i] - wz, weight_scale, Granularity::per_channel);
    }
  }
}

template <typename Real>
void multiply_portable(const std::uint8_t* x, const std::int8_t* w, std::int64_t count, const Dequantization& by,
                       Real* to) {
  products(x, w, count, by, to);
}

template <typename Real>
[[TIEOUT_AVX2]] void multiply_avx2(const std::uint8_t* x, const std::int8_t* w, std::int64_t count,
                                   const Dequantization& by, Real* to) {
  products(x, w, count, by, to);
}

}  // namespace

template <typename Real>
Multiply<Real> multiply(SimdIsa isa) {
  return isa == SimdIsa::portable ? multiply_portable<Real> : multiply_avx2<Real>;
}

template Multiply<float> multiply<float>(SimdIsa isa);
template Multiply<double> multiply<double>(SimdIsa isa);

}  // namespace tieout
