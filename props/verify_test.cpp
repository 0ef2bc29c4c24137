// The verdict itself, on references that are made wrong on purpose: what is not equal must never pass.

#include "props/verify.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "props/fuzz.h"
#include "reports/finding_text.h"

namespace tieout {
namespace {

// Answers as FBGEMM does on a machine with VNNI, by the specification kernel, after `spoil` has had its way.
class Reference final : public LibTorch {
 public:
  using Spoil = std::function<EngineResult<EngineAnswer>(const ConvProblem&, EngineAnswer)>;
  explicit Reference(Spoil spoil) : spoil_(std::move(spoil)) {}

  std::string version() const override { return "made wrong"; }
  std::vector<Engine> engines() const override { return {Engine::fbgemm}; }
  Hardware hardware() const override { return {.avx512 = true, .avx512_vnni = true}; }
  FbgemmPath fbgemm_path(const ConvCase& c) const override { return tieout::fbgemm_path(c, hardware()); }
  Isa native_isa() const override { return Isa::avx512_vnni; }
  EngineResult<void> available(const Execution& execution) const override {
    if (execution.engine == Engine::fbgemm) return {};
    return tl::unexpected(EngineError{EngineError::Kind::absent, "there is no such engine"});
  }
  EngineResult<EngineAnswer> conv(const ConvProblem& problem) override {
    if (auto can = available(problem.spec.execution); !can) return tl::unexpected(can.error());
    const Arithmetic arithmetic = fbgemm_arithmetic(fbgemm_path(problem.spec), problem.spec.execution.isa, hardware());
    return spoil_(problem, {conv_relu(problem, arithmetic), Engine::fbgemm});
  }
  void guard_tensors(bool /*on*/) override {}
  double seconds_inside() const override { return 0; }
  EngineResult<Experiment> experiment(std::uint64_t /*seed*/) override { return Experiment{}; }
  ModelResult<std::unique_ptr<Model>> open_model(const std::string& /*file*/, Engine /*engine*/) override {
    return std::unique_ptr<Model>();
  }
  ModelResult<std::vector<ModelInput>> read_inputs(const std::string& /*file*/) const override {
    return std::vector<ModelInput>();
  }

 private:
  Spoil spoil_;
};

ConvCase small_case() {
  return {.in_channels = 4,
          .out_channels = 3,
          .input = {1, 5, 4},
          .kernel = {1, 2, 2},
          .output_scale = 100,
          .output_zero_point = 128,
          .seed = 3};
}

// Wrong by one wherever the sum is above 1000.
EngineResult<EngineAnswer> off_by_one(const ConvProblem& problem, EngineAnswer answer) {
  for (std::size_t i = 0; i < answer.y.values.size(); ++i) {
    const ElementTrace trace = conv_relu_trace(problem, {}, static_cast<std::int64_t>(i));
    if (trace.accumulator > 1000 && answer.y.values[i] < 255) ++answer.y.values[i];
  }
  return answer;
}

TEST(Verify, AnHonestReferencePasses) {
  Reference honest([](const ConvProblem&, EngineAnswer answer) { return answer; });
  const Verdict verdict = verify(small_case(), honest);
  EXPECT_EQ(verdict.status, Status::passed);
  EXPECT_EQ(verdict.elements, 3 * 4 * 3);
}

TEST(Verify, OneWrongElementIsADifference) {
  Reference wrong([](const ConvProblem&, EngineAnswer answer) {
    answer.y.values.back() ^= 1U;
    return answer;
  });
  for (const Verdict& verdict : {verify(small_case(), wrong), verify_alone(small_case(), wrong)}) {
    EXPECT_EQ(verdict.status, Status::differed);
    ASSERT_EQ(verdict.finding.elements.size(), 1U);
    EXPECT_EQ(verdict.finding.elements.front().offset, 35);
    EXPECT_EQ(verdict.finding.case_line, print(small_case()));
  }
}

TEST(Verify, AnotherShapeOrEngineIsADifference) {
  Reference short_of_one([](const ConvProblem&, EngineAnswer answer) {
    answer.y.shape.back() -= 1;
    answer.y.values.resize(static_cast<std::size_t>(element_count(answer.y.shape)));
    return answer;
  });
  EXPECT_EQ(verify(small_case(), short_of_one).status, Status::differed);
  Reference by_another([](const ConvProblem&, EngineAnswer answer) {
    answer.picked = Engine::qnnpack;
    return answer;
  });
  EXPECT_EQ(verify(small_case(), by_another).status, Status::differed);
}

TEST(Verify, ARefusalWhereAnAnswerIsDueIsADifference) {
  Reference refusing([](const ConvProblem&, const EngineAnswer&) -> EngineResult<EngineAnswer> {
    return tl::unexpected(EngineError{EngineError::Kind::refused, "not today"});
  });
  const Verdict verdict = verify(small_case(), refusing);
  EXPECT_EQ(verdict.status, Status::differed);
  EXPECT_NE(finding_text(verdict.finding).find("fbgemm refused: not today"), std::string::npos);
}

TEST(Verify, AnAbsentEngineIsNotVerified) {
  Reference honest([](const ConvProblem&, EngineAnswer answer) { return answer; });
  ConvCase c = small_case();
  c.execution.engine = Engine::qnnpack;
  EXPECT_EQ(verify(c, honest).status, Status::errored);
}

TEST(VerifyAlone, ACrashAndAHangAreVerdicts) {
  Reference crashing([](const ConvProblem&, EngineAnswer answer) {
    raise(SIGSEGV);
    return answer;
  });
  const Verdict crash = verify_alone(small_case(), crashing);
  EXPECT_EQ(crash.status, Status::crashed);
  EXPECT_EQ(crash.reason, "SIGSEGV");
  Reference hanging([](const ConvProblem&, EngineAnswer answer) {
    for (;;) pause();
    return answer;
  });
  EXPECT_EQ(verify_alone(small_case(), hanging, 0.3).reason, "hang");
}

// From the drawn case to one element, within a second, and the printed line shows it again.
TEST(Reduce, EndsAtOneElementWhoseLineReplays) {
  Reference wrong(off_by_one);
  const Verdict verdict = verify(small_case(), wrong);
  ASSERT_EQ(verdict.status, Status::differed);
  const Finding small = reduce(verdict.finding, wrong, 1);
  EXPECT_EQ(small.original_line, print(small_case()));
  const auto c = parse(small.case_line);
  ASSERT_TRUE(c);
  EXPECT_EQ(element_count(output_shape(*c)), 1) << small.case_line;
  EXPECT_EQ(verify_alone(*c, wrong).status, Status::differed) << small.case_line;
}

TEST(Fuzz, CountsAndKeepsWhatDiffers) {
  Reference wrong(off_by_one);
  const RunSummary run =
      fuzz({.cases = 200, .seed = 1, .max_findings = 2}, wrong, [](const RunSummary&) { return true; });
  EXPECT_GT(run.cases.differed, 10);
  EXPECT_GT(run.cases.errored, 10);  // the engines that this reference lacks
  EXPECT_EQ(run.cases.all(), 200);
  EXPECT_EQ(exit_status(run), 1);
  ASSERT_EQ(run.findings.size(), 2U);
  EXPECT_EQ(verify_alone(*parse(run.findings.front().case_line), wrong).status, Status::differed);
}

TEST(Fuzz, ACrashCostsOneCase) {
  Reference crashing([](const ConvProblem& problem, EngineAnswer answer) {
    if (problem.spec.dims == 3) std::abort();
    return answer;
  });
  const RunSummary run =
      fuzz({.cases = 60, .seed = 1, .max_findings = 1}, crashing, [](const RunSummary&) { return true; });
  EXPECT_GT(run.cases.crashed, 3);
  EXPECT_GT(run.cases.passed, 10);
  EXPECT_EQ(run.cases.all(), 60);
  EXPECT_EQ(exit_status(run), 1);
  EXPECT_EQ(run.findings.front().failure, "died: SIGABRT");
}

TEST(Fuzz, StopsWhenTold) {
  Reference honest([](const ConvProblem&, EngineAnswer answer) { return answer; });
  const RunSummary run =
      fuzz({.cases = 1'000'000, .seed = 1}, honest, [](const RunSummary& so_far) { return so_far.cases.all() < 20; });
  EXPECT_LT(run.cases.all(), 40);
}

}  // namespace
}  // namespace tieout
