#pragma once
// Classifies the cause of a difference: the one step of the reference's arithmetic that, exchanged for another,
// predicts every value that the subject gave, at differing and at equal elements. If no single exchange does, or if
// exchanges of several classes do, the difference is unexplained. A class is a label with its derivation, never a pass.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "oracle/element/window.h"

namespace tieout {

enum class MismatchClass {
  tie,       // a value exactly between two integers is rounded to the other one
  rounding,  // another direction of rounding, not only at ties
  // The scales are multiplied, or the sum is scaled, in another order or precision.
  multiplier_rounding,
  bias_rounding,    // the bias is added with another rounding, or as an integer
  missing_bias,     // the bias is not added
  pair_saturation,  // pairs of products saturate in int16, or do not
  activation_sum,   // the sum of activations saturates in int16, or does not
  // A sum beyond 2^24 is converted to float32 with another rounding.
  float_conversion,
  int32_wrap,           // a sum beyond int32 is kept, saturated or wrapped
  conversion_overflow,  // a value beyond int32 is saturated, or becomes INT32_MIN
  zero_point_order,     // the zero point is added before rounding
  padding_value,        // padding holds 0 and not the activation's zero point
  zero_point,           // a zero point is ignored, or subtracted in 8 bits
  relu,                 // relu is not applied, or is applied where it is off
  clamp,                // the low 8 bits are kept where the value should be clamped
  unexplained,
};

[[nodiscard]] std::string_view name(MismatchClass c);

// The cause of the mismatches of a case.
struct MismatchCause {
  MismatchClass cls = MismatchClass::unexplained;
  // The exchanged step and its replacement; empty if unexplained.
  std::string exchanged;
  // The number of differing elements that the exchange predicts: all or none.
  std::int64_t explained = 0;
  std::int64_t differing = 0;
};

// The values of one element: from the reference and from the subject.
struct ComparedElement {
  std::int64_t offset = 0;
  std::int32_t expected = 0, actual = 0;
};

// An arithmetic, and the output that it gives for a problem.
struct Contract {
  Arithmetic arithmetic;
  Answers y;
};

// The set of exchanges that predict every value seen so far. Evidence from several cases accumulates: an exchange that
// fails to predict one value is dropped permanently.
class PossibleCauses {
 public:
  // Drops the exchanges that fail to predict `actual` at an element of the case. reference: the arithmetic that gives
  // `expected`. An equal element that `reference` does not predict is skipped; a differing one drops every exchange.
  void observe(const ConvProblem& problem, const Arithmetic& reference, const Answers& expected, const Answers& actual);
  void observe(const LayerView& layer, const Arithmetic& reference, std::span<const ComparedElement> elements);

  // Does the same if the subject may follow any of several contracts except for one step: an exchange is dropped if it
  // fails with each of them.
  void observe(const ConvProblem& problem, std::span<const Contract> contracts, const Answers& actual);

  // Drops the exchanges that `other` has dropped, without counting its evidence, which may come from the same elements.
  void narrow(const PossibleCauses& other) { left_ &= other.left_; }

  // True if no exchange remains.
  [[nodiscard]] bool none() const;

  // Returns the class that all remaining exchanges share, if the evidence is sufficient: a tie, two differing elements,
  // or one that differs by more than 1. A difference of 1 at a single element is often predicted by chance. differing:
  // the number of differing elements of the case to be described.
  [[nodiscard]] MismatchCause conclude(std::int64_t differing) const;

  // Returns the state as two numbers, for transfer between processes.
  [[nodiscard]] std::array<std::uint64_t, 2> bits() const { return {left_, static_cast<std::uint64_t>(evidence_)}; }
  [[nodiscard]] static PossibleCauses from_bits(const std::array<std::uint64_t, 2>& bits);

 private:
  template <typename Gather>
  void observe_elements(const Arithmetic& reference, std::span<const ComparedElement> elements,
                        const Gather& gather_window);

  // One bit for each exchange, and one that is set if only ties differ.
  std::uint64_t left_ = ~std::uint64_t{0};
  // 1 for each element that differs by 1, 2 for each that differs by more.
  std::int64_t evidence_ = 0;
};

// Classifies the difference of one case.
[[nodiscard]] MismatchCause classify_mismatches(const ConvProblem& problem, const Arithmetic& reference,
                                                const Answers& expected, const Answers& actual);

// Does the same for selected elements of a layer, which should include equal ones.
[[nodiscard]] MismatchCause classify_mismatches(const LayerView& layer, const Arithmetic& reference,
                                                std::span<const ComparedElement> elements);

}  // namespace tieout
