#include "cli/program.h"

#include "cli/common/command.h"
#include "cli/common/commands.h"
#include "cli/common/version.h"

namespace tieout {

Program tieout_program() {
  Program program{
      .name = "tieout",
      .description = "Tieout: which arithmetic does an int8 convolution follow, and where do two of them differ?",
      .version = version_text,
      .footer = "Exit status: 0 verified and equal, 1 differences, 2 bad usage or input, 3 could not verify.",
      .commands = {experiment_command(), fuzz_command(), campaign_command(), check_command(), explain_command(),
                   requantize_command(), engines_command(), diagnose_command(), identify_command(), model_command(),
                   report_command(), merge_command(), selftest_command(), bench_command(), completion_command(),
                   help_command()},
      .environment = {
          {"TIEOUT_TORCH",
           "Folder of the LibTorch to compare with, instead of the built-in one or the one of Python's package torch."},
          {"NO_COLOR", "If it is not empty, terminals show no colours."}}};
  for (const Command& command : program.commands) {
    program.commands.back().at("command").form.proposals.push_back(command.name);
  }
  program.commands.back().at("command").form.proposals.emplace_back("operators");
  return program;
}

}  // namespace tieout
