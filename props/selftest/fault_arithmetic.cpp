#include "props/selftest/fault_arithmetic.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace tieout {
namespace {

constexpr std::int64_t kMin32 = std::numeric_limits<std::int32_t>::min();
constexpr std::int64_t kMax32 = std::numeric_limits<std::int32_t>::max();

// Returns the low `bits` bits of the value as a signed number.
std::int64_t in_bits(std::int64_t value, unsigned bits) {
  const auto shift = 64 - bits;
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << shift) >> shift;
}

// Returns raw * M computed with a 31-bit integer and a shift, rounded to nearest with ties up.
float by_fixed_point(std::int64_t raw, float multiplier) {
  int exponent = 0;
  const double mantissa = std::frexp(static_cast<double>(multiplier), &exponent);
  const int shift = 31 - exponent;
  if (raw == 0 || shift < 1 || shift > 62) return static_cast<float>(raw) * multiplier;
  const auto integer = static_cast<std::int64_t>(std::llround(mantissa * 0x1p31));
  return static_cast<float>((raw * integer + (std::int64_t{1} << (shift - 1))) >> shift);
}

float rounded(float s, Fault fault) {
  switch (fault) {
    case Fault::round_half_away: return std::round(s);
    case Fault::round_half_up: return std::floor(s + 0.5F);
    case Fault::round_half_down: return std::ceil(s - 0.5F);
    case Fault::round_toward_zero: return std::trunc(s);
    case Fault::round_floor: return std::floor(s);
    default: return std::nearbyint(s);
  }
}

std::int64_t to_int32(float s, Fault fault) {
  if (fault == Fault::round_by_magic_number) {
    // The low bits of this number are the rounded value.
    const float shifted = s + 12582912.0F;
    return in_bits(std::int64_t{std::bit_cast<std::int32_t>(shifted)} - 0x4B400000, 32);
  }
  const float r = rounded(s, fault);
  if (fault == Fault::nan_to_255 && std::isnan(s)) return 255;
  if (r >= -0x1p31F && r < 0x1p31F) return static_cast<std::int64_t>(r);
  if (fault == Fault::overflow_to_max && r > 0) return kMax32;
  return kMin32;
}

}  // namespace

std::int32_t saturated(std::int64_t value) { return static_cast<std::int32_t>(std::clamp(value, kMin32, kMax32)); }

void SumUp::add(std::int64_t i, std::int64_t x, std::int64_t w) {
  std::int64_t product = x * w;
  if (is(Fault::sum_product_15_bits)) product = in_bits(product, 15);
  if (is(Fault::tail_odd_product_lost) && i == length_ - 1 && length_ % 2 == 1 && length_ > 1) product = 0;
  if (is(Fault::tail_of_4_lost) && length_ >= 64 && i >= length_ / 4 * 4) product = 0;
  if (is(Fault::tail_of_8_lost) && length_ >= 8 && i >= length_ / 8 * 8) product = 0;
  if (is(Fault::tail_of_32_twice) && length_ >= 32 && i >= length_ / 32 * 32) product *= 2;
  if (is(Fault::tail_of_16_twice) && length_ >= 16 && i >= length_ / 16 * 16) product *= 2;
  if (is(Fault::tail_of_64_lost) && length_ >= 128 && i >= length_ / 64 * 64) product = 0;
  if (is(Fault::block_of_256_overwrites) && i == 256) sums_.products = 0;
  if (is(Fault::block_of_512_begins_late) && i == 512) product = 0;
  if (is(Fault::sum_float)) float_sum_ += static_cast<float>(product);
  if (is(Fault::sum_pairs_saturate)) {
    part_ = std::clamp<std::int64_t>(part_ + product, -32768, 32767);
    product = i % 2 == 1 ? part_ : 0;
    if (i % 2 == 1) part_ = 0;
  }
  if (is(Fault::sum_int16_partial)) {
    part_ = in_bits(part_ + product, 16);
    product = i % 8 == 7 ? part_ : 0;
    if (i % 8 == 7) part_ = 0;
  }
  sums_.products += product;
  sums_.activations += x;
  sums_.weights += w;
}

Sums SumUp::finish() {
  Sums s = sums_;
  s.products += part_;
  if (is(Fault::sum_int16)) s.products = in_bits(s.products, 16);
  if (is(Fault::sum_int24)) s.products = in_bits(s.products, 24);
  if (is(Fault::sum_float)) s.products = static_cast<std::int64_t>(float_sum_);
  if (is(Fault::sum_saturates)) s.products = saturated(s.products);
  if (is(Fault::sum_weights_int16)) s.weights = in_bits(s.weights, 16);
  if (is(Fault::sum_activations_int16)) s.activations = in_bits(s.activations, 16);
  if (is(Fault::sum_activations_uint16)) s.activations &= 0xFFFF;
  return s;
}

float to_float(std::int64_t raw, Fault fault) {
  const auto nearest = static_cast<float>(raw);
  const bool rounded_up = std::fabs(static_cast<double>(nearest)) > std::fabs(static_cast<double>(raw));
  return fault == Fault::sum_truncated_to_float && rounded_up ? std::nextafter(nearest, 0.0F) : nearest;
}

float multiplier_of(const tieout_conv& c, double weight_scale, Fault fault) {
  const auto xs = static_cast<float>(c.activation_scale);
  const auto ws = static_cast<float>(weight_scale);
  const auto os = static_cast<float>(c.output_scale);
  switch (fault) {
    case Fault::multiplier_in_double: return static_cast<float>(c.activation_scale * weight_scale / c.output_scale);
    case Fault::multiplier_unit_in_double: return static_cast<float>(c.activation_scale * weight_scale) / os;
    case Fault::multiplier_other_order: return xs * (ws / os);
    case Fault::multiplier_by_reciprocal: return xs * ws * (1.0F / os);
    case Fault::multiplier_off_by_1e_3: return xs * ws / os * 1.001F;
    case Fault::multiplier_off_by_1e_5: return xs * ws / os * 1.00001F;
    case Fault::multiplier_without_denormals: return std::isnormal(xs * ws / os) ? xs * ws / os : 0.0F;
    default: return xs * ws / os;
  }
}

float with_bias(std::int64_t raw, float bias, float unit, bool per_channel, Fault fault) {
  const float sum = to_float(raw, fault);
  const float reciprocal = 1.0F / unit;
  switch (fault) {
    case Fault::bias_as_int32: return static_cast<float>(raw + static_cast<std::int64_t>(std::nearbyint(bias / unit)));
    case Fault::bias_to_int16:
      return sum + static_cast<float>(in_bits(static_cast<std::int64_t>(std::nearbyint(bias / unit)), 16));
    case Fault::bias_by_reciprocal: return per_channel ? sum + bias * reciprocal : std::fma(bias, reciprocal, sum);
    case Fault::bias_truncated_to_int32:
      return static_cast<float>(raw + static_cast<std::int64_t>(std::trunc(bias / unit)));
    case Fault::bias_fused_per_channel: return std::fma(bias, reciprocal, sum);
    case Fault::bias_added_in_double:
      return static_cast<float>(static_cast<double>(raw) + static_cast<double>(bias) / static_cast<double>(unit));
    case Fault::bias_divided: return sum + bias / unit;
    case Fault::bias_not_fused: return per_channel ? sum + bias / unit : sum + bias * reciprocal;
    default: return per_channel ? sum + bias / unit : std::fma(bias, reciprocal, sum);
  }
}

float scale(std::int64_t raw, float value, float multiplier, const tieout_conv& c, Fault fault) {
  switch (fault) {
    case Fault::scaled_in_double:
      return static_cast<float>(std::nearbyint(static_cast<double>(value) * static_cast<double>(multiplier)));
    case Fault::multiplier_fixed_point: return c.bias == nullptr ? by_fixed_point(raw, multiplier) : value * multiplier;
    default: return value * multiplier;
  }
}

std::uint8_t clamp(float scaled, std::int64_t zero_point, bool relu, Fault fault) {
  std::int64_t q = to_int32(scaled, fault);
  if (fault == Fault::zero_point_before_rounding) {
    q = to_int32(scaled + static_cast<float>(zero_point), fault) - zero_point;
  }
  if (fault == Fault::clamp_before_zero_point) q = std::clamp<std::int64_t>(q, 0, 255);
  if (fault == Fault::overflow_of_zero_point) q = in_bits(q + zero_point, 32) - zero_point;
  if (fault == Fault::clamp_as_int8) q = std::clamp<std::int64_t>(q + zero_point - 128, -127, 127) + 128 - zero_point;
  if (fault == Fault::clamp_missing)
    return static_cast<std::uint8_t>(std::clamp<std::int64_t>(q, -32768, 32767) + zero_point);
  const std::int64_t high = fault == Fault::clamp_high_254 ? 254 : 255;
  std::int64_t low = relu ? zero_point : 0;
  if (fault == Fault::clamp_low_1) low = std::max<std::int64_t>(low, 1);
  if (fault == Fault::relu_at_zero || fault == Fault::relu_missing || fault == Fault::relu_before_bias) low = 0;
  if (fault == Fault::relu_always) low = zero_point;
  if (fault == Fault::relu_one_above && relu) low = std::min<std::int64_t>(zero_point + 1, high);
  return static_cast<std::uint8_t>(std::clamp(q + zero_point, std::min(low, high), high));
}

}  // namespace tieout
