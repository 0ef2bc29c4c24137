#include "cli/common/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <variant>
#include <vector>

#include "cases/strings/shell_word.h"

namespace tieout {
namespace {

enum class Values { none, words, files, folders };

Values values_of(const Option& option) {
  if (option.is_flag()) return Values::none;
  if (option.form.is_path || option.form.type == "FILE") return Values::files;
  if (option.form.type == "DIR") return Values::folders;
  return Values::words;
}

// Returns the values that can be listed; empty: only the user knows them.
const std::vector<std::string>& words_of(const Option& option) {
  return option.form.check.choices.empty() ? option.form.proposals : option.form.check.choices;
}

const Option* positional_of(const Command& command) {
  const auto found = std::ranges::find_if(command.options, &Option::is_positional);
  return found == command.options.end() ? nullptr : &*found;
}

// Returns the help up to its first semicolon or sentence end, without the default.
std::string summary_of(const std::string& help) {
  return help.substr(0, std::min({help.find("; "), help.find(". "), help.find(" (default")}));
}

// Returns what bash does for a word that is a value of the option.
std::string bash_action(const Option& option) {
  switch (values_of(option)) {
    case Values::files: return "_tieout_paths -f";
    case Values::folders: return "_tieout_paths -d";
    default: return fmt::format("_tieout_words {}", shell_word(fmt::format("{}", fmt::join(words_of(option), " "))));
  }
}

// Returns the branches of a command: its options with a value, by what is done for the value, then all other words.
std::string bash_branches(const Command& command) {
  std::map<std::string, std::vector<std::string>> by_action;
  std::vector<std::string> all;
  for (const Option& option : command.options) {
    if (option.is_positional()) continue;
    all.push_back(option.name);
    if (!option.is_flag()) by_action[bash_action(option)].push_back("'" + command.name + " " + option.name + "'");
  }
  all.emplace_back("--help");
  std::string text;
  for (const auto& [action, patterns] : by_action)
    text += fmt::format("    {}) {} ;;\n", fmt::join(patterns, " | "), action);
  const Option* const positional = positional_of(command);
  return text + fmt::format("    '{} '*) if [[ $word == -* ]]; then _tieout_words '{}'; else {}; fi ;;\n", command.name,
                            fmt::join(all, " "), positional == nullptr ? "_tieout_words ''" : bash_action(*positional));
}

constexpr std::string_view kBash =
    R"(# Completes the commands and options of tieout in bash. Printed by `tieout completion bash`.

_tieout_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }

_tieout_paths() {
  compopt -o filenames
  mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}

_tieout() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
)";

// Returns the text as a part of a specification of zsh's _arguments or _describe, between single quotes.
std::string zsh_text(std::string_view text) {
  std::string escaped;
  for (const char letter : text) {
    if (letter == '\'') {
      escaped += "'\\''";
      continue;
    }
    if (letter == '[' || letter == ']' || letter == ':' || letter == '\\') escaped += '\\';
    escaped += letter;
  }
  return escaped;
}

std::string zsh_values(const Option& option) {
  switch (values_of(option)) {
    case Values::files: return "_files";
    case Values::folders: return "_files -/";
    default: break;
  }
  return words_of(option).empty() ? " " : zsh_text(fmt::format("({})", fmt::join(words_of(option), " ")));
}

std::string zsh_specification(const Option& option) {
  const std::string help = zsh_text(summary_of(option.help));
  if (option.is_positional()) return fmt::format("'*:{}:{}'", help, zsh_values(option));
  const char* const repeated = std::holds_alternative<std::vector<std::string>*>(option.variable) ? "*" : "";
  if (option.is_flag()) return fmt::format("'{}[{}]'", option.name, help);
  return fmt::format("'{}{}=[{}]:{}:{}'", repeated, option.name, help, zsh_text(option.name.substr(2)),
                     zsh_values(option));
}

// Returns the text as a word of fish, in single quotes.
std::string fish_word(std::string_view text) {
  std::string quoted = "'";
  for (const char letter : text) {
    if (letter == '\'' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + "'";
}

std::string fish_values(const Option& option) {
  switch (values_of(option)) {
    case Values::none: return "";
    case Values::files: return " -r -F";
    case Values::folders: return " -x -a '(__fish_complete_directories)'";
    case Values::words: break;
  }
  if (words_of(option).empty()) return " -x";
  return " -x -a " + fish_word(fmt::format("{}", fmt::join(words_of(option), " ")));
}

}  // namespace

std::string bash_completion(const Program& program) {
  std::string text(kBash);
  text += fmt::format(
      "  if ((COMP_CWORD == 1)); then\n    _tieout_words '{} --help --version'\n    return\n  fi\n"
      "  case \"$command $before\" in\n",
      fmt::join(names_of(program.commands), " "));
  for (const Command& command : program.commands) text += bash_branches(command);
  return text + "  esac\n}\n\ncomplete -F _tieout tieout\n";
}

std::string zsh_completion(const Program& program) {
  std::string text =
      "#compdef tieout\n# Completes the commands and options of tieout in zsh. Printed by `tieout completion zsh`.\n\n"
      "_tieout() {\n  local curcontext=$curcontext state line\n  local -a commands=(\n";
  for (const Command& command : program.commands)
    text += fmt::format("    '{}:{}'\n", command.name, zsh_text(command.description));
  text +=
      "  )\n  _arguments -C '--help[Print this help message and exit]' '--version[Print versions]' "
      "'1:command:->command' "
      "'*::argument:->arguments'\n  case $state in\n    command) _describe command commands ;;\n    arguments)\n"
      "      case $words[1] in\n";
  for (const Command& command : program.commands) {
    text += fmt::format("        {})\n          _arguments \\\n", command.name);
    for (const Option& option : command.options) text += fmt::format("            {} \\\n", zsh_specification(option));
    text += "            '--help[Print this help message and exit]'\n          ;;\n";
  }
  return text +
         "      esac\n      ;;\n  esac\n}\n\nif [[ $funcstack[1] == _tieout ]]; then\n  _tieout \"$@\"\nelse\n"
         "  compdef _tieout tieout\nfi\n";
}

std::string fish_completion(const Program& program) {
  std::string text =
      "# Completes the commands and options of tieout in fish. Printed by `tieout completion fish`.\n\n"
      "complete -c tieout -f\ncomplete -c tieout -n __fish_use_subcommand -l help\n"
      "complete -c tieout -n __fish_use_subcommand -l version -d 'Print versions'\n";
  for (const Command& command : program.commands) {
    text += fmt::format("complete -c tieout -n __fish_use_subcommand -a {} -d {}\n", command.name,
                        fish_word(command.description));
  }
  for (const Command& command : program.commands) {
    const std::string head = fmt::format("complete -c tieout -n '__fish_seen_subcommand_from {}'", command.name);
    for (const Option& option : command.options) {
      const std::string help = fish_word(summary_of(option.help));
      if (!option.is_positional()) {
        text += fmt::format("{} -l {}{} -d {}\n", head, option.name.substr(2), fish_values(option), help);
      } else if (values_of(option) == Values::files) {
        text += head + " -F\n";
      } else if (!words_of(option).empty()) {
        text += fmt::format("{} -a {}\n", head, fish_word(fmt::format("{}", fmt::join(words_of(option), " "))));
      }
    }
    text += head + " -l help\n";
  }
  return text;
}

}  // namespace tieout
