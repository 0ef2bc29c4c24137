#include "props/diagnose/requantization.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string_view>

#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

constexpr std::int64_t kMin32 = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kMax32 = std::numeric_limits<std::int32_t>::max();

// Converts to an integer and saturates to a range.
std::int64_t saturated(double v, double low = -0x1p31, double high = 0x1p31 - 1) {
  return std::isnan(v) ? 0 : static_cast<std::int64_t>(std::clamp(v, low, high));
}

std::int32_t wrapped32(std::int64_t v) { return static_cast<std::int32_t>(static_cast<std::uint64_t>(v)); }

std::int64_t wrapping_sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::int64_t integer_sum(std::int64_t raw, std::int64_t bias, bool saturates) {
  const std::int64_t sum = wrapping_sum(raw, bias);
  return saturates ? std::clamp(sum, kMin32, kMax32) : wrapped32(sum);
}

struct PrecisionOf {
  int bits;
  bool cut, half;
  std::string_view words;
};

constexpr std::array<PrecisionOf, kPrecisions> kPrecisionTable{{{24, false, false, "float32"},
                                                                {11, false, true, "float16"},
                                                                {8, false, false, "bfloat16"},
                                                                {8, true, false, "bfloat16"},
                                                                {16, false, false, "16 significant bits"},
                                                                {16, true, false, "16 significant bits"},
                                                                {12, false, false, "12 significant bits"},
                                                                {12, true, false, "12 significant bits"},
                                                                {11, false, false, "11 significant bits (TF32)"},
                                                                {11, true, false, "11 significant bits"},
                                                                {10, false, false, "10 significant bits"},
                                                                {10, true, false, "10 significant bits"}}};

const PrecisionOf& table_of(Precision p) { return kPrecisionTable[static_cast<std::size_t>(p)]; }

float limited(Precision precision, float v) {
  if (precision == Precision::float32 || !std::isfinite(v) || v == 0) return v;
  const PrecisionOf& p = table_of(precision);
  int exponent = 0;
  (void)std::frexp(v, &exponent);
  exponent -= p.bits;
  if (p.half) exponent = std::max(exponent, -24);
  if (exponent < -149) return v;
  const double unit = std::ldexp(1.0, exponent);
  const double units = static_cast<double>(v) / unit;
  const double kept = (p.cut ? std::trunc(units) : ties_to_even(units)) * unit;
  const bool overflows = p.half && std::fabs(kept) >= 65520;
  return overflows ? std::copysign(std::numeric_limits<float>::infinity(), v) : static_cast<float>(kept);
}

// The scales as float32, and the products of the activation's with the weight's, which are units of the sum and the
// bias.
struct Scales {
  float xs, ws, os, bias_ws, unit, bias_unit;

  Scales(const Requantization& r, const RequantizationInput& in)
      : xs(static_cast<float>(in.xs)),
        ws(limited(r.of_scale, static_cast<float>(in.ws))),
        os(static_cast<float>(in.os)),
        bias_ws(limited(r.of_scale, static_cast<float>(in.bias_ws))),
        unit(xs * ws),
        bias_unit(xs * bias_ws) {}
};

// Converts as a cast to int64 does on x86: what does not fit becomes INT64_MIN.
std::int64_t cast_to_int64(double v) {
  return v >= -0x1p63 && v < 0x1p63 ? static_cast<std::int64_t>(v) : std::numeric_limits<std::int64_t>::min();
}

// Returns the integer that is added to the sum.
std::int64_t integer_bias(const Requantization& r, const RequantizationInput& in, const Scales& f) {
  const bool casts = r.addition == IntegerAddition::int32_cast || r.addition == IntegerAddition::in_float_cast;
  const auto integral = [&](double v) {
    switch (r.addition) {
      case IntegerAddition::int32:
      case IntegerAddition::saturates: return saturated(v);
      case IntegerAddition::int32_symmetric: return saturated(v, -0x1p31 + 1);
      case IntegerAddition::int32_cast:
      case IntegerAddition::in_float_cast: return v >= -0x1p31 && v < 0x1p31 ? static_cast<std::int64_t>(v) : kMin32;
      default: return cast_to_int64(v);
    }
  };
  const BiasRule rule = r.bias;
  const double in_double = static_cast<double>(in.bias) / (static_cast<double>(f.xs) * static_cast<double>(f.bias_ws));
  const float quotient = in.bias / f.bias_unit;
  const double by_float_unit = static_cast<double>(in.bias) / static_cast<double>(f.bias_unit);
  switch (rule) {
    case BiasRule::int32_nearest: return integral(static_cast<double>(ties_to_even(quotient)));
    case BiasRule::int32_away: return integral(std::round(static_cast<double>(quotient)));
    case BiasRule::int32_reciprocal: return integral(std::round(static_cast<double>(in.bias * (1.0F / f.bias_unit))));
    case BiasRule::int32_double: return integral(ties_to_even(in_double));
    case BiasRule::int32_double_away: return integral(std::round(in_double));
    case BiasRule::int32_float_unit: return integral(ties_to_even(by_float_unit));
    case BiasRule::int32_float_unit_away: return integral(std::round(by_float_unit));
    case BiasRule::int32_exact_scales:
      return integral(ties_to_even(static_cast<double>(in.bias) / (in.xs * in.bias_ws)));
    case BiasRule::int32_exact_away: return integral(std::round(static_cast<double>(in.bias) / (in.xs * in.bias_ws)));
    case BiasRule::int32_reciprocal_even:
      return integral(static_cast<double>(ties_to_even(in.bias * (1.0F / f.bias_unit))));
    case BiasRule::int32_truncated: return integral(std::trunc(static_cast<double>(quotient)));
    case BiasRule::int32_floor: return integral(std::floor(static_cast<double>(quotient)));
    case BiasRule::int16_wraps:
      return static_cast<std::int16_t>(cast_to_int64(static_cast<double>(ties_to_even(quotient))));
    case BiasRule::int16_wraps_double: return static_cast<std::int16_t>(cast_to_int64(ties_to_even(in_double)));
    case BiasRule::int16_saturates_double: return saturated(ties_to_even(in_double), -32768, 32767);
    case BiasRule::int16_saturates: {
      const auto nearest = static_cast<double>(ties_to_even(quotient));
      return saturated(casts ? static_cast<double>(integral(nearest)) : nearest, -32768, 32767);
    }
    default: return 0;
  }
}

double float_of(SumRule rule, std::int64_t raw) {
  if (rule == SumRule::exact) return static_cast<double>(raw);
  const auto nearest = static_cast<float>(raw);
  const bool larger = std::fabs(static_cast<double>(nearest)) > std::fabs(static_cast<double>(raw));
  if (rule == SumRule::truncated && larger) return static_cast<double>(std::nextafter(nearest, 0.0F));
  return static_cast<double>(nearest);
}

double rounded_to_float(double v) { return static_cast<double>(static_cast<float>(v)); }

// Returns the sum with its int32 bias.
std::int64_t sum_with_int32_bias(const Requantization& r, const RequantizationInput& in) {
  const std::int64_t times = r.bias == BiasRule::zero ? 0 : r.bias == BiasRule::twice ? 2 : 1;
  const std::int64_t sum = wrapping_sum(in.raw, times * in.int32_bias);
  switch (r.addition) {
    case IntegerAddition::saturates: return std::clamp(sum, kMin32, kMax32);
    case IntegerAddition::int64: return sum;
    default: return wrapped32(sum);
  }
}

// Returns the sum with its bias in units of the sum. Values of float32 are exact in double.
double with_bias(const Requantization& r, const RequantizationInput& in, const Scales& f) {
  if (in.has_int32_bias) {
    if (r.addition != IntegerAddition::in_float) return float_of(r.sum, sum_with_int32_bias(r, in));
    return static_cast<double>(static_cast<float>(float_of(r.sum, in.raw)) + static_cast<float>(in.int32_bias));
  }
  if (!in.has_bias) return float_of(r.sum, in.raw);
  if (has_integer_bias(r.bias)) {
    const std::int64_t bias = integer_bias(r, in, f);
    switch (r.addition) {
      case IntegerAddition::int32:
      case IntegerAddition::int32_symmetric:
      case IntegerAddition::int32_cast: return float_of(r.sum, wrapped32(wrapping_sum(in.raw, bias)));
      case IntegerAddition::saturates: return float_of(r.sum, std::clamp(wrapping_sum(in.raw, bias), kMin32, kMax32));
      case IntegerAddition::int64: return float_of(r.sum, wrapping_sum(in.raw, bias));
      case IntegerAddition::in_float:
      case IntegerAddition::in_float_cast: break;
    }
    return static_cast<double>(static_cast<float>(float_of(r.sum, in.raw)) + static_cast<float>(bias));
  }
  const double s = float_of(r.sum, in.raw);
  const float sf = static_cast<float>(s);
  const float b = r.bias == BiasRule::zero ? 0.0F : r.bias == BiasRule::twice ? 2 * in.bias : in.bias;
  const float reciprocal = 1.0F / f.bias_unit;
  switch (r.bias) {
    case BiasRule::contract:
    case BiasRule::twice:
    case BiasRule::zero:
      return static_cast<double>(in.per_channel ? sf + b / f.bias_unit : std::fma(b, reciprocal, sf));
    case BiasRule::divided: return static_cast<double>(sf + b / f.bias_unit);
    case BiasRule::fused: return static_cast<double>(std::fma(b, reciprocal, sf));
    case BiasRule::by_reciprocal: return static_cast<double>(sf + b * reciprocal);
    case BiasRule::in_double:
      return rounded_to_float(static_cast<double>(in.raw) + static_cast<double>(b) / static_cast<double>(f.bias_unit));
    case BiasRule::kept_double:
      return static_cast<double>(in.raw) + static_cast<double>(b) / static_cast<double>(f.bias_unit);
    case BiasRule::kept_double_exact:
      return static_cast<double>(in.raw) + static_cast<double>(b) / (in.xs * in.bias_ws);
    case BiasRule::scales_in_turn: return static_cast<double>(sf + b / f.xs / f.bias_ws);
    case BiasRule::units_of_activation: return static_cast<double>(sf + b / f.xs);
    case BiasRule::units_of_weight: return static_cast<double>(sf + b / f.bias_ws);
    default: return s;  // it is added later, or not at all
  }
}

float unlimited_multiplier(const Requantization& r, const RequantizationInput& in, const Scales& f) {
  const double in_double = static_cast<double>(f.xs) * static_cast<double>(f.ws) / static_cast<double>(f.os);
  const float contract = f.unit / f.os;
  switch (r.multiplier) {
    case MultiplierRule::weight_by_output: return f.xs * (f.ws / f.os);
    case MultiplierRule::activation_by_output: return f.xs / f.os * f.ws;
    case MultiplierRule::reciprocal: return f.unit * limited(r.of_reciprocal, 1.0F / f.os);
    case MultiplierRule::double_scales: return static_cast<float>(in.xs * in.ws / in.os);
    case MultiplierRule::double_of_floats: return static_cast<float>(in_double);
    case MultiplierRule::double_unit: return static_cast<float>(in.xs * in.ws) / f.os;
    case MultiplierRule::below_one: return std::min(contract, 1 - 0x1p-24F);
    case MultiplierRule::no_denormals: return std::isnormal(contract) ? contract : 0.0F;
    case MultiplierRule::factor_inside: return contract * static_cast<float>(r.factor);
    default: return contract;
  }
}

float float_multiplier(const Requantization& r, const RequantizationInput& in, const Scales& f) {
  return limited(r.of_multiplier, unlimited_multiplier(r, in, f));
}

// Returns the multiplier of a fixed-point rule before it is made an integer.
double real_multiplier(MultiplierRule rule, const RequantizationInput& in, const Scales& f) {
  const double in_double = static_cast<double>(f.xs) * static_cast<double>(f.ws) / static_cast<double>(f.os);
  if (rule == MultiplierRule::fixed31_float_unit) return static_cast<double>(f.unit) / static_cast<double>(f.os);
  if (rule == MultiplierRule::fixed31_exact_scales || rule == MultiplierRule::fixed15_of_31) {
    return in.xs * in.ws / in.os;
  }
  if (rule == MultiplierRule::fixed31_double || rule == MultiplierRule::fixed15_double) return in_double;
  return static_cast<double>(f.unit / f.os);
}

int mantissa_bits(MultiplierRule rule) {
  switch (rule) {
    case MultiplierRule::fixed24: return 24;
    case MultiplierRule::fixed16: return 16;
    case MultiplierRule::fixed15:
    case MultiplierRule::fixed15_double:
    case MultiplierRule::fixed15_of_31: return 15;
    case MultiplierRule::fixed8: return 8;
    default: return 31;
  }
}

// An integer of 128 bits, which holds every product of a sum and a mantissa.
__extension__ using Wide = __int128;

// Returns v / 2^shift, rounded. shift: 0..126.
Wide shifted(Wide v, int shift, RoundingRule rule) {
  if (shift <= 0) return v * (Wide{1} << std::min(-shift, 60));
  shift = std::min(shift, 126);
  const Wide floor = v >> shift;
  const Wide rest = v - (floor << shift);
  const Wide half = Wide{1} << (shift - 1);
  bool up = rest > half;
  const bool tie = rest == half;
  switch (rule) {
    case RoundingRule::even: up = up || (tie && (floor & 1) != 0); break;
    case RoundingRule::odd: up = up || (tie && (floor & 1) == 0); break;
    case RoundingRule::away:
    case RoundingRule::cast_of_half_away: up = up || (tie && v >= 0); break;
    case RoundingRule::toward_zero_tie: up = up || (tie && v < 0); break;
    case RoundingRule::down:
    case RoundingRule::down_in_float: break;
    case RoundingRule::truncated: up = rest != 0 && v < 0; break;
    case RoundingRule::floor: up = false; break;
    case RoundingRule::ceiling: up = rest != 0; break;
    default: up = up || tie; break;  // ties up
  }
  return floor + (up ? 1 : 0);
}

double fixed_point(const Requantization& r, const RequantizationInput& in, const Scales& f, std::int64_t sum) {
  const double multiplier = real_multiplier(r.multiplier, in, f);
  if (!(multiplier > 0) || !std::isfinite(multiplier)) {
    return r.limit != MultiplierLimit::none ? 0 : static_cast<double>(static_cast<float>(sum)) * multiplier;
  }
  int exponent = 0;
  const double fraction = std::frexp(multiplier, &exponent);
  if (r.multiplier == MultiplierRule::power_of_two) {
    const int power = static_cast<int>(ties_to_even(std::log2(multiplier)));
    return static_cast<double>(shifted(sum, -power, r.rounding));
  }
  const int bits = mantissa_bits(r.multiplier);
  const double scaled = std::ldexp(fraction, bits);
  const bool truncates = r.multiplier == MultiplierRule::fixed31_truncated;
  auto mantissa = static_cast<std::int64_t>(truncates ? std::floor(scaled) : std::round(scaled));
  if (r.multiplier == MultiplierRule::fixed15_of_31) {
    const auto of_31 = static_cast<std::int64_t>(std::round(std::ldexp(fraction, 31)));
    constexpr std::int64_t kMost = 0x7FFF0000;
    mantissa = of_31 < kMost ? (of_31 + 0x8000) >> 16 : of_31 == std::int64_t{1} << 31 ? 0x8000 : 0x7FFF;
  }
  if (mantissa == std::int64_t{1} << bits) {
    mantissa /= 2;
    ++exponent;
  }
  if (r.limit == MultiplierLimit::exponents) {
    if (exponent < -31) return 0;
    if (exponent > 30) mantissa = (std::int64_t{1} << bits) - 1;
    exponent = std::min(exponent, 30);
  }
  const bool twice = rounds_twice(r.rounding);
  if (!twice) return static_cast<double>(shifted(Wide{sum} * mantissa, bits - exponent, r.rounding));
  if (exponent < -31) return 0;
  const std::int64_t moved = sum * (std::int64_t{1} << std::clamp(exponent, 0, 32));
  const std::int64_t left = saturates_left(r.rounding) ? std::clamp(moved, kMin32, kMax32) : wrapped32(moved);
  const RoundingRule first = r.rounding == RoundingRule::truncated_then_away ? RoundingRule::floor : RoundingRule::up;
  const Wide high = shifted(Wide{left} * mantissa, bits, first);
  const bool up = r.rounding == RoundingRule::twice_up || r.rounding == RoundingRule::twice_up_saturates;
  const RoundingRule second = up ? RoundingRule::up : RoundingRule::away;
  return static_cast<double>(shifted(high, std::max(-exponent, 0), second));
}

double magic_rounded(double s) {
  const float moved = static_cast<float>(s) + 12582912.0F;
  return static_cast<double>(wrapped32(std::int64_t{std::bit_cast<std::int32_t>(moved)} - 0x4B400000));
}

double rounded(const Requantization& r, double s) {
  const auto f = static_cast<float>(s);
  switch (r.rounding) {
    case RoundingRule::away: return std::round(s);
    case RoundingRule::up: return std::floor(s) + (s - std::floor(s) >= 0.5 ? 1 : 0);
    case RoundingRule::up_in_float: return static_cast<double>(std::floor(f + 0.5F));
    case RoundingRule::down: return std::floor(s) + (s - std::floor(s) > 0.5 ? 1 : 0);
    case RoundingRule::down_in_float: return static_cast<double>(std::ceil(f - 0.5F));
    case RoundingRule::toward_zero_tie: return std::copysign(std::ceil(std::fabs(s) - 0.5), s);
    case RoundingRule::odd: {
      const double even = ties_to_even(s);
      const bool tie = std::fabs(s - std::floor(s) - 0.5) == 0;
      return tie ? std::floor(s) + std::ceil(s) - even : even;
    }
    case RoundingRule::truncated: return std::trunc(s);
    case RoundingRule::floor: return std::floor(s);
    case RoundingRule::ceiling: return std::ceil(s);
    case RoundingRule::cast_of_half_more: return static_cast<double>(std::trunc(f + 0.5F));
    case RoundingRule::cast_of_half_away: return static_cast<double>(std::trunc(f + std::copysign(0.5F, f)));
    case RoundingRule::measured:
      return std::floor(s) + (s - std::floor(s) >= (s < 0 ? r.negative_up_from : r.up_from) ? 1 : 0);
    default: return ties_to_even(s);
  }
}

std::int64_t converted(const Requantization& r, double integral_value, double s) {
  if (std::isnan(s)) {
    switch (r.nan) {
      case NanRule::minimum: return kMin32;
      case NanRule::zero: return 0;
      case NanRule::maximum: return kMax32;
    }
  }
  if (r.overflow == OverflowRule::minimum_of_float) integral_value = rounded_to_float(integral_value);
  if (integral_value >= -0x1p31 && integral_value < 0x1p31) return static_cast<std::int64_t>(integral_value);
  if (r.overflow == OverflowRule::wraps) return wrapped32(cast_to_int64(integral_value));
  const bool saturates =
      r.overflow == OverflowRule::saturates || (r.overflow == OverflowRule::infinity_saturates && std::isinf(s));
  return saturates && integral_value > 0 ? kMax32 : kMin32;
}

std::int64_t rounded_integer(const Requantization& r, double s) {
  if (is_fixed_point(r.multiplier)) return converted(r, s, s);
  if (r.rounding == RoundingRule::magic) return static_cast<std::int64_t>(magic_rounded(s));
  return converted(r, rounded(r, s), s);
}

}  // namespace

bool saturates_left(RoundingRule rule) {
  return rule == RoundingRule::twice_saturates || rule == RoundingRule::twice_up_saturates;
}

bool rounds_twice(RoundingRule rule) { return RoundingRule::twice <= rule && rule < RoundingRule::measured; }

bool has_integer_bias(BiasRule rule) {
  return BiasRule::int32_nearest <= rule && rule <= BiasRule::int16_saturates_double;
}

namespace {

// Calls f(member) for the pointer to each step of a requantization.
template <typename F>
void for_each_step(F f) {
  f(&Requantization::sum);
  f(&Requantization::bias);
  f(&Requantization::addition);
  f(&Requantization::multiplier);
  f(&Requantization::rounding);
  f(&Requantization::zero_point);
  f(&Requantization::overflow);
  f(&Requantization::nan);
  f(&Requantization::relu);
  f(&Requantization::clamp);
  f(&Requantization::limit);
  f(&Requantization::low);
  f(&Requantization::high);
  f(&Requantization::factor);
  f(&Requantization::of_multiplier);
  f(&Requantization::of_reciprocal);
  f(&Requantization::of_scale);
  f(&Requantization::of_bias);
  f(&Requantization::of_scaled);
  f(&Requantization::up_from);
  f(&Requantization::negative_up_from);
  f(&Requantization::cap);
}

}  // namespace

bool scales_in_double(const Requantization& r, bool has_bias) {
  if (is_fixed_point(r.multiplier)) return true;
  if (r.of_scaled != Precision::float32) return false;
  switch (r.multiplier) {
    case MultiplierRule::product_in_double:
    case MultiplierRule::all_in_double:
    case MultiplierRule::double_exact_scales: return true;
    case MultiplierRule::dequantized:
    case MultiplierRule::dequantized_reciprocal:
    case MultiplierRule::dequantized_inverse:
    case MultiplierRule::divided:
    case MultiplierRule::factor: return false;
    default: break;
  }
  const bool late = BiasRule::after_multiplier <= r.bias && r.bias <= BiasRule::real_fused;
  if (has_bias && late) return false;
  return r.sum == SumRule::exact ||
         (has_bias && (r.bias == BiasRule::kept_double || r.bias == BiasRule::kept_double_exact));
}

std::string c_call_of_precision(Precision precision, const std::string& code) {
  if (precision == Precision::float32) return code;
  const PrecisionOf& p = table_of(precision);
  return fmt::format("limited({}, {}, {}, {})", code, p.bits, p.cut ? 1 : 0, p.half ? 1 : 0);
}

int Requantization::changes() const {
  const Requantization contract;
  int count = 0;
  for_each_step([&](auto step) { count += this->*step != contract.*step ? 1 : 0; });
  return count;
}

Requantization combine(const Requantization& first, const Requantization& second) {
  const Requantization contract;
  Requantization both = first;
  for_each_step([&](auto step) {
    if (second.*step != contract.*step) both.*step = second.*step;
  });
  return both;
}

namespace {

int exponent_of(float v) {
  if (!std::isfinite(v)) return 1000;
  if (v == 0) return -1000;
  int exponent = 0;
  (void)std::frexp(v, &exponent);
  return exponent;
}

}  // namespace

int multiplier_exponent(const RequantizationInput& in) {
  const Scales f({}, in);
  return exponent_of(f.unit / f.os);
}

int scaled_exponent(const RequantizationInput& in) { return exponent_of(static_cast<float>(scaled_value({}, in))); }

bool is_extreme(const RequantizationInput& in) {
  const Scales f({}, in);
  const int multiplier = exponent_of(f.unit / f.os);
  const float units = in.has_bias ? in.bias / f.unit : static_cast<float>(in.int32_bias);
  const int bias = in.has_bias ? exponent_of(units) : 0;
  const bool sum = std::fabs(static_cast<double>(in.raw) + static_cast<double>(units)) >= 0x1p31 - 1;
  // Kernels that divide a real number, such as a bound of the output or the bias, by os overflow if os is this small.
  const bool of_output = exponent_of(f.os) < -26 || (in.has_bias && exponent_of(in.bias / f.os) > 30);
  return multiplier > 30 || multiplier < -31 || bias > 30 || scaled_exponent(in) > 30 || sum || of_output;
}

namespace {

// Returns the real value of one unit of the sum.
float unit_of(const Requantization& r, const Scales& f) {
  if (r.multiplier != MultiplierRule::dequantized_inverse) return f.unit;
  return 1.0F / (1.0F / f.xs * (1.0F / f.ws));
}

// Returns the value before rounding in its full precision.
double unlimited_value(const Requantization& r, const RequantizationInput& in) {
  const Scales f(r, in);
  if (in.real) return static_cast<double>(in.real_by_reciprocal ? *in.real * (1.0F / f.os) : *in.real / f.os);
  if (is_fixed_point(r.multiplier)) {
    std::int64_t sum = in.has_int32_bias ? sum_with_int32_bias(r, in) : in.raw;
    if (in.has_bias) {
      const bool saturates = r.addition == IntegerAddition::saturates;
      sum = has_integer_bias(r.bias) ? integer_sum(in.raw, integer_bias(r, in, f), saturates)
                                     : saturated(ties_to_even(with_bias(r, in, f)), -0x1p62, 0x1p62);
    }
    return fixed_point(r, in, f, sum);
  }
  const float usual = f.unit / f.os;
  if (r.limit == MultiplierLimit::zero_if_not && !(usual > 0 && std::isfinite(usual))) return 0;
  const double s = with_bias(r, in, f);
  const auto sf = static_cast<float>(s);
  if (in.has_bias) {
    const float m = float_multiplier(r, in, f);
    switch (r.bias) {
      case BiasRule::after_multiplier: return static_cast<double>(sf * m + in.bias / f.os);
      case BiasRule::after_by_reciprocal:
        return static_cast<double>(sf * m + in.bias * limited(r.of_reciprocal, 1.0F / f.os));
      case BiasRule::after_fused: return static_cast<double>(std::fma(sf, m, in.bias / f.os));
      case BiasRule::after_fused_reciprocal: return static_cast<double>(std::fma(sf, m, in.bias * (1.0F / f.os)));
      case BiasRule::real:
      case BiasRule::real_fused: {
        const float unit = unit_of(r, f);
        const float real = r.bias == BiasRule::real ? sf * unit + in.bias : std::fma(sf, unit, in.bias);
        const bool reciprocal = r.multiplier != MultiplierRule::dequantized;
        return static_cast<double>(reciprocal ? real * limited(r.of_reciprocal, 1.0F / f.os) : real / f.os);
      }
      default: break;
    }
  }
  switch (r.multiplier) {
    case MultiplierRule::product_in_double: return s * static_cast<double>(f.unit / f.os);
    case MultiplierRule::all_in_double:
      return s * (static_cast<double>(f.xs) * static_cast<double>(f.ws) / static_cast<double>(f.os));
    case MultiplierRule::double_exact_scales: return s * (in.xs * in.ws / in.os);
    case MultiplierRule::dequantized: return static_cast<double>(sf * f.unit / f.os);
    case MultiplierRule::dequantized_reciprocal:
    case MultiplierRule::dequantized_inverse:
      return static_cast<double>(sf * unit_of(r, f) * limited(r.of_reciprocal, 1.0F / f.os));
    case MultiplierRule::divided: return static_cast<double>(sf / (f.os / f.unit));
    case MultiplierRule::factor: return static_cast<double>(sf * (f.unit / f.os) * static_cast<float>(r.factor));
    default: break;
  }
  const float m = float_multiplier(r, in, f);
  if (scales_in_double(r, in.has_bias)) return s * static_cast<double>(m);
  return static_cast<double>(sf * m);
}

}  // namespace

double scaled_value(const Requantization& r, const RequantizationInput& in) {
  if (r.of_bias == Precision::float32 && r.of_scaled == Precision::float32) return unlimited_value(r, in);
  RequantizationInput limited_in = in;
  limited_in.bias = limited(r.of_bias, in.bias);
  const double s = unlimited_value(r, limited_in);
  return r.of_scaled == Precision::float32 ? s : static_cast<double>(limited(r.of_scaled, static_cast<float>(s)));
}

namespace {

std::int64_t rounded_without_zero_point(const Requantization& r, const RequantizationInput& in, double s) {
  if (r.zero_point != ZeroPointRule::before_rounding) return rounded_integer(r, s);
  const bool in_float = !scales_in_double(r, in.has_bias);
  const auto oz = static_cast<double>(in.oz);
  const double moved = in_float ? static_cast<double>(static_cast<float>(s) + static_cast<float>(in.oz)) : s + oz;
  return rounded_integer(r, moved) - in.oz;
}

}  // namespace

std::int64_t rounding_key(const Requantization& r, const RequantizationInput& in, double s) {
  // What the steps after rounding do with values that do not fit int32 depends on their kind.
  const std::int64_t kind = std::isnan(s) ? 1 : !std::isinf(s) ? (std::fabs(s) < 0x1p30 ? 0 : 2) : s > 0 ? 3 : 4;
  const std::int64_t sign = s < 0 ? 1 : 0;
  const std::int64_t bias = r.bias == BiasRule::output_nearest ? 1 : r.bias == BiasRule::output_away ? 2 : 0;
  return ((rounded_without_zero_point(r, in, s) * 8 + kind) * 2 + sign) * 4 + bias;
}

int requantize_scaled(const Requantization& r, const RequantizationInput& in, double s) {
  std::int64_t q = rounded_without_zero_point(r, in, s);
  if (in.has_bias && (r.bias == BiasRule::output_nearest || r.bias == BiasRule::output_away)) {
    const double units = static_cast<double>(in.bias / static_cast<float>(in.os));
    q += saturated(r.bias == BiasRule::output_nearest ? ties_to_even(units) : std::round(units));
  }
  if (r.cap > 0)
    q = std::min(q,
                 saturated(ties_to_even(static_cast<double>(static_cast<float>(r.cap) / static_cast<float>(in.os)))));
  // The ends of the output are those of uint8: an int8 value is shifted before it is clamped.
  const std::int64_t shift = in.output_shift;
  if (r.clamp == ClampRule::low_8_bits) {
    return static_cast<std::uint8_t>(std::clamp<std::int64_t>(q, -32768, 32767) + in.oz + shift);
  }
  if (r.zero_point == ZeroPointRule::wraps_16) q = static_cast<std::int16_t>(q);
  if (r.clamp == ClampRule::before_zero_point) q = std::clamp<std::int64_t>(q, -shift, 255 - shift);
  if (r.clamp == ClampRule::int8_before) q = std::clamp<std::int64_t>(q, -128, 127);
  const std::int64_t oz = r.zero_point == ZeroPointRule::signed_byte ? static_cast<std::int8_t>(in.oz) : in.oz;
  q = (r.zero_point == ZeroPointRule::wraps ? wrapped32(q + oz) : q + oz) + shift;
  std::int64_t low = r.low;
  const std::int64_t held_oz = in.oz + shift;
  const std::int64_t zero = r.low == 0 ? held_oz : std::max<std::int64_t>(held_oz, r.low);
  switch (r.relu) {
    case ReluRule::contract: low = in.relu ? zero : low; break;
    case ReluRule::ignored: break;
    case ReluRule::always: low = zero; break;
    case ReluRule::one_above: low = in.relu ? std::max<std::int64_t>(held_oz + 1, low) : low; break;
  }
  if (r.clamp == ClampRule::low_last)
    return static_cast<std::uint8_t>(std::max(std::min<std::int64_t>(q, r.high), low));
  if (r.clamp == ClampRule::low_first && q < low) return static_cast<std::uint8_t>(low);
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(q, std::min<std::int64_t>(low, r.high), r.high));
}

int requantize(const Requantization& r, const RequantizationInput& in) {
  return requantize_scaled(r, in, scaled_value(r, in));
}

namespace {

std::string measured_rounding(const Requantization& r) {
  if (r.up_from == r.negative_up_from) return fmt::format("rounding: up where the fraction is at least {}", r.up_from);
  return fmt::format("rounding: up where the fraction s - floor(s) is at least {}, or {} for s < 0", r.up_from,
                     r.negative_up_from);
}

}  // namespace

// NOLINTNEXTLINE(readability-function-size): tables of words
std::vector<std::string> changed_steps(const Requantization& r) {
  const Requantization contract;
  std::vector<std::string> all;
  const auto add = [&](bool changed, std::string_view words) {
    if (changed) all.emplace_back(words);
  };
  constexpr std::array<std::string_view, kSumRules> kSums{
      "", "the sum is cut off where float32 cannot hold it, and not rounded", "the sum stays an exact number"};
  constexpr std::array<std::string_view, kBiasRules> kBiases{
      "",
      "bias: s + b / A, also for per-tensor weights",
      "bias: fma(b, 1 / A, s), also for per-channel weights",
      "bias: s + b * (1 / A), with two roundings",
      "bias: s + b / A in double, rounded once",
      "bias: s + b / A in double, not rounded to float32",
      "bias: s + b / (xs * ws) in double, of double scales",
      "bias: rounded to an integer number of A, ties to even",
      "bias: rounded to an integer number of A, ties away from zero",
      "bias: b * (1 / A) rounded to an integer, ties away from zero",
      "bias: b / A in double, rounded to an integer, ties to even",
      "bias: b / A in double, rounded to an integer, ties away from zero",
      "bias: b / A, of A in float32 and the quotient in double, rounded to an integer, ties to even",
      "bias: b / A, of A in float32 and the quotient in double, rounded to an integer, ties away from zero",
      "bias: b / (xs * ws) of the scales in double, rounded to an integer",
      "bias: b / (xs * ws) of the scales in double, rounded to an integer, ties away from zero",
      "bias: b * (1 / A) rounded to an integer, ties to even",
      "bias: truncated to an integer number of A",
      "bias: rounded down to an integer number of A",
      "bias: an integer that wraps in 16 bits",
      "bias: an integer that saturates in 16 bits",
      "bias: b / A in double, rounded to an integer that wraps in 16 bits",
      "bias: b / A in double, rounded to an integer that saturates in 16 bits",
      "bias: b / xs / ws",
      "bias: b / xs, not divided by the weight scale",
      "bias: b / ws, not divided by the activation scale",
      "bias: b / os, added after the multiplication",
      "bias: b * (1 / os), added after the multiplication",
      "bias: fma(s, M, b / os), added by the multiplication",
      "bias: fma(s, M, b * (1 / os)), added by the multiplication",
      "bias: added to the real number s * A, which is then divided by os",
      "bias: fma(s, A, b), which is then divided by os",
      "bias: rounded to an integer number of os, ties to even, and added after rounding",
      "bias: rounded to an integer number of os, ties away from zero, and added after rounding",
      "bias: added twice",
      "bias: taken to be 0",
      "bias: not added"};
  constexpr std::array<std::string_view, kMultiplierRules> kMultipliers{
      "",
      "multiplier: xs * (ws / os)",
      "multiplier: xs / os * ws",
      "multiplier: xs * ws * (1 / os)",
      "multiplier: xs * ws / os of the scales in double, rounded once",
      "multiplier: xs * ws / os of float32 scales in double, rounded once",
      "multiplier: xs * ws in double, rounded, then divided by os in float32",
      "multiplier: 0 where it is denormal (flush to zero)",
      "multiplier: the largest number below 1 at most",
      "product of sum and multiplier in double, not rounded to float32",
      "multiplier and product in double, of float32 scales",
      "multiplier and product in double, of double scales",
      "dequantized: s * A, rounded, then divided by os",
      "dequantized: s * A, rounded, then multiplied by 1 / os",
      "dequantized: s * (1 / ((1 / xs) * (1 / ws))), then multiplied by 1 / os",
      "multiplier: s / (os / A)",
      "the product is off by the factor",
      "the multiplier is off by the factor",
      "fixed point: a multiplier of 31 bits and a shift",
      "fixed point: a multiplier of 31 bits, computed in double, and a shift",
      "fixed point: a multiplier of 31 bits, A / os in double, and a shift",
      "fixed point: a multiplier of 31 bits, of double scales, and a shift",
      "fixed point: a multiplier cut off to 31 bits, and a shift",
      "fixed point: a multiplier of 24 bits and a shift",
      "fixed point: a multiplier of 16 bits and a shift",
      "fixed point: a multiplier of 15 bits and a shift",
      "fixed point: a multiplier of 15 bits, computed in double, and a shift",
      "fixed point: the 15 high bits of a multiplier of 31 bits, of double scales, and a shift",
      "fixed point: a multiplier of 8 bits and a shift",
      "the multiplier is rounded to a power of two"};
  constexpr std::array<std::string_view, kRoundingRules + 1> kRoundings{
      "",
      "rounding: ties away from zero, as roundf() and lround() do",
      "rounding: ties up",
      "rounding: floorf(s + 0.5F): ties up, and the addition rounds",
      "rounding: ties down",
      "rounding: ceilf(s - 0.5F): ties down, and the subtraction rounds",
      "rounding: to nearest, ties toward zero",
      "rounding: to nearest, ties to odd",
      "rounding: truncated toward zero, as a cast does",
      "rounding: down, as an arithmetic shift does",
      "rounding: up",
      "rounding: (int)(s + 0.5F)",
      "rounding: (int)(s + copysignf(0.5F, s))",
      "rounding: by adding 1.5 * 2^23, which holds for |s| < 2^22 only",
      "rounding twice: the product to 31 bits with ties up, then the shift with ties away from zero",
      "rounding twice: the product to 31 bits with ties up, then the shift with ties up",
      "rounding twice: the product cut off to 31 bits, then the shift with ties away from zero",
      "rounding twice: the product to 31 bits with ties up, then the shift with ties away from zero; a left shift "
      "saturates",
      "rounding twice: the product to 31 bits with ties up, then the shift with ties up; a left shift saturates",
      "rounding"};
  add(r.sum != contract.sum, kSums[static_cast<std::size_t>(r.sum)]);
  add(r.bias != contract.bias, kBiases[static_cast<std::size_t>(r.bias)]);
  add(r.addition == IntegerAddition::int32_symmetric, "the integer bias saturates at -INT32_MAX");
  add(r.addition == IntegerAddition::int64, "the integer bias is added in 64 bits");
  add(r.addition == IntegerAddition::saturates, "the sum with the integer bias saturates to int32");
  add(r.addition == IntegerAddition::int32_cast, "an integer bias that does not fit int32 becomes INT32_MIN");
  add(r.addition == IntegerAddition::in_float_cast,
      "the integer bias is added in float32, and becomes INT32_MIN where it does not fit int32");
  add(r.addition == IntegerAddition::in_float, "the integer bias is added in float32");
  if (r.multiplier != contract.multiplier) {
    const bool measured = r.multiplier == MultiplierRule::factor || r.multiplier == MultiplierRule::factor_inside;
    const std::string_view words = kMultipliers[static_cast<std::size_t>(r.multiplier)];
    all.push_back(measured ? fmt::format("{} {}", words, r.factor) : std::string(words));
  }
  add(r.limit == MultiplierLimit::zero_if_not, "a multiplier that is not a positive finite number is 0");
  add(r.limit == MultiplierLimit::exponents,
      "fixed point: the multiplier is limited to 2^30, and is 0 below 2^-32 and if it is not finite");
  add(r.rounding != contract.rounding && r.rounding != RoundingRule::measured,
      kRoundings[static_cast<std::size_t>(r.rounding)]);
  if (r.rounding == RoundingRule::measured) all.push_back(measured_rounding(r));
  const auto add_precision = [&](Precision p, std::string_view of) {
    if (p != Precision::float32)
      all.push_back(fmt::format("{} is {} to {}", of, table_of(p).cut ? "cut off" : "rounded", table_of(p).words));
  };
  add_precision(r.of_multiplier, "the multiplier");
  add_precision(r.of_reciprocal, "1 / os");
  add_precision(r.of_scale, "the weight scale");
  add_precision(r.of_bias, "the bias");
  add_precision(r.of_scaled, "the value before rounding");
  add(r.zero_point == ZeroPointRule::before_rounding, "the output zero point is added before rounding");
  add(r.zero_point == ZeroPointRule::wraps, "the output zero point is added without clamping first, and wraps");
  add(r.zero_point == ZeroPointRule::wraps_16, "the rounded value is kept in 16 bits, and wraps");
  add(r.zero_point == ZeroPointRule::signed_byte, "the output zero point is added as an int8");
  add(r.overflow == OverflowRule::saturates, "values above int32 saturate, and do not become INT32_MIN");
  add(r.overflow == OverflowRule::infinity_saturates, "+infinity becomes 255");
  add(r.overflow == OverflowRule::wraps, "values beyond int32 wrap");
  add(r.overflow == OverflowRule::minimum_of_float, "the rounded value becomes float32 before it becomes int32");
  add(r.nan == NanRule::zero, "NaN becomes 0 before the zero point");
  add(r.nan == NanRule::maximum, "NaN becomes 255");
  add(r.relu == ReluRule::ignored, "relu: the flag is ignored");
  add(r.relu == ReluRule::always, "relu: also applied without the flag");
  add(r.relu == ReluRule::one_above, "relu: the smallest value is oz + 1");
  add(r.clamp == ClampRule::low_8_bits, "clamp: none; the low 8 bits are kept");
  add(r.clamp == ClampRule::before_zero_point, "clamp: also to 0..255, before the zero point is added");
  add(r.clamp == ClampRule::low_last, "clamp: relu's low end counts where it is above the largest output");
  add(r.clamp == ClampRule::low_first, "clamp: values below relu's low end become it, also above the largest output");
  add(r.clamp == ClampRule::int8_before, "clamp: also to -128..127, before the zero point is added");
  add(r.low != contract.low, "clamp: the smallest output is " + std::to_string(r.low));
  add(r.high != contract.high, "clamp: the largest output is " + std::to_string(r.high));
  if (r.cap > 0) all.push_back(fmt::format("clamp: to at most {} in real units, as relu6 does", r.cap));
  return all;
}

}  // namespace tieout
