#include "oracle/engines/fbgemm_path.h"

#include <algorithm>
#include <span>

#include "cases/case_predicates.h"

namespace tieout {
namespace {

// The first version whose depthwise code adds the bias of per-tensor weights with two roundings. The source did not
// change: the compiler contracted the two operations before.
constexpr LibTorchVersion kSeparateDepthwiseBias{.major = 2, .minor = 14, .patch = 0};

// FBGEMM has 2-d and 3-d convolutions only: a 1-d one is 2-d of height 1.
std::size_t first_dimension(const ConvCase& c) { return c.dims == 3 ? 0 : 1; }

template <typename Condition>
bool every_dimension(const ConvCase& c, Condition condition) {
  for (std::size_t d = first_dimension(c); d < 3; ++d) {
    if (!condition(d)) return false;
  }
  return true;
}

bool is_fbgemm_depthwise(const ConvCase& c) {
  return c.in_channels == c.groups && (c.out_channels == c.groups || c.out_channels == 2 * c.groups) &&
         c.groups % 8 == 0 && c.kernel[1] == c.kernel[2] && every_dimension(c, [&](std::size_t d) {
           const std::int64_t kernel = c.kernel[d];
           return (kernel == 3 || kernel == 5 || kernel == 7) && (c.stride[d] == 1 || c.stride[d] == 2) &&
                  c.dilation[d] == 1 && c.padding[d] == (kernel - 1) / 2;
         });
}

bool is_groupwise(const ConvCase& c, const Hardware& hardware) {
  const std::int64_t channels = c.in_channels / c.groups;
  const bool supported = channels == 2 || channels == 4 || channels == 8 || channels == 16;
  return supported && c.out_channels / c.groups == channels && c.groups >= fbgemm_groups_together(c, hardware) &&
         c.stride[1] == c.stride[2] && (c.stride[2] == 1 || c.stride[2] == 2) &&
         every_dimension(c, [&](std::size_t d) { return c.kernel[d] == 3 && c.padding[d] == 1 && c.dilation[d] == 1; });
}

bool is_strictly_pointwise(const ConvCase& c) {
  return every_dimension(c, [&](std::size_t d) {
    return c.kernel[d] == 1 && c.stride[d] == 1 && c.padding[d] == 0 && c.dilation[d] == 1;
  });
}

}  // namespace

std::string_view name(FbgemmPath path) {
  switch (path) {
    case FbgemmPath::depthwise: return "depthwise";
    case FbgemmPath::groupwise: return "groupwise";
    case FbgemmPath::pointwise: return "pointwise";
    case FbgemmPath::linear: return "linear";
    case FbgemmPath::im2col: break;
  }
  return "im2col";
}

// A vector register's bytes, divided by the output channels and the input channels (at least 4) of a group.
std::int64_t fbgemm_groups_together(const ConvCase& c, const Hardware& hardware) {
  const std::int64_t register_bytes = hardware.avx512 || hardware.avx512_vnni ? 64 : 32;
  const std::int64_t channels = std::max<std::int64_t>(c.in_channels / c.groups, 4);
  return std::max<std::int64_t>(1, register_bytes / (c.out_channels / c.groups) / channels);
}

FbgemmPath fbgemm_path(const ConvCase& c, const Hardware& hardware) {
  if (is_linear(c)) return FbgemmPath::linear;
  if (!has_even_padding(c)) return fbgemm_path(with_even_padding(c), hardware);
  if (is_fbgemm_depthwise(c)) return FbgemmPath::depthwise;
  if (is_groupwise(c, hardware)) return FbgemmPath::groupwise;
  if (is_strictly_pointwise(c)) return FbgemmPath::pointwise;
  return FbgemmPath::im2col;
}

Arithmetic fbgemm_arithmetic(FbgemmPath path, Isa isa, const Hardware& hardware) {
  if (path == FbgemmPath::depthwise) {
    const bool fused = hardware.libtorch < kSeparateDepthwiseBias;
    return {.products = Arithmetic::Products::int16_pairs,
            .activation_sum = Arithmetic::ActivationSum::int16,
            .tensor_bias = fused ? Arithmetic::TensorBias::fused : Arithmetic::TensorBias::separate};
  }
  const bool forced_vnni =
      isa == Isa::native ? hardware.avx512_vnni : isa == Isa::avx512_vnni || isa == Isa::avx512_vnni_256;
  const bool vnni = path == FbgemmPath::groupwise ? hardware.avx512_vnni : forced_vnni;
  return {.products = vnni ? Arithmetic::Products::exact : Arithmetic::Products::int16_pairs};
}

}  // namespace tieout
