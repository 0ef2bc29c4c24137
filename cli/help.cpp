#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <string>

#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/completion.h"
#include "cli/common/errors.h"
#include "cli/common/man_page.h"
#include "cli/common/version.h"
#include "cli/program.h"

namespace tieout {
namespace {

struct Arguments {
  std::string command;
  bool man = false;
};

int print_help(const Arguments& arguments) {
  const Program program = tieout_program();
  if (arguments.man) {
    fmt::print("{}", man_page(program, program_version()));
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
  const auto arguments = std::make_shared<Arguments>();
  command.option("command", &arguments->command, "Command to print the help of (default: list of the commands)");
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
