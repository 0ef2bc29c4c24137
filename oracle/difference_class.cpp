#include "oracle/difference_class.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "oracle/steps.h"
#include "oracle/ties_to_even.h"

namespace tieout {
namespace {

enum class Sum { wraps, wide };
enum class Conversion { float32, float64 };
enum class BiasStep { divided, fused, separate, float64, rounded_to_int, after_scaling };
enum class Multiplier { float32, float64, ws_over_os_first, xs_over_os_first, reciprocal };
enum class Rounding { half_even, half_away, half_up, half_down, truncate, down, up };
enum class Overflow { int_min, saturates };
enum class ZeroPoint { after_rounding, before_rounding };

// Every choice that one element's requantization makes.
struct Recipe {
  Arithmetic::Products products;
  Arithmetic::ActivationSum activation_sum;
  BiasStep bias;
  Sum sum = Sum::wraps;
  Conversion conversion = Conversion::float32;
  Multiplier multiplier = Multiplier::float32;
  Rounding rounding = Rounding::half_even;
  Overflow overflow = Overflow::int_min;
  ZeroPoint zero_point = ZeroPoint::after_rounding;
};

Recipe recipe_of(const Arithmetic& arithmetic, Granularity granularity) {
  const bool fused = arithmetic.tensor_bias == Arithmetic::TensorBias::fused;
  return {.products = arithmetic.products,
          .activation_sum = arithmetic.activation_sum,
          .bias = granularity == Granularity::per_channel ? BiasStep::divided
                  : fused                                 ? BiasStep::fused
                                                          : BiasStep::separate};
}

// A window and its sums of products, for every recipe that it is computed by.
struct Element {
  const Window& window;
  std::int64_t exact, pairs;

  explicit Element(const Window& of)
      : window(of), exact(of.products), pairs(of.products - lost_in_pairs(of, 0, of.x.size())) {}
};

double multiplier_of(const Window& window, Multiplier how) {
  const auto xs = static_cast<float>(window.xs);
  const auto ws = static_cast<float>(window.ws);
  const auto os = static_cast<float>(window.os);
  switch (how) {
    case Multiplier::float64: return window.xs * window.ws / window.os;
    case Multiplier::ws_over_os_first: return static_cast<double>(xs * (ws / os));
    case Multiplier::xs_over_os_first: return static_cast<double>((xs / os) * ws);
    case Multiplier::reciprocal: return static_cast<double>(xs * ws * (1.0F / os));
    case Multiplier::float32: break;
  }
  return static_cast<double>(xs * ws / os);
}

double rounded(double v, Rounding how) {
  switch (how) {
    case Rounding::half_even: return ties_to_even(v);
    case Rounding::half_away: return std::round(v);
    case Rounding::half_up: return std::floor(v) + (v - std::floor(v) >= 0.5 ? 1.0 : 0.0);
    case Rounding::half_down: return std::floor(v) + (v - std::floor(v) > 0.5 ? 1.0 : 0.0);
    case Rounding::truncate: return std::trunc(v);
    case Rounding::down: return std::floor(v);
    case Rounding::up: break;
  }
  return std::ceil(v);
}

// raw in double, or as float32 has it, with the bias in units of raw.
double biased(const Window& window, std::int64_t raw, const Recipe& recipe) {
  const bool wide = recipe.conversion == Conversion::float64;
  const double value = wide ? static_cast<double>(raw) : static_cast<double>(static_cast<float>(raw));
  if (!window.bias || recipe.bias == BiasStep::after_scaling) return value;
  const float unit = static_cast<float>(window.xs) * static_cast<float>(window.ws);
  const float bias = *window.bias;
  switch (recipe.bias) {
    case BiasStep::float64: return value + static_cast<double>(bias) / (window.xs * window.ws);
    case BiasStep::rounded_to_int: return value + ties_to_even(static_cast<double>(bias / unit));
    case BiasStep::divided: return wide ? value + bias / unit : static_cast<float>(value) + bias / unit;
    case BiasStep::separate: {
      const float in_units = bias * (1.0F / unit);
      return wide ? value + in_units : static_cast<float>(value) + in_units;
    }
    default: break;
  }
  return wide ? std::fma(static_cast<double>(bias), static_cast<double>(1.0F / unit), value)
              : std::fma(bias, 1.0F / unit, static_cast<float>(value));
}

std::uint8_t compute(const Element& element, const Recipe& recipe) {
  const Window& window = element.window;
  std::int64_t activations = window.activations;
  if (recipe.activation_sum == Arithmetic::ActivationSum::int16)
    activations = std::min<std::int64_t>(activations, 32767);
  const std::int64_t products = recipe.products == Arithmetic::Products::exact ? element.exact : element.pairs;
  std::int64_t raw = products - window.xz * window.weights - window.wz * activations +
                     static_cast<std::int64_t>(window.x.size()) * window.xz * window.wz;
  if (recipe.sum == Sum::wraps) raw = static_cast<std::int32_t>(raw);
  const double multiplier = multiplier_of(window, recipe.multiplier);
  double scaled = biased(window, raw, recipe) * multiplier;
  const bool in_float32 = recipe.multiplier != Multiplier::float64 && recipe.conversion == Conversion::float32 &&
                          recipe.bias != BiasStep::float64;
  if (in_float32) scaled = static_cast<float>(scaled);  // the product of two floats is exact in double: one rounding
  if (window.bias && recipe.bias == BiasStep::after_scaling) {
    scaled = static_cast<float>(scaled) + *window.bias / static_cast<float>(window.os);
  }
  const bool before = recipe.zero_point == ZeroPoint::before_rounding;
  if (before) scaled = static_cast<float>(scaled + static_cast<double>(window.oz));
  double q = rounded(scaled, recipe.rounding);
  if (!(q >= -0x1p31 && q < 0x1p31)) {
    const bool to_max = recipe.overflow == Overflow::saturates && q > 0;
    q = to_max ? 0x1p31 - 1 : -0x1p31;
  }
  q = std::clamp(q, -32768.0, 32767.0) + (before ? 0.0 : static_cast<double>(window.oz));
  const double low = window.relu == Relu::on ? static_cast<double>(window.oz) : 0.0;
  return static_cast<std::uint8_t>(std::max(low, std::clamp(q, 0.0, 255.0)));
}

struct Exchange {
  DifferenceClass cls;
  std::string_view what;
  void (*apply)(Recipe& recipe);
};

using Class = DifferenceClass;
using Products = Arithmetic::Products;

// From the sums to the result.
constexpr std::array kExchanges{
    Exchange{Class::pair_saturation, "pairs of products saturate in int16 in one, and not in the other",
             [](Recipe& r) { r.products = r.products == Products::exact ? Products::int16_pairs : Products::exact; }},
    Exchange{Class::int32_wrap, "the sum is not wrapped to int32", [](Recipe& r) { r.sum = Sum::wide; }},
    Exchange{Class::float_conversion, "the sum is not rounded to float32",
             [](Recipe& r) { r.conversion = Conversion::float64; }},
    Exchange{Class::conversion_overflow, "a value beyond int32 saturates",
             [](Recipe& r) { r.overflow = Overflow::saturates; }},
    Exchange{Class::tie, "ties are rounded away from zero", [](Recipe& r) { r.rounding = Rounding::half_away; }},
    Exchange{Class::tie, "ties are rounded up", [](Recipe& r) { r.rounding = Rounding::half_up; }},
    Exchange{Class::tie, "ties are rounded down", [](Recipe& r) { r.rounding = Rounding::half_down; }},
    Exchange{Class::zero_point_order, "the zero point is added before rounding",
             [](Recipe& r) { r.zero_point = ZeroPoint::before_rounding; }},
    Exchange{Class::bias_rounding, "the bias is divided by its unit, and added with one more rounding",
             [](Recipe& r) { r.bias = BiasStep::divided; }},
    Exchange{Class::bias_rounding, "the bias is multiplied by the unit's reciprocal, with two roundings",
             [](Recipe& r) { r.bias = BiasStep::separate; }},
    Exchange{Class::bias_rounding, "the bias is multiplied by the unit's reciprocal and added, with one rounding",
             [](Recipe& r) { r.bias = BiasStep::fused; }},
    Exchange{Class::bias_rounding, "the bias is rounded to int32",
             [](Recipe& r) { r.bias = BiasStep::rounded_to_int; }},
    Exchange{Class::bias_rounding, "the bias is added after scaling",
             [](Recipe& r) { r.bias = BiasStep::after_scaling; }},
    Exchange{Class::bias_rounding, "the bias is added in float64", [](Recipe& r) { r.bias = BiasStep::float64; }},
    Exchange{Class::multiplier_rounding, "the multiplier is computed in float64",
             [](Recipe& r) { r.multiplier = Multiplier::float64; }},
    Exchange{Class::multiplier_rounding, "the multiplier is xs * (ws / os)",
             [](Recipe& r) { r.multiplier = Multiplier::ws_over_os_first; }},
    Exchange{Class::multiplier_rounding, "the multiplier is (xs / os) * ws",
             [](Recipe& r) { r.multiplier = Multiplier::xs_over_os_first; }},
    Exchange{Class::multiplier_rounding, "the multiplier is xs * ws * (1 / os)",
             [](Recipe& r) { r.multiplier = Multiplier::reciprocal; }},
    Exchange{Class::rounding, "rounded toward zero", [](Recipe& r) { r.rounding = Rounding::truncate; }},
    Exchange{Class::rounding, "rounded down", [](Recipe& r) { r.rounding = Rounding::down; }},
    Exchange{Class::rounding, "rounded up", [](Recipe& r) { r.rounding = Rounding::up; }},
};

// gather_window(offset, window): of an element.
template <typename Gather>
Difference classify(const Arithmetic& reference, std::span<const DifferingElement> elements,
                    const Gather& gather_window) {
  std::array<std::int64_t, kExchanges.size()> explained{};
  Difference difference;
  Window window;
  for (const DifferingElement& element : elements) {
    ++difference.differing;
    gather_window(element.offset, window);
    const Recipe recipe = recipe_of(reference, window.granularity);
    const Element sums(window);
    if (compute(sums, recipe) != element.expected) continue;
    for (std::size_t e = 0; e < kExchanges.size(); ++e) {
      Recipe exchanged = recipe;
      kExchanges[e].apply(exchanged);
      if (compute(sums, exchanged) == element.actual) ++explained[e];
    }
  }
  const auto best = std::max_element(explained.begin(), explained.end());
  if (*best == 0) return difference;
  const Exchange& exchange = kExchanges[static_cast<std::size_t>(best - explained.begin())];
  difference.cls = exchange.cls;
  difference.exchanged = exchange.what;
  difference.explained = *best;
  return difference;
}

}  // namespace

std::string_view name(DifferenceClass c) {
  switch (c) {
    case Class::tie: return "tie";
    case Class::rounding: return "rounding";
    case Class::multiplier_rounding: return "multiplier rounding";
    case Class::bias_rounding: return "bias rounding";
    case Class::pair_saturation: return "pair saturation";
    case Class::float_conversion: return "float conversion above 2^24";
    case Class::int32_wrap: return "int32 wrap";
    case Class::conversion_overflow: return "conversion overflow";
    case Class::zero_point_order: return "zero-point order";
    case Class::unexplained: break;
  }
  return "unexplained";
}

Difference classify_difference(const ConvProblem& problem, const Arithmetic& reference,
                               const Tensor<std::uint8_t>& expected, const Tensor<std::uint8_t>& actual) {
  std::vector<DifferingElement> elements;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    if (expected.values[i] == actual.values[i]) continue;
    elements.push_back({static_cast<std::int64_t>(i), expected.values[i], actual.values[i]});
  }
  return classify_difference(problem, reference, elements);
}

Difference classify_difference(const ConvProblem& problem, const Arithmetic& reference,
                               std::span<const DifferingElement> elements) {
  return classify(reference, elements, [&](std::int64_t offset, Window& window) { gather(problem, offset, window); });
}

Difference classify_difference(const LayerView& layer, const Arithmetic& reference,
                               std::span<const DifferingElement> elements) {
  return classify(reference, elements,
                  [&](std::int64_t offset, Window& window) { gather(layer, element_at(offset, *layer.spec), window); });
}

}  // namespace tieout
