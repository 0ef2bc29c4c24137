#include "props/explain/requantize.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "cases/text/case_text.h"

namespace tieout {
namespace {

constexpr std::array<std::string_view, 6> kWords{"xs", "ws", "os", "oz", "bias", "relu"};
constexpr std::int64_t kInt8Shift = 128;

std::int64_t shift(OutputType type) { return stored_shift(type); }

tl::unexpected<CaseError> refused(std::string_view field, std::string message) {
  return tl::unexpected(CaseError{std::string(field), std::move(message)});
}

// Returns why the word cannot be given, or "".
std::string fault_of_word(std::string_view name, bool has_multiplier) {
  if (name == "xz" || name == "wz") {
    return "leave it out: the accumulator is the sum of (x - xz) * (w - wz), in which it has been subtracted";
  }
  if (name == "multiplier" || name == "shift") {
    return "write --" + std::string(name) + " and a whole number; a real multiplier is written xs=0.0123";
  }
  if (name == "ytype" || name == "type") return "write --type int8 or --type uint8";
  if (name == "int32_bias") return "leave it out, and add it to the accumulator";
  if (name == "relu6" || name == "clamp") {
    return "write relu: the upper end is that of the output's range, os * (255 - oz) in real units";
  }
  if (std::find(kWords.begin(), kWords.end(), name) == kWords.end()) {
    return "is not known here: the words are xs, ws, os, oz, bias and relu; tieout explain takes the words of a layer";
  }
  if (!has_multiplier) return {};
  if (name == "xs" || name == "ws" || name == "os") return "leave it out: --multiplier takes the place of the scales";
  if (name == "bias")
    return "its unit is xs * ws, which is not known with --multiplier: add an int32 bias to the accumulator";
  return {};
}

// Returns the zero point of uint8 as text.
tl::expected<std::string, CaseError> zero_point(std::string_view text, OutputType type) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::int64_t lowest = -shift(type);
  if (error != std::errc{} || end != text.data() + text.size() || value < lowest || value > lowest + 255) {
    const std::string other = type == OutputType::uint8 ? "; --type int8 takes -128..127" : "";
    return refused("oz", "must be a whole number " + std::to_string(lowest) + ".." + std::to_string(lowest + 255) +
                             ", is '" + std::string(text) + "'" + other);
  }
  return std::to_string(value + shift(type));
}

Window window_of(const SumRequantization& how, std::int32_t accumulator) {
  Window window;
  describe(how.parameters, 0, window);
  window.products = accumulator;
  window.output_shift = shift(how.type);
  window.multiplier = how.multiplier;
  return window;
}

// Returns the value of the step "scaled" of integer_exact, which has the scales as float32, or with the multiplier as
// it was given.
double exact_value(const SumRequantization& how, const Window& window) {
  const Hypothesis* const exact = find_hypothesis(how.multiplier ? "integer_exact_float64_scales" : "integer_exact");
  Trace trace;
  static_cast<void>(exact->evaluate(window, &trace));
  for (const Step& step : trace.steps()) {
    if (step.name == "scaled") return step.value;
  }
  return std::nan("");  // the bias is not finite
}

// Converts a step from the numbers of uint8 to those of int8. stored: the step already has the numbers of int8.
void to_int8(ExplainedStep& step, bool stored) {
  constexpr std::string_view kUint8 = "0..255";
  if (!stored) step.value -= static_cast<double>(kInt8Shift);
  if (const std::size_t at = step.note.find(kUint8); at != std::string::npos) {
    step.note.replace(at, kUint8.size(), "-128..127");
  }
}

}  // namespace

tl::expected<SumRequantization, CaseError> parse_requantization(const std::vector<std::string>& words, OutputType type,
                                                                std::optional<FixedPoint> multiplier) {
  std::string line = "conv1d x=[0] w=[0]";
  bool scaled = multiplier.has_value();
  bool has_zero_point = false;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    const std::string_view name = std::string_view(word).substr(0, equals);
    if (const std::string fault = fault_of_word(name, multiplier.has_value()); !fault.empty()) {
      return refused(name, fault);
    }
    std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    scaled = scaled || name == "xs" || name == "ws" || name == "os";
    if (name == "oz") {
      const auto number = zero_point(value, type);
      if (!number) return tl::unexpected(number.error());
      value = *number;
      has_zero_point = true;
    } else if (name == "bias" && !value.starts_with('[')) {
      value = "[" + value + "]";
    }
    line.append(" ").append(name);
    if (equals != std::string::npos) line.append("=").append(value);
  }
  if (!scaled) return refused("xs", "name the scales, xs=0.05 ws=0.02 os=0.1, or --multiplier and --shift");
  if (!has_zero_point) line += " oz=" + std::to_string(shift(type));
  auto parameters = parse(line);
  if (!parameters) return tl::unexpected(parameters.error());
  if (multiplier) parameters->weight_scales = {std::ldexp(multiplier->mantissa, multiplier->shift - 31)};
  return SumRequantization{.type = type, .parameters = *std::move(parameters), .multiplier = multiplier};
}

HypothesisList hypotheses_of_sums() {
  HypothesisList list;
  for (const Hypothesis& hypothesis : hypotheses()) {
    if (hypothesis.reads == Hypothesis::Reads::sum) list.push_back(&hypothesis);
  }
  return list;
}

RequantizedSum requantize(const SumRequantization& how, std::int32_t accumulator) {
  const Window window = window_of(how, accumulator);
  std::map<int, std::vector<std::string>> by_answer;
  for (const Hypothesis* const hypothesis : hypotheses_of_sums()) {
    const int answer = hypothesis->evaluate(window, nullptr) - static_cast<int>(window.output_shift);
    by_answer[answer].emplace_back(hypothesis->name);
  }
  RequantizedSum sum{.accumulator = accumulator, .exact = exact_value(how, window)};
  for (auto& [answer, names] : by_answer) sum.answers.push_back({answer, std::move(names)});
  return sum;
}

Explanation explain_sum(const SumRequantization& how, std::int32_t accumulator, const HypothesisList& hypotheses) {
  Explanation explanation;
  explain_steps(window_of(how, accumulator), hypotheses, Columns::all, explanation);
  if (how.type == OutputType::uint8) return explanation;
  for (ExplainedColumn& column : explanation.columns) {
    const auto place = [&](std::string_view name) {
      return std::find_if(column.steps.begin(), column.steps.end(),
                          [&](const ExplainedStep& step) { return step.name == name; });
    };
    const bool before_rounding = place("with zero point") < place("rounded");
    for (ExplainedStep& step : column.steps) {
      if (step.name == "result") to_int8(step, false);
      if (step.name == "with zero point") to_int8(step, before_rounding);
      if (step.name == "rounded" && before_rounding) to_int8(step, true);
    }
  }
  return explanation;
}

}  // namespace tieout
