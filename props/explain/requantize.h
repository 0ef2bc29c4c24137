#pragma once
// Requantizes a sum by every hypothesis whose result depends on the sum alone, for users who have an accumulator and
// scales, or an accumulator and a fixed-point multiplier, and no layer.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "cases/validate.h"
#include "props/explain/explain.h"

namespace tieout {

// How a sum is requantized.
struct SumRequantization {
  OutputType type = OutputType::uint8;  // or int8
  // Scales, output zero point, bias and relu of one output element. The zero point is that of uint8: 128 above that of
  // int8.
  ConvCase parameters;
  // A multiplier that takes the place of the scales. Hypotheses that compute in floats round it to float32.
  std::optional<FixedPoint> multiplier;
};

// Reads "xs=0.1", "ws=0.02" (one value in brackets: per channel), "os=0.5", "oz=3", "bias=0.5" and "relu", as case
// lines have them. type: of the output, which decides the range of oz.
[[nodiscard]] tl::expected<SumRequantization, CaseError> parse_requantization(const std::vector<std::string>& words,
                                                                              OutputType type,
                                                                              std::optional<FixedPoint> multiplier);

// Hypotheses with the same answer.
struct EqualAnswers {
  int answer = 0;  // of the output's type
  std::vector<std::string> hypotheses;
};

struct RequantizedSum {
  std::int32_t accumulator = 0;
  double exact = 0;                   // the value in output steps without zero point, not rounded but to float64
  std::vector<EqualAnswers> answers;  // ascending; the hypotheses in the order of hypotheses()
};

// Returns the hypotheses that requantize() evaluates, in the order of hypotheses().
[[nodiscard]] HypothesisList hypotheses_of_sums();

// accumulator: the sum of (x - xz) * (w - wz), with an int32 bias added.
[[nodiscard]] RequantizedSum requantize(const SumRequantization& how, std::int32_t accumulator);

// Returns the steps of the hypotheses, compared with the first one, in the numbers of the output's type.
[[nodiscard]] Explanation explain_sum(const SumRequantization& how, std::int32_t accumulator,
                                      const HypothesisList& hypotheses);

}  // namespace tieout
