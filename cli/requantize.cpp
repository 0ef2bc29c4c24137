#include "props/explain/requantize.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "cli/common/call_files.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/errors.h"
#include "cli/common/standard_output.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

struct RequantizeArguments {
  std::vector<std::string> words;  // accumulators, and words such as "xs=0.05"
  std::string type = "uint8";      // of the output
  std::optional<std::int64_t> multiplier, shift;
  std::vector<std::string> steps;  // names of hypotheses, or "all"
  std::string json;                // file; "-": standard output; empty: none
};

int refuse_requantization(std::string_view message) { return fail_command("requantize", kBadUsage, message); }

// What the arguments ask for.
struct Request {
  std::vector<std::int32_t> accumulators;
  SumRequantization how;
  HypothesisList steps;  // whose steps are printed
};

// Splits the arguments at spaces and commas outside of brackets, so that a line in quotes and a list are accepted.
std::vector<std::string> split(const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  for (const std::string& argument : arguments) {
    std::string word;
    int depth = 0;
    for (const char c : argument + " ") {
      if (c == '[') ++depth;
      if (c == ']') --depth;
      if (depth > 0 || (c != ' ' && c != ',')) {
        word += c;
      } else if (!word.empty()) {
        words.push_back(std::exchange(word, {}));
      }
    }
    if (!word.empty()) words.push_back(word);  // a bracket is not closed
  }
  return words;
}

bool begins_a_number(const std::string& word) {
  const std::size_t sign = word.starts_with('-') || word.starts_with('+') ? 1 : 0;
  return word.size() > sign && word[sign] >= '0' && word[sign] <= '9';
}

tl::expected<std::int32_t, std::string> accumulator_of(const std::string& word) {
  const std::string digits = word.starts_with('+') ? word.substr(1) : word;
  std::int32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc{} && end == digits.data() + digits.size()) return value;
  return tl::unexpected("accumulator: must be a whole number -2147483648..2147483647, is '" + word + "'");
}

// Moves the words that follow --steps and are no names of hypotheses to the others: the option takes all that follow
// it.
void separate_steps(RequantizeArguments& arguments) {
  const auto is_word = [](const std::string& text) {
    return begins_a_number(text) || text == "relu" || text.find('=') != std::string::npos;
  };
  const auto words = std::stable_partition(arguments.steps.begin(), arguments.steps.end(), std::not_fn(is_word));
  arguments.words.insert(arguments.words.end(), words, arguments.steps.end());
  arguments.steps.erase(words, arguments.steps.end());
}

tl::expected<HypothesisList, std::string> chosen_hypotheses(const std::vector<std::string>& names) {
  HypothesisList list;
  for (const std::string& name : names) {
    if (name == "all") return hypotheses_of_sums();
    const Hypothesis* const hypothesis = find_hypothesis(name);
    if (hypothesis == nullptr) {
      return tl::unexpected("--steps: there is no hypothesis '" + name +
                            "': take one of those that are printed, or all");
    }
    if (hypothesis->reads == Hypothesis::Reads::products) {
      return tl::unexpected("--steps: " + name + " depends on the products of the sum, which are not known here: " +
                            "tieout explain takes a layer with its contents");
    }
    list.push_back(hypothesis);
  }
  return list;
}

tl::expected<Request, std::string> read(RequantizeArguments arguments) {
  separate_steps(arguments);
  Request request;
  std::vector<std::string> parameters;
  for (const std::string& word : split(arguments.words)) {
    if (!begins_a_number(word)) {
      parameters.push_back(word);
      continue;
    }
    const auto value = accumulator_of(word);
    if (!value) return tl::unexpected(value.error());
    request.accumulators.push_back(*value);
  }
  if (request.accumulators.empty()) {
    return tl::unexpected<std::string>(
        "accumulator: name at least one sum, as in tieout requantize 585 xs=0.05 ws=0.02 os=0.1");
  }
  std::optional<FixedPoint> multiplier;
  if (arguments.multiplier && arguments.shift) {
    multiplier = {static_cast<std::int32_t>(*arguments.multiplier), static_cast<int>(*arguments.shift)};
  }
  auto how =
      parse_requantization(parameters, arguments.type == "int8" ? OutputType::int8 : OutputType::uint8, multiplier);
  if (!how) return tl::unexpected(how.error().text());
  request.how = *std::move(how);
  auto steps = chosen_hypotheses(arguments.steps);
  if (!steps) return tl::unexpected(steps.error());
  request.steps = *std::move(steps);
  return request;
}

std::string number(double value) { return std::isnan(value) ? "not a number" : fmt::format("{}", value); }

std::string names_text(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

std::string sum_text(const RequantizedSum& sum) {
  std::string text = fmt::format("accumulator {}: {} output steps, before rounding and zero point\n", sum.accumulator,
                                 number(sum.exact));
  for (const EqualAnswers& answers : sum.answers) {
    constexpr std::size_t kIndent = 8;
    text +=
        wrapped(fmt::format("{:>6}  {}", answers.answer, names_text(answers.hypotheses)), kTextColumns, kIndent) + "\n";
  }
  return text;
}

// Returns what the hypotheses claim, and where they come from.
std::string descriptions_text(const HypothesisList& hypotheses) {
  std::string text;
  for (const Hypothesis* const h : hypotheses) {
    text += wrapped(fmt::format("{}: {} ({})", h->name, h->claim, h->source), kTextColumns, 4) + "\n";
  }
  return text;
}

std::string json_text(const Request& request) {
  std::string sums;
  for (const std::int32_t accumulator : request.accumulators) {
    const RequantizedSum sum = requantize(request.how, accumulator);
    std::string answers;
    for (const EqualAnswers& equal : sum.answers) {
      answers += fmt::format(R"({}{{"answer": {}, "hypotheses": ["{}"]}})", answers.empty() ? "" : ",\n      ",
                             equal.answer, fmt::join(equal.hypotheses, R"(", ")"));
    }
    sums +=
        fmt::format("{}  {{\"accumulator\": {}, \"exact\": {}, \"answers\": [\n      {}]}}", sums.empty() ? "" : ",\n",
                    accumulator, std::isfinite(sum.exact) ? fmt::format("{}", sum.exact) : "null", answers);
  }
  return fmt::format("{{\"type\": \"{}\", \"sums\": [\n{}\n]}}\n",
                     request.how.type == OutputType::int8 ? "int8" : "uint8", sums);
}

// Returns the check, whose messages end with the hint.
ValueCheck check_with_hint(ValueCheck check, const std::string& hint) {
  check.fault = [fault = std::move(check.fault), hint](const std::string& text) {
    const std::string message = fault(text);
    return message.empty() ? message : message + hint;
  };
  return check;
}

int run_requantize(const RequantizeArguments& arguments) {
  const auto request = read(arguments);
  if (!request) return refuse_requantization(request.error());
  if (const auto prepared = prepare_output("--json", arguments.json); !prepared)
    return refuse_requantization(prepared.error());
  if (request->how.multiplier) {
    fmt::print("multiplier {:.17g}; {:.9g} in float32\n", request->how.parameters.weight_scales.front(),
               static_cast<float>(request->how.parameters.weight_scales.front()));
  }
  for (const std::int32_t accumulator : request->accumulators) {
    fmt::print("{}", sum_text(requantize(request->how, accumulator)));
    if (request->steps.empty()) continue;
    fmt::print("\n{}\n", steps_text(explain_sum(request->how, accumulator, request->steps)));
  }
  fmt::print("{}", descriptions_text(request->steps));
  if (arguments.json.empty()) return kEqual;
  const std::string json = json_text(*request);
  const auto written = write_output(arguments.json, json);
  return written ? kEqual : fail_command("requantize", kNotVerified, "--json: " + written.error());
}

}  // namespace

Command requantize_command() {
  Command command{.name = "requantize", .description = "The answers of all hypotheses to a sum, without a layer"};
  const auto arguments = std::make_shared<RequantizeArguments>();
  command.option("word", &arguments->words,
                 "Sums of (x - xz) * (w - wz), with an int32 bias added; and how they are requantized: xs=0.05 ws=0.02 "
                 "os=0.1 oz=3 bias=0.5 relu, as in a case line",
                 {.required = true});
  command.option("--type", &arguments->type, "Type of the output, and of oz",
                 {.check = one_of({"uint8", "int8"}), .show_default = true});
  command.option("--multiplier", &arguments->multiplier,
                 "Multiplier in place of the scales, as TensorFlow Lite and CMSIS-NN store it: M / 2^31 * 2^shift",
                 {.check = check_with_hint(whole_number(0, 2147483647), "; a real multiplier is written xs=0.0123"),
                  .needs = {"--shift"}});
  command.option("--shift", &arguments->shift,
                 "Exponent of the multiplier, negative to the right; TOSA's shift is 31 minus it",
                 {.check = check_with_hint(whole_number(-31, 30), "; it is the exponent, negative to the right"),
                  .needs = {"--multiplier"}});
  command.option("--steps", &arguments->steps,
                 "Hypotheses whose steps and descriptions are printed, compared with the first; all: every one",
                 {.proposals = names_of(hypotheses())});
  command.option("--json", &arguments->json, "File for the answers, as JSON; -: standard output", {.type = "FILE"});
  command.footer =
      "Hypotheses with the same answer are listed together. Hypotheses about how products are summed are left out: "
      "tieout explain takes a layer. With --multiplier, hypotheses in floats round it to float32.";
  command.run = [arguments] { return run_requantize(*arguments); };
  return command;
}

}  // namespace tieout
