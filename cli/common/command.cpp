#include "cli/common/command.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <system_error>
#include <utility>

namespace tieout {
namespace {

template <typename T>
std::optional<T> value_of(const std::string& text) {
  T value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return {};
  return value;
}

template <typename T>
ValueCheck within(T low, T high, const std::string& what, const std::string& description) {
  return {.description = description, .fault = [=](const std::string& text) {
            const auto value = value_of<T>(text);
            if (value && low <= *value && *value <= high) return std::string();
            return fmt::format("must be {}, is '{}'", what, text);
          }};
}

constexpr std::int64_t kMostWhole = std::numeric_limits<std::int64_t>::max();
using Doubles = std::numeric_limits<double>;

}  // namespace

ValueCheck whole_number(std::int64_t low, std::int64_t high) {
  return within(low, high, fmt::format("a whole number {}..{}", low, high), fmt::format("in {}..{}", low, high));
}

ValueCheck positive_whole_number() { return within(std::int64_t{1}, kMostWhole, "a whole number above 0", "above 0"); }

ValueCheck positive_number() { return within(Doubles::min(), Doubles::max(), "a number above 0", "above 0"); }

ValueCheck number_from_zero() { return within(0.0, Doubles::max(), "0 or a number above 0", "at least 0"); }

ValueCheck one_of(std::vector<std::string> choices) {
  std::string all;
  for (const std::string& choice : choices) all.append(all.empty() ? "" : ",").append(choice);
  std::string description = "{" + all + "}";
  const auto fault = [choices, description](const std::string& text) {
    const bool known = std::ranges::find(choices, text) != choices.end();
    return known ? std::string() : text + " not in " + description;
  };
  return {.description = description, .fault = fault, .choices = std::move(choices)};
}

void Command::option(std::string option_name, OptionVariable variable, std::string help, OptionForm form) {
  options.push_back({std::move(option_name), variable, std::move(help), std::move(form)});
}

Option& Command::at(std::string_view option_name) {
  const auto found = std::ranges::find(options, option_name, &Option::name);
  if (found == options.end()) std::abort();
  return *found;
}

}  // namespace tieout
