#include "props/selftest/data_policy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "cases/contents.h"
#include "kernels/conv_relu.h"
#include "props/generate/generator.h"
#include "props/process/forked_task.h"

namespace tieout {
namespace {

using Tolerance = DataPolicy::Tolerance;

// TFLite's activations are int8. These are the same values, 128 higher.
constexpr std::array kPolicies{
    DataPolicy{"PyTorch", 0, 3, -5, 4, Tolerance::one},
    DataPolicy{"FBGEMM", 0, 5, -4, 4, Tolerance::exact, DataPolicy::Relu::never},
    DataPolicy{"benchdnn", 0, 8, -4, 4, Tolerance::either_side_of_a_tie},
    DataPolicy{"ONNX Runtime", 0, 63, -63, 63, Tolerance::exact},
    DataPolicy{"XNNPACK", 0, 255, -128, 127, Tolerance::nine_tenths},
    DataPolicy{"TFLite", 0, 255, -128, 127, Tolerance::one},
};

template <typename T>
Contents<T> drawn(Random& random, std::int64_t count, int low, int high) {
  Contents<T> contents{Fill::listed, {}};
  for (; count > 0; --count) contents.values.push_back(static_cast<T>(random.between(low, high)));
  return contents;
}

bool passes(Tolerance tolerance, const ElementTrace& expected, std::int64_t zero_point, std::uint8_t actual) {
  const int distance = std::abs(int{expected.result} - int{actual});
  if (distance == 0) return true;
  switch (tolerance) {
    case Tolerance::exact: return false;
    case Tolerance::one: return distance == 1;
    case Tolerance::either_side_of_a_tie: return distance == 1 && expected.scaled - std::floor(expected.scaled) == 0.5F;
    case Tolerance::nine_tenths: break;
  }
  const float value = std::clamp(expected.scaled + static_cast<float>(zero_point), 0.0F, 255.0F);
  return std::fabs(value - static_cast<float>(actual)) <= 0.9F;
}

bool notices(const DataPolicy& policy, Subject& subject, const ConvProblem& problem) {
  // Buffers begin behind an unmapped page, so that reads behind their end go unnoticed, as they do in ordinary memory.
  const auto y = subject.run(problem, {.placement = Conditions::Placement::at_begin});
  if (!y) return false;
  const std::vector<ElementTrace> expected = conv_relu_traces(problem, Arithmetic{});
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!passes(policy.tolerance, expected[i], problem.spec.output_zero_point, static_cast<std::uint8_t>(y->values[i])))
      return true;
  }
  return false;
}

}  // namespace

std::span<const DataPolicy> data_policies() { return kPolicies; }

ConvCase draw_policy_case(const DataPolicy& policy, Random& random) {
  ConvCase c;
  draw_shape(c, random, {.products = 10'000});
  // The tests of these harnesses have no reductions of tens of thousands of products.
  if (reduction_length(c) > 5'000) c.in_channels = c.groups;
  c.activation = drawn<std::uint8_t>(random, element_count(activation_shape(c)), policy.x_low, policy.x_high);
  c.weight = drawn<std::int8_t>(random, element_count(weight_shape(c)), policy.w_low, policy.w_high);
  c.activation_zero_point = random.between(policy.x_low, policy.x_high);
  c.output_zero_point = random.between(0, 5);
  if (policy.x_high > 100) c.output_zero_point = random.between(100, 150);
  c.granularity = random.chance(1, 2) ? Granularity::per_channel : Granularity::per_tensor;
  const auto channels = static_cast<std::size_t>(c.granularity == Granularity::per_channel ? c.out_channels : 1);
  c.activation_scale = 0.5 + random.unit();
  c.weight_zero_points.assign(channels, 0);
  c.weight_scales.clear();
  for (std::size_t k = 0; k < channels; ++k) c.weight_scales.push_back(0.2 + random.unit());
  // Uniform values from a range of r have a standard deviation of r / sqrt(12). The output scale makes that of the
  // results 40.
  const double deviation = std::sqrt(static_cast<double>(reduction_length(c))) * (policy.x_high - policy.x_low + 1) *
                           (policy.w_high - policy.w_low + 1) / 12;
  c.output_scale = c.activation_scale * c.weight_scales.front() * deviation / 40;
  if (random.chance(1, 2)) {
    for (std::int64_t k = 0; k < c.out_channels; ++k) {
      c.bias.push_back(static_cast<float>((random.unit() - 0.5) * 40 * c.output_scale));
    }
  }
  if (policy.relu == DataPolicy::Relu::sometimes && random.chance(1, 2)) c.relu = Relu::on;
  return c;
}

std::int64_t cases_to_notice(const DataPolicy& policy, Subject& subject, std::int64_t cases, std::uint64_t seed) {
  // Time limit of a kernel on one small case, seconds.
  constexpr double kHang = 1;
  std::int64_t taken = 0;
  const auto note = [&](std::int64_t index) {
    if (taken == 0) taken = index + 1;
  };
  run_task({.end = cases,
            .seconds = kHang,
            .work =
                [&](std::int64_t index) {
                  Random random(seed, static_cast<std::uint64_t>(index));
                  const bool noticed = notices(policy, subject, with_contents(draw_policy_case(policy, random)));
                  return std::string(noticed ? "1" : "0");
                },
            .answered =
                [&](std::int64_t index, const std::string& answer) {
                  if (answer == "1") note(index);
                },
            .died = [&](std::int64_t index, const ExitReason&) { note(index); }},
           [&] { return taken == 0; });
  return taken;
}

}  // namespace tieout
