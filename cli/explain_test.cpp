// Tests `tieout explain` and `tieout check --python` as a user runs them.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::HasSubstr;

class Explain : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

constexpr const char* kDeciding = "'conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]'";

TEST_F(Explain, TheCaseOfTheReadme) {
  const Outcome o =
      run("explain " + std::string(kDeciding) + " --hypothesis integer_float32 manual_output_1", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_EQ(o.output,
            "case: conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]\n"
            "element: [0, 0, 0, 0] of [1, 1, 1, 1]\n"
            "window: 1 product, xz = 0, wz = 0; 0 of 1 pair saturates int16 in FBGEMM's order\n"
            "            x     w   x * w      pair\n"
            "       0    1     1       1         1\n"
            "\n"
            "step            integer_float32       manual_output_1\n"
            "accumulator                   1   0.05000000074505806\n"
            "raw                           1                     -\n"
            "multiplier                  0.5                     -\n"
            "scaled                      0.5    0.5000000074505806 *\n"
            "  hex                    0x1p-1        0x1.0000004p-1\n"
            "  to tie, lsb                 0          7.450581e-09\n"
            "  to tie, ulp                 0                 0.125\n"
            "rounded                       0                     1\n"
            "with zero point               0                     1\n"
            "result                        0                     1\n"
            "\n"
            "* parts here from integer_float32, in the same unit:\n"
            "  manual_output_1, scaled: / os, float64\n"
            "LibTorch's fbgemm answers: 0\n");
}

TEST_F(Explain, SaturatingPairsOfTheRequestedElement) {
  const Outcome o =
      run("explain 'conv2d in_channels=2 input=1x2 os=512 x=[0,255,0,255] w=[2*127]' --at 0,0,0,1", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output, HasSubstr("element: [0, 0, 0, 1] of [1, 1, 1, 2]\n"));
  EXPECT_THAT(o.output, HasSubstr("64770 -> 32767 in int16\n"));
  EXPECT_THAT(o.output, HasSubstr("  integer_int16_pairs, accumulator: "));
}

TEST_F(Explain, BadInputNamesTheFieldAndWhatIsAllowed) {
  const auto refused = [](const std::string& arguments, const std::string& why) {
    const Outcome o = run("explain " + arguments);
    EXPECT_EQ(o.status, 2) << o.output;
    EXPECT_THAT(o.output, HasSubstr(why));
  };
  refused("'conv2d' --at 0,0", "--at: must be 4 integers n,c,y,x, is '0,0'");
  refused("'conv2d' --at 0,0,0,1", "--at: x must be 0..0, is 1");
  refused("'conv2d' --at '' ", "--at: has an empty value");
  refused("'conv2d' --subject hypothesis:no_such_name", "hypothesis: must be one of manual_output_1, ");
  refused("'conv2d' --hypothesis guess", "--hypothesis: must be one of manual_output_1, ");
  refused("'conv2d batch=0'", "batch: must be at least 1");
  refused("'conv2d stride=0'", "stride: must be 1..");
}

TEST_F(Explain, ASubjectsAnswerIsShown) {
  const Outcome o =
      run("explain 'conv2d input=1x2 os=2 x=[2,1] w=[1]' --subject hypothesis:round_half_away", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output, HasSubstr("element: [0, 0, 0, 1] of [1, 1, 1, 2]\n"));
  EXPECT_THAT(o.output, HasSubstr("LibTorch's fbgemm answers: 0\nhypothesis:round_half_away answers: 1\n"));
}

// The copy of the program has no LibTorch adapter beside it.
TEST_F(Explain, WorksWithoutLibTorch) {
  const std::filesystem::path alone = folder_.path() / "tieout";
  std::filesystem::copy_file(TIEOUT_PROGRAM, alone);
  const Outcome o = run("explain " + std::string(kDeciding), Streams::output, alone.string());
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output, HasSubstr("scaled"));
  EXPECT_THAT(o.output, HasSubstr("gives no answer\n  LibTorch cannot be loaded: "));
}

TEST_F(Explain, ContinuesAfterACrashOfLibTorch) {
  const Outcome o = run("explain 'conv3d in_channels=8 out_channels=8 groups=8 kernel=7 padding=3'", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output, HasSubstr("gives no answer\n  died: SIG"));
}

TEST_F(Explain, CheckWritesTheScriptOfTheDocumentation) {
  const std::string line = "'conv2d xs=0.1 ws=[0.5] os=0.1 relu x=[1] w=[1]'";
  const std::string kept = read(TIEOUT_SOURCE_DIR "/docs/document_answer.py");
  const Outcome to_file = run("check " + line + " --python '" + folder_.in("answer.py") + "'", Streams::output);
  EXPECT_EQ(to_file.status, 0);
  EXPECT_THAT(to_file.output, HasSubstr("equal: 1 element,"));
  EXPECT_EQ(read(folder_.in("answer.py")), kept);
  const Outcome to_output = run("check " + line + " --python -", Streams::output);
  EXPECT_EQ(to_output.status, 0);
  EXPECT_EQ(to_output.output, kept);
}

TEST_F(Explain, AScriptThatCannotBeWrittenIsBadUsage) {
  const Outcome o = run("check 'conv2d' --python /proc/nowhere/x.py");
  EXPECT_EQ(o.status, 2);
  EXPECT_THAT(o.output, HasSubstr("--python: cannot write /proc/nowhere/x.py"));
}

}  // namespace
}  // namespace tieout
