#include "cli/common/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "cases/strings/nearest_word.h"
#include "cli/common/commands.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

constexpr std::size_t kHelpColumns = 100;

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(Formatter::make_option_desc(option), kHelpColumns - get_column_width());
  }

  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    const std::string name = make_option_name(option, is_positional) + make_option_opts(option);
    return entry(wrapped(name, kHelpColumns - 2, 8), make_option_desc(option));
  }

  std::string make_subcommand(const CLI::App* command) const override {
    return entry(command->get_display_name(true),
                 wrapped(command->get_description(), kHelpColumns - get_column_width()));
  }

  std::string make_description(const CLI::App* command) const override {
    return wrapped(Formatter::make_description(command), kHelpColumns);
  }

  std::string make_footer(const CLI::App* command) const override {
    return wrapped(Formatter::make_footer(command), kHelpColumns);
  }

 private:
  [[nodiscard]] std::string entry(const std::string& name, const std::string& description) const {
    std::ostringstream text;
    CLI::detail::format_help(text, name, description, get_column_width());
    return text.str();
  }
};

template <typename T>
std::optional<T> value_of(const std::string& text) {
  T value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return {};
  return value;
}

template <typename T>
CLI::Validator within(T low, T high, const std::string& what, const std::string& description) {
  return {[=](std::string& text) {
            const auto value = value_of<T>(text);
            if (value && low <= *value && *value <= high) return std::string();
            return fmt::format("must be {}, is '{}'", what, text);
          },
          description};
}

bool has_case(const CLI::App& command) { return command.get_option_no_throw("case") != nullptr; }

// Returns the first argument of the form "--name=". CLI11 would take the next argument as its value.
std::optional<std::string> option_without_value(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--") break;
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) return std::string(argument);
  }
  return {};
}

constexpr const char* kEmpty = "has an empty value; name one, or leave the option out (is a variable not set?)";

// Returns the command that was called, or the program if none was.
const CLI::App& called(const CLI::App& app) {
  const std::vector<CLI::App*> commands = app.get_subcommands();
  return commands.empty() ? app : *commands.front();
}

// Returns for example "tieout fuzz".
std::string name_of(const CLI::App& app) {
  const CLI::App& command = called(app);
  return &command == &app ? app.get_name() : app.get_name() + " " + command.get_name();
}

// Returns a suggestion for an unexpected argument: the nearest command or option, or that a case must be quoted; "" if
// nothing is near.
std::string suggestion(const CLI::App& app, const std::string& argument) {
  const CLI::App& command = called(app);
  std::vector<std::string> known;
  if (&command == &app) {
    for (const CLI::App* const other : app.get_subcommands({})) known.push_back(other->get_name());
  }
  if (argument.starts_with("-") || &command == &app) {
    for (const CLI::Option* const option : command.get_options({})) {
      if (option->nonpositional()) known.push_back(option->get_name());
    }
  } else if (has_case(command)) {
    return fmt::format("; a case is one argument: put it in quotes, as in {} 'conv2d x=[1] w=[1]'", name_of(app));
  }
  const auto nearest = nearest_word(argument.substr(0, argument.find('=')), known);
  return nearest ? fmt::format("; did you mean {}?", *nearest) : std::string();
}

std::string message_of(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unexpected = app.remaining(true);
  if (unexpected.empty()) return error.what();
  const bool no_command = &called(app) == &app;
  return fmt::format("{}{}{}", no_command ? "there is no command " : "not expected: ",
                     fmt::join(unexpected.begin(), no_command ? unexpected.begin() + 1 : unexpected.end(), " "),
                     suggestion(app, unexpected.front()));
}

int refuse(const CLI::App& app, const std::string& why) {
  fmt::print(stderr, "{}: {}\nRun {} --help for what there is.\n", name_of(app), why, name_of(app));
  return kBadUsage;
}

}  // namespace

std::shared_ptr<CLI::FormatterBase> help_formatter() { return std::make_shared<HelpFormatter>(); }

CLI::Validator whole_number(std::int64_t low, std::int64_t high) {
  return within(low, high, fmt::format("a whole number {}..{}", low, high), fmt::format("in {}..{}", low, high));
}

CLI::Validator number(double low, double high) {
  return within(low, high, fmt::format("a number {}..{}", low, high), fmt::format("in {}..{}", low, high));
}

CLI::Validator positive_number() {
  using Limits = std::numeric_limits<double>;
  return within(Limits::min(), Limits::max(), "a number above 0", "above 0");
}

CLI::Validator positive_whole_number() {
  return within(std::int64_t{1}, std::numeric_limits<std::int64_t>::max(), "a whole number above 0", "above 0");
}

void refuse_empty_values(CLI::App& app) {
  for (CLI::App* const command : app.get_subcommands({})) refuse_empty_values(*command);
  for (CLI::Option* const option : app.get_options({})) {
    if (option->get_expected_max() == 0) continue;  // a flag
    option->check([](const std::string& value) { return value.empty() ? std::string(kEmpty) : std::string(); });
  }
}

int parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  if (const auto option = option_without_value(argc, argv)) return refuse(app, *option + " " + kEmpty);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // help was requested
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return refuse(app, message_of(app, error));
  }
  return kEqual;
}

}  // namespace tieout
