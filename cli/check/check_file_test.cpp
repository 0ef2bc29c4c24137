// Tests `tieout check --file` as a user runs it.

#include <fcntl.h>
#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "cli/testing/test_command.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kKernel = TIEOUT_KERNELS "/libconv_relu_c.so";
const std::string kRoundsAway = TIEOUT_KERNELS "/libconv_relu_rounds_away.so";
constexpr const char* kTie = "conv2d os=2 x=[1] w=[1]";  // 0, and 1 if ties are rounded away from zero

class CheckFile : public testing::Test {
 protected:
  [[nodiscard]] std::string write(const std::string& text) const {
    std::ofstream(folder_ / "cases", std::ios::binary) << text;
    return "check --file '" + folder_.in("cases") + "' ";
  }

  static void expect_words(const Outcome& o, const std::string& words) {
    EXPECT_THAT(o.output, HasSubstr(words)) << words << '\n' << o.output;
  }

  TemporaryFolder folder_;
};

TEST_F(CheckFile, CountsEveryLine) {
  const Outcome o =
      run(write("\xEF\xBB\xBF# a comment\r\n\r\n \t\r\nconv2d\r\nequal conv2d x=[1] w=[1] # as said\n"
                "conv3d in_channels=8 out_channels=8 groups=8 kernel=7 padding=3\nconv2d"));
  EXPECT_EQ(o.status, 0) << o.output;
  expect_words(o, "3 cases equal, 0 differ, 1 not verified");
  expect_words(o, "7 lines, 3 without a case");
  expect_words(o, "not verified: 1 case: LibTorch's known defect fbgemm_depthwise3d_small");
}

// The values of the first line depend on the CPU, which counts of equal cases alone would hide.
TEST_F(CheckFile, StatesWhichEqualCasesAreNotExact) {
  const std::string cases = write("conv1d in_channels=2 xz=144 x=[255,255] w=[114,113] isa=avx2\nconv2d x=[1] w=[1]\n");
  const Outcome of_libtorch = run(cases);
  EXPECT_EQ(of_libtorch.status, 0) << of_libtorch.output;
  expect_words(of_libtorch,
               "\n  1 element in 1 case is equal to LibTorch's values but not to the exact\n    contract's");
  const Outcome of_subject = run(cases + "--subject hypothesis:integer_float32");
  EXPECT_EQ(of_subject.status, 0) << of_subject.output;
  expect_words(of_subject,
               "\n  1 case counts as equal although some values are not LibTorch's, because the\n    subject");
}

// A line that names an engine requires that engine's answer of a subject. QNNPACK, for example, rounds the bias to a
// whole number.
TEST_F(CheckFile, ASubjectIsVerifiedOnTheLinesOfEveryEngine) {
  const Outcome o = run(write("conv2d bias=[0.5] x=[1] w=[1]\nconv2d bias=[0.5] x=[1] w=[1] engine=qnnpack\n"
                              "conv2d os=2 oz=1 x=[1] w=[1] engine=onednn\n") +
                        "--subject '" + kKernel + "'");
  EXPECT_EQ(o.status, 1) << o.output;
  expect_words(o, "1 case equal, 2 differ");
}

TEST_F(CheckFile, TheReportsHoldEveryFinding) {
  const std::string command =
      write(std::string(kTie) +
            "\nconv2d\nconv2d os=2 x=[3] w=[1]\nconv2d os=2 x=[5] w=[1]\n"
            "conv2d os=2 x=[5] w=[1] oz=2\nconv2d os=2 x=[9] w=[1]\nconv2d os=2 x=[13] w=[1]\n") +
      "--subject '" + kRoundsAway + "' ";
  const Outcome o = run(command + "--json '" + folder_.in("report.json") + "' --html '" + folder_.in("report.html") +
                        "' --junit '" + folder_.in("report.xml") + "' --record '" + folder_.in("run.tieout") + "'");
  EXPECT_EQ(o.status, 1) << o.output;
  const auto json = nlohmann::json::parse(read(folder_ / "report.json"));
  EXPECT_EQ(json["findings"].size(), 5U);
  EXPECT_EQ(json["verdict"], "5 of 7 cases differ, 1 cause");
  EXPECT_NE(read(folder_ / "report.html"), "");
  EXPECT_NE(read(folder_ / "report.xml"), "");
  const Outcome reported = run("report '" + folder_.in("run.tieout") + "' --json -", Streams::output);
  EXPECT_EQ(reported.status, 1);
  EXPECT_EQ(nlohmann::json::parse(reported.output)["findings"].size(), 5U);

  std::ofstream(folder_ / "known.json")
      << R"([{"cause": "rounding: ties away from zero, as roundf() and lround() do", "reason": "as agreed"}])";
  EXPECT_EQ(run(command + "--baseline '" + folder_.in("known.json") + "'").status, 0);
  const Outcome absent = run(command + "--baseline '" + folder_.in("absent.json") + "'");
  EXPECT_EQ(absent.status, 2) << absent.output;
  expect_words(absent, "--baseline: ");
}

TEST_F(CheckFile, OneCaseIsRecordedToo) {
  const std::string record = "'" + folder_.in("one.tieout") + "'";
  ASSERT_EQ(run("check conv2d --record " + record).status, 0);
  const Outcome o = run("report " + record);
  EXPECT_EQ(o.status, 0) << o.output;
  expect_words(o, "1 case verified, 1 element equal");
  EXPECT_EQ(run("check conv2d --record " + record).status, 2);  // the record exists
}

TEST_F(CheckFile, AReadErrorIsNotTheEndOfTheFile) {
  const Outcome folder = run("check --file '" + folder_.path().string() + "'");
  EXPECT_EQ(folder.status, 2) << folder.output;
  expect_words(folder, "Is a directory; name a file of cases, one a line");
  const Outcome absent = run("check --file '" + folder_.in("absent") + "'");
  EXPECT_EQ(absent.status, 2) << absent.output;
  expect_words(absent, "No such file or directory");
  const Outcome broken = run("check --file /proc/self/mem");
  EXPECT_EQ(broken.status, 2) << broken.output;
  expect_words(broken, "Input/output error");
  const Outcome zero = run("check --file /dev/zero");
  EXPECT_EQ(zero.status, 2) << zero.output;
  expect_words(zero, "the line is longer than 16 MiB");
}

TEST_F(CheckFile, APipeIsWaitedForWithAMessage) {
  const std::string pipe = folder_.in("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const Running waiting({"check", "--file", pipe}, folder_ / "output");
  const auto output = [&] { return read(folder_ / "output"); };
  for (int i = 0; i < 600 && output().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_THAT(output(), HasSubstr("pipe is a pipe to which nothing has been written yet: waiting for it"));
  std::ofstream(pipe) << "conv2d\nconv2d x=[1] w=[1]\n";
  EXPECT_EQ(waiting.wait(), 0) << output();
  EXPECT_THAT(output(), HasSubstr("2 cases equal"));
  const Outcome quick = run("check --file '" + pipe + "' & echo conv2d >'" + pipe + "'; wait $!");
  EXPECT_EQ(quick.status, 0) << quick.output;
  EXPECT_THAT(quick.output, Not(HasSubstr("waiting")));
}

TEST_F(CheckFile, AFileWithoutCasesIsReported) {
  const Outcome o = run(write("# none\n\n"));
  EXPECT_EQ(o.status, 3) << o.output;
  expect_words(o, "holds no case: write one a line");
}

TEST_F(CheckFile, ABadLineEndsTheReadingWithItsLineNumber) {
  const Outcome o = run(write("conv2d\nconv2d\nconv2d stride=0\nconv2d\n"));
  EXPECT_EQ(o.status, 2) << o.output;
  expect_words(o, "cases:3: stride: must be 1..");
  expect_words(o, "2 cases verified before it");
  const Outcome differs = run(write(std::string(kTie) + "\nconv2d stride=0\n") + "--subject '" + kRoundsAway + "'");
  EXPECT_EQ(differs.status, 1) << differs.output;
}

// A terminal whose other end is closed provides the text that was written before, and then a read error.
TEST_F(CheckFile, AReadErrorInTheMiddleIsReported) {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  const int other_end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  ASSERT_EQ(::write(other_end, "conv2d\nconv2d\n", 14), 14);
  close(other_end);
  const int standard_input = dup(STDIN_FILENO);
  dup2(terminal, STDIN_FILENO);
  const int status = Running({"check", "--file", "-"}, folder_ / "output").wait();
  dup2(standard_input, STDIN_FILENO);
  close(standard_input);
  close(terminal);
  const std::string output = read(folder_ / "output");
  EXPECT_EQ(status, 3) << output;
  EXPECT_THAT(output, HasSubstr("-:3: Input/output error; 2 cases verified before it"));
}

TEST_F(CheckFile, AFileWithoutCasesVerifiesNothing) {
  EXPECT_EQ(run("check --file -").status, 3);
  EXPECT_EQ(run(write("# nothing\n")).status, 3);
}

TEST_F(CheckFile, ACaseThatNeedsTooMuchMemoryIsRefused) {
  const Outcome o = run(write("conv2d input=16384x16384\n"));
  EXPECT_EQ(o.status, 2) << o.output;
  expect_words(o, "4096 MiB are allowed");
  EXPECT_EQ(run("check 'conv2d input=16384x16384'").status, 2);
  EXPECT_EQ(run("explain 'conv2d input=16384x16384'").status, 2);
}

}  // namespace
}  // namespace tieout
