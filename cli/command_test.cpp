// Tests the command as a user runs it: exit status, messages and files.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "cases/machine/cpu.h"
#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class Command : public testing::Test {
 protected:
  TemporaryFolder folder_;
};

TEST_F(Command, CheckVerifiesTheDecidingInputs) {
  // 1 * 50 * .1 * .01 / .1 is 0.5 exactly, and a little more in float32: FBGEMM gives 1.
  const Outcome o = run("check 'conv2d xs=0.1 ws=0.01 os=0.1 x=[1] w=[50]'");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("equal: 1 element,"));
}

// FBGEMM's answer is predicted, although it is far from that of the exact contract.
TEST_F(Command, CheckReportsWhereLibTorchIsNotExact) {
  const std::string line = "conv1d in_channels=2 xz=144 x=[255,255] w=[114,113]";
  const Outcome o = run("check '" + line + " isa=avx2'");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("equal: 1 element,"));
  EXPECT_THAT(o.output,
              HasSubstr("not exact: FBGEMM saturates pairs of products in 16 bits; that depends on the CPU: at 1 of 1 "
                        "elements; [0, 0, 0] is 79 here and 255 by the exact contract"));
  const Outcome here = run("check '" + line + "'");
  EXPECT_THAT(here.output, HasSubstr("LibTorch's answer would be different on a CPU with"));
  EXPECT_THAT(run("check 'conv2d x=[1] w=[1]'").output, Not(HasSubstr("not exact")));
  EXPECT_THAT(run("check 'conv2d x=[1] w=[1]'").output, Not(HasSubstr("different on a CPU")));
}

// The reports count these cases, both for LibTorch itself and for a subject that follows the exact contract.
TEST_F(Command, ReportsCountWhereLibTorchIsNotExact) {
  const std::string line = "check 'conv1d in_channels=2 xz=144 x=[255,255] w=[114,113] isa=avx2'";
  const std::string cause = "FBGEMM saturates pairs of products in 16 bits; that depends on the CPU";
  const Outcome of_libtorch = run(line + " --json -", Streams::output);
  EXPECT_EQ(of_libtorch.status, 0) << of_libtorch.output;
  EXPECT_THAT(of_libtorch.output,
              HasSubstr("\"excused\":[],\"departures\":[{\"name\":\"" + cause + "\",\"cases\":1,\"elements\":1}]"));
  const Outcome of_subject = run(line + " --subject hypothesis:integer_float32 --json -", Streams::output);
  EXPECT_EQ(of_subject.status, 0) << of_subject.output;
  EXPECT_THAT(of_subject.output, HasSubstr("\"excused\":[{\"name\":\"follows exact sums where " + cause +
                                           "\",\"count\":1}],\"departures\":[]"));
}

TEST_F(Command, BadInputNamesTheFieldAndWhatIsAllowed) {
  const Outcome o = run("check 'conv2d stride=0'");
  EXPECT_EQ(o.status, 2);
  EXPECT_THAT(o.output, HasSubstr("stride: must be 1.."));
  EXPECT_EQ(run("check").status, 2);
  EXPECT_EQ(run("").status, 2);
  EXPECT_EQ(run("nonsense").status, 2);
  EXPECT_EQ(run("fuzz --cases 0").status, 2);
  EXPECT_EQ(run("fuzz --cases many").status, 2);
  EXPECT_EQ(run("fuzz --cases 99999999999999999999").status, 2);
  EXPECT_EQ(run("fuzz --seed 99999999999999999999").status, 2);
  EXPECT_EQ(run("--help").status, 0);
  EXPECT_EQ(run("--version").status, 0);
  EXPECT_THAT(run("--version").output, StartsWith("tieout "));
}

TEST_F(Command, CheckReportsACrashOfLibTorch) {
  const Outcome o = run("check 'conv3d in_channels=8 out_channels=8 groups=8 kernel=7 padding=3'");
  EXPECT_EQ(o.status, 3) << o.output;
  EXPECT_THAT(o.output, HasSubstr("known defect fbgemm_depthwise3d_small: SIG"));
}

// With these variables, OpenMP starts fewer threads than it reports, and oneDNN's answers would be wrong
// (oracle/README.md).
TEST_F(Command, ThreadSettingsOfTheEnvironmentChangeNoResult) {
  const std::string check =
      "check 'conv2d in_channels=64 out_channels=64 xz=1 os=300 oz=100 x=uniform w=uniform engine=onednn threads=2'";
  setenv("OMP_MAX_ACTIVE_LEVELS", "0", 1);
  const Outcome levels = run(check);
  unsetenv("OMP_MAX_ACTIVE_LEVELS");
  EXPECT_EQ(levels.status, 0) << levels.output;
  setenv("OMP_THREAD_LIMIT", "1", 1);
  const Outcome limit = run(check);
  unsetenv("OMP_THREAD_LIMIT");
  EXPECT_EQ(limit.status, 3) << limit.output;
  EXPECT_THAT(limit.output, HasSubstr("OMP_THREAD_LIMIT allows fewer threads than 2"));
}

TEST_F(Command, EnginesPrintsTheArithmeticOfACase) {
  const Outcome o = run("engines 'conv2d wz=1'");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("LibTorch 2.15.0"));
  EXPECT_THAT(o.output, HasSubstr("onednn                            refuses: "));
  EXPECT_THAT(o.output, HasSubstr("x86                               pointwise: "));
}

TEST_F(Command, FuzzVerifiesAndReports) {
  const Outcome o = run("fuzz --cases 300 --seed 3 --markdown '" + folder_.in("report.md") + "' --text '" +
                        folder_.in("findings.txt") + "'");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("elements equal"));
  EXPECT_THAT(o.output, StartsWith("to repeat these cases: tieout fuzz --cases 300 --seed 3\n")) << o.output;
  std::istringstream lines(o.output);
  int drawn_for = 0;
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(line.size(), 80U) << line;
    drawn_for += line.starts_with("  drawn for ") && line.ends_with(" % of the time") ? 1 : 0;
  }
  // Each strategy, and that of operators, has a line of its own, because its name may contain commas.
  EXPECT_EQ(drawn_for, 6) << o.output;
  EXPECT_THAT(o.output, HasSubstr("\n  engine          onednn "));
  EXPECT_THAT(read(folder_.in("report.md")), StartsWith("# Tieout: "));
  EXPECT_EQ(read(folder_.in("findings.txt")), "");
}

TEST_F(Command, IdentifyPrintsALineForEachHypothesis) {
  const Outcome fbgemm = run("identify --cases 5000");
  EXPECT_EQ(fbgemm.status, 0) << fbgemm.output;
  const char* const arithmetic =
      best_simd_isa() == SimdIsa::avx512_vnni ? "integer_float32: standing, " : "integer_int16_pairs: standing, ";
  EXPECT_THAT(fbgemm.output, HasSubstr(arithmetic));
  EXPECT_THAT(fbgemm.output, HasSubstr("manual_output_1: refuted by conv2d "));
  // An engine's arithmetic may differ from path to path; other subjects are compared on the shapes of all.
  EXPECT_THAT(fbgemm.output, HasSubstr("; not varied: kernel 1x1, no padding"));
  const Outcome model = run("identify --subject hypothesis:onednn --cases 5000");
  EXPECT_THAT(model.output, HasSubstr("onednn: standing, "));
  EXPECT_THAT(model.output, HasSubstr("\nvaried: kernels 1x1 to "));
  EXPECT_EQ(run("identify --subject no_such_name").status, 2);
  EXPECT_EQ(run("identify --path nowhere").status, 2);
}

TEST_F(Command, SelftestRefusesWhatItCannotDo) {
  const Outcome unknown = run("selftest --fault round_floor,no_such_fault");
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.output, HasSubstr("there is none called 'no_such_fault'"));
  const Outcome both = run("selftest --policies --diagnose");
  EXPECT_EQ(both.status, 2);
  EXPECT_THAT(both.output, HasSubstr("leave out --diagnose"));
}

const std::string kKernel = TIEOUT_KERNELS "/libconv_relu_c.so";
const std::string kRoundsAway = TIEOUT_KERNELS "/libconv_relu_rounds_away.so";

TEST_F(Command, ASubjectIsVerified) {
  const Outcome o = run("fuzz --cases 300 --seed 3 --subject '" + kKernel + "'");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("300 cases verified"));
  EXPECT_EQ(run("check --file '" TIEOUT_SOURCE_DIR "/props/properties/corpus/contract.txt' --subject '" + kKernel + "'")
                .status,
            0);
  EXPECT_EQ(run("identify --cases 500 --subject '" + kKernel + "'").status, 0);
}

TEST_F(Command, ADifferenceOfASubjectReplaysFromItsLine) {
  const Outcome o = run("fuzz --cases 300 --seed 3 --subject '" + kRoundsAway + "'");
  EXPECT_EQ(o.status, 1) << o.output;
  const std::string prefix = "replay: tieout ";
  const auto at = o.output.find(prefix);
  ASSERT_NE(at, std::string::npos) << o.output;
  const Outcome again = run(o.output.substr(at + prefix.size(), o.output.find('\n', at) - at - prefix.size()));
  EXPECT_EQ(again.status, 1) << again.output;
  EXPECT_THAT(again.output, HasSubstr("libconv_relu_rounds_away.so and fbgemm differ at"));
}

TEST_F(Command, AHypothesisIsASubjectInEveryCommand) {
  const std::string wrong = "--subject hypothesis:round_half_away ";
  EXPECT_EQ(run("check " + wrong + "'conv2d os=2 x=[1] w=[1]'").status, 1);
  EXPECT_EQ(run("fuzz --cases 500 --seed 3 " + wrong).status, 1);
  EXPECT_EQ(run("campaign --cases 500 --seed 3 --dir '" + folder_.in("campaign") + "' " + wrong).status, 1);
  EXPECT_EQ(run("identify --cases 500 " + wrong).status, 0);
  const Outcome unknown = run("fuzz --cases 500 --subject hypothesis:round_half_awy");
  EXPECT_EQ(unknown.status, 2) << unknown.output;
  EXPECT_THAT(unknown.output, HasSubstr("did you mean round_half_away?"));
}

TEST_F(Command, AnEngineIsASubjectInEveryCommand) {
  const std::string engine = "--subject engine:onednn ";
  const std::string tie = "'conv2d oz=41 bias=[0.5] x=[0] w=[0]'";  // ONEDNN rounds the tie with the zero point
  EXPECT_EQ(run("check " + engine + tie).status, 1);
  EXPECT_EQ(run("check --subject engine:fbgemm " + tie).status, 0);
  EXPECT_EQ(run("explain " + engine + tie).status, 0);
  EXPECT_EQ(run("fuzz --cases 300 --seed 3 --diagnose 2 " + engine).status, 1);
  EXPECT_THAT(run("identify --cases 500 " + engine).output, HasSubstr("onednn: standing, "));
  for (const char* const command : {"fuzz", "identify"}) {
    const Outcome unknown = run(std::string(command) + " --cases 5 --subject engine:onedn");
    EXPECT_EQ(unknown.status, 2) << unknown.output;
    EXPECT_THAT(unknown.output, HasSubstr("fbgemm, onednn, x86, qnnpack"));
  }
}

TEST_F(Command, AnotherReferenceReplacesLibTorchInEveryCommand) {
  const std::string words = "--subject '" + kRoundsAway + "' --reference '" + kKernel + "' ";
  const Outcome o = run("fuzz --cases 300 --seed 3 " + words);
  EXPECT_EQ(o.status, 1) << o.output;
  EXPECT_THAT(o.output, HasSubstr("libconv_relu_rounds_away.so and libconv_relu_c.so differ at"));
  EXPECT_THAT(o.output, HasSubstr("cause: unexplained"));
  EXPECT_THAT(o.output, ContainsRegex("replay: tieout check --subject .* --reference .* 'conv2d "));
  EXPECT_THAT(o.output, HasSubstr("\n  reference: "));
  EXPECT_THAT(o.output, Not(HasSubstr("LibTorch")));
  EXPECT_THAT(o.output, Not(HasSubstr("fbgemm")));
  const std::string tie = "'conv2d bias=[0.5] x=[0] w=[0]'";
  EXPECT_EQ(run("check " + words + tie).status, 1);
  EXPECT_EQ(run("check " + words + "--before conv2d " + tie).status, 1);
  EXPECT_EQ(run("campaign --cases 500 --seed 3 --dir '" + folder_.in("campaign") + "' " + words).status, 1);
  const std::string as_hypothesis = "--subject '" + kRoundsAway + "' --reference hypothesis:round_half_away ";
  EXPECT_EQ(run("check " + as_hypothesis + tie).status, 0);
  const std::string corpus = TIEOUT_SOURCE_DIR "/props/properties/corpus/contract.txt";
  EXPECT_EQ(run("check --file '" + corpus + "' --subject '" + kKernel +
                "' --reference hypothesis:integer_float32 "
                "--where 'groups=1'")
                .status,
            0);
}

// The copy of the program has no LibTorch adapter beside it.
TEST_F(Command, AnotherReferenceWorksWithoutLibTorch) {
  const std::filesystem::path alone = folder_.path() / "tieout";
  std::filesystem::copy_file(TIEOUT_PROGRAM, alone);
  const auto run_alone = [&](const std::string& words) { return run(words, Streams::both, alone.string()); };
  const std::string words = "--cases 100 --seed 1 --subject hypothesis:round_half_away ";
  EXPECT_EQ(run_alone("fuzz " + words + "--reference hypothesis:round_half_away").status, 0);
  EXPECT_EQ(run_alone("fuzz " + words + "--reference hypothesis:integer_float32").status, 1);
  for (const char* const missing : {"", "--reference engine:fbgemm"}) {
    const Outcome o = run_alone("fuzz " + words + missing);
    EXPECT_NE(o.status, 0);
    EXPECT_THAT(o.output, HasSubstr("LibTorch cannot be loaded: "));
  }
}

TEST_F(Command, EveryReportNamesTheReference) {
  std::string outputs;
  for (const char* const format : {"html", "markdown", "text", "json", "junit", "sarif"}) {
    outputs += std::string(" --") + format + " '" + folder_.in(format) + "'";
  }
  const Outcome o = run("check 'conv2d bias=[0.5] x=[0] w=[0]' --subject '" + kRoundsAway + "' --reference '" +
                        kKernel + "' --github" + outputs);
  EXPECT_EQ(o.status, 1) << o.output;
  EXPECT_THAT(o.output, HasSubstr("::error"));
  for (const char* const format : {"html", "markdown", "text", "json", "junit", "sarif"}) {
    EXPECT_THAT(read(folder_ / format), HasSubstr("libconv_relu_c.so")) << format;
    EXPECT_THAT(read(folder_ / format), Not(HasSubstr("LibTorch 2"))) << format;
  }
  for (const char* const format : {"html", "markdown", "json", "junit", "sarif"}) {
    EXPECT_THAT(read(folder_ / format), HasSubstr("libconv_relu_c.so, digest ")) << format;
  }
}

TEST_F(Command, AReferenceThatCannotBeUsedIsRefused) {
  const std::string subject = " --subject '" + kKernel + "' ";
  const auto told = [&](const std::string& words, const char* message) {
    for (const char* const command : {"check conv2d ", "fuzz --cases 5 ", "campaign --cases 5 --dir /nowhere "}) {
      const Outcome o = run(command + words);
      EXPECT_EQ(o.status, 2) << o.output;
      EXPECT_THAT(o.output, HasSubstr(message)) << command;
    }
  };
  told("--reference '" + kKernel + "'", "--reference: needs a subject");
  told("--reference /no/such.so" + subject, "--reference: '/no/such.so': there is no such file; name a shared library");
  told("--reference /etc/passwd" + subject, "--reference: /etc/passwd: ");
  told("--reference hypothesis:round_half_awy" + subject, "did you mean round_half_away?");
  told("--reference engine:onedn" + subject, "must be one of fbgemm, onednn");
  told("--reference 'command:/no/such/program'" + subject, "--reference: ");
  told("--strict --reference hypothesis:integer_float32" + subject, "--strict: ");
  const Outcome same = run("check conv2d --reference '" + kKernel + "'" + subject);
  EXPECT_EQ(same.status, 0) << same.output;
  EXPECT_THAT(same.output, HasSubstr("--reference and --subject are the same"));
  EXPECT_THAT(run("fuzz --cases 5 --reference 'command:exit 1' --where dims=2" + subject).output,
              HasSubstr("--reference: "));
}

// FBGEMM's depthwise code saturates a pair here. The exact sum counts as right, except with --strict, where only
// LibTorch's own values do.
TEST_F(Command, StrictTakesOnlyWhatLibTorchAnswers) {
  const std::string saturating =
      "--subject '" + kKernel +
      "' 'conv2d in_channels=8 out_channels=8 groups=8 input=3x3 kernel=3x3 padding=1x1 os=2048 x=[72*255] w=[72*127]'";
  const Outcome o = run("check " + saturating);
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("equal to the exact contract"));
  EXPECT_EQ(run("check --strict " + saturating).status, 1);
}

// A finding whose value before rounding is infinite appears in every format, in the reports of the run and of its
// record.
TEST_F(Command, AnInfiniteValueBeforeRoundingIsReported) {
  const auto outputs = [&](const std::string& name) {
    std::string options;
    for (const char* format : {"html", "markdown", "text", "json", "junit", "sarif"}) {
      options += std::string(" --") + format + " '" + folder_.in(name + "." + format) + "'";
    }
    return options + " --github";
  };
  const std::string record = folder_.in("record");
  const Outcome ran =
      run("fuzz --cases 300 --seed 1 --subject '" TIEOUT_KERNELS "/libinfinity_is_largest.so' --record '" + record +
          "'" + outputs("ran"));
  EXPECT_EQ(ran.status, 1) << ran.output;
  const Outcome reported = run("report '" + record + "'" + outputs("reported"));
  EXPECT_EQ(reported.status, 1) << reported.output;
  EXPECT_EQ(read(folder_.in("ran.text")), read(folder_.in("reported.text")));
  EXPECT_THAT(read(folder_.in("reported.text")), HasSubstr(" inf\n")) << reported.output;
  EXPECT_THAT(read(folder_.in("reported.json")), HasSubstr("\"scaled\":\"inf\""));
  for (const char* format : {"html", "markdown", "junit", "sarif"}) {
    EXPECT_THAT(read(folder_.in(std::string("reported.") + format)), HasSubstr("tieout check")) << format;
  }
}

// Text from a subject cannot move the terminal's cursor or start a workflow command of GitHub in any output.
TEST_F(Command, TextOfASubjectIsEscaped) {
  const std::string subject = " --subject '" TIEOUT_KERNELS "/libforeign_text.so'";
  const std::string record = folder_.in("record");
  std::string printed = run("fuzz --cases 60 --seed 1 --text - --record '" + record + "'" + subject).output;
  printed += run("report --markdown - '" + record + "'").output + run("report '" + record + "'").output;
  printed += run("check conv1d" + subject).output + run("check conv2d" + subject).output;
  EXPECT_THAT(printed, HasSubstr("from a reason"));
  EXPECT_THAT(printed, HasSubstr("from standard error"));
  for (const char* raw : {"\x1b", "\x07", "\r##", "\xe2\x80\xae"}) EXPECT_THAT(printed, Not(HasSubstr(raw)));
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = line.find_first_not_of(" \t");
    EXPECT_FALSE(begin != std::string::npos && line.compare(begin, 2, "::") == 0) << line;
    const std::size_t old_form = line.find("##[");
    EXPECT_EQ(old_form, std::string::npos) << line;
  }
}

TEST_F(Command, ABaselineIsARegularFile) {
  const Outcome o = run("fuzz --cases 100000000 --baseline /dev/zero");
  EXPECT_EQ(o.status, 2) << o.output;
  EXPECT_THAT(o.output, HasSubstr("--baseline: /dev/zero: it is not a regular file"));
}

TEST_F(Command, AFileThatIsNoSubjectIsRefused) {
  EXPECT_EQ(run("check --subject ./nowhere.so conv2d").status, 2);
  const Outcome o = run("fuzz --subject '" TIEOUT_SOURCE_DIR "/README.md'");
  EXPECT_EQ(o.status, 2) << o.output;
  EXPECT_THAT(o.output, HasSubstr("--subject: "));
  EXPECT_EQ(run("identify --subject 'command:false'").status, 2);
}

// FBGEMM's own environment variable limits the instruction set that it selects, and the prediction follows that.
TEST_F(Command, TheNativeInstructionSetIsTheOneThatFbgemmUses) {
  ASSERT_EQ(setenv("FBGEMM_ENABLE_INSTRUCTIONS", "AVX2", 1), 0);
  const Outcome o = run("check 'conv2d in_channels=2 os=512 x=[2*255] w=[2*127]'");
  unsetenv("FBGEMM_ENABLE_INSTRUCTIONS");
  EXPECT_EQ(o.status, 0) << o.output;
  EXPECT_THAT(o.output, HasSubstr("[[[[64]]]]"));
}

TEST_F(Command, SettingsThatChangeOnednnAreRefused) {
  ASSERT_EQ(setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1), 0);
  const Outcome o = run("check 'conv2d'");
  unsetenv("ONEDNN_MAX_CPU_ISA");
  EXPECT_EQ(o.status, 3) << o.output;
  EXPECT_THAT(o.output, HasSubstr("ONEDNN_MAX_CPU_ISA is set, to 'AVX2': ONEDNN would"));
}

TEST_F(Command, AnInterruptedRunIsNotVerified) {
  const std::string reports = "--record '" + folder_.in("stopped") + "' --json '" + folder_.in("stopped.json") + "'";
  const Outcome o = run("fuzz --cases 100000000 --seed 1 --github " + reports + " & sleep 2; kill -INT $!; wait $!");
  EXPECT_EQ(o.status, 3) << o.output;
  EXPECT_THAT(o.output, HasSubstr("interrupted: "));
  EXPECT_THAT(o.output, HasSubstr("::error title=Tieout::"));
  EXPECT_THAT(read(folder_.in("stopped.json")), HasSubstr("\"exit_status\":3"));
  const Outcome reported = run("report '" + folder_.in("stopped") + "'");
  EXPECT_EQ(reported.status, 3) << reported.output;
  EXPECT_THAT(reported.output, HasSubstr("interrupted: "));
}

TEST_F(Command, TheShortestCaseIsPrintedFirst) {
  const Outcome o = run("fuzz --cases 300 --seed 2 --diagnose 0 --subject hypothesis:manual_output_1");
  std::istringstream lines(o.output);
  std::vector<std::size_t> lengths;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("replay: ")) lengths.push_back(line.size());
  }
  ASSERT_GT(lengths.size(), 1U) << o.output;
  EXPECT_LT(lengths.front(), lengths.back()) << o.output;
  EXPECT_TRUE(std::ranges::is_sorted(lengths)) << o.output;
}

// Standard output on a full disk is an error, because its reader has not seen the verdict.
TEST_F(Command, LostOutputIsAnError) {
  const std::string record = folder_.in("record");
  ASSERT_EQ(run("fuzz --cases 20 --seed 3 --record '" + record + "'").status, 0);
  const std::string kept = record + "' '" + record;
  for (const std::string& arguments :
       {std::string("check conv2d"), std::string("explain conv2d"), std::string("engines"),
        std::string("experiment --seed 1"), std::string("fuzz --cases 20 --seed 3"), std::string("identify --cases 50"),
        std::string("--help"), "report '" + record + "'", "merge '" + folder_.in("merged") + "' '" + kept + "'"}) {
    const Outcome o = run(arguments + " 2>&1 >/dev/full", Streams::output);
    EXPECT_EQ(o.status, 3) << arguments << '\n' << o.output;
    EXPECT_THAT(o.output, HasSubstr("No space left on device")) << arguments << '\n' << o.output;
    const Outcome closed = run(arguments + " 2>&1 >&-", Streams::output);
    EXPECT_EQ(closed.status, arguments.starts_with("merge") ? 2 : 3) << arguments << '\n' << closed.output;
  }
}

TEST_F(Command, AReportThatCannotBeWrittenIsRefusedBeforeTheWork) {
  const Outcome o = run("fuzz --cases 100000000 --markdown /proc/nowhere/report.md");
  EXPECT_EQ(o.status, 2) << o.output;
  EXPECT_THAT(o.output, HasSubstr("--markdown: cannot write /proc/nowhere/report.md"));
}

}  // namespace
}  // namespace tieout
