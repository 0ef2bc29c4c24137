#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>

#include "cases/operators/operator_case.h"
#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/completion.h"
#include "cli/common/errors.h"
#include "cli/common/man_page.h"
#include "cli/common/terminal.h"
#include "cli/common/version.h"
#include "cli/program.h"
#include "oracle/variants/changes.h"
#include "reports/text/text_wrap.h"

namespace tieout {
namespace {

struct HelpArguments {
  std::string command;
  bool man = false;
};

constexpr const char* kOperators = "operators";

// Returns what the text of an attribute looks like: "kernel=HxW", "relu".
std::string form_of(const AttributeSchema& attribute) {
  const std::string name(attribute.name);
  switch (attribute.kind) {
    case AttributeSchema::Kind::flag: return name;
    case AttributeSchema::Kind::integer: return name + "=N";
    case AttributeSchema::Kind::number:
    case AttributeSchema::Kind::real: return name + "=V";
    case AttributeSchema::Kind::extents: return name + "=HxW";
    case AttributeSchema::Kind::numbers: return name + "=[..]";
  }
  return name;
}

// Returns the entry of an operator: its name, what it computes, and its own words.
std::string operator_entry(const OperatorSchema& schema) {
  const std::string_view name = schema.name;
  std::string text = wrapped(fmt::format("  {:<18}{}", name, schema.help), kTextColumns, 20) + "\n";
  const auto line = [&](const std::string& form, const std::string& meaning) {
    text += wrapped(fmt::format("{:20}{:<14}{}", "", form, meaning), kTextColumns, 34) + "\n";
  };
  if (schema.most_inputs > 1) {
    line("inputs", schema.most_inputs == schema.least_inputs
                       ? fmt::format("{}", schema.least_inputs)
                       : fmt::format("{} to {}", schema.least_inputs, schema.most_inputs));
  }
  for (const AttributeSchema& attribute : schema.attributes) {
    using Kind = AttributeSchema::Kind;
    const bool has_default = attribute.kind != Kind::flag && attribute.kind != Kind::numbers;
    line(form_of(attribute),
         std::string(attribute.help) + (has_default ? fmt::format(" (default {})", attribute.default_value) : ""));
  }
  return text;
}

// Returns a paragraph for each variant of an operator's arithmetic that `tieout identify --operator` distinguishes.
std::string variants_text() {
  std::string text = "\nVariants, which `tieout identify --operator NAME` finds, and the operators that have them:\n";
  for (const ChangeEntry& entry : change_entries()) {
    std::string operators(entry.operators.substr(0, entry.operators.size() - 1));
    text += fmt::format("  {}\n", entry.name);
    text += wrapped(fmt::format("      {}; specified: {}", entry.what, entry.instead), kTextColumns, 6) + "\n";
    text += wrapped(fmt::format("      in {}", operators), kTextColumns, 6) + "\n";
  }
  return text;
}

constexpr const char* kOperatorsHead = R"(A case of an operator is one line of words:
  NAME                  first: one of those below
  shape                 shape of every input, 1x8x3x3; shape2 shape3 ... where the
                        others have shapes of their own; shape=scalar for one number
  xs xz                 scale (default 1) and zero point (default 0) of the inputs:
                        one number for all, or a list such as xs=[0.1,0.2]
  os oz                 scale and zero point of the output, where the operator does
                        not determine them
  x x2 x3 ...           values of the inputs: [..], or uniform | edges | extremes |
                        reduced | sparse | small, by seed=N
  strides strides2 ...  distances in memory of an input that is not dense: 72x9x3x1
  seed threads format   as in a case of a convolution (tieout help check)
and the operator's own words. N*V in a list stands for N times V. Example:
  tieout check 'add shape=65 xs=[0.1,0.2] os=0.15 oz=3 x=uniform x2=uniform'
)";

std::string operators_text() {
  std::string text = std::string(kOperatorsHead) + "\nOperators:\n";
  for (const OperatorSchema* const schema : operator_schemas()) text += operator_entry(*schema);
  return text + variants_text();
}

int print_help(const HelpArguments& arguments) {
  const Program program = tieout_program();
  if (arguments.man) {
    fmt::print("{}", man_page(program, program_version()));
    return kEqual;
  }
  if (arguments.command == kOperators) {
    print_text(operators_text());
    return kEqual;
  }
  const auto found = std::ranges::find(program.commands, arguments.command, &Command::name);
  if (!arguments.command.empty() && found == program.commands.end()) {
    return fail_command("help", kBadUsage, no_command_text(program, arguments.command));
  }
  fmt::print("{}", help_text(program, arguments.command));
  return kEqual;
}

int print_completion(const std::string& shell) {
  const Program program = tieout_program();
  fmt::print("{}", shell == "bash"  ? bash_completion(program)
                   : shell == "zsh" ? zsh_completion(program)
                                    : fish_completion(program));
  return kEqual;
}

constexpr const char* kUse = R"(To load the completions:
  bash  source <(tieout completion bash)                       in ~/.bashrc
  zsh   tieout completion zsh > ~/.zfunc/_tieout               a folder of $fpath
  fish  tieout completion fish > ~/.config/fish/completions/tieout.fish)";

}  // namespace

Command help_command() {
  Command command{.name = "help", .description = "Print the help of a command, or the manual page"};
  const auto arguments = std::make_shared<HelpArguments>();
  command.option("command", &arguments->command,
                 "Command to print the help of, or operators (default: list of the commands)");
  command.option("--man", &arguments->man, "Print the manual page of all commands, for `man -l -`",
                 {.excludes = {"command"}});
  command.run = [arguments] { return print_help(*arguments); };
  return command;
}

Command completion_command() {
  Command command{.name = "completion",
                  .description = "Print the script by which a shell completes commands and options"};
  const auto shell = std::make_shared<std::string>();
  command.option("shell", shell.get(), "Shell", {.check = one_of({"bash", "zsh", "fish"}), .required = true});
  command.footer = kUse;
  command.run = [shell] { return print_completion(*shell); };
  return command;
}

}  // namespace tieout
