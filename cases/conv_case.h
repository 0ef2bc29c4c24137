#pragma once
// Defines ConvCase, one problem for a quantized convolution with every parameter that decides its result, and
// ConvProblem, a case together with its contents.
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

// Holds depth, height and width. A 2-d convolution leaves the depth at its neutral value, a 1-d convolution depth and
// height.
using Spatial = std::array<std::int64_t, 3>;

// States whether the weight has one scale and zero point, or one of each per output channel.
enum class Granularity { per_tensor, per_channel };
enum class Relu { off, on };

// States how contents are drawn from the case's seed; `listed` means that the case itself holds the values.
enum class Fill {
  listed,
  // Draws uniformly from the whole range.
  uniform,
  // Draws half of the values from the whole range, half at or beside its ends, its middle or the zero point.
  edges,
  // Draws only the two ends of the range, which saturate and overflow.
  extremes,
  // Draws activations from 0..127 and weights from -128..127, the ranges that calibration with reduce_range gives.
  reduced,
  // Sets seven of eight values to the zero point.
  sparse,
  // Draws activations from 0..3 and weights from -5..4, as PyTorch's own test of this operator does.
  small,
};

template <typename T>
struct Contents {
  Fill fill = Fill::uniform;
  // Holds values if and only if fill == Fill::listed.
  std::vector<T> values;

  bool operator==(const Contents&) const = default;
};

// Selects what a kernel computes where implementations of the same contract differ.
struct Arithmetic {
  // Products are summed exactly, or neighbours in the reduction are first added in 16 bits with saturation
  // (vpmaddubsw).
  enum class Products { exact, int16_pairs } products = Products::exact;
  // The sum of activations, which removes a weight's zero point, is exact or at most 32767 (16-bit saturating adds).
  enum class ActivationSum { exact, int16 } activation_sum = ActivationSum::exact;
  // float(raw) + bias / A is computed with one rounding, or with two where 1/A is computed first. This concerns
  // per-tensor weights only; per channel, every bias is divided by its A.
  enum class TensorBias { fused, separate } tensor_bias = TensorBias::fused;

  bool operator==(const Arithmetic&) const = default;
};

// Selects the engine that computes the reference and how it runs. Kernels do not read these.
enum class Engine { fbgemm, onednn, x86, qnnpack };
enum class Isa { native, avx2, avx512, avx512_256, avx512_vnni, avx512_vnni_256 };
enum class MemoryFormat { contiguous, channels_last };

struct Execution {
  Engine engine = Engine::fbgemm;
  // The instruction set that FBGEMM is forced to use; the other engines choose their own.
  Isa isa = Isa::native;
  // The activation's layout when it is passed to the engine.
  MemoryFormat memory_format = MemoryFormat::contiguous;
  int threads = 1;

  bool operator==(const Execution&) const = default;
};

struct ConvCase {
  int dims = 2;  // Number of spatial dimensions, 1..3.
  std::int64_t batch = 1;
  std::int64_t in_channels = 1;
  std::int64_t out_channels = 1;
  std::int64_t groups = 1;
  Spatial input{1, 1, 1};
  Spatial kernel{1, 1, 1};
  Spatial stride{1, 1, 1};
  // Applies on both sides; padded positions hold the activation's zero point.
  Spatial padding{0, 0, 0};
  Spatial dilation{1, 1, 1};

  double activation_scale = 1;
  std::int64_t activation_zero_point = 0;
  Granularity granularity = Granularity::per_tensor;
  std::vector<double> weight_scales{1};             // One value, or out_channels values.
  std::vector<std::int64_t> weight_zero_points{0};  // As many values as weight_scales.
  double output_scale = 1;
  std::int64_t output_zero_point = 0;
  // In real units; empty: no bias; otherwise out_channels values.
  std::vector<float> bias;
  Relu relu = Relu::off;

  std::uint64_t seed = 0;  // Decides the contents that are not listed.
  Contents<std::uint8_t> activation;
  Contents<std::int8_t> weight;

  Execution execution;

  bool operator==(const ConvCase&) const = default;
};

// Holds a case with its contents.
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

// Returns floor((input + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1 along each dimension. The value is
// below 1 where the kernel does not fit.
[[nodiscard]] Spatial output_size(const ConvCase& c);

// Return shapes as LibTorch has them: N and C (of the weight: K and C/groups), then the case's own spatial dimensions.
[[nodiscard]] Shape activation_shape(const ConvCase& c);
[[nodiscard]] Shape weight_shape(const ConvCase& c);
[[nodiscard]] Shape output_shape(const ConvCase& c);

// Returns the number of products that one output element sums up: C/groups times the kernel's volume.
[[nodiscard]] inline std::int64_t reduction_length(const ConvCase& c) {
  return c.in_channels / c.groups * volume(c.kernel);
}

}  // namespace tieout
