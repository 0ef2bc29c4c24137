#pragma once
// ConvCase: one problem for a quantized convolution, with everything that decides its result.
//
//   y = quantize(relu(conv(dequantize(x), dequantize(w)) + bias))
//
// x: uint8, N x C x spatial; w: int8, K x C/groups x kernel (OIHW); y: uint8, N x K x spatial.
// A stored value q stands for the real number scale * (q - zero_point).

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cases/tensor.h"

namespace tieout {

// Depth, height, width. A 2-d convolution leaves depth at its neutral value, a 1-d one depth and height.
using Spatial = std::array<std::int64_t, 3>;

enum class Granularity { per_tensor, per_channel };  // of the weight's scale and zero point
enum class Relu { off, on };

// How contents are drawn from the case's seed; `listed` means that the values themselves are in the case.
enum class Fill {
  listed,
  uniform,   // the whole range, every value alike
  edges,     // the whole range, half of the values at or beside its ends, its middle or the zero point
  extremes,  // only the two ends of the range: what saturates and overflows
  reduced,   // activations 0..127, weights -128..127: what reduce_range calibration aims at
  sparse,    // seven of eight values are the zero point
  small,     // activations 0..3, weights -5..4: what PyTorch's own test of this operator draws
};

template <typename T>
struct Contents {
  Fill fill = Fill::uniform;
  std::vector<T> values;  // filled if and only if fill == Fill::listed

  bool operator==(const Contents&) const = default;
};

// What a kernel is asked to compute, where implementations of the same contract differ.
struct Arithmetic {
  // Products: summed up as they are, or neighbours in the reduction added in 16 bits first, saturating (vpmaddubsw).
  enum class Products { exact, int16_pairs } products = Products::exact;
  // The sum of activations that takes out a weight's zero point: exact, or at most 32767 (16-bit saturating adds).
  enum class ActivationSum { exact, int16 } activation_sum = ActivationSum::exact;
  // float(raw) + bias / A with one rounding or with two, where 1/A is computed first (per tensor only; per channel every
  // bias is divided by its A).
  enum class TensorBias { fused, separate } tensor_bias = TensorBias::fused;

  bool operator==(const Arithmetic&) const = default;
};

// Who computes the reference, and how it is asked to. Kernels do not read this.
enum class Engine { fbgemm, onednn, x86, qnnpack };
enum class Isa { native, avx2, avx512, avx512_256, avx512_vnni, avx512_vnni_256 };
enum class MemoryFormat { contiguous, channels_last };

struct Execution {
  Engine engine = Engine::fbgemm;
  Isa isa = Isa::native;  // what FBGEMM is forced to; the other engines choose for themselves
  MemoryFormat memory_format = MemoryFormat::contiguous;  // of the activation, in the engine's hands
  int threads = 1;

  bool operator==(const Execution&) const = default;
};

struct ConvCase {
  int dims = 2;  // number of spatial dimensions, 1..3
  std::int64_t batch = 1;
  std::int64_t in_channels = 1;
  std::int64_t out_channels = 1;
  std::int64_t groups = 1;
  Spatial input{1, 1, 1};
  Spatial kernel{1, 1, 1};
  Spatial stride{1, 1, 1};
  Spatial padding{0, 0, 0};  // on both sides; padded positions hold the activation's zero point
  Spatial dilation{1, 1, 1};

  double activation_scale = 1;
  std::int64_t activation_zero_point = 0;
  Granularity granularity = Granularity::per_tensor;
  std::vector<double> weight_scales{1};             // 1, or out_channels of them
  std::vector<std::int64_t> weight_zero_points{0};  // as many as scales
  double output_scale = 1;
  std::int64_t output_zero_point = 0;
  std::vector<float> bias;  // in real units; empty: no bias; else out_channels values
  Relu relu = Relu::off;

  std::uint64_t seed = 0;  // decides the contents that are not listed
  Contents<std::uint8_t> activation;
  Contents<std::int8_t> weight;

  Execution execution;

  bool operator==(const ConvCase&) const = default;
};

// The same problem with its contents at hand.
struct ConvProblem {
  ConvCase spec;
  std::vector<std::uint8_t> activation;  // N x C x D x H x W
  std::vector<std::int8_t> weight;       // K x C/groups x kD x kH x kW

  bool operator==(const ConvProblem&) const = default;
};

[[nodiscard]] inline double weight_scale(const ConvCase& c, std::int64_t k) {
  return c.weight_scales[c.granularity == Granularity::per_channel ? static_cast<std::size_t>(k) : 0];
}

[[nodiscard]] inline std::int64_t weight_zero_point(const ConvCase& c, std::int64_t k) {
  return c.weight_zero_points[c.granularity == Granularity::per_channel ? static_cast<std::size_t>(k) : 0];
}

[[nodiscard]] inline std::int64_t volume(const Spatial& s) { return s[0] * s[1] * s[2]; }

// floor((input + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1 along each dimension; below 1 where the
// kernel does not fit.
[[nodiscard]] Spatial output_size(const ConvCase& c);

// Shapes as LibTorch has them: N, C, then the case's own spatial dimensions.
[[nodiscard]] Shape activation_shape(const ConvCase& c);
[[nodiscard]] Shape weight_shape(const ConvCase& c);
[[nodiscard]] Shape output_shape(const ConvCase& c);

// Number of products that one output element sums up: C/groups times the kernel's volume.
[[nodiscard]] inline std::int64_t reduction_length(const ConvCase& c) {
  return c.in_channels / c.groups * volume(c.kernel);
}

}  // namespace tieout
