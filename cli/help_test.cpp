// Tests `tieout help`, `tieout --version`, the manual page and the completions, which the shells themselves run.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

bool is_installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null").c_str()) == 0;
}

class Completion : public testing::Test {
 protected:
  std::string script(const std::string& name, const std::string& text) {
    std::ofstream(folder_.in(name)) << text;
    return folder_.in(name);
  }

  // Returns what bash offers for the last of the words, one per line.
  std::string bash(const std::string& words) {
    const std::string file = script(
        "complete.bash", "compopt() { :; }\nsource <('" TIEOUT_PROGRAM "' completion bash)\nCOMP_WORDS=(" + words +
                             ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_tieout\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
    return run("'" + file + "'", Streams::both, "/bin/bash").output;
  }

  TemporaryFolder folder_;
};

TEST_F(Completion, BashOffersCommandsOptionsValuesAndPaths) {
  EXPECT_EQ(bash("tieout fu"), "fuzz\n");
  EXPECT_EQ(bash("tieout --v"), "--version\n");
  EXPECT_EQ(bash("tieout fuzz --prod"), "--products\n");
  EXPECT_EQ(bash("tieout fuzz --cases 5 --unif"), "--uniform\n");
  EXPECT_EQ(bash("tieout bench --network mob"), "mobilenet_v2\n");
  EXPECT_EQ(bash("tieout bench --network = res"), "resnet50\n");
  EXPECT_EQ(bash("tieout bench --network ="), "resnet50\nmobilenet_v2\nall\n");
  EXPECT_EQ(bash("tieout explain conv2d --hypothesis integer_float3"), "integer_float32\n");
  EXPECT_EQ(bash("tieout completion f"), "fish\n");
  EXPECT_EQ(bash("tieout help merg"), "merge\n");
  EXPECT_EQ(bash("tieout fuzz --cases ''"), "\n");
  script("a b.json", "");
  std::filesystem::create_directory(folder_.in("a folder"));
  const std::string begin = "'" + folder_.in("a ") + "'";
  EXPECT_THAT(bash("tieout fuzz --json " + begin),
              AllOf(HasSubstr(folder_.in("a b.json") + "\n"), HasSubstr(folder_.in("a folder") + "\n")));
  EXPECT_EQ(bash("tieout campaign --dir " + begin), folder_.in("a folder") + "\n");
}

TEST_F(Completion, FishOffersTheSame) {
  if (!is_installed("fish")) GTEST_SKIP() << "fish is not installed";
  const auto offered = [&](const std::string& line) {
    return run("-c \"'" TIEOUT_PROGRAM "' completion fish | source; complete -C'" + line + "'\"", Streams::both, "fish")
        .output;
  };
  EXPECT_THAT(offered("tieout fu"), StartsWith("fuzz\tVerify random cases"));
  EXPECT_THAT(offered("tieout fuzz --prod"), StartsWith("--products\tApproximate"));
  EXPECT_THAT(offered("tieout bench --network mob"), StartsWith("mobilenet_v2"));
  EXPECT_EQ(offered("tieout completion f"), "fish\n");
}

TEST_F(Completion, ZshReadsItsScript) {
  if (!is_installed("zsh")) GTEST_SKIP() << "zsh is not installed";
  const std::string file = script("_tieout", run("completion zsh", Streams::output).output);
  const Outcome o =
      run("-c 'autoload -Uz compinit && compinit -D -u && source \"" + file + "\" && print $_comps[tieout]'",
          Streams::both, "zsh");
  EXPECT_EQ(o.status, 0);
  EXPECT_EQ(o.output, "_tieout\n");
}

TEST(Help, IsThatOfTheOption) {
  EXPECT_EQ(run("help").output, run("--help").output);
  for (const char* command : {"fuzz", "check", "help"}) {
    EXPECT_EQ(run(std::string("help ") + command).output, run(std::string(command) + " --help").output);
  }
}

TEST(Help, ManualPageHasEveryCommandAndIsValid) {
  const Outcome page = run("help --man", Streams::output);
  ASSERT_EQ(page.status, 0);
  for (const char* part :
       {".TH TIEOUT 1", ".SS tieout fuzz", ".SS tieout merge", "\\fB\\-\\-cases\\fR", ".SH EXIT STATUS", ".B NO_COLOR"})
    EXPECT_THAT(page.output, HasSubstr(part));
  if (!is_installed("mandoc")) GTEST_SKIP() << "mandoc is not installed";
  const TemporaryFolder folder;
  std::ofstream(folder.in("tieout.1")) << page.output;
  const Outcome checked =
      run("-T lint -W warning '" + folder.in("tieout.1") + "' | grep -v 'missing date'", Streams::output, "mandoc");
  EXPECT_EQ(checked.output, "");
}

TEST(Version, NamesWhatTheProgramConsistsOf) {
  const Outcome o = run("--version");
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output,
              MatchesRegex("tieout [0-9]+\\.[0-9]+\\.[0-9]+\nLibTorch [0-9.]+[^\n]*\nCompiler: [^\n]+\nCPU: [^\n]+\n"
                           "Instruction sets of the kernels: portable[^\n]*\n"));
}

}  // namespace
}  // namespace tieout
