#include "cli/common/man_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

constexpr std::size_t kColumns = 70;  // of the source of the page

// Returns the text for a line of man(7): backslashes and hyphens are escaped, because a plain hyphen may be printed as
// another character, which cannot be copied to a shell; a dot or quote at the begin of a line would be a request.
std::string escaped(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const char letter : text) {
    if (begins && (letter == '.' || letter == '\'')) out += "\\&";
    if (letter == '\\') {
      out += "\\e";
    } else if (letter == '-') {
      out += "\\-";
    } else {
      out += letter;
    }
    begins = letter == '\n';
  }
  return out;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char letter) { return std::toupper(letter); });
  return text;
}

const char* type_of(const Option& option) {
  struct Name {
    const char* operator()(const bool*) const { return ""; }
    const char* operator()(const double*) const { return "NUMBER"; }
    const char* operator()(const std::optional<double>*) const { return "NUMBER"; }
    const char* operator()(const std::string*) const { return "TEXT"; }
    const char* operator()(const std::optional<std::string>*) const { return "TEXT"; }
    const char* operator()(const std::vector<std::string>*) const { return "TEXT"; }
    const char* operator()(const void*) const { return "N"; }
  };
  return option.form.type.empty() ? std::visit(Name{}, option.variable) : option.form.type.c_str();
}

std::string option_text(const Option& option) {
  const OptionForm& form = option.form;
  std::string text = fmt::format(".TP\n\\fB{}\\fR", escaped(option.name));
  if (!option.is_flag() && !option.is_positional()) text += fmt::format(" \\fI{}\\fR", escaped(type_of(option)));
  text += "\n" + escaped(wrapped(option.help + ".", kColumns));
  if (!form.check.choices.empty()) {
    text += "\nOne of";
    for (const std::string& choice : form.check.choices)
      text += (&choice == &form.check.choices[0] ? " " : ", ") + choice;
    text += ".";
  } else if (!form.check.description.empty()) {
    text += "\nAllowed: " + escaped(form.check.description) + ".";
  }
  if (!form.environment.empty()) text += "\nIf it is not given, the variable " + form.environment + " is read.";
  return text + "\n";
}

std::string usage_of(const Program& program, const Command& command) {
  std::string text = fmt::format(".B {} {}\n", program.name, command.name);
  if (std::ranges::any_of(command.options, [](const Option& option) { return !option.is_positional(); }))
    text += "[\\fIOPTIONS\\fR]\n";
  for (const Option& option : command.options) {
    if (!option.is_positional()) continue;
    const bool many = std::holds_alternative<std::vector<std::string>*>(option.variable);
    const std::string name = fmt::format("\\fI{}\\fR{}", upper(option.name), many ? "..." : "");
    text += option.form.required ? name + "\n" : "[" + name + "]\n";
  }
  return text;
}

std::string command_text(const Program& program, const Command& command) {
  std::string text = fmt::format(".SS {} {}\n{}{}", program.name, command.name, usage_of(program, command), ".PP\n");
  text += escaped(wrapped(command.description, kColumns)) + (command.description.ends_with('?') ? "\n" : ".\n");
  for (const Option& option : command.options) text += option_text(option);
  if (!command.footer.empty()) text += ".PP\n.nf\n" + escaped(command.footer) + "\n.fi\n";
  return text;
}

}  // namespace

std::string man_page(const Program& program, const std::string& version) {
  std::string text = fmt::format(".TH {} 1 \"\" \"{} {}\" \"User commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n",
                                 upper(program.name), program.name, version, program.name,
                                 escaped(program.description.substr(program.description.find(": ") + 2)));
  for (const Command& command : program.commands) {
    if (&command != program.commands.data()) text += ".br\n";
    text += usage_of(program, command);
  }
  text += ".br\n.B " + program.name + " \\-\\-version\n.SH COMMANDS\n";
  for (const Command& command : program.commands) text += command_text(program, command);
  text += ".SH EXIT STATUS\n" + escaped(program.footer.substr(program.footer.find(": ") + 2)) + "\n.SH ENVIRONMENT\n";
  for (const auto& [variable, effect] : program.environment) {
    text += ".TP\n.B " + variable + "\n" + escaped(wrapped(effect, kColumns)) + "\n";
  }
  return text;
}

}  // namespace tieout
