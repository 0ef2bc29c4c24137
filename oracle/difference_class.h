#pragma once
// Names the cause of a difference: the one step of the reference's arithmetic that, exchanged for another, predicts every
// value that the subject gave, those that differ and those that are equal. Where no single exchange does that, or where
// exchanges of several classes do, the difference is unexplained. A class is a label with its derivation, never a pass.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "oracle/window.h"

namespace tieout {

enum class DifferenceClass {
  tie,                  // a value exactly between two integers, rounded to the other one
  rounding,             // rounded in another direction, not only at ties
  multiplier_rounding,  // the scales multiplied, or the sum scaled, in another order or precision
  bias_rounding,        // the bias added with another rounding, or as an integer
  missing_bias,         // the bias not added
  pair_saturation,      // pairs of products saturate in int16, or do not
  activation_sum,       // the sum of activations saturates in int16, or does not
  float_conversion,     // a sum beyond 2^24 converted to float32 with another rounding
  int32_wrap,           // a sum beyond int32 kept as it is, saturated, or wrapped
  conversion_overflow,  // a value beyond int32 saturated, or turned into INT32_MIN
  zero_point_order,     // the zero point added before rounding
  padding_value,        // padding that holds 0 and not the activation's zero point
  zero_point,           // a zero point ignored, or subtracted in 8 bits
  relu,                 // relu not applied, or applied where it is off
  clamp,                // the low 8 bits kept, where the value is to be clamped
  unexplained,
};

[[nodiscard]] std::string_view name(DifferenceClass c);

struct Difference {
  DifferenceClass cls = DifferenceClass::unexplained;
  std::string exchanged;       // the step that was exchanged, and for what; empty: unexplained
  std::int64_t explained = 0;  // how many of the differing elements that predicts: all or none
  std::int64_t differing = 0;
};

// One element's values: what the reference gave, and what the subject gave.
struct ComparedElement {
  std::int64_t offset = 0;
  std::uint8_t expected = 0, actual = 0;
};

// An arithmetic, and the values that it gives for a problem.
struct Contract {
  Arithmetic arithmetic;
  Tensor<std::uint8_t> y;
};

// The exchanges that predict every value seen so far. Evidence from several cases adds up: what fails to predict one value
// is out for good.
class PossibleCauses {
 public:
  // Drops the exchanges that fail to predict `actual` at an element of the case. reference: the arithmetic that gives
  // `expected`. Equal elements at which it does not are left out; one that differs drops every exchange.
  void observe(const ConvProblem& problem, const Arithmetic& reference, const Tensor<std::uint8_t>& expected,
               const Tensor<std::uint8_t>& actual);
  void observe(const LayerView& layer, const Arithmetic& reference, std::span<const ComparedElement> elements);

  // The same where it is open which of several contracts the subject follows but for a step: an exchange is dropped if it fails
  // with each.
  void observe(const ConvProblem& problem, std::span<const Contract> contracts, const Tensor<std::uint8_t>& actual);

  // Drops what `other` has dropped, without counting its evidence: it may be the same element again.
  void narrow(const PossibleCauses& other) { left_ &= other.left_; }

  // The same, and counts the evidence.
  void add(const PossibleCauses& other) {
    left_ &= other.left_;
    evidence_ += other.evidence_;
  }

  [[nodiscard]] bool none() const;

  // The class that all remaining exchanges share, if the evidence is enough: a tie, two differing elements, or one that differs
  // by more than 1. A single step on one element is often predicted by chance. differing: how many elements differ in the
  // case that is described.
  [[nodiscard]] Difference conclude(std::int64_t differing) const;

  // As two numbers, for the way from one process to another.
  [[nodiscard]] std::array<std::uint64_t, 2> bits() const { return {left_, static_cast<std::uint64_t>(evidence_)}; }
  [[nodiscard]] static PossibleCauses from_bits(const std::array<std::uint64_t, 2>& bits);

 private:
  template <typename Gather>
  void observe_elements(const Arithmetic& reference, std::span<const ComparedElement> elements,
                        const Gather& gather_window);

  std::uint64_t left_ = ~std::uint64_t{0};  // a bit for each exchange, and one that tells whether only ties differ
  std::int64_t evidence_ = 0;               // 1 for each element that differs by 1, 2 for each that differs by more
};

// The causes of one case's difference.
[[nodiscard]] Difference classify_difference(const ConvProblem& problem, const Arithmetic& reference,
                                             const Tensor<std::uint8_t>& expected, const Tensor<std::uint8_t>& actual);

// The same of some elements of a layer, equal ones among them.
[[nodiscard]] Difference classify_difference(const LayerView& layer, const Arithmetic& reference,
                                             std::span<const ComparedElement> elements);

}  // namespace tieout
