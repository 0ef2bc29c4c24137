#pragma once
// Provides the space of requantizations: how kernels get from the integer sum of an element to its byte. A
// requantization is a choice for each step; the default of every step is FBGEMM's contract (tieout_kernel.h).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tieout {

// How the bias is added. A = fl(fl(xs) * fl(ws)) is the real value of one unit of the sum.
enum class BiasRule : std::uint8_t {
  contract,                // per channel s + b / A; per tensor fma(b, 1 / A, s)
  divided,                 // s + b / A
  fused,                   // fma(b, 1 / A, s)
  by_reciprocal,           // s + b * (1 / A), two roundings
  in_double,               // (float)((double)s + (double)b / A)
  kept_double,             // s + b / A in double, and not rounded before the multiplication
  kept_double_exact,       // ... s + b / (xs * ws) of the scales as doubles
  int32_nearest,           // integers: raw + rint(b / A)
  int32_away,              // ... round(b / A)
  int32_reciprocal,        // ... round(b * (1 / A))
  int32_double,            // ... rint of the quotient in double, of the scales as float32
  int32_double_away,       // ... round of that
  int32_float_unit,        // ... rint of b / A, the quotient in double, A in float32
  int32_float_unit_away,   // ... round of that
  int32_exact_scales,      // ... rint(b / (xs * ws)) of the scales as doubles
  int32_exact_away,        // ... round of that
  int32_reciprocal_even,   // ... rint(b * (1 / A))
  int32_truncated,         // ... trunc(b / A)
  int32_floor,             // ... floor(b / A)
  int16_wraps,             // ... the low 16 bits of rint(b / A)
  int16_saturates,         // ... rint(b / A) saturated to 16 bits
  int16_wraps_double,      // ... the low 16 bits of int32_double
  int16_saturates_double,  // ... int32_double saturated to 16 bits
  scales_in_turn,          // s + b / xs / ws
  units_of_activation,     // s + b / xs
  units_of_weight,         // s + b / ws
  after_multiplier,        // s * M + b / os
  after_by_reciprocal,     // s * M + b * (1 / os)
  after_fused,             // fma(s, M, b / os)
  after_fused_reciprocal,  // fma(s, M, b * (1 / os))
  real,                    // (s * A + b), then / os
  real_fused,              // fma(s, A, b), then / os
  output_nearest,          // after rounding: + rint(b / os)
  output_away,             // ... round(b / os)
  twice,                   // as the contract, of 2 * b
  zero,                    // as if it were 0
  ignored,
};
inline constexpr int kBiasRules = static_cast<int>(BiasRule::ignored) + 1;

// How an integer bias is added to the sum.
enum class IntegerAddition : std::uint8_t {
  int32,            // saturated to int32; the sum wraps
  int32_symmetric,  // saturated to -INT32_MAX .. INT32_MAX; the sum wraps
  int64,
  in_float,
  saturates,      // the sum saturates to int32
  int32_cast,     // a bias that does not fit int32 becomes INT32_MIN, as a cast does on x86
  in_float_cast,  // the same, added in float32
};
inline constexpr int kIntegerAdditions = static_cast<int>(IntegerAddition::in_float_cast) + 1;

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
  below_one,               // s * min(M, 1 - 2^-24)
  product_in_double,       // (double)s * fl(A / os), not rounded
  all_in_double,           // (double)s * ((double)fl(xs) * fl(ws) / fl(os))
  double_exact_scales,     // (double)s * (xs * ws / os), the scales as doubles
  dequantized,             // fl(s * A) / os
  dequantized_reciprocal,  // fl(s * A) * fl(1 / os)
  dequantized_inverse,     // fl(s * fl(1 / fl(fl(1 / xs) * fl(1 / ws)))) * fl(1 / os)
  divided,                 // s / fl(os / A)
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
  fixed15_of_31,  // the 16 high bits of a 31-bit mantissa of the scales as doubles, 0x7FFF at most
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
  twice_saturates,      // as `twice`, and a shift to the left saturates
  twice_up_saturates,   // as `twice_up`, and a shift to the left saturates
  measured,             // up where the fraction is at least a measured number
};
inline constexpr int kRoundingRules = static_cast<int>(RoundingRule::measured);  // without the measured ones

// The numbers that an intermediate result can hold. Nearest, ties to even, if not cut off.
enum class Precision : std::uint8_t {
  float32,
  float16,
  bfloat16,
  bfloat16_cut,
  bits16,  // significant bits, with the exponents of float32
  bits16_cut,
  bits12,
  bits12_cut,
  bits11,  // TensorFloat-32
  bits11_cut,
  bits10,
  bits10_cut,
};
inline constexpr int kPrecisions = static_cast<int>(Precision::bits10_cut) + 1;

enum class ZeroPointRule : std::uint8_t {
  after,
  before_rounding,
  wraps,       // without the clamp to int16 before it, in int32
  wraps_16,    // after the low 16 bits were kept
  signed_byte  // as an int8
};
inline constexpr int kZeroPointRules = static_cast<int>(ZeroPointRule::signed_byte) + 1;

// What becomes of values that do not fit int32, and of NaN.
enum class OverflowRule : std::uint8_t {
  minimum,
  saturates,
  infinity_saturates,
  wraps,
  minimum_of_float,  // as minimum, of the rounded value as float32
};
inline constexpr int kOverflowRules = static_cast<int>(OverflowRule::minimum_of_float) + 1;
// What becomes of a multiplier that is not a positive finite number, or beyond the exponents of int32.
enum class MultiplierLimit : std::uint8_t {
  none,         // s is multiplied by it in float32
  exponents,    // fixed point: 2^30 at most; 0 below 2^-32 and if it is not finite
  zero_if_not,  // 0 if it is not a positive finite number
};
inline constexpr int kMultiplierLimits = static_cast<int>(MultiplierLimit::zero_if_not) + 1;
enum class NanRule : std::uint8_t { minimum, zero, maximum };
inline constexpr int kNanRules = static_cast<int>(NanRule::maximum) + 1;

enum class ReluRule : std::uint8_t { contract, ignored, always, one_above };
inline constexpr int kReluRules = static_cast<int>(ReluRule::one_above) + 1;

enum class ClampRule : std::uint8_t {
  contract,
  low_8_bits,         // no clamp
  before_zero_point,  // to 0..255, then the zero point, then again
  int8_before,        // to -128..127, then the zero point, then again
  // Where relu's low end is above the high end:
  low_last,   // the low end counts
  low_first,  // the low end counts for values below it
};
inline constexpr int kClampRules = static_cast<int>(ClampRule::low_first) + 1;

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
  // For fixed point: whether a multiplier of at least 2^30 is limited to it, and one below 2^-32 and one that is not
  // finite become 0, as in TFLite.
  MultiplierLimit limit = MultiplierLimit::none;
  int low = 0, high = 255;  // the ends of the output

  double factor = 1;  // for MultiplierRule::factor and factor_inside
  // The precision of the multiplier, of 1 / os where it is used, of the weight scale, of the bias, and of the value
  // before rounding.
  Precision of_multiplier = Precision::float32, of_reciprocal = Precision::float32, of_scale = Precision::float32,
            of_bias = Precision::float32, of_scaled = Precision::float32;
  // For RoundingRule::measured: the fraction from which values >= 0 and < 0 are rounded up.
  double up_from = 0.5, negative_up_from = 0.5;
  // The largest output in real units, such as the 6 of relu6; 0 if there is none.
  double cap = 0;

  bool operator==(const Requantization&) const = default;

  // Returns the number of steps that differ from the contract; a measured factor counts twice.
  [[nodiscard]] int changes() const;
};

// Returns `first` with the steps in which `second` differs from the contract.
[[nodiscard]] Requantization combine(const Requantization& first, const Requantization& second);

// What a requantization is computed from.
struct RequantizationInput {
  std::int64_t raw = 0;  // the sum without the zero points' contributions
  double xs = 1, ws = 1;
  double bias_ws = 1;  // the weight scale by which the bias is divided
  double os = 1;
  bool has_bias = false, relu = false, per_channel = false;
  float bias = 0;
  // An int32 bias, which is added to the sum, in place of the float one.
  bool has_int32_bias = false;
  std::int64_t int32_bias = 0;
  std::int64_t oz = 0;   // as the output's type stores it
  int output_shift = 0;  // what the output is 128 higher by in answers, if it is int8
  // The sum with its bias as a real number, where dequantized values are summed up; and how it is divided by os.
  std::optional<float> real = {};
  bool real_by_reciprocal = false;
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
// Returns a number that determines, together with the steps after rounding, the result of requantize_scaled().
[[nodiscard]] std::int64_t rounding_key(const Requantization& r, const RequantizationInput& in, double scaled);
[[nodiscard]] int requantize_scaled(const Requantization& r, const RequantizationInput& in, double scaled);

// Returns C code of an emitted kernel that limits the value of a C expression to a precision.
[[nodiscard]] std::string c_call_of_precision(Precision precision, const std::string& code);

// Returns the changed steps in words, such as "ties away from zero"; one entry a step.
[[nodiscard]] std::vector<std::string> changed_steps(const Requantization& r);

[[nodiscard]] inline bool is_fixed_point(MultiplierRule rule) { return rule >= MultiplierRule::fixed31; }
[[nodiscard]] bool has_integer_bias(BiasRule rule);
// Returns whether a fixed-point rule rounds twice, and whether its shift to the left saturates.
[[nodiscard]] bool rounds_twice(RoundingRule rule);
[[nodiscard]] bool saturates_left(RoundingRule rule);
// Returns whether the value before rounding is a double, and not a float32 that is held in one.
[[nodiscard]] bool scales_in_double(const Requantization& r, bool has_bias);

}  // namespace tieout
