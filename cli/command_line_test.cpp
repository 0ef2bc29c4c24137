// Tests the properties that all commands share: help, empty values, wrong arguments, reports alone on standard output.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::HasSubstr;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Returns the names of the subcommands that `tieout --help` lists.
std::vector<std::string> commands() {
  std::vector<std::string> found;
  bool listed = false;
  for (const std::string& line : lines_of(run("--help").output)) {
    if (line == "Subcommands:") listed = true;
    std::smatch match;
    if (listed && std::regex_search(line, match, std::regex("^  ([a-z]+)  +\\S"))) found.push_back(match[1]);
  }
  return found;
}

// Returns the options of a command that take a value, and "" if it has positional arguments.
std::set<std::string> options_with_value(const std::string& command) {
  std::set<std::string> found;
  bool arguments = false;
  for (const std::string& line : lines_of(run(command + " --help").output)) {
    if (line.ends_with(":")) arguments = line == "Positionals:";
    std::smatch match;
    if (std::regex_search(line, match, std::regex("^  (--[a-z-]+) (?!Excludes)[A-Z]"))) found.insert(match[1]);
    if (arguments && line.starts_with("  ")) found.insert("");
  }
  return found;
}

TEST(CommandLine, HelpIsAtMost100ColumnsWide) {
  ASSERT_EQ(commands().size(), 16U);
  std::vector<std::string> all = commands();
  all.emplace_back();
  for (const std::string& command : all) {
    const Outcome o = run(command + " --help");
    EXPECT_EQ(o.status, 0) << o.output;
    for (const std::string& line : lines_of(o.output)) EXPECT_LE(line.size(), 100U) << command << ": " << line;
  }
}

TEST(CommandLine, NoOptionOfAnyCommandTakesAnEmptyValue) {
  int options = 0;
  for (const std::string& command : commands()) {
    for (const std::string& option : options_with_value(command)) {
      // The check of a number may refuse the value first; the message about "--option=" is always the same.
      const Outcome separate = run(command + " " + option + " ''");
      EXPECT_EQ(separate.status, 2) << command << " " << option << " ''\n" << separate.output;
      EXPECT_THAT(separate.output, HasSubstr(option + ": ")) << command << '\n' << separate.output;
      if (option.empty()) continue;
      const Outcome joined = run(command + " " + option + "= conv2d");
      EXPECT_EQ(joined.status, 2) << command << " " << option << "=\n" << joined.output;
      EXPECT_THAT(joined.output, HasSubstr(option + "= has an empty value"));
      ++options;
    }
  }
  EXPECT_GT(options, 90);
}

TEST(CommandLine, AnUnsetVariableDoesNotVerifyLibTorchInstead) {
  EXPECT_EQ(run("fuzz --cases 5 --subject \"$TIEOUT_NOT_SET\"").status, 2);
  EXPECT_EQ(run("check conv2d --subject=\"$TIEOUT_NOT_SET\"").status, 2);
}

TEST(CommandLine, WrongArgumentsAreNamedInOrderWithWhatMayHaveBeenMeant) {
  const auto told = [](const std::string& arguments, const std::string& words) {
    const Outcome o = run(arguments);
    EXPECT_EQ(o.status, 2) << o.output;
    EXPECT_THAT(o.output, HasSubstr(words)) << arguments << '\n' << o.output;
  };
  told("fuz --cases 5", "tieout: there is no command fuz; did you mean fuzz?");
  told("fuzz --case 5 --sed 7", "tieout fuzz: not expected: --case 5 --sed 7; did you mean --cases?");
  told("fuzz one two three", "not expected: one two three");
  told("check conv2d x=[1] w=[1]", "put it in quotes, as in tieout check 'conv2d x=[1] w=[1]'");
  told("campaign --dri x", "did you mean --dir?");
  told("fuzz --cases 0", "--cases: must be a whole number 1..1000000000000, is '0'");
  told("fuzz --patience -1", "--patience: must be a number of seconds from 0.01 to 1000000; is '-1'");
  told("fuzz --patience nan", "--patience: must be a number of seconds from 0.01 to 1000000; is 'nan'");
  told("--vers", "tieout: not expected: --vers; did you mean --version?");
  told("fuzz --prod 5", "did you mean --products?");
  told("--version extra", "tieout: not expected after --version: extra");
  told("help fuz", "tieout help: there is no command fuz; did you mean fuzz?");
  told("fuzz --diagnose inf", "--diagnose: must be 0 or a number above 0, is 'inf'");
  told("check", "case or --file is required");
  told("check --file x --before conv2d", "--file excludes --before");
  told("check conv2d --where dims=2", "--where requires --file");
  told("bench --network vgg", "--network: vgg not in {resnet50,mobilenet_v2,all}");
  told("bench --min-time 0", "--min-time: must be a number above 0, is '0'");
}

// All other output goes to standard error.
TEST(CommandLine, AReportOnStandardOutputIsItsOnlyContent) {
  const TemporaryFolder folder;
  const std::string record = "'" + folder.in("run.tieout") + "'";
  ASSERT_EQ(run("check conv2d --record " + record).status, 0);
  const std::string models = TIEOUT_SOURCE_DIR "/oracle/testdata/models/";
  for (const std::string& command :
       {std::string("check conv2d"),
        std::string("check --file '" TIEOUT_SOURCE_DIR "/props/properties/corpus/engines.txt'"),
        std::string("fuzz --cases 20 --seed 3"), std::string("experiment --seed 1"), "report " + record,
        "campaign --cases 20 --seed 3 --dir '" + folder.in("campaign") + "'", std::string("identify --cases 50"),
        std::string("selftest --fault round_half_away --cases 2000"),
        "model '" + models + "shared.pt' --input '" + models + "small_input.pt' --hypothesis round_down"}) {
    for (const char* file : {"-", "/dev/stdout"}) {
      const Outcome o =
          run(command + (command.starts_with("campaign") ? " --resume --json " : " --json ") + file, Streams::output);
      EXPECT_NE(o.output, "") << command;
      EXPECT_TRUE(nlohmann::json::accept(o.output)) << command << '\n' << o.output.substr(0, 500);
    }
  }
}

}  // namespace
}  // namespace tieout
