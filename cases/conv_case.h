#pragma once
// Defines ConvCase, one problem for a quantized convolution with every parameter that decides its result, and
// ConvProblem, a case together with its contents.
//
//   y = quantize(relu(conv(dequantize(x), dequantize(w)) + bias))
//
// x: uint8 or int8, N x C x spatial; w: int8, K x C/groups x kernel (OIHW); y: uint8, int8 or int32,
// N x K x spatial.
// A stored value q stands for the real number scale * (q - zero_point).
//
// A case holds the values and zero points of int8 activations and outputs as uint8, 128 higher. All arithmetic reads
// the differences q - zero_point, so that the sums and the outputs are the same, and one code serves both types. Only
// what reads or shows values as the user has them (case lines, kernels, reports) subtracts the shift again.

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

// The types in which a kernel, and its user, store activations and outputs. An int32 output is the sum before
// requantization, with the int32 bias: raw in kernels/conv_relu.h.
enum class ActivationType { uint8, int8 };
enum class OutputType { uint8, int8, int32 };

// Return what is subtracted from a value as a case holds it to get the value as it is stored.
[[nodiscard]] constexpr int stored_shift(ActivationType type) { return type == ActivationType::int8 ? 128 : 0; }
[[nodiscard]] constexpr int stored_shift(OutputType type) { return type == OutputType::int8 ? 128 : 0; }

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
// fbgemm_direct is FBGEMM called without PyTorch's operator around it; it alone takes an int32 bias. onednn_pointwise
// is the operator that PyTorch 2 export is lowered to (onednn::qconv2d_pointwise and its like), which takes no
// quantized dtypes.
enum class Engine { fbgemm, onednn, x86, qnnpack, fbgemm_direct, onednn_pointwise };
[[nodiscard]] constexpr bool is_fbgemm(Engine engine) {
  return engine == Engine::fbgemm || engine == Engine::fbgemm_direct;
}
enum class Isa { native, avx2, avx512, avx512_256, avx512_vnni, avx512_vnni_256 };
enum class MemoryFormat { contiguous, channels_last };
// The operator that is called. linear: the case is a convolution of single positions (input, kernel and stride 1, no
// padding, one group), which quantized::linear computes: batch x in_channels times out_channels x in_channels.
enum class Call { conv, linear };

struct Execution {
  Engine engine = Engine::fbgemm;
  Call call = Call::conv;
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
  // Positions that the end of each axis (behind, below, right) has in addition; negative: fewer than the begin has.
  Spatial extra_end_padding{0, 0, 0};
  Spatial dilation{1, 1, 1};

  ActivationType activation_type = ActivationType::uint8;
  OutputType output_type = OutputType::uint8;
  double activation_scale = 1;
  std::int64_t activation_zero_point = 0;  // 0..255, see above
  Granularity granularity = Granularity::per_tensor;
  std::vector<double> weight_scales{1};             // One value, or out_channels values.
  std::vector<std::int64_t> weight_zero_points{0};  // As many values as weight_scales.
  double output_scale = 1;
  std::int64_t output_zero_point = 0;  // 0..255, see above
  // In real units; empty: no float bias; otherwise out_channels values.
  std::vector<float> bias;
  // In units of the sum, activation_scale * weight_scale; added to the sum as int32, which wraps. Empty: no int32 bias;
  // otherwise out_channels values, and `bias` is empty.
  std::vector<std::int32_t> int32_bias;
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

// True if only FBGEMM called directly computes the case: PyTorch's operators take a float bias and return bytes.
[[nodiscard]] inline bool needs_direct_call(const ConvCase& c) {
  return !c.int32_bias.empty() || c.output_type == OutputType::int32;
}

[[nodiscard]] inline bool has_bias(const ConvCase& c) { return !c.bias.empty() || !c.int32_bias.empty(); }

// Returns the int32 bias of output channel k; 0 without one.
[[nodiscard]] inline std::int32_t int32_bias(const ConvCase& c, std::int64_t k) {
  return c.int32_bias.empty() ? 0 : c.int32_bias[static_cast<std::size_t>(k)];
}

// Returns the zero points as they are stored: -128..127 if the type is int8.
[[nodiscard]] inline std::int64_t stored_activation_zero_point(const ConvCase& c) {
  return c.activation_zero_point - stored_shift(c.activation_type);
}
[[nodiscard]] inline std::int64_t stored_output_zero_point(const ConvCase& c) {
  return c.output_zero_point - stored_shift(c.output_type);
}

// Returns the answers, as a case holds them, in the values that the type stores.
[[nodiscard]] Answers as_stored(Answers answers, OutputType type);

[[nodiscard]] inline std::int64_t volume(const Spatial& s) { return s[0] * s[1] * s[2]; }

// Returns the padding at the end of each axis, and the extents of the input with the padding of both sides.
[[nodiscard]] Spatial end_padding(const ConvCase& c);
[[nodiscard]] Spatial padded_size(const ConvCase& c);

// Returns floor((padded_size - dilation * (kernel - 1) - 1) / stride) + 1 along each dimension. The value is below 1
// where the kernel does not fit.
[[nodiscard]] Spatial output_size(const ConvCase& c);

// Returns a problem of the same output that has the same padding on both sides, as LibTorch's operators require it:
// positions that only one side has become part of the input and hold the zero point.
[[nodiscard]] ConvProblem with_even_padding(ConvProblem problem);
// Returns the shape of that problem: the case without its activation's values.
[[nodiscard]] ConvCase with_even_padding(ConvCase c);
[[nodiscard]] bool has_even_padding(const ConvCase& c);

// Return shapes as LibTorch has them: N and C (of the weight: K and C/groups), then the case's own spatial dimensions,
// of which a linear layer has none.
[[nodiscard]] Shape activation_shape(const ConvCase& c);
[[nodiscard]] Shape weight_shape(const ConvCase& c);
[[nodiscard]] Shape output_shape(const ConvCase& c);

// Returns the number of products that one output element sums up: C/groups times the kernel's volume.
[[nodiscard]] inline std::int64_t reduction_length(const ConvCase& c) {
  return c.in_channels / c.groups * volume(c.kernel);
}

}  // namespace tieout
