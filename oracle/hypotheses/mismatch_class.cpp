#include "oracle/hypotheses/mismatch_class.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "oracle/element/requantization_steps.h"
#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

enum class Padding { zero_point, raw_zero };
enum class ZeroPoints { taken_out, activation_ignored, weight_ignored, product_missing, in_8_bits };
enum class Sum { wraps, wide, saturates };
enum class Conversion { nearest, truncated };
enum class BiasStep { divided, fused, reciprocal, float64, nearest_int, truncated_int, after_scaling, missing };
enum class Multiplier { float32, rounded_float64, unit_in_float64, ws_over_os_first, xs_over_os_first, reciprocal };
enum class Scaling { float32, float64_product, float64_multiplier, float64 };
enum class Rounding { half_even, half_away, half_up, half_down, add_half, truncate, down, up };
enum class OutputZeroPoint { after_rounding, before_rounding, ignored };
enum class Overflow { int_min, saturates };
enum class ReluStep { as_asked, missing, always };
enum class Clamp { to_byte, low_bits, low_bits_of_int32 };

// All choices that determine one element's arithmetic. The defaults are FBGEMM's; the reference's Arithmetic determines
// the first three.
struct Recipe {
  Arithmetic::Products products = Arithmetic::Products::exact;
  Arithmetic::ActivationSum activation_sum = Arithmetic::ActivationSum::exact;
  BiasStep bias = BiasStep::divided;
  Padding padding = Padding::zero_point;
  ZeroPoints zero_points = ZeroPoints::taken_out;
  Sum sum = Sum::wraps;
  Conversion conversion = Conversion::nearest;
  Multiplier multiplier = Multiplier::float32;
  Scaling scaling = Scaling::float32;
  Rounding rounding = Rounding::half_even;
  OutputZeroPoint output_zero_point = OutputZeroPoint::after_rounding;
  Overflow overflow = Overflow::int_min;
  ReluStep relu = ReluStep::as_asked;
  Clamp clamp = Clamp::to_byte;
};

Recipe recipe_of(const Arithmetic& arithmetic, Granularity granularity) {
  const bool fused = arithmetic.tensor_bias == Arithmetic::TensorBias::fused;
  return {.products = arithmetic.products,
          .activation_sum = arithmetic.activation_sum,
          .bias = granularity == Granularity::per_channel ? BiasStep::divided
                  : fused                                 ? BiasStep::fused
                                                          : BiasStep::reciprocal};
}

// ---- From the window to the sum.

std::int64_t saturated_int32(std::int64_t value) {
  return std::clamp<std::int64_t>(value, std::numeric_limits<std::int32_t>::min(),
                                  std::numeric_limits<std::int32_t>::max());
}

// Returns the sum with x - xz kept in 8 bits.
std::int64_t sum_in_8_bits(const Window& window) {
  std::int64_t sum = window.int32_bias;
  for (std::size_t i = 0; i < window.x.size(); ++i) {
    sum += std::int64_t{static_cast<std::int8_t>(window.x[i] - window.xz)} * (window.w[i] - window.wz);
  }
  return sum;
}

std::int64_t raw_of(const Window& window, const Recipe& recipe) {
  // What a kernel that takes int8 reads as 0.
  const std::int64_t zero = stored_shift(window.spec->activation_type);
  std::int64_t products = window.products - (recipe.bias == BiasStep::missing ? window.int32_bias : 0);
  std::int64_t activations = window.activations;
  if (recipe.products == Arithmetic::Products::int16_pairs) products -= lost_in_pairs(window, 0, window.x.size());
  if (recipe.padding == Padding::raw_zero) {
    for (std::size_t i = 0; i < window.x.size(); ++i) {
      if (window.inside[i] != 0) continue;
      products += (zero - window.x[i]) * window.w[i];
      activations += zero - window.x[i];
    }
  }
  if (recipe.activation_sum == Arithmetic::ActivationSum::int16) {
    activations = std::min<std::int64_t>(activations, 32767);
  }
  const std::int64_t xz = recipe.zero_points == ZeroPoints::activation_ignored ? zero : window.xz;
  const std::int64_t wz = recipe.zero_points == ZeroPoints::weight_ignored ? 0 : window.wz;
  const std::int64_t n =
      recipe.zero_points == ZeroPoints::product_missing ? 0 : static_cast<std::int64_t>(window.x.size());
  if (recipe.sum == Sum::saturates) products = saturated_int32(products);
  std::int64_t raw = products - xz * window.weights - wz * activations + n * xz * wz;
  if (recipe.zero_points == ZeroPoints::in_8_bits) raw = sum_in_8_bits(window);
  switch (recipe.sum) {
    case Sum::wide: return raw;
    case Sum::saturates: return saturated_int32(raw);
    case Sum::wraps: break;
  }
  return static_cast<std::int32_t>(raw);
}

// ---- From the sum to the value before rounding.

float to_float(std::int64_t raw, Conversion how) {
  const auto nearest = static_cast<float>(raw);
  const bool away = std::fabs(static_cast<double>(nearest)) > std::fabs(static_cast<double>(raw));
  return how == Conversion::truncated && away ? std::nextafter(nearest, 0.0F) : nearest;
}

// Returns raw with the bias, in units of raw.
float biased(const Window& window, std::int64_t raw, const Recipe& recipe) {
  const float value = to_float(raw, recipe.conversion);
  if (!window.bias) return value;
  const float unit = static_cast<float>(window.xs) * static_cast<float>(window.ws);
  const float bias = *window.bias;
  const float in_units = bias / unit;
  switch (recipe.bias) {
    case BiasStep::after_scaling:
    case BiasStep::missing: return value;
    case BiasStep::fused: return std::fma(bias, 1.0F / unit, value);
    case BiasStep::reciprocal: return value + bias * (1.0F / unit);
    case BiasStep::float64:
      return static_cast<float>(static_cast<double>(raw) + static_cast<double>(bias) / static_cast<double>(unit));
    case BiasStep::nearest_int:
      return static_cast<float>(static_cast<double>(raw) + static_cast<double>(ties_to_even(in_units)));
    case BiasStep::truncated_int:
      return static_cast<float>(static_cast<double>(raw) + static_cast<double>(std::trunc(in_units)));
    case BiasStep::divided: break;
  }
  return value + in_units;
}

float multiplier_of(const Window& window, Multiplier how) {
  const auto xs = static_cast<float>(window.xs);
  const auto ws = static_cast<float>(window.ws);
  const auto os = static_cast<float>(window.os);
  switch (how) {
    case Multiplier::rounded_float64: return static_cast<float>(window.xs * window.ws / window.os);
    case Multiplier::unit_in_float64: return static_cast<float>(window.xs * window.ws) / os;
    case Multiplier::ws_over_os_first: return xs * (ws / os);
    case Multiplier::xs_over_os_first: return (xs / os) * ws;
    case Multiplier::reciprocal: return xs * ws * (1.0F / os);
    case Multiplier::float32: break;
  }
  return xs * ws / os;
}

// Returns the value before rounding: a float, or a double if the scaling is in float64.
double scaled(const Window& window, std::int64_t raw, const Recipe& recipe) {
  const double in_float64 = window.xs * window.ws / window.os;
  switch (recipe.scaling) {
    case Scaling::float64_product:
      return static_cast<double>(biased(window, raw, recipe)) *
             static_cast<double>(multiplier_of(window, recipe.multiplier));
    case Scaling::float64_multiplier: return static_cast<double>(biased(window, raw, recipe)) * in_float64;
    case Scaling::float64: {
      const double bias = window.bias ? static_cast<double>(*window.bias) / (window.xs * window.ws) : 0.0;
      return (static_cast<double>(raw) + bias) * in_float64;
    }
    case Scaling::float32: break;
  }
  float value = biased(window, raw, recipe) * multiplier_of(window, recipe.multiplier);
  if (recipe.bias == BiasStep::after_scaling && window.bias) value += *window.bias / static_cast<float>(window.os);
  return static_cast<double>(value);
}

// ---- From the value to the result.

double rounded(double v, Rounding how) {
  switch (how) {
    case Rounding::half_even: return ties_to_even(v);
    case Rounding::half_away: return std::round(v);
    case Rounding::half_up: return std::floor(v) + (v - std::floor(v) >= 0.5 ? 1.0 : 0.0);
    case Rounding::half_down: return std::floor(v) + (v - std::floor(v) > 0.5 ? 1.0 : 0.0);
    case Rounding::add_half: return static_cast<double>(std::floor(static_cast<float>(v) + 0.5F));
    case Rounding::truncate: return std::trunc(v);
    case Rounding::down: return std::floor(v);
    case Rounding::up: break;
  }
  return std::ceil(v);
}

std::int32_t result_of(const Window& window, double value, const Recipe& recipe) {
  const bool before = recipe.output_zero_point == OutputZeroPoint::before_rounding;
  const std::int64_t shift = window.output_shift;
  const std::int64_t oz = recipe.output_zero_point == OutputZeroPoint::ignored ? shift : window.oz;
  if (before) value = static_cast<double>(static_cast<float>(value) + static_cast<float>(oz - shift));
  double q = rounded(value, recipe.rounding);
  if (!(q >= -0x1p31 && q < 0x1p31)) {
    const bool to_max = recipe.overflow == Overflow::saturates && q > 0;
    q = to_max ? 0x1p31 - 1 : -0x1p31;
  }
  if (recipe.clamp != Clamp::low_bits_of_int32) q = std::clamp(q, -32768.0, 32767.0);
  q += static_cast<double>(before ? shift : oz);
  const bool relu = recipe.relu == ReluStep::always || (recipe.relu == ReluStep::as_asked && window.relu == Relu::on);
  if (relu) q = std::max(q, static_cast<double>(oz));
  if (recipe.clamp != Clamp::to_byte) return static_cast<std::uint8_t>(static_cast<std::int64_t>(q));
  return static_cast<std::uint8_t>(std::clamp(q, 0.0, 255.0));
}

std::int32_t compute(const Window& window, const Recipe& recipe) {
  if (window.spec->output_type == OutputType::int32) return static_cast<std::int32_t>(raw_of(window, recipe));
  return result_of(window, scaled(window, raw_of(window, recipe), recipe), recipe);
}

// ---- The exchanges.

struct Exchange {
  MismatchClass cls;
  std::string_view what;
  void (*apply)(Recipe& recipe);
  // The number of steps that it changes. An exchange of two steps counts only if no exchange of one step remains.
  int steps = 1;
};

using Class = MismatchClass;
using Products = Arithmetic::Products;
using ActivationSum = Arithmetic::ActivationSum;

// The order is from the sums to the result. Exchanges of class `rounding` count as class `tie` if only ties differ.
constexpr std::array kExchanges{
    Exchange{Class::pair_saturation, "pairs of products saturate in int16 in one, and not in the other",
             [](Recipe& r) { r.products = r.products == Products::exact ? Products::int16_pairs : Products::exact; }},
    Exchange{Class::activation_sum, "the sum of activations saturates in int16 in one, and not in the other",
             [](Recipe& r) {
               const bool exact = r.activation_sum == ActivationSum::exact;
               r.activation_sum = exact ? ActivationSum::int16 : ActivationSum::exact;
             }},
    Exchange{Class::padding_value, "padding holds 0 and not the activation's zero point",
             [](Recipe& r) { r.padding = Padding::raw_zero; }},
    Exchange{Class::zero_point, "the activation's zero point is not subtracted",
             [](Recipe& r) { r.zero_points = ZeroPoints::activation_ignored; }},
    Exchange{Class::zero_point, "the weight's zero point is not subtracted",
             [](Recipe& r) { r.zero_points = ZeroPoints::weight_ignored; }},
    Exchange{Class::zero_point, "the product of the zero points is not added",
             [](Recipe& r) { r.zero_points = ZeroPoints::product_missing; }},
    Exchange{Class::zero_point, "x - xz is kept in 8 bits and wraps",
             [](Recipe& r) { r.zero_points = ZeroPoints::in_8_bits; }},
    Exchange{Class::zero_point, "the output's zero point is not added",
             [](Recipe& r) { r.output_zero_point = OutputZeroPoint::ignored; }},
    Exchange{Class::int32_wrap, "the sum is not wrapped to int32", [](Recipe& r) { r.sum = Sum::wide; }},
    Exchange{Class::int32_wrap, "the sum saturates in int32", [](Recipe& r) { r.sum = Sum::saturates; }},
    Exchange{Class::float_conversion, "the sum is truncated to float32",
             [](Recipe& r) { r.conversion = Conversion::truncated; }},
    Exchange{Class::conversion_overflow, "a value beyond int32 saturates",
             [](Recipe& r) { r.overflow = Overflow::saturates; }},
    Exchange{Class::rounding, "ties are rounded away from zero", [](Recipe& r) { r.rounding = Rounding::half_away; }},
    Exchange{Class::rounding, "ties are rounded up", [](Recipe& r) { r.rounding = Rounding::half_up; }},
    Exchange{Class::rounding, "ties are rounded down", [](Recipe& r) { r.rounding = Rounding::half_down; }},
    Exchange{Class::rounding, "0.5 is added in float32, then rounded down",
             [](Recipe& r) { r.rounding = Rounding::add_half; }},
    Exchange{Class::rounding, "rounded toward zero", [](Recipe& r) { r.rounding = Rounding::truncate; }},
    Exchange{Class::rounding, "rounded down", [](Recipe& r) { r.rounding = Rounding::down; }},
    Exchange{Class::rounding, "rounded up", [](Recipe& r) { r.rounding = Rounding::up; }},
    Exchange{Class::zero_point_order, "the zero point is added before rounding",
             [](Recipe& r) { r.output_zero_point = OutputZeroPoint::before_rounding; }},
    Exchange{Class::missing_bias, "the bias is not added", [](Recipe& r) { r.bias = BiasStep::missing; }},
    Exchange{Class::bias_rounding, "the bias is divided by its unit, and added with one more rounding",
             [](Recipe& r) { r.bias = BiasStep::divided; }},
    Exchange{Class::bias_rounding, "the bias is multiplied by the unit's reciprocal, with two roundings",
             [](Recipe& r) { r.bias = BiasStep::reciprocal; }},
    Exchange{Class::bias_rounding, "per tensor, the bias is multiplied by the unit's reciprocal, with two roundings",
             [](Recipe& r) { r.bias = r.bias == BiasStep::fused ? BiasStep::reciprocal : r.bias; }},
    Exchange{Class::bias_rounding, "the bias is multiplied by the unit's reciprocal and added, with one rounding",
             [](Recipe& r) { r.bias = BiasStep::fused; }},
    Exchange{Class::bias_rounding, "the bias is rounded to an integer",
             [](Recipe& r) { r.bias = BiasStep::nearest_int; }},
    Exchange{Class::bias_rounding, "the bias is truncated to an integer",
             [](Recipe& r) { r.bias = BiasStep::truncated_int; }},
    Exchange{Class::bias_rounding, "the bias is added after scaling",
             [](Recipe& r) { r.bias = BiasStep::after_scaling; }},
    Exchange{Class::bias_rounding, "the bias is added in float64", [](Recipe& r) { r.bias = BiasStep::float64; }},
    Exchange{Class::multiplier_rounding, "the multiplier is computed in float64",
             [](Recipe& r) { r.multiplier = Multiplier::rounded_float64; }},
    Exchange{Class::multiplier_rounding, "xs * ws is computed in float64",
             [](Recipe& r) { r.multiplier = Multiplier::unit_in_float64; }},
    Exchange{Class::multiplier_rounding, "the multiplier is xs * (ws / os)",
             [](Recipe& r) { r.multiplier = Multiplier::ws_over_os_first; }},
    Exchange{Class::multiplier_rounding, "the multiplier is (xs / os) * ws",
             [](Recipe& r) { r.multiplier = Multiplier::xs_over_os_first; }},
    Exchange{Class::multiplier_rounding, "the multiplier is xs * ws * (1 / os)",
             [](Recipe& r) { r.multiplier = Multiplier::reciprocal; }},
    Exchange{Class::multiplier_rounding, "the sum is multiplied in float64",
             [](Recipe& r) { r.scaling = Scaling::float64_product; }},
    Exchange{Class::multiplier_rounding, "the sum is multiplied in float64, by a multiplier in float64",
             [](Recipe& r) { r.scaling = Scaling::float64_multiplier; }},
    Exchange{Class::multiplier_rounding, "the sum is requantized in float64",
             [](Recipe& r) { r.scaling = Scaling::float64; }},
    Exchange{Class::relu, "relu is not applied", [](Recipe& r) { r.relu = ReluStep::missing; }},
    Exchange{Class::relu, "relu is applied where it is off", [](Recipe& r) { r.relu = ReluStep::always; }},
    Exchange{Class::clamp, "the low 8 bits are kept, after saturation in int16",
             [](Recipe& r) { r.clamp = Clamp::low_bits; }},
    Exchange{Class::clamp, "the low 8 bits are kept", [](Recipe& r) { r.clamp = Clamp::low_bits_of_int32; }},
    Exchange{Class::clamp, "the low 8 bits are kept, after saturation in int16, and relu is not applied",
             [](Recipe& r) {
               r.clamp = Clamp::low_bits;
               r.relu = ReluStep::missing;
             },
             2},
};

constexpr std::uint64_t bit(std::size_t i) { return std::uint64_t{1} << i; }
constexpr std::uint64_t kAllExchanges = bit(kExchanges.size()) - 1;
// Set while every differing element is a tie of the reference.
constexpr std::uint64_t kOnlyTies = bit(63);
static_assert(kExchanges.size() < 63);

bool is_tie(double value) { return value - std::floor(value) == 0.5; }

}  // namespace

std::string_view name(MismatchClass c) {
  switch (c) {
    case Class::tie: return "tie";
    case Class::rounding: return "rounding";
    case Class::multiplier_rounding: return "multiplier rounding";
    case Class::bias_rounding: return "bias rounding";
    case Class::missing_bias: return "missing bias";
    case Class::pair_saturation: return "pair saturation";
    case Class::activation_sum: return "activation sum";
    case Class::float_conversion: return "float conversion above 2^24";
    case Class::int32_wrap: return "int32 wrap";
    case Class::conversion_overflow: return "conversion overflow";
    case Class::zero_point_order: return "zero-point order";
    case Class::padding_value: return "padding value";
    case Class::zero_point: return "zero point";
    case Class::relu: return "relu";
    case Class::clamp: return "wrap-around instead of clamp";
    case Class::unexplained: break;
  }
  return "unexplained";
}

template <typename Gather>
void PossibleCauses::observe_elements(const Arithmetic& reference, std::span<const ComparedElement> elements,
                                      const Gather& gather_window) {
  Window window;
  for (const ComparedElement& element : elements) {
    if (none()) return;
    gather_window(element.offset, window);
    const Recipe recipe = recipe_of(reference, window.granularity);
    const bool differs = element.expected != element.actual;
    if (compute(window, recipe) != element.expected) {
      if (differs) left_ &= ~kAllExchanges;
      continue;
    }
    if (differs && !is_tie(scaled(window, raw_of(window, recipe), recipe))) left_ &= ~kOnlyTies;
    if (differs) evidence_ += std::abs(std::int64_t{element.expected} - element.actual) > 1 ? 2 : 1;
    for (std::uint64_t rest = left_ & kAllExchanges; rest != 0; rest &= rest - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(rest));
      Recipe exchanged = recipe;
      kExchanges[i].apply(exchanged);
      if (compute(window, exchanged) != element.actual) left_ &= ~bit(i);
    }
  }
}

void PossibleCauses::observe(const ConvProblem& problem, const Arithmetic& reference, const Answers& expected,
                             const Answers& actual) {
  std::vector<ComparedElement> elements;
  elements.reserve(expected.values.size());
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    elements.push_back({static_cast<std::int64_t>(i), expected.values[i], actual.values[i]});
  }
  // Differing elements drop nearly all exchanges, so that the equal ones then cost little.
  std::stable_partition(elements.begin(), elements.end(),
                        [](const ComparedElement& element) { return element.expected != element.actual; });
  observe_elements(reference, elements, [&](std::int64_t offset, Window& window) { gather(problem, offset, window); });
}

void PossibleCauses::observe(const ConvProblem& problem, std::span<const Contract> contracts, const Answers& actual) {
  PossibleCauses by_any;
  by_any.left_ = 0;
  for (const Contract& contract : contracts) {
    PossibleCauses by_this = *this;
    by_this.observe(problem, contract.arithmetic, contract.y, actual);
    by_any.left_ |= by_this.left_;
    by_any.evidence_ = std::max(by_any.evidence_, by_this.evidence_);
  }
  *this = by_any;
}

void PossibleCauses::observe(const LayerView& layer, const Arithmetic& reference,
                             std::span<const ComparedElement> elements) {
  observe_elements(reference, elements, [&](std::int64_t offset, Window& window) {
    gather(layer, element_at(offset, *layer.spec), window);
  });
}

bool PossibleCauses::none() const { return (left_ & kAllExchanges) == 0; }

PossibleCauses PossibleCauses::from_bits(const std::array<std::uint64_t, 2>& bits) {
  PossibleCauses causes;
  causes.left_ = bits[0];
  causes.evidence_ = static_cast<std::int64_t>(bits[1]);
  return causes;
}

MismatchCause PossibleCauses::conclude(std::int64_t differing) const {
  MismatchCause cause{.differing = differing};
  if (differing == 0) return cause;
  const auto class_of = [&](const Exchange& exchange) {
    return exchange.cls == Class::rounding && (left_ & kOnlyTies) != 0 ? Class::tie : exchange.cls;
  };
  std::string derivation;
  std::optional<Class> cls;
  int steps = 2;
  for (std::size_t i = 0; i < kExchanges.size(); ++i) {
    if ((left_ & bit(i)) != 0) steps = std::min(steps, kExchanges[i].steps);
  }
  for (std::size_t i = 0; i < kExchanges.size(); ++i) {
    if ((left_ & bit(i)) == 0 || kExchanges[i].steps > steps) continue;
    const Class possible = class_of(kExchanges[i]);
    if (cls.value_or(possible) != possible) return cause;  // the evidence does not distinguish them
    cls = possible;
    derivation.append(derivation.empty() ? "" : ", or ").append(kExchanges[i].what);
  }
  if (!cls || (evidence_ < 2 && *cls != Class::tie)) return cause;
  return {.cls = *cls, .exchanged = std::move(derivation), .explained = differing, .differing = differing};
}

MismatchCause classify_mismatches(const ConvProblem& problem, const Arithmetic& reference, const Answers& expected,
                                  const Answers& actual) {
  PossibleCauses causes;
  causes.observe(problem, reference, expected, actual);
  return causes.conclude(count_differing(expected.values, actual.values));
}

MismatchCause classify_mismatches(const LayerView& layer, const Arithmetic& reference,
                                  std::span<const ComparedElement> elements) {
  PossibleCauses causes;
  causes.observe(layer, reference, elements);
  return causes.conclude(std::count_if(elements.begin(), elements.end(), [](const ComparedElement& element) {
    return element.expected != element.actual;
  }));
}

}  // namespace tieout
