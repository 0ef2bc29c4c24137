#include "props/generate/conform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <vector>

#include "cases/case_predicates.h"
#include "oracle/engines/engine_model.h"
#include "props/generate/generator.h"

namespace tieout {
namespace {

using Kind = ConditionValue::Kind;
using Relation = Condition::Relation;

// Describes one integer of a case's shape. Variables are chosen in the order of their list.
struct Variable {
  Parameter parameter;
  // -1: it has no axis.
  int axis;
  std::int64_t low, high;
};

constexpr std::int64_t kMostChannels = 1 << 17;
constexpr std::int64_t kMostExtent = 1 << 17;

// The parameters that are the same in every linear layer.
constexpr ParameterSet kFixedInLinear = set_of(Parameter::dims) | set_of(Parameter::groups) | set_of(Parameter::input) |
                                        set_of(Parameter::kernel) | set_of(Parameter::stride) |
                                        set_of(Parameter::dilation) | set_of(Parameter::padding) |
                                        set_of(Parameter::padding_end);

// linear: a linear layer has no window, so that only its channels and its batch vary.
std::vector<Variable> variables(bool linear) {
  if (linear) {
    return {{Parameter::in_channels, -1, 1, kMostChannels},
            {Parameter::out_channels, -1, 1, kMostChannels},
            {Parameter::batch, -1, 1, 1 << 12}};
  }
  std::vector<Variable> all{{Parameter::dims, -1, 1, 3}};
  const auto spatial = [&](Parameter p, std::int64_t low, std::int64_t high) {
    for (int axis = 0; axis < 3; ++axis) all.push_back({p, axis, low, high});
  };
  spatial(Parameter::kernel, 1, 1 << 12);
  spatial(Parameter::stride, 1, 1 << 12);
  spatial(Parameter::dilation, 1, 1 << 12);
  spatial(Parameter::padding, 0, 1 << 12);
  spatial(Parameter::padding_end, 0, 1 << 12);
  all.push_back({Parameter::groups, -1, 1, kMostChannels});
  all.push_back({Parameter::in_channels, -1, 1, kMostChannels});
  all.push_back({Parameter::out_channels, -1, 1, kMostChannels});
  all.push_back({Parameter::batch, -1, 1, 1 << 12});
  spatial(Parameter::input, 1, kMostExtent);
  return all;
}

std::int64_t get(const ConvCase& c, const Variable& v) {
  const auto d = static_cast<std::size_t>(std::max(v.axis, 0));
  switch (v.parameter) {
    case Parameter::dims: return c.dims;
    case Parameter::kernel: return c.kernel[d];
    case Parameter::stride: return c.stride[d];
    case Parameter::dilation: return c.dilation[d];
    case Parameter::padding: return c.padding[d];
    case Parameter::padding_end: return c.padding[d] + c.extra_end_padding[d];
    case Parameter::groups: return c.groups;
    case Parameter::in_channels: return c.in_channels;
    case Parameter::out_channels: return c.out_channels;
    case Parameter::batch: return c.batch;
    default: return c.input[d];
  }
}

void set(ConvCase& c, const Variable& v, std::int64_t value) {
  const auto d = static_cast<std::size_t>(std::max(v.axis, 0));
  switch (v.parameter) {
    case Parameter::dims: c.dims = static_cast<int>(value); break;
    case Parameter::kernel: c.kernel[d] = value; break;
    case Parameter::stride: c.stride[d] = value; break;
    case Parameter::dilation: c.dilation[d] = value; break;
    case Parameter::padding: c.padding[d] = value; break;
    case Parameter::padding_end: c.extra_end_padding[d] = value - c.padding[d]; break;
    case Parameter::groups: c.groups = value; break;
    case Parameter::in_channels: c.in_channels = value; break;
    case Parameter::out_channels: c.out_channels = value; break;
    case Parameter::batch: c.batch = value; break;
    default: c.input[d] = value; break;
  }
}

std::int64_t products_of(const ConvCase& c) {
  return c.batch * c.out_channels * volume(output_size(c)) * reduction_length(c);
}

// Searches the shape's variables depth first. Each variable is tried at its drawn value first, then at values beside
// it, so that a drawn shape that satisfies the conditions stays as it is.
class ShapeSearch {
 public:
  ShapeSearch(const Domain::Alternative& where, Random& random, bool linear)
      : where_(where), random_(random), variables_(variables(linear)), fixed_(linear ? kFixedInLinear : 0) {
    for (const Condition& condition : where) {
      needs_.push_back(parameters_of(condition));
      const auto values = static_cast<std::uint32_t>(condition.values.size());
      picked_.push_back(values > 1 ? random.below(values) : 0);
    }
  }

  bool run(ConvCase& c) {
    drawn_ = c;
    nodes_ = 0;
    chosen_ = fixed_;
    return choose(c, 0);
  }

 private:
  static constexpr int kMostNodes = 3'000;

  bool choose(ConvCase& c, std::size_t i) {
    if (i == variables_.size()) return true;
    const Variable& v = variables_[i];
    // The case does not have this axis.
    if (v.axis >= 0 && v.axis < 3 - c.dims) {
      set(c, v, v.parameter == Parameter::padding || v.parameter == Parameter::padding_end ? 0 : 1);
      return choose(c, i + 1);
    }
    const ParameterSet before = chosen_;
    for (const std::int64_t value : candidates(c, v)) {
      if (++nodes_ > kMostNodes) return false;
      set(c, v, value);
      if (!possible(c, v)) continue;
      if (v.axis < 0 || v.axis == 2) chosen_ = before | set_of(v.parameter);
      if (choose(c, i + 1)) return true;
      chosen_ = before;
    }
    return false;
  }

  // True if the case can still become valid and satisfy the conditions, now that v has its value.
  [[nodiscard]] bool possible(const ConvCase& c, const Variable& v) const {
    if (v.parameter == Parameter::in_channels && c.in_channels % c.groups != 0) return false;
    if (v.parameter == Parameter::out_channels && c.out_channels % c.groups != 0) return false;
    const auto d = static_cast<std::size_t>(std::max(v.axis, 0));
    if (v.parameter == Parameter::input && output_size(c)[d] < 1) return false;
    const ParameterSet known = chosen_ | set_of(v.parameter) | set_of(Parameter::dims);
    for (std::size_t i = 0; i < where_.size(); ++i) {
      if ((needs_[i] & set_of(v.parameter)) == 0 || (needs_[i] & ~known) != 0) continue;
      if (!holds(where_[i], c, v.axis < 0 ? 2 : v.axis)) return false;
    }
    return true;
  }

  // Returns the values to try, likely ones first. For a variable without conditions, these are the drawn value and its
  // neighbours, which only a valid shape may need.
  std::vector<std::int64_t> candidates(const ConvCase& c, const Variable& v) {
    const std::int64_t start = std::clamp(start_of(c, v), v.low, v.high);
    std::vector<std::int64_t> values{start};
    const auto add = [&](std::int64_t value) {
      if (v.low <= value && value <= v.high) values.push_back(value);
    };
    for (std::int64_t step = 1; step <= 64; ++step) {
      add(start + step);
      add(start - step);
    }
    for (std::int64_t times = 1; times <= 32 && c.groups > 1; ++times) add(times * c.groups);
    for (const Condition& condition : where_) {
      if (condition.left.parameter != v.parameter) continue;
      for (std::int64_t times = 1; times <= 4 && condition.modulus > 0; ++times) add(times * condition.modulus);
      for (const ConditionValue& value : condition.values) {
        const auto constant = constant_of(value, v);
        for (std::int64_t beside = -1; constant && beside <= 1; ++beside) add(*constant + beside);
      }
    }
    return values;
  }

  [[nodiscard]] static std::optional<std::int64_t> constant_of(const ConditionValue& value, const Variable& v) {
    if (value.kind == Kind::number) return static_cast<std::int64_t>(value.number);
    if (value.kind != Kind::extents) return {};
    if (value.extents.size() == 1 || v.axis < 0) return value.extents.back();
    const int at = v.axis - (3 - static_cast<int>(value.extents.size()));
    if (at < 0) return {};
    return value.extents[static_cast<std::size_t>(at)];
  }

  // Returns the drawn value. If a condition forbids it, returns one that spreads over what the condition allows: one of
  // the listed values, a value beyond the bound by the drawn amount, or a small multiple.
  std::int64_t start_of(const ConvCase& c, const Variable& v) {
    std::int64_t start = drawn_axis(c, v);
    for (std::size_t i = 0; i < where_.size(); ++i) {
      const Condition& condition = where_[i];
      const Parameter left = condition.left.parameter;
      const bool same_axis = condition.left.axis < 0 || condition.left.axis == v.axis;
      if (v.parameter == Parameter::input && left == Parameter::output && same_axis)
        start = beyond(c, condition, v, start);
      if (left == v.parameter && same_axis) start = allowed_start(c, condition, picked_[i], v, start);
      if (left == v.parameter || !same_axis) continue;
      // For a condition such as groups=in_channels, either of the two drawn values is used.
      for (const ConditionValue& value : condition.values) {
        const bool equal = condition.relation == Relation::equal && value.kind == Kind::operand;
        if (equal && value.operand.parameter == v.parameter && (chosen_ & set_of(left)) == 0 && !is_spatial(left) &&
            random_.chance(1, 2)) {
          start = get(drawn_, {left, -1, 0, 0});
        }
      }
    }
    return start;
  }

  std::int64_t allowed_start(const ConvCase& c, const Condition& condition, std::size_t picked, const Variable& v,
                             std::int64_t start) {
    ConvCase at_start = c;
    set(at_start, v, start);
    if (holds(condition, at_start, v.axis < 0 ? 2 : v.axis)) return start;
    const ConditionValue& value = condition.values[picked];
    if (value.kind == Kind::operand && condition.relation == Relation::equal &&
        (chosen_ & set_of(value.operand.parameter)) == 0 && !is_spatial(value.operand.parameter) &&
        random_.chance(1, 2)) {
      return get(drawn_, {value.operand.parameter, -1, 0, 0});
    }
    const auto constant = constant_of(value, v);
    if (!constant) return start;
    if (condition.modulus > 0) {
      if (condition.relation == Relation::unequal || random_.chance(1, 2)) return start;
      return condition.modulus * random_.between(v.low == 0 ? 0 : 1, 5) + *constant;
    }
    switch (condition.relation) {
      case Relation::equal: return *constant;
      case Relation::more:
      case Relation::at_least: return *constant + (random_.chance(1, 2) ? start : 0);
      case Relation::less:
      case Relation::at_most:
        return random_.chance(1, 2) ? *constant : random_.between(v.low, std::max(v.low, *constant));
      default: return start;
    }
  }

  // Returns, for a condition on the output, an input whose output lies beyond the bound by the drawn amount.
  std::int64_t beyond(const ConvCase& c, const Condition& condition, const Variable& v, std::int64_t start) {
    const bool bound = condition.relation == Relation::at_least || condition.relation == Relation::more;
    const auto constant = constant_of(condition.values.front(), v);
    if (!constant || condition.modulus > 0 || (!bound && condition.relation != Relation::equal)) return start;
    const auto d = static_cast<std::size_t>(v.axis);
    ConvCase at_start = c;
    at_start.input[d] = start;
    const std::int64_t output = output_size(at_start)[d];
    if (bound ? output >= *constant : output == *constant) return start;
    const std::int64_t extent = *constant + (bound ? random_.between(0, std::max<std::int64_t>(1, output)) : 0);
    return (extent - 1) * c.stride[d] + c.dilation[d] * (c.kernel[d] - 1) + 1 - 2 * c.padding[d] -
           c.extra_end_padding[d];
  }

  // Returns the drawn value; for an axis that the drawn case lacks, returns an ordinary value.
  std::int64_t drawn_axis(const ConvCase& c, const Variable& v) {
    // The end keeps its difference from the begin, whose padding a condition may have changed.
    if (v.parameter == Parameter::padding_end && v.axis >= 3 - drawn_.dims) {
      const auto d = static_cast<std::size_t>(v.axis);
      return c.padding[d] + drawn_.extra_end_padding[d];
    }
    if (v.axis < 0 || v.axis >= 3 - drawn_.dims) return get(drawn_, v);
    switch (v.parameter) {
      case Parameter::kernel: return std::min<std::int64_t>(drawn_.kernel[2], 3);
      case Parameter::padding: return c.kernel[static_cast<std::size_t>(v.axis)] / 2;
      case Parameter::padding_end: return c.padding[static_cast<std::size_t>(v.axis)];
      case Parameter::input: return random_.between(1, 6);
      default: return get(drawn_, {v.parameter, 2, 0, 0});
    }
  }

  const Domain::Alternative& where_;
  Random& random_;
  // The parameters of each condition.
  std::vector<ParameterSet> needs_;
  // The index of the chosen value of each condition.
  std::vector<std::uint32_t> picked_;
  std::vector<Variable> variables_;
  // The parameters that are no variables.
  ParameterSet fixed_;
  ConvCase drawn_;
  ParameterSet chosen_ = 0;
  int nodes_ = 0;
};

// Halves the parameter that contributes most to the cost of the drawn case: the batch, else the longest axis of the
// input or the channels. Returns false if nothing is left to halve.
bool halve(ConvCase& drawn) {
  std::int64_t& longest = *std::ranges::max_element(drawn.input);
  std::int64_t& channels = drawn.in_channels > drawn.out_channels ? drawn.in_channels : drawn.out_channels;
  if (drawn.batch > 1) {
    drawn.batch /= 2;
  } else if (longest > 4 && longest * 8 > channels) {
    longest /= 2;
  } else if (std::int64_t& dearest = channels > 1 ? channels : longest; dearest > 1) {
    dearest /= 2;
  } else {
    return false;
  }
  return true;
}

// ---- quantization

// Returns the integer in low..high that is nearest to `value` and for which fits() holds; `value` itself if there is
// none.
template <typename Try>
std::int64_t nearest(std::int64_t value, std::int64_t low, std::int64_t high, Try fits) {
  for (std::int64_t step = 0; step <= high - low; ++step) {
    if (value + step <= high && fits(value + step)) return value + step;
    if (value - step >= low && fits(value - step)) return value - step;
  }
  return value;
}

bool about(const Condition& condition, Parameter p) { return (parameters_of(condition) & set_of(p)) != 0; }

bool keeps_those_about(Parameter p, const ConvCase& c, const Domain::Alternative& where) {
  return std::ranges::all_of(where,
                             [&](const Condition& condition) { return !about(condition, p) || holds(condition, c); });
}

void conform_zero_points(ConvCase& c, const Domain::Alternative& where) {
  const auto conform = [&](Parameter p, std::int64_t& zero_point) {
    zero_point = nearest(zero_point, 0, 255, [&](std::int64_t value) {
      zero_point = value;
      return keeps_those_about(p, c, where);
    });
  };
  conform(Parameter::activation_zero_point, c.activation_zero_point);
  if (c.output_type != OutputType::int32) conform(Parameter::output_zero_point, c.output_zero_point);
  if (keeps_those_about(Parameter::weight_zero_point, c, where)) return;
  ConvCase alone = c;
  alone.weight_zero_points = {0};
  for (std::int64_t& zero_point : c.weight_zero_points) {
    zero_point = nearest(zero_point, -128, 127, [&](std::int64_t value) {
      alone.weight_zero_points.front() = value;
      return keeps_those_about(Parameter::weight_zero_point, alone, where);
    });
  }
}

// Returns the number of a condition of the form xs=0.5; nothing for other forms.
std::optional<double> demanded(Parameter p, const Domain::Alternative& where, Random& random) {
  for (const Condition& condition : where) {
    if (condition.left.parameter != p || condition.relation != Relation::equal) continue;
    return condition.values[random.below(static_cast<std::uint32_t>(condition.values.size()))].number;
  }
  return {};
}

// Doubles or halves the scale until the conditions on it hold; leaves it unchanged if they never do.
void conform_scale(double& scale, Parameter p, ConvCase& c, const Domain::Alternative& where, Random& random) {
  if (keeps_those_about(p, c, where)) return;
  const double drawn = scale;
  if (const auto number = demanded(p, where, random)) scale = *number;
  if (keeps_those_about(p, c, where)) return;
  for (const double factor : {2.0, 0.5}) {
    scale = drawn;
    for (int i = 0; i < 250; ++i) {
      scale *= factor;
      if (!std::isnormal(static_cast<float>(scale))) break;
      if (keeps_those_about(p, c, where)) return;
    }
  }
  scale = drawn;
}

void conform_scales(ConvCase& c, const Domain::Alternative& where, Random& random) {
  // Conditions on the multiplier are satisfied by the output's scale, which is chosen last.
  Domain::Alternative own;
  std::ranges::copy_if(where, std::back_inserter(own),
                       [](const Condition& condition) { return condition.left.parameter != Parameter::multiplier; });
  conform_scale(c.activation_scale, Parameter::activation_scale, c, own, random);
  if (!keeps_those_about(Parameter::weight_scale, c, own)) {
    ConvCase alone = c;
    for (double& scale : c.weight_scales) {
      alone.weight_scales = {scale};
      conform_scale(alone.weight_scales.front(), Parameter::weight_scale, alone, own, random);
      scale = alone.weight_scales.front();
    }
  }
  if (c.output_type != OutputType::int32) conform_scale(c.output_scale, Parameter::output_scale, c, where, random);
}

// Picks another value until the conditions on the parameter itself hold.
template <typename T, std::size_t kChoices>
void conform_choice(Parameter p, T& value, const std::array<T, kChoices>& choices, const ConvCase& c,
                    const Domain::Alternative& where, Random& random) {
  const auto fits = [&] {
    return std::ranges::all_of(
        where, [&](const Condition& condition) { return condition.left.parameter != p || holds(condition, c); });
  };
  for (int tries = 0; tries < 20 && !fits(); ++tries) value = random.pick(choices);
}

// Makes the type int8, or uint8, if only that has a zero point for which the conditions hold, such as xz=-128.
template <typename Type>
void conform_type_to_zero_point(Parameter zero_point, std::int64_t ConvCase::* value, ConvCase& c,
                                const Domain::Alternative& where, Parameter of_type, Type ConvCase::* type) {
  if (!mentions(zero_point, where) || (c.*type != Type::uint8 && c.*type != Type::int8)) return;
  const auto fits = [&](ConvCase tried) {
    for (tried.*value = 0; tried.*value <= 255; ++(tried.*value)) {
      if (keeps_those_about(zero_point, tried, where) && keeps_those_about(of_type, tried, where)) return true;
    }
    return false;
  };
  if (fits(c)) return;
  ConvCase other = c;
  other.*type = c.*type == Type::uint8 ? Type::int8 : Type::uint8;
  if (fits(other)) c.*type = other.*type;
}

// Returns the float bias in units of the sum.
std::vector<std::int32_t> nearest_int32_bias(const ConvCase& c) {
  std::vector<std::int32_t> bias;
  for (std::size_t k = 0; k < c.bias.size(); ++k) {
    const std::size_t of_scale = std::min(k, c.weight_scales.size() - 1);
    const double steps = static_cast<double>(c.bias[k]) / (c.activation_scale * c.weight_scales[of_scale]);
    bias.push_back(static_cast<std::int32_t>(std::clamp(std::nearbyint(steps), -0x1p31, 0x1p31 - 1)));
  }
  return bias;
}

// Draws the int32 bias, in place of a float bias that the conditions exclude.
void conform_int32_bias(ConvCase& c, const Domain::Alternative& where, Random& random) {
  if (c.bias.empty()) {
    if (c.int32_bias.empty()) draw_int32_bias(c, random);
  } else if (!keeps_those_about(Parameter::bias, c, where)) {
    // Mostly the float bias was drawn for a purpose, which the nearest integer may serve as well.
    if (random.chance(2, 3)) {
      c.int32_bias = nearest_int32_bias(c);
    } else {
      draw_int32_bias(c, random);
    }
    c.bias.clear();
  }
  if (keeps_those_about(Parameter::int32_bias, c, where)) return;
  if (!c.int32_bias.empty()) return c.int32_bias.clear();
  c.bias.clear();
  while (c.int32_bias.empty()) draw_int32_bias(c, random);
}

void conform_bias_and_relu(ConvCase& c, const Domain::Alternative& where, Random& random) {
  if (c.output_type == OutputType::int32) return;
  if (!keeps_those_about(Parameter::relu, c, where)) c.relu = c.relu == Relu::on ? Relu::off : Relu::on;
  if (keeps_those_about(Parameter::bias, c, where)) return;
  if (!c.bias.empty()) return c.bias.clear();
  if (!c.int32_bias.empty()) return;
  for (std::int64_t k = 0; k < c.out_channels; ++k) {
    c.bias.push_back(static_cast<float>((random.unit() - 0.5) * 100 * c.output_scale));
  }
}

// Gives a case that was drawn for another engine what is drawn for its new one.
void fit_to_engine(ConvCase& c, Random& random) {
  const Engine engine = c.execution.engine;
  if (engine == Engine::onednn_pointwise) draw_byte_types(c, random);
  if (is_onednn(engine) && random.chance(9, 10)) std::ranges::fill(c.weight_zero_points, 0);
  if (refuses_relu(c)) c.relu = Relu::off;
}

}  // namespace

const Domain::Alternative* pick_alternative(const Domain& domain, Random& random) {
  const auto& alternatives = domain.alternatives();
  if (alternatives.empty()) return nullptr;
  return &alternatives[alternatives.size() == 1 ? 0 : random.below(static_cast<std::uint32_t>(alternatives.size()))];
}

bool keeps_shape(const ConvCase& c, const Domain::Alternative& where) {
  constexpr ParameterSet kShape = (set_of(Parameter::activation_zero_point) - 1) | set_of(Parameter::input) |
                                  set_of(Parameter::kernel) | set_of(Parameter::stride) | set_of(Parameter::dilation) |
                                  set_of(Parameter::padding) | set_of(Parameter::padding_end);
  return std::ranges::all_of(where, [&](const Condition& condition) {
    return (parameters_of(condition) & ~kShape) != 0 || holds(condition, c);
  });
}

bool mentions(Parameter p, const Domain::Alternative& where) {
  return std::ranges::any_of(where, [p](const Condition& condition) { return condition.left.parameter == p; });
}

bool conform_shape(ConvCase& c, const Domain::Alternative& where, Random& random, std::int64_t most_products) {
  if (keeps_shape(c, where)) return true;
  ShapeSearch search(where, random, is_linear(c));
  ConvCase drawn = c;
  bool found = false;
  std::int64_t least = 0;
  for (int halvings = 0; halvings < 40; ++halvings) {
    ConvCase tried = drawn;
    if (search.run(tried) && keeps_shape(tried, where) && (!found || products_of(tried) < least)) {
      found = true;
      least = products_of(tried);
      c = tried;
    }
    if ((found && least <= most_products) || (!found && halvings == 3) || !halve(drawn)) break;
  }
  return found;
}

Granularity conform_granularity(Granularity drawn, const Domain::Alternative& where) {
  ConvCase c;
  c.granularity = drawn;
  if (keeps_those_about(Parameter::granularity, c, where)) return drawn;
  return drawn == Granularity::per_tensor ? Granularity::per_channel : Granularity::per_tensor;
}

void conform_types(ConvCase& c, const Domain::Alternative& where, Random& random) {
  conform_choice(Parameter::activation_type, c.activation_type, std::array{ActivationType::uint8, ActivationType::int8},
                 c, where, random);
  if (is_linear(c)) {
    conform_choice(Parameter::output_type, c.output_type, std::array{OutputType::uint8, OutputType::int8}, c, where,
                   random);
  } else {
    conform_choice(Parameter::output_type, c.output_type,
                   std::array{OutputType::uint8, OutputType::int8, OutputType::int32}, c, where, random);
  }
  conform_type_to_zero_point(Parameter::activation_zero_point, &ConvCase::activation_zero_point, c, where,
                             Parameter::activation_type, &ConvCase::activation_type);
  conform_type_to_zero_point(Parameter::output_zero_point, &ConvCase::output_zero_point, c, where,
                             Parameter::output_type, &ConvCase::output_type);
  if (mentions(Parameter::int32_bias, where) && !is_linear(c)) conform_int32_bias(c, where, random);
  settle_types(c);
}

void settle_types(ConvCase& c) {
  if (c.output_type == OutputType::int32) {
    // An int32 output is the sum, and nothing that comes after it has an effect.
    c.output_scale = 1;
    c.output_zero_point = 0;
    c.relu = Relu::off;
    c.bias.clear();
  }
  if (needs_direct_call(c)) c.execution.engine = Engine::fbgemm_direct;
}

void conform_quantization(ConvCase& c, const Domain::Alternative& where, Random& random) {
  conform_zero_points(c, where);
  conform_scales(c, where, random);
  conform_bias_and_relu(c, where, random);
}

void conform_execution(ConvCase& c, const Domain::Alternative& where, Random& random) {
  Execution& execution = c.execution;
  const auto conform = [&](Parameter p, auto& value, const auto& choices) {
    for (int tries = 0; tries < 20 && !keeps_those_about(p, c, where); ++tries) value = random.pick(choices);
  };
  constexpr std::array kEngines{Engine::fbgemm,  Engine::onednn,        Engine::x86,
                                Engine::qnnpack, Engine::fbgemm_direct, Engine::onednn_pointwise};
  constexpr std::array kOfLinear{Engine::fbgemm, Engine::onednn, Engine::x86, Engine::qnnpack,
                                 Engine::onednn_pointwise};
  constexpr std::array kIsas{Isa::native,     Isa::avx2,        Isa::avx512,
                             Isa::avx512_256, Isa::avx512_vnni, Isa::avx512_vnni_256};
  constexpr std::array kFormats{MemoryFormat::contiguous, MemoryFormat::channels_last};
  constexpr std::array<int, 4> kThreads{1, 2, 3, 4};
  const Engine drawn = execution.engine;
  if (is_linear(c)) {
    conform(Parameter::engine, execution.engine, kOfLinear);
  } else {
    conform(Parameter::engine, execution.engine, kEngines);
  }
  if (execution.engine != drawn) fit_to_engine(c, random);
  if (!is_fbgemm(execution.engine)) execution.isa = Isa::native;
  conform(Parameter::isa, execution.isa, kIsas);
  if (c.dims > 1 && !is_linear(c)) conform(Parameter::format, execution.memory_format, kFormats);
  conform(Parameter::threads, execution.threads, kThreads);
}

}  // namespace tieout
