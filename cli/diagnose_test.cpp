// Runs the diagnosis as a user does, on kernels in C.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::HasSubstr;

const std::string kRight = "'" TIEOUT_KERNELS "/libconv_relu_c.so'";
const std::string kRoundsAway = "'" TIEOUT_KERNELS "/libconv_relu_rounds_away.so'";

TEST(DiagnoseCommand, NamesTheLineToChange) {
  const Outcome found = run("diagnose --proof 300 --seconds 300 --subject " + kRoundsAway);
  EXPECT_EQ(found.status, 1);
  EXPECT_THAT(found.output, HasSubstr("differs from the contract in one way"));
  EXPECT_THAT(found.output, HasSubstr("\n1. rounding: ties away from zero, as roundf() and lround() do\n   always\n"
                                      "   - const float rounded = nearbyintf(scaled);\n"
                                      "   + const float rounded = roundf(scaled);\n"));
  EXPECT_THAT(found.output, HasSubstr("smallest case, expected 0, came 1:\n   tieout check --subject "));
  EXPECT_THAT(found.output, HasSubstr("'conv2d bias=[0.5] x=[0] w=[0]'"));
}

// Reports show a diagnosis as they show the causes of a run, and a baseline accepts its causes.
TEST(DiagnoseCommand, WritesReportsWithTheCauses) {
  const TemporaryFolder folder;
  const std::string call = "diagnose --proof 300 --seconds 300 --subject " + kRoundsAway;
  const Outcome found = run(call + " --html '" + folder.in("d.html") + "' --markdown '" + folder.in("d.md") +
                            "' --json '" + folder.in("d.json") + "' --junit '" + folder.in("d.xml") + "'");
  EXPECT_EQ(found.status, 1);
  EXPECT_THAT(read(folder.in("d.html")), HasSubstr("<pre class=\"differs\" tabindex=\"0\" role=\"region\" "
                                                   "aria-label=\"Subject in cause 1\">const float rounded = "
                                                   "roundf(scaled);"));
  const std::string markdown = read(folder.in("d.md"));
  EXPECT_THAT(markdown, HasSubstr("# Tieout: differs from the contract in one way, which predicts "));
  EXPECT_THAT(markdown, HasSubstr("## Causes: 1\n\n### 1. rounding: ties away from zero"));
  EXPECT_THAT(markdown, HasSubstr("\n- const float rounded = nearbyintf(scaled);\n+ const float rounded = roundf("));
  EXPECT_THAT(markdown, HasSubstr("Smallest case, expected 0, came 1:\n"));
  EXPECT_THAT(read(folder.in("d.json")), HasSubstr("\"case\":\"conv2d bias=[0.5] x=[0] w=[0]\""));
  EXPECT_THAT(read(folder.in("d.xml")), HasSubstr("rounding: ties away from zero"));
  std::ofstream(folder.in("known.json"))
      << R"([{"cause": "rounding: ties away from zero, as roundf() and lround() do", "reason": "meant"}])";
  const Outcome known = run(call + " --baseline '" + folder.in("known.json") + "'");
  EXPECT_EQ(known.status, 0) << known.output;
}

TEST(DiagnoseCommand, FindsNothingInARightKernel) {
  const Outcome found = run("diagnose --cases 500 --proof 300 --subject " + kRight);
  EXPECT_EQ(found.status, 0);
  EXPECT_THAT(found.output, HasSubstr("follows the contract on 300 of 300 fresh cases"));
}

// The printed command, compiler and comparison are those of docs/diagnosis.md.
TEST(DiagnoseCommand, EmitsAKernelThatComputesTheSame) {
  const TemporaryFolder folder;
  const std::string source = folder.in("a model.c");
  const std::string library = folder.in("model.so");
  const Outcome found = run("diagnose --proof 100 --seconds 300 --subject " + kRoundsAway + " --emit '" + source + "'");
  EXPECT_EQ(found.status, 1);
  EXPECT_THAT(read(source), HasSubstr("roundf(scaled)"));
  const std::string compile =
      "'" TIEOUT_C_COMPILER "' -O2 -Wall -Werror -ffp-contract=off -shared -fPIC -I '" TIEOUT_SOURCE_DIR "/kernels' '" +
      source + "' -lm -o '" + library + "'";
  ASSERT_EQ(std::system(compile.c_str()), 0);
  const Outcome equal = run("fuzz --cases 500 --seed 9 --subject '" + library + "' --reference " + kRoundsAway);
  EXPECT_EQ(equal.status, 0) << equal.output;
}

TEST(DiagnoseCommand, ComparesTheCausesOfTwoKernels) {
  const Outcome found =
      run("diagnose --cases 1500 --proof 100 --seconds 300 --subject " + kRoundsAway + " --reference " + kRight);
  EXPECT_EQ(found.status, 1);
  EXPECT_THAT(found.output, HasSubstr("differ from each other:\n  only "));
}

// The status of a comparison is not that of the subject's diagnosis, which the counts of the report are of.
TEST(DiagnoseCommand, ReportsTheStatusThatItEndsWith) {
  const TemporaryFolder folder;
  const std::string call =
      "diagnose --cases 1500 --proof 100 --seconds 300 --json '" + folder.in("d.json") + "' --subject ";
  EXPECT_EQ(run(call + kRoundsAway + " --reference " + kRoundsAway).status, 0);
  EXPECT_THAT(read(folder.in("d.json")), HasSubstr("\"exit_status\":0"));
  EXPECT_THAT(read(folder.in("d.json")), HasSubstr("; the same arithmetic as libconv_relu_rounds_away.so\""));
  EXPECT_EQ(run(call + kRight + " --reference " + kRoundsAway).status, 1);
  EXPECT_THAT(read(folder.in("d.json")), HasSubstr("\"exit_status\":1"));
}

// An engine is compared with its own arithmetic, and not with the contract.
TEST(DiagnoseCommand, ComparesAnEngineWithItsPrediction) {
  for (const std::string engine : {"fbgemm", "qnnpack"}) {
    const Outcome found = run("diagnose --cases 300 --proof 200 --seconds 300 --subject engine:" + engine);
    EXPECT_EQ(found.status, 0) << found.output;
    EXPECT_THAT(found.output, HasSubstr("engine:" + engine + " follows the arithmetic that is predicted for it on "));
    EXPECT_THAT(found.output, HasSubstr(" of its values"));
  }
}

TEST(DiagnoseCommand, RefusesWhatItCannotUse) {
  const Outcome none = run("diagnose");
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.output, HasSubstr("--subject"));
  const Outcome missing = run("diagnose --subject ./none.so");
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.output, HasSubstr("tieout diagnose: --subject: './none.so': there is no such file"));
  const Outcome same = run("diagnose --subject " + kRight + " --emit " + kRight);
  EXPECT_EQ(same.status, 2);
  EXPECT_THAT(same.output, HasSubstr("--emit"));
}

}  // namespace
}  // namespace tieout
