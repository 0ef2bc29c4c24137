#pragma once
// Why two results of one element differ: the one step of the reference's arithmetic that, exchanged for another, gives the
// other result. A class is a label with its derivation, never a pass.

#include <cstdint>
#include <span>
#include <string_view>

#include "oracle/window.h"

namespace tieout {

enum class DifferenceClass {
  tie,                  // a value exactly between two integers, rounded to the other one
  rounding,             // rounded in another direction, not only at ties
  multiplier_rounding,  // the scales multiplied in another order or precision
  bias_rounding,        // the bias added with another rounding, or as an integer
  pair_saturation,      // pairs of products saturate in int16, or do not
  float_conversion,     // a sum beyond 2^24 kept as it is, or rounded to float32
  int32_wrap,           // a sum beyond int32 kept as it is, or wrapped
  conversion_overflow,  // a value beyond int32 saturated, or turned into INT32_MIN
  zero_point_order,     // the zero point added before rounding
  unexplained,
};

[[nodiscard]] std::string_view name(DifferenceClass c);

struct Difference {
  DifferenceClass cls = DifferenceClass::unexplained;
  std::string_view exchanged;  // the step that was exchanged, and for what; empty: none gives the subject's values
  std::int64_t explained = 0;  // how many of the differing elements that reproduces
  std::int64_t differing = 0;
};

// expected: what the reference answered; reference: its arithmetic. actual: what the subject answered. An element is explained
// by an exchange where recomputing with the reference's arithmetic gives `expected`, and with that one step exchanged gives
// `actual`. The exchange that explains the most elements gives the class; of equals, the one that comes first from the sums to
// the result.
[[nodiscard]] Difference classify_difference(const ConvProblem& problem, const Arithmetic& reference,
                                             const Tensor<std::uint8_t>& expected, const Tensor<std::uint8_t>& actual);

// The same of elements that are known to differ.
struct DifferingElement {
  std::int64_t offset = 0;
  std::uint8_t expected = 0, actual = 0;
};
[[nodiscard]] Difference classify_difference(const ConvProblem& problem, const Arithmetic& reference,
                                             std::span<const DifferingElement> elements);
[[nodiscard]] Difference classify_difference(const LayerView& layer, const Arithmetic& reference,
                                             std::span<const DifferingElement> elements);

}  // namespace tieout
