#pragma once
// Provides the space of requantizations: how kernels get from the integer sum of an element to its byte. A
// requantization is a choice for each step; the default of every step is FBGEMM's contract (tieout_kernel.h).

#include <cstdint>
#include <string>
#include <vector>

namespace tieout {

// How the bias is added. A = fl(fl(xs) * fl(ws)) is the real value of one unit of the sum.
enum class BiasRule : std::uint8_t {
  contract,               // per channel s + b / A; per tensor fma(b, 1 / A, s)
  divided,                // s + b / A
  fused,                  // fma(b, 1 / A, s)
  by_reciprocal,          // s + b * (1 / A), two roundings
  in_double,              // (float)((double)s + (double)b / A)
  kept_double,            // s + b / A in double, and not rounded before the multiplication
  int32_nearest,          // integers: raw + rint(b / A)
  int32_away,             // ... round(b / A)
  int32_reciprocal,       // ... round(b * (1 / A))
  int32_double,           // ... rint of the quotient in double, of the scales as float32
  int32_double_away,      // ... round of that
  int32_float_unit,       // ... rint of b / A, the quotient in double, A in float32
  int32_float_unit_away,  // ... round of that
  int32_exact_scales,     // ... rint(b / (xs * ws)) of the scales as doubles
  int32_truncated,        // ... trunc(b / A)
  int32_floor,            // ... floor(b / A)
  int16_wraps,            // ... the low 16 bits of rint(b / A)
  int16_saturates,        // ... rint(b / A) saturated to 16 bits
  scales_in_turn,         // s + b / xs / ws
  units_of_activation,    // s + b / xs
  units_of_weight,        // s + b / ws
  after_multiplier,       // s * M + b / os
  after_by_reciprocal,    // s * M + b * (1 / os)
  after_fused,            // fma(s, M, b / os)
  real,                   // (s * A + b), then / os
  real_fused,             // fma(s, A, b), then / os
  zero,                   // as if it were 0
  ignored,
};
inline constexpr int kBiasRules = static_cast<int>(BiasRule::ignored) + 1;

// How an integer bias is added to the sum.
enum class IntegerAddition : std::uint8_t {
  int32,            // saturated to int32; the sum wraps
  int32_symmetric,  // saturated to -INT32_MAX .. INT32_MAX; the sum wraps
  int64,
  in_float,
};
inline constexpr int kIntegerAdditions = static_cast<int>(IntegerAddition::in_float) + 1;

// How the sum becomes a floating-point number.
enum class SumRule : std::uint8_t { nearest, truncated, exact };
inline constexpr int kSumRules = static_cast<int>(SumRule::exact) + 1;

// How the sum with its bias is multiplied by xs * ws / os.
enum class MultiplierRule : std::uint8_t {
  contract,                // s * fl(A / os)
  weight_by_output,        // s * fl(xs * fl(ws / os))
  activation_by_output,    // s * fl(fl(xs / os) * ws)
  reciprocal,              // s * fl(A * fl(1 / os))
  double_scales,           // s * (float)(xs * ws / os), the scales as doubles
  double_of_floats,        // s * (float)((double)fl(xs) * fl(ws) / fl(os))
  double_unit,             // s * fl((float)(xs * ws) / os)
  no_denormals,            // s * M, where a denormal M is 0
  product_in_double,       // (double)s * fl(A / os), not rounded
  all_in_double,           // (double)s * ((double)fl(xs) * fl(ws) / fl(os))
  double_exact_scales,     // (double)s * (xs * ws / os), the scales as doubles
  dequantized,             // fl(s * A) / os
  dequantized_reciprocal,  // fl(s * A) * fl(1 / os)
  divided,                 // s / fl(os / A)
  bfloat16,                // s * M, M rounded to bfloat16
  factor,                  // s * fl(A / os) * (float)factor
  factor_inside,           // s * fl(fl(A / os) * (float)factor)
  // Integers: raw * mantissa >> shift. The multiplier is the contract's float32, or computed in double.
  fixed31,
  fixed31_double,
  fixed31_float_unit,  // (double)A / os
  fixed31_exact_scales,
  fixed31_truncated,
  fixed24,
  fixed16,
  fixed15,
  fixed15_double,
  fixed8,
  power_of_two,  // the nearest power of two: a shift
};
inline constexpr int kMultiplierRules = static_cast<int>(MultiplierRule::power_of_two) + 1;

enum class RoundingRule : std::uint8_t {
  even,
  away,
  up,               // floor(s + 0.5), as if the addition were exact
  up_in_float,      // floorf(s + 0.5F)
  down,             // ceil(s - 0.5)
  down_in_float,    // ceilf(s - 0.5F)
  toward_zero_tie,  // to nearest, ties toward zero
  odd,              // to nearest, ties to odd
  truncated,
  floor,
  ceiling,
  cast_of_half_more,    // (int)(s + 0.5F)
  cast_of_half_away,    // (int)(s + copysignf(0.5F, s))
  magic,                // the low bits of s + 1.5 * 2^23
  twice,                // fixed point: 2^-31 with ties up, then the power of two with ties away
  twice_up,             // fixed point: 2^-31 with ties up, then the power of two with ties up
  truncated_then_away,  // fixed point: the high half truncated, then the power of two with ties away
};
inline constexpr int kRoundingRules = static_cast<int>(RoundingRule::truncated_then_away) + 1;

enum class ZeroPointRule : std::uint8_t { after, before_rounding, wraps };
inline constexpr int kZeroPointRules = static_cast<int>(ZeroPointRule::wraps) + 1;

// What becomes of values that do not fit int32, and of NaN.
enum class OverflowRule : std::uint8_t { minimum, saturates, infinity_saturates, wraps };
inline constexpr int kOverflowRules = static_cast<int>(OverflowRule::wraps) + 1;
enum class NanRule : std::uint8_t { minimum, zero, maximum };
inline constexpr int kNanRules = static_cast<int>(NanRule::maximum) + 1;

enum class ReluRule : std::uint8_t { contract, ignored, always, one_above };
inline constexpr int kReluRules = static_cast<int>(ReluRule::one_above) + 1;

enum class ClampRule : std::uint8_t {
  contract,
  low_8_bits,         // no clamp
  before_zero_point,  // to 0..255, then the zero point, then again
};
inline constexpr int kClampRules = static_cast<int>(ClampRule::before_zero_point) + 1;

struct Requantization {
  SumRule sum = SumRule::nearest;
  BiasRule bias = BiasRule::contract;
  IntegerAddition addition = IntegerAddition::int32;  // for an integer bias
  MultiplierRule multiplier = MultiplierRule::contract;
  RoundingRule rounding = RoundingRule::even;
  ZeroPointRule zero_point = ZeroPointRule::after;
  OverflowRule overflow = OverflowRule::minimum;
  NanRule nan = NanRule::minimum;
  ReluRule relu = ReluRule::contract;
  ClampRule clamp = ClampRule::contract;
  int low = 0, high = 255;  // the ends of the output
  double factor = 1;        // for MultiplierRule::factor and factor_inside

  bool operator==(const Requantization&) const = default;

  // Returns the number of steps that differ from the contract; a measured factor counts twice.
  [[nodiscard]] int changes() const;
};

// Returns `first` with the steps in which `second` differs from the contract.
[[nodiscard]] Requantization combine(const Requantization& first, const Requantization& second);

// What a requantization is computed from.
struct RequantizationInput {
  std::int64_t raw = 0;  // the sum without the zero points' contributions
  double xs = 1, ws = 1, os = 1;
  bool has_bias = false, relu = false, per_channel = false;
  float bias = 0;
  std::int64_t oz = 0;
};

// Returns e, where the contract's multiplier is f * 2^e with f in 0.5 .. 1: 1000 if it is not finite, -1000 if it is 0.
[[nodiscard]] int multiplier_exponent(const RequantizationInput& in);

// Returns e, where the magnitude of the contract's value before rounding is f * 2^e with f in 0.5 .. 1; the ends as
// above.
[[nodiscard]] int scaled_exponent(const RequantizationInput& in);

// Returns whether the element lies where kernels overflow in ways of their own: the multiplier, the bias in units of
// the sum or the value before rounding is far beyond what an output needs.
[[nodiscard]] bool is_extreme(const RequantizationInput& in);

// The value before rounding, without the zero point; integral for fixed point.
[[nodiscard]] double scaled_value(const Requantization& r, const RequantizationInput& in);
// Returns y.
[[nodiscard]] int requantize(const Requantization& r, const RequantizationInput& in);
[[nodiscard]] int requantize_scaled(const Requantization& r, const RequantizationInput& in, double scaled);

// Returns the changed steps in words, such as "ties away from zero"; one entry a step.
[[nodiscard]] std::vector<std::string> changed_steps(const Requantization& r);

[[nodiscard]] inline bool is_fixed_point(MultiplierRule rule) { return rule >= MultiplierRule::fixed31; }
[[nodiscard]] bool has_integer_bias(BiasRule rule);
// Returns whether the value before rounding is a double, and not a float32 that is held in one.
[[nodiscard]] bool scales_in_double(const Requantization& r, bool has_bias);

}  // namespace tieout
