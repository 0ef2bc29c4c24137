#pragma once
// Provides the steps that the operators have in common, as a kernel with changes computes them: dequantization, scaling
// to the output's units, rounding, zero point and clamp. Real is float, or double for Change::float64.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "oracle/element/ties_to_even.h"
#include "oracle/variants/changes.h"

namespace tieout {

template <typename Real>
class QuantizationSteps {
 public:
  QuantizationSteps(const OperatorCase& c, const Changes& changes) : c_(c), changes_(changes) {}

  [[nodiscard]] bool has(Change change) const { return changes_.has(change); }

  // ---- inputs

  [[nodiscard]] std::int32_t stored(std::uint8_t q) const {
    return has(Change::signed_bytes) ? std::int32_t{static_cast<std::int8_t>(q)} : std::int32_t{q};
  }
  [[nodiscard]] Real scale(std::size_t input) const {
    return static_cast<Real>(c_.inputs[has(Change::second_scale_of_first) ? 0 : input].quantization.scale);
  }
  [[nodiscard]] std::int32_t zero_point(std::size_t input) const {
    if (has(Change::input_zero_points_missing)) return 0;
    if (has(Change::second_zero_point_missing) && input > 0) return 0;
    if (has(Change::second_zero_point_of_first)) input = 0;
    return static_cast<std::int32_t>(c_.inputs[input].quantization.zero_point);
  }
  [[nodiscard]] std::int32_t difference(std::size_t input, std::uint8_t q) const {
    return stored(q) - zero_point(input);
  }
  [[nodiscard]] Real dequantized(std::size_t input, std::uint8_t q) const {
    const Real s = scale(input), x = static_cast<Real>(stored(q)), z = static_cast<Real>(zero_point(input));
    if (has(Change::fused_dequantization)) return std::fma(s, x, -s * z);
    if (has(Change::dequantized_by_products)) return s * x - s * z;
    return s * (x - z);
  }

  // ---- the result

  // Returns the byte of a real number.
  [[nodiscard]] std::int32_t byte(Real real) const {
    const Real scale = static_cast<Real>(c_.output.scale);
    if (has(Change::divides_by_scale)) return byte_of_units(real / scale);
    if (has(Change::inverse_in_float64)) return byte_of_units(real * static_cast<Real>(1.0 / c_.output.scale));
    return byte_of_units(real * (1 / scale));
  }
  // Returns the factor by which integers of that unit are scaled. exact: the unit in float64.
  [[nodiscard]] Real factor(Real unit, double exact) const {
    const Real scale = static_cast<Real>(c_.output.scale);
    if (has(Change::divides_by_scale)) return unit / scale;
    if (has(Change::inverse_in_float64)) return static_cast<Real>(exact / c_.output.scale);
    return unit * (1 / scale);
  }

  // Returns the byte of a number in the output's units.
  template <typename Units>
  [[nodiscard]] std::int32_t byte_of_units(Units units) const {
    if (std::isnan(units)) return 0;
    const std::int32_t zero = output_zero_point();
    if (has(Change::overflow_to_minimum) && !(std::fabs(units) < Units(0x1p31))) units = Units(-0x1p31);
    if (has(Change::zero_point_before_rounding)) return clamped(double{rounded(units + static_cast<Units>(zero))});
    double whole = double{rounded(units)};
    if (has(Change::clamped_before_zero_point)) whole = std::clamp(whole, 0.0, 255.0);
    return clamped(whole + zero);
  }

  // Adds the output's zero point to an integer in the output's units, and clamps the sum.
  [[nodiscard]] std::int32_t byte_of_whole(std::int64_t units) const {
    return clamped(static_cast<double>(units) + output_zero_point());
  }

  template <typename Units>
  [[nodiscard]] Units rounded(Units v) const {
    if (has(Change::ties_away)) return std::round(v);
    if (has(Change::ties_up)) return std::floor(v + Units(0.5));
    if (has(Change::truncated)) return std::trunc(v);
    if (has(Change::rounded_down)) return std::floor(v);
    return ties_to_even(v);
  }

  // True if the result is the larger one of itself and zero.
  [[nodiscard]] bool has_relu() const {
    if (has(Change::relu_of_inputs) || has(Change::relu_missing)) return false;
    return has(Change::relu_always) || flag(c_, "relu");
  }
  [[nodiscard]] Real with_relu(Real real) const { return has_relu() && real < 0 ? Real(0) : real; }
  [[nodiscard]] std::int32_t with_relu_of_byte(std::int32_t byte) const {
    return has_relu() ? std::max(byte, static_cast<std::int32_t>(c_.output.zero_point)) : byte;
  }
  // Returns a value of an input, with Change::relu_of_inputs the larger one of it and zero.
  template <typename T>
  [[nodiscard]] T input_with_relu(T value) const {
    return has(Change::relu_of_inputs) && flag(c_, "relu") && value < 0 ? T(0) : value;
  }

 private:
  [[nodiscard]] std::int32_t output_zero_point() const {
    if (has(Change::output_zero_point_missing)) return 0;
    const bool of_input = has(Change::output_zero_point_of_input);
    return static_cast<std::int32_t>((of_input ? c_.inputs.front().quantization : c_.output).zero_point);
  }

  [[nodiscard]] std::int32_t clamped(double whole) const {
    using Int32 = std::numeric_limits<std::int32_t>;
    if (has(Change::wraps)) {
      const double held = std::clamp<double>(whole, Int32::min(), Int32::max());
      return static_cast<std::uint8_t>(static_cast<std::int32_t>(held));
    }
    const double high = has(Change::largest_254) ? 254 : has(Change::largest_127) ? 127 : 255;
    return static_cast<std::int32_t>(std::clamp(whole, has(Change::smallest_1) ? 1.0 : 0.0, high));
  }

  const OperatorCase& c_;
  const Changes& changes_;
};

// Computes the operators of windows and averages (changed_windows.cpp) and all others (changed_elements.cpp). Return an
// output without elements for operators of the other kind.
template <typename Real>
[[nodiscard]] OperatorOutput compute_windows(const OperatorCase& c, const QuantizationSteps<Real>& steps);
template <typename Real>
[[nodiscard]] OperatorOutput compute_elements(const OperatorCase& c, const QuantizationSteps<Real>& steps);

}  // namespace tieout
