#include "cli/common/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "cases/strings/nearest_word.h"
#include "cli/common/commands.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

constexpr std::size_t kHelpColumns = 100;
constexpr const char* kVersion = "--version";

class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(Formatter::make_option_desc(option), kHelpColumns - get_column_width());
  }

  // CLI11 keeps the other options that an option needs or excludes ordered by address, which is not the same in each
  // call. Here they are ordered by name, arguments first.
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string text = Formatter::make_option_opts(option);
    const std::size_t end = std::min(text.find(" Needs:"), text.find(" Excludes:"));
    return text.substr(0, end) + names_text(" Needs:", option->get_needs()) +
           names_text(" Excludes:", option->get_excludes());
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
  static std::string names_text(const std::string& title, const std::set<CLI::Option*>& options) {
    std::set<std::pair<bool, std::string>> ordered;
    for (const CLI::Option* const option : options) ordered.emplace(option->nonpositional(), option->get_name());
    std::string text = options.empty() ? "" : title;
    for (const auto& [is_option, name] : ordered) text += " " + name;
    return text;
  }

  [[nodiscard]] std::string entry(const std::string& name, const std::string& description) const {
    std::ostringstream text;
    CLI::detail::format_help(text, name, description, get_column_width());
    return text.str();
  }
};

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

// Returns "; did you mean WORD?" for the word that is nearest, or the only one that begins so; "" if there is none.
std::string suggestion(const std::string& argument, const std::vector<std::string>& known) {
  constexpr std::size_t kShortest = 3;  // of a beginning: "--c" may mean any of many options
  const std::string word = argument.substr(0, argument.find('='));
  auto nearest = nearest_word(word, known);
  const auto begins = [&](const std::string& candidate) { return candidate.starts_with(word); };
  if (!nearest && word.size() >= kShortest && std::ranges::count_if(known, begins) == 1) {
    nearest = *std::ranges::find_if(known, begins);
  }
  return nearest ? fmt::format("; did you mean {}?", *nearest) : std::string();
}

std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* const option : command.get_options({})) {
    if (option->nonpositional()) names.push_back(option->get_name());
  }
  return names;
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* const command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::string unexpected_text(const CLI::App& app, const std::vector<std::string>& arguments) {
  const CLI::App& command = called(app);
  const std::string& first = arguments.front();
  const bool is_option = first.starts_with("-");
  if (&command == &app && !is_option) return "there is no command " + first + suggestion(first, commands_of(app));
  const std::string text = fmt::format("not expected: {}", fmt::join(arguments, " "));
  if (is_option) return text + suggestion(first, options_of(command));
  if (!has_case(command)) return text;
  return fmt::format("{}; a case is one argument: put it in quotes, as in {} 'conv2d x=[1] w=[1]'", text, name_of(app));
}

std::string message_of(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> unexpected = app.remaining(true);
  return unexpected.empty() ? error.what() : unexpected_text(app, unexpected);
}

int refuse(const CLI::App& app, const std::string& why) {
  fmt::print(stderr, "{}: {}\nRun {} --help for what there is.\n", name_of(app), why, name_of(app));
  return kBadUsage;
}

// Adds the option to CLI11's command.
CLI::Option& declared(CLI::App& command, const Option& option) {
  const auto declare = [&](auto* variable) {
    if constexpr (std::is_same_v<decltype(variable), bool*>)
      return command.add_flag(option.name, *variable, option.help);
    else
      return command.add_option(option.name, *variable, option.help);
  };
  return *std::visit(declare, option.variable);
}

void add_option(CLI::App& command, const Option& option) {
  const OptionForm& form = option.form;
  CLI::Option& added = declared(command, option);
  added.group(form.group);
  if (!form.type.empty()) added.type_name(form.type);
  if (form.check.fault) {
    added.check(CLI::Validator([fault = form.check.fault](const std::string& text) { return fault(text); },
                               form.check.description));
  }
  if (!option.is_flag()) {
    added.check([](const std::string& value) { return value.empty() ? std::string(kEmpty) : std::string(); });
  }
  if (form.show_default) added.capture_default_str();
  if (!form.environment.empty()) added.envname(form.environment);
  if (form.delimiter != 0) added.delimiter(form.delimiter);
  if (form.one_value) added.allow_extra_args(false);
  added.required(form.required);
}

void add_command(CLI::App& app, const Command& command) {
  CLI::App& added = *app.add_subcommand(command.name, command.description);
  if (!command.footer.empty()) added.footer(command.footer);
  for (const Option& option : command.options) add_option(added, option);
  for (const Option& option : command.options) {
    CLI::Option* const it = added.get_option(option.name);
    for (const std::string& other : option.form.excludes) it->excludes(added.get_option(other));
    for (const std::string& other : option.form.needs) it->needs(added.get_option(other));
  }
  added.callback([&added, names = command.one_required] {
    const auto given = [&](const std::string& name) { return added.count(name) > 0; };
    if (names.empty() || std::ranges::any_of(names, given)) return;
    throw CLI::RequiredError(fmt::format("{}", fmt::join(names, " or ")));
  });
}

// Returns CLI11's form of the program.
std::unique_ptr<CLI::App> parser(const Program& program) {
  auto app = std::make_unique<CLI::App>(program.description, program.name);
  app->formatter(std::make_shared<HelpFormatter>());
  app->require_subcommand(1);
  const std::string help =
      "Print the versions of the program, of LibTorch and of the compiler, and what the CPU offers";
  app->add_flag(kVersion, help);
  app->footer(program.footer);
  for (const Command& command : program.commands) add_command(*app, command);
  return app;
}

}  // namespace

int run_command_line(const Program& program, int argc, const char* const* argv) {
  const std::unique_ptr<CLI::App> parsed = parser(program);
  CLI::App& app = *parsed;
  if (const auto option = option_without_value(argc, argv)) return refuse(app, *option + " " + kEmpty);
  if (argc > 1 && std::string_view(argv[1]) == kVersion) {
    if (argc > 2) return refuse(app, fmt::format("not expected after {}: {}", kVersion, argv[2]));
    fmt::print("{}\n", program.version());
    return kEqual;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {  // help was requested
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return refuse(app, message_of(app, error));
  }
  const std::string chosen = called(app).get_name();
  return std::ranges::find(program.commands, chosen, &Command::name)->run();
}

std::string help_text(const Program& program, std::string_view command) {
  const std::unique_ptr<CLI::App> app = parser(program);
  return command.empty() ? app->help() : app->get_subcommand(std::string(command))->help(program.name);
}

std::string no_command_text(const Program& program, const std::string& name) {
  return unexpected_text(*parser(program), {name});
}

}  // namespace tieout
