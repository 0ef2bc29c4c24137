// Tests `tieout check`, `explain`, `fuzz` and `help` with operators other than convolutions, as a user runs them.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Operators : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

// LibTorch's vector code gives 176 for these two bytes, its scalar code 175.
constexpr const char* kTail = "'add shape=65 xs=0.0466264933 xz=[88,209] os=0.0932529867 oz=228 x=[65*4] x2=[65*188]'";

TEST_F(Operators, TheSameBytesAnswerDifferentlyByPosition) {
  const Outcome o = run("check " + std::string(kTail), Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output, HasSubstr("176, 176, 175], dtype=torch.uint8)\n"));
  EXPECT_THAT(o.output, HasSubstr("equal: 65 elements, computed by add\n"
                                  "not exact: LibTorch's vector code of add rounds differently: at 64 of 65\n"
                                  "    elements; [0] is 176 here and 175 by the exact contract\n"
                                  "LibTorch's answer would be different at other places in memory: at 65 of 65\n"
                                  "    elements; [0] is 176 here and 175 there\n"));
}

TEST_F(Operators, ThreadsChangeAnAnswer) {
  const std::string line = " shape=32832 xs=0.0466264933 xz=[88,209] os=0.0932529867 oz=228 x=[32832*4] x2=[32832*188]";
  EXPECT_THAT(run("check 'add" + line + "'").output,
              HasSubstr("LibTorch's answer would be different with 2 threads: at 64 of 32,832 elements;\n    [16384]"));
  EXPECT_THAT(run("check 'add" + line + " threads=2'").output,
              HasSubstr("LibTorch's answer would be different with 1 thread: at 64 of 32,832 elements;\n    [16384]"));
}

TEST_F(Operators, TheStepsOfBothCodes) {
  const Outcome o = run("explain " + std::string(kTail) + " --at 64", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_EQ(o.output,
            "case: add shape=65 xs=0.0466264933 xz=[88,209] os=0.0932529867 oz=228 x=[65*4] x2=[65*188]\n"
            "element: [64] of [65], computed by scalar code\n"
            "  It is number 64 of 65, counted from 0, in the order of memory. Its loop\n"
            "  computes the 65 elements 0..64: 64 at a time, two registers, by vector code,\n"
            "  and the last 1 by scalar code. It is number 0 of these last ones: scalar code.\n"
            "\n"
            "step                          vector code            scalar code\n"
            "x                                       4                      4\n"
            "x2                                    188                    188\n"
            "dequantized                    -3.9166253             -3.9166255 *\n"
            "  hex                      -0x1.f553fap+1         -0x1.f553fcp+1\n"
            "dequantized 2                  -0.9791562             -0.9791564\n"
            "  hex                      -0x1.f553f6p-1         -0x1.f553fcp-1\n"
            "result                         -4.8957815              -4.895782\n"
            "  hex                      -0x1.39547cp+2         -0x1.39547ep+2\n"
            "inverse scale                   10.723517              10.723517\n"
            "scaled                              -52.5             -52.500004\n"
            "  hex                          -0x1.a4p+5         -0x1.a40002p+5\n"
            "rounded                               -52                    -53\n"
            "with zero point                       176                    175\n"
            "output                                176                    175\n"
            "\n"
            "* The two codes part here: dequantized\n"
            "  vector code: fma(scale, q, fl(-scale * zero_point))\n"
            "  scalar code: fl(scale * (q - zero_point))\n"
            "\n"
            "LibTorch's answer is predicted to be: 175\n"
            "the exact contract gives: 175\n"
            "LibTorch answers: 175\n");
  EXPECT_THAT(run("explain " + std::string(kTail)).output, HasSubstr("element: [0] of [65], computed by vector code"));
}

TEST_F(Operators, BadInputNamesTheWord) {
  const auto refused = [](const std::string& arguments, const std::string& why) {
    const Outcome o = run(arguments);
    EXPECT_EQ(o.status, 2) << o.output;
    EXPECT_THAT(o.output, HasSubstr(why));
  };
  refused("check 'ad shape=3'", "lists other operators");
  refused("check 'hardswich shape=3'", "; did you mean hardswish?");
  refused("check 'add shapes=3'", "shapes: is not a word of a case of add; did you mean shape?");
  refused("check 'add shape=3' --subject hypothesis:manual_output_1",
          "--subject: hypothesis:manual_output_1 declines operators other than convolutions");
  refused("explain 'add shape=3' --at 3", "--at: index 1 must be 0..2, is 3");
  refused("explain 'add shape=3' --at 0,0", "--at: must be 1 integer");
  refused("explain 'add shape=3' --hypothesis manual_output_1", "--hypothesis: is for convolutions");
  refused("fuzz --operator ad --cases 10", "--operator: there is no operator ad");
  refused("fuzz --operator hardswich --cases 10", "did you mean hardswish?");
  refused("fuzz --operator add --where 'relu' --cases 10", "--operator: --where is about convolutions");
  refused("fuzz --operator add --subject hypothesis:manual_output_1 --cases 10",
          "--operator: the subject declines operators other than convolutions");
}

TEST_F(Operators, AFileMixesKinds) {
  std::ofstream(folder_ / "cases") << "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]\n"
                                   << "equal add shape=65 x=uniform x2=uniform os=2 seed=3\n"
                                   << "hardswish shape=2x3 xs=0.1 os=0.1\n";
  const std::string record = folder_.in("record");
  const Outcome o = run("check --file '" + folder_.in("cases") + "' --record '" + record + "'");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("3 cases equal, 0 differ; 72 elements compared\n"));
  const Outcome report = run("report '" + record + "' --json -", Streams::output);
  EXPECT_EQ(report.status, 0) << report.output;
  EXPECT_THAT(report.output, AllOf(HasSubstr("\"hardswish\""), HasSubstr("\"aten\"")));
  const Outcome within = run("check --file '" + folder_.in("cases") + "' --where relu");
  EXPECT_THAT(within.output, HasSubstr("3 cases outside of the domain"));
}

TEST_F(Operators, AScriptShowsTheCase) {
  const Outcome o = run("check " + std::string(kTail) + " --python -", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output, AllOf(HasSubstr("torch.ops.quantized.add(x, x2, output_scale, output_zero_point)\n"),
                              HasSubstr("differ from the same values alone")));
}

TEST_F(Operators, RandomCasesAreRecordedAndReported) {
  const std::string record = folder_.in("record");
  const Outcome o =
      run("fuzz --cases 400 --seed 6 --operator conv --operator add --operator mul --workers 2 --record '" + record +
          "' --html '" + folder_.in("page.html") + "' --json '" + folder_.in("report.json") + "'");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output,
              AllOf(HasSubstr("--operator conv --operator add --operator mul"), HasSubstr(" cases verified, "),
                    HasSubstr("drawn for operators: 100 cases"), HasSubstr("drawn for ties:")));
  const auto report = nlohmann::json::parse(read(folder_ / "report.json"));
  EXPECT_TRUE(report.dump().find("\"path\":\"mul\"") != std::string::npos);
  EXPECT_EQ(run("report '" + record + "'").status, 0);
}

TEST_F(Operators, ACampaignIsResumed) {
  const std::string words = "campaign --dir '" + folder_.in("runs") + "' --cases 1200 --seed 2 --operator hardswish";
  EXPECT_EQ(run(words + " --workers 1").status, 0);
  const Outcome again = run(words + " --resume --workers 2");
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("1,200 cases done before"));
  const Outcome other = run("campaign --dir '" + folder_.in("runs") + "' --cases 1200 --seed 2 --resume");
  EXPECT_EQ(other.status, 2) << other.output;
  EXPECT_THAT(other.output, HasSubstr("holds another campaign"));
}

// ---- Kernels of users.

std::string kernel_of_operators(const std::string& name) {
  return " --subject '" TIEOUT_KERNELS "/liboperators_" + name + ".so'";
}

TEST_F(Operators, ACorrectKernelIsEqual) {
  const Outcome o = run("check 'max_pool shape=1x1x4x4 kernel=2 x=uniform'" + kernel_of_operators("c"));
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("equal: 9 elements, plain operators\n"));
  const Outcome exact = run("check " + std::string(kTail) + kernel_of_operators("c"));
  EXPECT_EQ(exact.status, 0) << exact.output;
  EXPECT_THAT(exact.output, HasSubstr("equal to the exact contract: 65 elements, plain operators follows the exact "
                                      "contract; LibTorch's vector code of add rounds differently"));
  const Outcome strict = run("check --strict " + std::string(kTail) + kernel_of_operators("c"));
  EXPECT_EQ(strict.status, 1) << strict.output;
  EXPECT_THAT(
      strict.output,
      HasSubstr("class: vector and scalar code (LibTorch's vector code of add rounds differently;\n  the subject "
                "follows the exact contract; that gives 64 of the 64 values)"));
  const Outcome declined = run("check 'hardswish shape=3'" + kernel_of_operators("c"));
  EXPECT_EQ(declined.status, 3) << declined.output;
  EXPECT_THAT(declined.output, HasSubstr("not verified: declined by the subject: another operator"));
}

TEST_F(Operators, AFaultOfAKernelIsFoundShrunkAndRecorded) {
  const std::string record = folder_.in("record");
  const Outcome o = run("fuzz --cases 300 --seed 1 --workers 2 --operator mul --record '" + record + "' --json '" +
                        folder_.in("report.json") + "'" + kernel_of_operators("rounds_away"));
  EXPECT_EQ(o.status, 1) << o.output;
  EXPECT_THAT(o.output,
              AllOf(HasSubstr("plain operators and aten differ at 1 of 1 element, by up to 1\n"),
                    HasSubstr("class: other arithmetic (the values of ties_away: ties rounded away from zero"),
                    HasSubstr("'mul shape=1 xs=")));
  const auto report = nlohmann::json::parse(read(folder_ / "report.json"));
  const std::string replay = report.at("findings").at(0).at("replay");
  const Outcome again = run(replay.substr(std::string("tieout ").size()));
  EXPECT_EQ(again.status, 1) << again.output;
  EXPECT_THAT(again.output, HasSubstr("differ at 1 of 1 element"));
  EXPECT_EQ(run("report '" + record + "'").status, 1);
}

// Without --operator, cases are drawn of what the kernel states to take.
TEST_F(Operators, ACampaignDrawsWhatTheKernelTakes) {
  const std::string words =
      "campaign --dir '" + folder_.in("runs") + "' --cases 1000 --seed 2" + kernel_of_operators("c");
  const Outcome o = run(words);
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, AllOf(HasSubstr("1,000 cases verified"), HasSubstr("path            avg_pool"),
                              HasSubstr("drawn for operators: 1,000 cases")));
  EXPECT_EQ(run(words + " --resume").status, 0);
  const Outcome other = run("fuzz --cases 10 --operator relu" + kernel_of_operators("c"));
  EXPECT_EQ(other.status, 2) << other.output;
  EXPECT_THAT(other.output, HasSubstr("--operator: the subject states that it takes add, mul, cat, max_pool, avg_pool, "
                                      "and not relu"));
}

TEST_F(Operators, HelpListsThemWithTheirWords) {
  const Outcome o = run("help operators", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output, AllOf(HasSubstr("  add               Sum of two tensors (quantized::add, add_relu)\n"),
                              HasSubstr("slope=V       factor of negative values (default 0.01)\n"),
                              HasSubstr("kernel=HxW"), HasSubstr("inputs        1 to 64\n")));
  EXPECT_THAT(run("help check").output, HasSubstr("tieout help operators"));
}

TEST_F(Operators, IdentifyNamesTheArithmetic) {
  const Outcome o = run("identify --operator add --subject ties_away --cases 40", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_EQ(o.output,
            "ties_away: equal in all cases\n"
            "  computed: ties rounded away from zero: roundf()\n"
            "  specified: nearbyintf(), ties to even\n"
            "40 cases, 87,264 elements, 0 declined\n");
  const std::string report = folder_.in("identify.json");
  // LibTorch itself, without a subject: its two codes and the specification are refuted.
  const Outcome aten = run("identify --operator add --cases 60 --details --json '" + report + "'", Streams::output);
  EXPECT_THAT(aten.output, HasSubstr("\nlibtorch: equal in all cases\n  computed: LibTorch\n60 cases, "));
  EXPECT_THAT(aten.output, HasSubstr("specification: refuted by element "));
  EXPECT_THAT(nlohmann::json::parse(std::ifstream(report)).dump(),
              HasSubstr("variants refuted by 60 cases, equal: libtorch\""));
}

TEST_F(Operators, IdentifyRefusesWhatItDoesNotKnow) {
  EXPECT_THAT(run("identify --operator nowhere").output, HasSubstr("--operator: there is no operator 'nowhere'"));
  EXPECT_THAT(run("identify --operator relu --subject tflite").output,
              HasSubstr("--subject: must be a library, command:LINE or one of aten, "));
  EXPECT_EQ(run("identify --operator relu --path all").status, 2);
}

TEST_F(Operators, SelftestPlantsFaults) {
  const Outcome o = run("selftest --operator relu", Streams::output);
  EXPECT_EQ(o.status, 0);
  EXPECT_THAT(o.output,
              HasSubstr("named  relu              zero_point_128                         found by case   1, "));
  EXPECT_TRUE(o.output.ends_with("\n6 of 6 faults of operators found and named\n")) << o.output;
  EXPECT_EQ(run("selftest --operator relu --fault tflite").status, 2);
  EXPECT_EQ(run("selftest --operator nowhere").status, 2);
}

}  // namespace
}  // namespace tieout
