// Tests that faults of a kernel with int8 activations and outputs, an int32 bias and padding per side, as code beside
// TensorFlow Lite has them, are found and explained.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "cases/strings/lines.h"
#include "cases/text/case_text.h"
#include "kernels/subject/kernel_types.h"
#include "props/diagnose/diagnose.h"
#include "props/diagnose/diagnosis_text.h"
#include "props/generate/strategy.h"
#include "props/verify/stand_in_reference.h"
#include "props/verify/verify.h"

namespace tieout {
namespace {

enum class Mistake {
  none,
  padding_of_0,
  activation_zero_point_as_uint8,
  activation_as_uint8,
  zero_point_before_rounding,
  half_away,
  bias_ignored,
  bias_saturates,
  bias_in_float,
  symmetric_clamp,
  relu_at_0,
};

template <Mistake kMistake>
std::int32_t sum_of(const tieout_conv& c, std::int64_t n, std::int64_t k, const std::int64_t* o) {
  const std::int64_t channels = c.in_channels / c.groups;
  const std::int64_t first = k / (c.out_channels / c.groups) * channels;
  const std::int64_t taps = c.kernel[0] * c.kernel[1] * c.kernel[2];
  const std::int64_t wz = c.weight_zero_points[c.per_channel != 0 ? k : 0];
  std::int64_t xz = c.activation_zero_point;
  if (kMistake == Mistake::activation_zero_point_as_uint8) xz = static_cast<std::uint8_t>(xz);
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < channels; ++i) {
    for (std::int64_t t = 0; t < taps; ++t) {
      const std::int64_t tap[3]{t / (c.kernel[1] * c.kernel[2]), t / c.kernel[2] % c.kernel[1], t % c.kernel[2]};
      std::int64_t at[3];
      bool inside = true;
      for (int d = 0; d < 3; ++d) {
        at[d] = o[d] * c.stride[d] - c.padding[d] + tap[d] * c.dilation[d];
        inside = inside && at[d] >= 0 && at[d] < c.input[d];
      }
      std::int64_t x = kMistake == Mistake::padding_of_0 ? 0 : xz;
      if (inside) {
        x = c.activation_int8[((n * c.in_channels + first + i) * c.input[0] + at[0]) * c.input[1] * c.input[2] +
                              at[1] * c.input[2] + at[2]];
        if (kMistake == Mistake::activation_as_uint8) x = static_cast<std::uint8_t>(x);
      }
      sum += (x - xz) * (c.weight[(k * channels + i) * taps + t] - wz);
    }
  }
  return static_cast<std::int32_t>(sum);
}

template <Mistake kMistake>
std::int8_t requantized(const tieout_conv& c, std::int64_t k, std::int32_t sum) {
  const std::int64_t bias = c.int32_bias != nullptr && kMistake != Mistake::bias_ignored ? c.int32_bias[k] : 0;
  const std::int64_t wide = sum + bias;
  auto raw = static_cast<float>(static_cast<std::int32_t>(wide));
  if (kMistake == Mistake::bias_saturates) {
    raw = static_cast<float>(std::clamp<std::int64_t>(wide, std::numeric_limits<std::int32_t>::min(),
                                                      std::numeric_limits<std::int32_t>::max()));
  }
  if (kMistake == Mistake::bias_in_float) raw = static_cast<float>(sum) + static_cast<float>(bias);
  const float unit =
      static_cast<float>(c.activation_scale) * static_cast<float>(c.weight_scales[c.per_channel != 0 ? k : 0]);
  float scaled = raw * (unit / static_cast<float>(c.output_scale));
  const std::int64_t oz = c.output_zero_point;
  if (kMistake == Mistake::zero_point_before_rounding) scaled += static_cast<float>(oz);
  const float rounded = kMistake == Mistake::half_away ? std::round(scaled) : std::nearbyint(scaled);
  const bool fits = rounded >= -0x1p31F && rounded < 0x1p31F;
  std::int64_t q = fits ? static_cast<std::int64_t>(rounded) : std::numeric_limits<std::int32_t>::min();
  if (kMistake == Mistake::zero_point_before_rounding) q -= oz;
  q = std::clamp<std::int64_t>(q, -32768, 32767) + oz;
  const std::int64_t lowest = kMistake == Mistake::symmetric_clamp ? -127 : -128;
  const std::int64_t zero = kMistake == Mistake::relu_at_0 ? 0 : oz;
  return static_cast<std::int8_t>(std::clamp<std::int64_t>(q, c.relu != 0 ? std::max(zero, lowest) : lowest, 127));
}

template <Mistake kMistake>
const char* kernel(const tieout_conv* c) {
  std::int64_t offset = 0;
  for (std::int64_t n = 0; n < c->batch; ++n) {
    for (std::int64_t k = 0; k < c->out_channels; ++k) {
      for (std::int64_t d = 0; d < c->output_size[0]; ++d) {
        for (std::int64_t h = 0; h < c->output_size[1]; ++h) {
          for (std::int64_t w = 0; w < c->output_size[2]; ++w) {
            const std::int64_t o[3]{d, h, w};
            c->output_int8[offset++] = requantized<kMistake>(*c, k, sum_of<kMistake>(*c, n, k, o));
          }
        }
      }
    }
  }
  return nullptr;
}

constexpr tieout_kernel_info kInfo{.size = sizeof(tieout_kernel_info),
                                   .version = TIEOUT_KERNEL_VERSION,
                                   .activation_type = TIEOUT_INT8,
                                   .output_type = TIEOUT_INT8,
                                   .int32_bias = 1,
                                   .end_padding = 1};

struct Planted {
  const char* name;
  KernelFunction kernel;
  const char* cause;  // a part of the text of one cause
};

class TypedKernel : public testing::TestWithParam<Planted> {
 protected:
  std::unique_ptr<Subject> subject_ = [] {
    auto subject = linked_subject(GetParam().name, GetParam().kernel, &kInfo);
    EXPECT_TRUE(subject->load());
    return subject;
  }();
  Domain domain_ = *Domain::parse(conditions_of(subject_->types()));
};

TEST_P(TypedKernel, IsFoundAndExplained) {
  StandInReference reference;
  std::int64_t differing = 0;
  const GeneratorOptions small{.products = 2'000, .audience = Audience::subject};
  for (std::uint64_t i = 0; i < 400; ++i) {
    const Verdict verdict = verify(case_of(1, i, small, domain_), reference, subject_.get());
    ASSERT_TRUE(verdict.status == Status::passed || verdict.status == Status::differed) << verdict.reason;
    differing += verdict.status == Status::differed ? 1 : 0;
  }
  EXPECT_EQ(differing > 0, GetParam().cause[0] != '\0') << differing;
  const Diagnosis d = diagnose(answers_of(*subject_, 5), {.proof = 600, .seconds = 60, .domain = domain_});
  EXPECT_EQ(d.predicted, d.fresh);
  EXPECT_GE(d.fresh, 500);
  const bool named = std::ranges::any_of(
      d.causes, [](const Cause& c) { return c.edit.text().find(GetParam().cause) != std::string::npos; });
  std::string texts;
  for (const Cause& c : d.causes) texts += c.edit.text() + " [" + c.edit.condition.text() + "]\n";
  EXPECT_EQ(named, !d.causes.empty()) << texts;
  EXPECT_EQ(d.causes.empty(), GetParam().cause[0] == '\0') << texts;
  // The ends of the output are named as those of uint8, and the lines of C say so.
  const bool ends_noted = std::ranges::any_of(d.causes, [&](const Cause& c) {
    return join_lines(reported_cause(c, d, "").diff).find("uint8's") != std::string::npos;
  });
  const std::string cause = GetParam().cause;
  EXPECT_EQ(ends_noted, cause == "clamp" || cause == "relu") << texts;
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, TypedKernel,
    testing::Values(Planted{"none", kernel<Mistake::none>, ""},
                    Planted{"padding_of_0", kernel<Mistake::padding_of_0>, "the value of padding is 0"},
                    Planted{"activation_zero_point_as_uint8", kernel<Mistake::activation_zero_point_as_uint8>, "xz"},
                    Planted{"activation_as_uint8", kernel<Mistake::activation_as_uint8>, "x is"},
                    Planted{"zero_point_before_rounding", kernel<Mistake::zero_point_before_rounding>,
                            "the output zero point is added before rounding"},
                    Planted{"half_away", kernel<Mistake::half_away>, "ties away from zero"},
                    Planted{"bias_ignored", kernel<Mistake::bias_ignored>, "bias"},
                    Planted{"bias_saturates", kernel<Mistake::bias_saturates>, "saturates"},
                    Planted{"bias_in_float", kernel<Mistake::bias_in_float>, "float"},
                    Planted{"symmetric_clamp", kernel<Mistake::symmetric_clamp>, "clamp"},
                    Planted{"relu_at_0", kernel<Mistake::relu_at_0>, "relu"}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace tieout
