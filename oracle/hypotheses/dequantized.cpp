#include "oracle/hypotheses/dequantized.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "oracle/element/for_each_window.h"
#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

// Replaces negative values by 0. -0.0 and NaN stay, as in torch.relu.
template <typename Real>
Real relu(Real v) {
  return v < 0 ? Real(0) : v;
}

// Returns the sum of x * w in real units, with every operation in Real, in the order channel, kd, kh, kw.
template <typename Real>
Real convolved(const Window& window) {
  const auto channels = static_cast<std::size_t>(window.group_channels);
  const auto xz = static_cast<std::int32_t>(window.xz), wz = static_cast<std::int32_t>(window.wz);
  Real sum = 0;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t i = channel; i < window.x.size(); i += channels) {
      const float x = window.inside[i] != 0 ? dequantized_activation(window.x[i] - xz, window.xs) : 0.0F;
      const Real w = dequantized_weight<Real>(window.w[i] - wz, window.ws, window.granularity);
      sum += static_cast<Real>(x) * w;
    }
  }
  return sum;
}

// Adds the bias in real units.
template <typename Real>
Real with_real_bias(Real sum, const Window& window, Trace* trace) {
  step(trace, "accumulator", sum, "sum of x * w, dequantized, in real units");
  if (window.int32_bias != 0) {
    const auto unit = static_cast<Real>(window.xs) * static_cast<Real>(window.ws);
    const Real bias =
        step(trace, "bias", static_cast<Real>(window.int32_bias) * unit, "int32 bias * (xs * ws), in real units");
    return step(trace, "with bias", sum + bias, "accumulator + bias");
  }
  if (!window.bias) return sum;
  step(trace, "bias", *window.bias, "as it is, in real units");
  return step(trace, "with bias", sum + static_cast<Real>(*window.bias), "accumulator + bias");
}

void require_document_case(const ConvCase& c) {
  const Spatial ones{1, 1, 1};
  if (c.in_channels == 1 && c.out_channels == 1 && c.kernel == ones && c.stride == ones && c.padding == Spatial{} &&
      weight_zero_point(c, 0) == 0 && c.bias.size() == 1 && c.relu == Relu::on) {
    return;
  }
  std::fputs(
      "oracle/hypotheses/dequantized.cpp: the script's expressions are for its own one-channel 1x1 convolution\n",
      stderr);
  std::abort();
}

}  // namespace

Tensor<double> document_output_1(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  require_document_case(c);
  Tensor<double> result{output_shape(c), {}};
  const auto weight = dequantized_weight<double>(problem.weight.front(), weight_scale(c, 0), c.granularity);
  for (const std::uint8_t q : problem.activation) {
    const float x = dequantized_activation(q - static_cast<std::int32_t>(c.activation_zero_point), c.activation_scale);
    const double v = static_cast<double>(x) * weight + static_cast<double>(c.bias.front());
    result.values.push_back(ties_to_even(relu(v / c.output_scale)));
  }
  return result;
}

Tensor<float> document_output_2(const ConvProblem& problem) {
  const ConvCase& c = problem.spec;
  require_document_case(c);
  Tensor<float> result{output_shape(c), {}};
  const auto weight = dequantized_weight<float>(problem.weight.front(), weight_scale(c, 0), c.granularity);
  for (const std::uint8_t q : problem.activation) {
    const float v =
        dequantized_activation(q - static_cast<std::int32_t>(c.activation_zero_point), c.activation_scale) * weight +
        c.bias.front();
    result.values.push_back(relu(ties_to_even(v / static_cast<float>(c.output_scale))));
  }
  return result;
}

std::uint8_t manual_output_1(double sum, const Window& parameters, Trace* trace) {
  double v = step(trace, "scaled", with_real_bias(sum, parameters, trace) / parameters.os, "/ os, float64");
  if (parameters.relu == Relu::on) v = step(trace, "relu", relu(v), "before rounding");
  return saturated(parameters, step(trace, "rounded", ties_to_even(v), "to nearest, ties to even"), 0, trace);
}

std::uint8_t manual_output_2(float sum, const Window& parameters, Trace* trace) {
  const float scaled = step(trace, "scaled", with_real_bias(sum, parameters, trace) / static_cast<float>(parameters.os),
                            "/ os, float32");
  float y = step(trace, "rounded", ties_to_even(scaled), "to nearest, ties to even");
  if (parameters.relu == Relu::on) y = step(trace, "relu", relu(y), "after rounding");
  return saturated(parameters, static_cast<double>(y), 0, trace);
}

std::uint8_t manual_output_1(const Window& window, Trace* trace) {
  return manual_output_1(convolved<double>(window), window, trace);
}

std::uint8_t manual_output_2(const Window& window, Trace* trace) {
  return manual_output_2(convolved<float>(window), window, trace);
}

Answers manual_output_1(const ConvProblem& problem) {
  return for_each_window(problem, [](const Window& window) { return manual_output_1(window, nullptr); });
}

Answers manual_output_2(const ConvProblem& problem) {
  return for_each_window(problem, [](const Window& window) { return manual_output_2(window, nullptr); });
}

}  // namespace tieout
