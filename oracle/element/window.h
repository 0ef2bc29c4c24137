#pragma once
// Provides Window, everything that one output element depends on: its activations, its weights and its quantization
// parameters. Every hypothesis is a function of a Window, so that no hypothesis indexes a tensor and all of them
// receive identical data.

#include <cstdint>
#include <optional>
#include <vector>

#include "cases/layer_view.h"

namespace tieout {

// A multiplier as TensorFlow Lite, CMSIS-NN and TVM store it: mantissa / 2^31 * 2^shift.
struct FixedPoint {
  std::int32_t mantissa = 0;
  int shift = 0;
};

struct Window {
  // The case that the element belongs to, for rules that depend on the shape. It must outlive the window.
  const ConvCase* spec = nullptr;

  // The elements of x, w and inside are in the order kd, kh, kw, channel, with the channel fastest: the order in which
  // integer kernels pair neighbours. A window that holds only sums (WindowIterator::Detail::sums, CandidateEvaluator)
  // has no elements in w and inside. It suffices for arithmetics that use neither pairs of products nor padding.
  std::vector<std::uint8_t> x;  // positions outside of the input hold the activation's zero point
  std::vector<std::int8_t> w;
  std::vector<std::uint8_t> inside;  // 1 where x lies in the input, 0 where it is padding

  double xs = 1, ws = 1, os = 1;
  std::int64_t xz = 0, wz = 0, oz = 0;
  std::optional<float> bias;
  std::int32_t int32_bias = 0;  // is part of `products`
  Relu relu = Relu::off;
  Granularity granularity = Granularity::per_tensor;
  std::int64_t group_channels = 1;  // channels per kernel position; x.size() is this times the kernel's volume

  // 128 if the output is int8: oz and results are then those of uint8, 128 above the stored numbers. Only arithmetics
  // that add the zero point before they round differ by it.
  std::int64_t output_shift = 0;
  // A multiplier that is given as integers, for hypotheses that compute with such; ws * xs / os is then close to it.
  // Without it they compute it from the scales.
  std::optional<FixedPoint> multiplier;

  // Exact sums of x * w and the int32 bias, of x and of w over the window, computed once for all hypotheses. Every
  // arithmetic that sums integers adds an int32 bias to the sum, so that none has a step of its own for it.
  std::int64_t products = 0, activations = 0, weights = 0;

  // Returns the sum of (x - xz) * (w - wz) and the int32 bias, exactly.
  [[nodiscard]] std::int64_t exact_sum() const {
    return products - xz * weights - wz * activations + static_cast<std::int64_t>(x.size()) * xz * wz;
  }
};

// Fills `window` for one output element and reuses its memory. offset: position of the element in N x K x spatial,
// row-major.
void gather(const ConvProblem& problem, std::int64_t offset, Window& window);
void gather(const LayerView& layer, const OutputElement& element, Window& window);

// Sets the fields that depend on the case and the output channel k only: spec, scales, zero points, biases, relu,
// granularity and group_channels. Leaves the elements and the sums as they are.
void describe(const ConvCase& c, std::int64_t k, Window& window);

}  // namespace tieout
