#include "cases/text/domain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "cases/text/case_words.h"

namespace tieout {
namespace {

using Kind = ConditionValue::Kind;
using Relation = Condition::Relation;

constexpr std::array<std::pair<std::string_view, Parameter>, 37> kNames{{
    {"dims", Parameter::dims},
    {"batch", Parameter::batch},
    {"in_channels", Parameter::in_channels},
    {"out_channels", Parameter::out_channels},
    {"in_features", Parameter::in_channels},
    {"out_features", Parameter::out_channels},
    {"groups", Parameter::groups},
    {"group_inputs", Parameter::group_inputs},
    {"group_outputs", Parameter::group_outputs},
    {"taps", Parameter::taps},
    {"products", Parameter::products},
    {"positions", Parameter::positions},
    {"xz", Parameter::activation_zero_point},
    {"wz", Parameter::weight_zero_point},
    {"oz", Parameter::output_zero_point},
    {"threads", Parameter::threads},
    {"input", Parameter::input},
    {"kernel", Parameter::kernel},
    {"stride", Parameter::stride},
    {"dilation", Parameter::dilation},
    {"padding", Parameter::padding},
    {"padding_end", Parameter::padding_end},
    {"output", Parameter::output},
    {"xs", Parameter::activation_scale},
    {"ws", Parameter::weight_scale},
    {"os", Parameter::output_scale},
    {"multiplier", Parameter::multiplier},
    {"granularity", Parameter::granularity},
    {"relu", Parameter::relu},
    {"bias", Parameter::bias},
    {"int32_bias", Parameter::int32_bias},
    {"engine", Parameter::engine},
    {"isa", Parameter::isa},
    {"format", Parameter::format},
    {"xtype", Parameter::activation_type},
    {"ytype", Parameter::output_type},
    {"call", Parameter::call},
}};

constexpr std::array<std::pair<std::string_view, Relation>, 6> kRelations{{
    {"!=", Relation::unequal},
    {"<=", Relation::at_most},
    {">=", Relation::at_least},
    {"=", Relation::equal},
    {"<", Relation::less},
    {">", Relation::more},
}};

bool is_choice(Parameter p) { return p >= Parameter::granularity; }
bool is_real(Parameter p) { return Parameter::activation_scale <= p && p <= Parameter::multiplier; }
bool is_integer(Parameter p) { return p < Parameter::input; }

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

// ---- the value of a parameter

std::int64_t extent(Parameter p, const ConvCase& c, int axis) {
  const std::size_t d = at(axis);
  switch (p) {
    case Parameter::input: return c.input[d];
    case Parameter::kernel: return c.kernel[d];
    case Parameter::stride: return c.stride[d];
    case Parameter::dilation: return c.dilation[d];
    case Parameter::padding: return c.padding[d];
    case Parameter::padding_end: return c.padding[d] + c.extra_end_padding[d];
    default: return output_size(c)[d];
  }
}

// Returns the value of a parameter that has a single one: all but the spatial parameters, ws, wz and the multiplier.
double number(Parameter p, const ConvCase& c) {
  const auto whole = [](std::int64_t value) { return static_cast<double>(value); };
  switch (p) {
    case Parameter::dims: return c.dims;
    case Parameter::batch: return whole(c.batch);
    case Parameter::in_channels: return whole(c.in_channels);
    case Parameter::out_channels: return whole(c.out_channels);
    case Parameter::groups: return whole(c.groups);
    case Parameter::group_inputs: return whole(c.in_channels / c.groups);
    case Parameter::group_outputs: return whole(c.out_channels / c.groups);
    case Parameter::taps: return whole(volume(c.kernel));
    case Parameter::products: return whole(reduction_length(c));
    case Parameter::positions: return whole(volume(output_size(c)));
    case Parameter::activation_zero_point: return whole(stored_activation_zero_point(c));
    case Parameter::output_zero_point: return whole(stored_output_zero_point(c));
    case Parameter::threads: return c.execution.threads;
    case Parameter::activation_scale: return c.activation_scale;
    case Parameter::output_scale: return c.output_scale;
    case Parameter::granularity: return static_cast<double>(c.granularity);
    case Parameter::relu: return static_cast<double>(c.relu);
    case Parameter::bias: return c.bias.empty() ? 0 : 1;
    case Parameter::int32_bias: return c.int32_bias.empty() ? 0 : 1;
    case Parameter::activation_type: return static_cast<double>(c.activation_type);
    case Parameter::output_type: return static_cast<double>(c.output_type);
    case Parameter::engine: return static_cast<double>(c.execution.engine);
    case Parameter::isa: return static_cast<double>(c.execution.isa);
    case Parameter::format: return static_cast<double>(c.execution.memory_format);
    case Parameter::call: return static_cast<double>(c.execution.call);
    default: return 0;
  }
}

// ---- one comparison

bool related(double left, Relation relation, double right) {
  switch (relation) {
    case Relation::equal: return left == right;
    case Relation::unequal: return left != right;
    case Relation::less: return left < right;
    case Relation::at_most: return left <= right;
    case Relation::more: return left > right;
    case Relation::at_least: return left >= right;
  }
  return false;
}

double reduced(double value, std::int64_t modulus) {
  return modulus == 0 ? value : std::fmod(value, static_cast<double>(modulus));
}

// Returns the value's number on an axis, or nothing if it has none: a pair of extents has none for the depth.
std::optional<double> on_axis(const ConditionValue& value, const ConvCase& c, int axis) {
  switch (value.kind) {
    case Kind::number: return value.number;
    case Kind::same: return static_cast<double>(c.dilation[at(axis)] * (c.kernel[at(axis)] - 1)) / 2;
    case Kind::operand:
      if (!is_spatial(value.operand.parameter)) return number(value.operand.parameter, c);
      return static_cast<double>(
          extent(value.operand.parameter, c, value.operand.axis < 0 ? axis : value.operand.axis));
    case Kind::extents: break;
  }
  if (value.extents.size() == 1) return static_cast<double>(value.extents.front());
  const auto first = 3 - static_cast<int>(value.extents.size());
  if (axis < first) return {};
  return static_cast<double>(value.extents[at(axis - first)]);
}

// Compares all axes of a spatial parameter with one value.
bool axes_related(const Condition& condition, const ConditionValue& value, const ConvCase& c, int last_axis) {
  if (value.kind == Kind::extents && value.extents.size() > 1 && std::ssize(value.extents) != c.dims) return false;
  for (int axis = 3 - c.dims; axis <= last_axis; ++axis) {
    const auto right = on_axis(value, c, axis);
    const double left = reduced(static_cast<double>(extent(condition.left.parameter, c, axis)), condition.modulus);
    const Relation relation = condition.relation == Relation::unequal ? Relation::equal : condition.relation;
    if (!right || !related(left, relation, *right)) return false;
  }
  return true;
}

// Compares a single number, or every number of ws, wz and the multiplier, with one value.
bool numbers_related(const Condition& condition, const ConditionValue& value, const ConvCase& c) {
  const Operand& left = condition.left;
  const auto compared = on_axis(value, c, 2);
  if (!compared) return false;
  const double right = *compared;
  const auto fits = [&](double number) {
    return related(reduced(number, condition.modulus), condition.relation, right);
  };
  if (left.parameter == Parameter::weight_zero_point) {
    return std::ranges::all_of(c.weight_zero_points, [&](std::int64_t z) { return fits(static_cast<double>(z)); });
  }
  if (left.parameter == Parameter::weight_scale) return std::ranges::all_of(c.weight_scales, fits);
  if (left.parameter == Parameter::multiplier) {
    return std::ranges::all_of(c.weight_scales,
                               [&](double ws) { return fits(c.activation_scale * ws / c.output_scale); });
  }
  // An axis that the case does not have is neutral, and no condition applies to it.
  if (left.axis >= 0 && left.axis < 3 - c.dims) return true;
  return fits(left.axis >= 0 ? static_cast<double>(extent(left.parameter, c, left.axis)) : number(left.parameter, c));
}

// ---- reading

tl::unexpected<std::string> bad_condition(std::string_view condition, const std::string& why) {
  return tl::unexpected("'" + std::string(condition) + "': " + why);
}

std::string all_names() {
  std::string names;
  for (const auto& [name, parameter] : kNames) names.append(names.empty() ? "" : ", ").append(name);
  return names;
}

std::optional<Operand> read_operand(std::string_view text) {
  Operand operand;
  if (text.size() > 2 && text[text.size() - 2] == '.') {
    operand.axis = static_cast<int>(std::string_view("dhw").find(text.back()));
    if (operand.axis < 0) return {};
    text.remove_suffix(2);
  }
  for (const auto& [name, parameter] : kNames) {
    if (name != text || (operand.axis >= 0 && !is_spatial(parameter))) continue;
    operand.parameter = parameter;
    return operand;
  }
  return {};
}

template <typename T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<std::vector<std::int64_t>> read_extents(std::string_view text) {
  std::vector<std::int64_t> extents;
  while (true) {
    const std::size_t end = text.find('x');
    std::int64_t extent = 0;
    if (!parse_number(text.substr(0, end), extent) || extents.size() == 3) return {};
    extents.push_back(extent);
    if (end == std::string_view::npos) return extents;
    text.remove_prefix(end + 1);
  }
}

// Returns the number of a choice; the error states the allowed words.
tl::expected<double, std::string> read_choice(Parameter p, std::string_view text) {
  const auto word = [&](auto value) -> tl::expected<double, std::string> {
    if (!value) return tl::unexpected(value.error().message);
    return static_cast<double>(*value);
  };
  if (p == Parameter::engine) return word(from_name<Engine>("engine", text));
  if (p == Parameter::isa) return word(from_name<Isa>("isa", text));
  if (p == Parameter::format) return word(from_name<MemoryFormat>("format", text));
  if (p == Parameter::call) return word(from_name<Call>("call", text));
  if (p == Parameter::activation_type) return word(from_name<ActivationType>("xtype", text));
  if (p == Parameter::output_type) return word(from_name<OutputType>("ytype", text));
  const bool on_or_off = p != Parameter::granularity;
  const std::array<std::string_view, 2> words = on_or_off
                                                    ? std::array<std::string_view, 2>{"off", "on"}
                                                    : std::array<std::string_view, 2>{"per_tensor", "per_channel"};
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (text == words[i] || (on_or_off && text == (i == 0 ? "0" : "1"))) return static_cast<double>(i);
  }
  return tl::unexpected("must be " + std::string(words[0]) + " or " + std::string(words[1]) + ", is '" +
                        std::string(text) + "'");
}

tl::expected<ConditionValue, std::string> read_value(const Operand& left, std::string_view text) {
  const Parameter p = left.parameter;
  ConditionValue value;
  if (is_choice(p)) {
    const auto choice = read_choice(p, text);
    if (!choice) return tl::unexpected(choice.error());
    value.number = *choice;
    return value;
  }
  if (p == Parameter::padding && text == "same") {
    value.kind = Kind::same;
    return value;
  }
  if (const auto operand = read_operand(text); operand && !is_choice(operand->parameter)) {
    const bool axes_for_one = is_spatial(operand->parameter) && operand->axis < 0 && (!is_spatial(p) || left.axis >= 0);
    const bool comparable = is_integer(operand->parameter) || is_spatial(operand->parameter);
    if (axes_for_one) return tl::unexpected("'" + std::string(text) + "' has several axes: name one, as in input.w");
    if (!comparable || operand->parameter == Parameter::weight_zero_point || is_real(p)) {
      return tl::unexpected("'" + std::string(text) + "' cannot stand on the right-hand side here");
    }
    value.kind = Kind::operand;
    value.operand = *operand;
    return value;
  }
  if (is_spatial(p) && left.axis < 0) {
    const auto extents = read_extents(text);
    if (!extents) {
      return tl::unexpected("the value must be a number, or numbers joined by x such as 3x3, is '" + std::string(text) +
                            "'");
    }
    value.kind = Kind::extents;
    value.extents = *extents;
    return value;
  }
  std::int64_t whole = 0;
  if (is_real(p) ? parse_number(text, value.number) && std::isfinite(value.number) : parse_number(text, whole)) {
    if (!is_real(p)) value.number = static_cast<double>(whole);
    return value;
  }
  return tl::unexpected("the value must be " + std::string(is_real(p) ? "a number" : "a whole number") + ", is '" +
                        std::string(text) + "'");
}

// Reads the part NAME or NAME%N before the relation. Returns an error, or an empty text.
std::string read_left(std::string_view text, Condition& condition) {
  if (const std::size_t percent = text.find('%'); percent != std::string_view::npos) {
    if (!parse_number(text.substr(percent + 1), condition.modulus) || condition.modulus < 1) {
      return "% must be followed by a positive whole number, as in in_channels%16=0";
    }
    text = text.substr(0, percent);
  }
  const auto left = read_operand(text);
  if (!left) return "there is no parameter '" + std::string(text) + "'; there are " + all_names();
  condition.left = *left;
  const bool whole = is_integer(left->parameter) || is_spatial(left->parameter);
  return condition.modulus != 0 && !whole ? "% needs a parameter that is a whole number" : "";
}

tl::expected<Condition, std::string> read_condition(std::string_view text) {
  Condition condition;
  condition.text = text;
  const std::size_t begin = text.find_first_of("=!<>");
  if (begin == std::string_view::npos) {
    if (text == "relu" || text == "bias" || text == "int32_bias") return read_condition(std::string(text) + "=on");
    return bad_condition(text, "a condition needs one of =, !=, <, <=, >, >=, as in kernel=3x3 or in_channels%16=0");
  }
  const auto* const relation =
      std::ranges::find_if(kRelations, [&](const auto& known) { return text.substr(begin).starts_with(known.first); });
  if (relation == kRelations.end()) return bad_condition(text, "the relation must be one of =, !=, <, <=, >, >=");
  condition.relation = relation->second;
  if (const std::string wrong = read_left(text.substr(0, begin), condition); !wrong.empty())
    return bad_condition(text, wrong);
  const bool ordered = condition.relation != Relation::equal && condition.relation != Relation::unequal;
  if (ordered && (is_choice(condition.left.parameter) || condition.modulus != 0)) {
    return bad_condition(text, "only = and != are possible here");
  }
  std::string_view rest = text.substr(begin + relation->first.size());
  while (true) {
    const std::size_t end = rest.find('|');
    const auto value = read_value(condition.left, rest.substr(0, end));
    if (!value) return bad_condition(text, value.error());
    condition.values.push_back(*value);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  if (ordered && condition.values.size() > 1) return bad_condition(text, "several values need = or !=");
  return condition;
}

ParameterSet bases_of(Parameter p) {
  constexpr ParameterSet kWindow = set_of(Parameter::kernel) | set_of(Parameter::stride) | set_of(Parameter::dilation) |
                                   set_of(Parameter::padding) | set_of(Parameter::padding_end) |
                                   set_of(Parameter::input);
  switch (p) {
    case Parameter::group_inputs: return set_of(Parameter::in_channels) | set_of(Parameter::groups);
    case Parameter::group_outputs: return set_of(Parameter::out_channels) | set_of(Parameter::groups);
    case Parameter::taps: return set_of(Parameter::kernel);
    case Parameter::products:
      return set_of(Parameter::kernel) | set_of(Parameter::in_channels) | set_of(Parameter::groups);
    case Parameter::positions:
    case Parameter::output: return kWindow;
    case Parameter::multiplier:
      return set_of(Parameter::activation_scale) | set_of(Parameter::weight_scale) | set_of(Parameter::output_scale);
    case Parameter::activation_zero_point: return set_of(p) | set_of(Parameter::activation_type);
    case Parameter::output_zero_point: return set_of(p) | set_of(Parameter::output_type);
    default: return set_of(p);
  }
}

}  // namespace

ParameterSet parameters_of(const Condition& condition) {
  ParameterSet found = set_of(Parameter::dims) | bases_of(condition.left.parameter);
  for (const ConditionValue& value : condition.values) {
    if (value.kind == Kind::operand) found |= bases_of(value.operand.parameter);
    if (value.kind == Kind::same) found |= set_of(Parameter::kernel) | set_of(Parameter::dilation);
  }
  return found;
}

bool holds(const Condition& condition, const ConvCase& c, int last_axis) {
  const bool axes = is_spatial(condition.left.parameter) && condition.left.axis < 0;
  const auto fits = [&](const ConditionValue& value) {
    return axes ? axes_related(condition, value, c, last_axis) : numbers_related(condition, value, c);
  };
  // A number that depends on axes which are not chosen yet may still satisfy the condition later.
  const auto chosen = [&](const Operand& operand) {
    const bool derived = operand.parameter == Parameter::taps || operand.parameter == Parameter::products ||
                         operand.parameter == Parameter::positions;
    return operand.axis >= 0 ? operand.axis <= last_axis : !derived || last_axis == 2;
  };
  if (!chosen(condition.left)) return true;
  for (const ConditionValue& value : condition.values) {
    if (value.kind == Kind::operand && !chosen(value.operand)) return true;
  }
  if (condition.relation != Relation::unequal) return std::ranges::any_of(condition.values, fits);
  if (!axes) return std::ranges::all_of(condition.values, fits);
  return last_axis < 2 || std::ranges::none_of(condition.values, fits);
}

tl::expected<Domain, std::string> Domain::parse(std::string_view text) {
  Domain domain;
  Alternative alternative;
  bool wanted = false;  // True after an `or`, which a condition must follow.
  while (true) {
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(" \t\n")));
    if (text.empty()) break;
    const std::size_t end = std::min(text.size(), text.find_first_of(" \t\n"));
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end);
    if (word == "or") {
      if (alternative.empty()) return tl::unexpected(std::string("'or' stands between two lists of conditions"));
      domain.alternatives_.push_back(std::exchange(alternative, {}));
      wanted = true;
      continue;
    }
    auto condition = read_condition(word);
    if (!condition) return tl::unexpected(condition.error());
    alternative.push_back(std::move(*condition));
    wanted = false;
  }
  if (wanted) return tl::unexpected(std::string("'or' stands between two lists of conditions"));
  if (!alternative.empty()) domain.alternatives_.push_back(std::move(alternative));
  return domain;
}

std::string Domain::text() const {
  std::string text;
  for (const Alternative& alternative : alternatives_) {
    if (!text.empty()) text += " or";
    for (const Condition& condition : alternative) text.append(text.empty() ? "" : " ").append(condition.text);
  }
  return text;
}

Domain Domain::intersected_with(const Domain& other) const {
  if (is_everything()) return other;
  if (other.is_everything()) return *this;
  Domain both;
  for (const Alternative& first : alternatives_) {
    for (const Alternative& second : other.alternatives_) {
      Alternative conditions = first;
      std::ranges::copy_if(second, std::back_inserter(conditions), [&](const Condition& condition) {
        return std::ranges::find(first, condition) == first.end();
      });
      if (std::ranges::find(both.alternatives_, conditions) == both.alternatives_.end()) {
        both.alternatives_.push_back(std::move(conditions));
      }
    }
  }
  return both;
}

bool Domain::contains(const ConvCase& c) const {
  const auto fits = [&](const Alternative& alternative) {
    return std::ranges::all_of(alternative, [&](const Condition& condition) { return holds(condition, c); });
  };
  return alternatives_.empty() || std::ranges::any_of(alternatives_, fits);
}

}  // namespace tieout
