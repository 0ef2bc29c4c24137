#include "props/diagnose/finding_causes.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <map>
#include <thread>

#include "cases/testing/parsed.h"
#include "props/diagnose/diagnosis_text.h"

namespace tieout {
namespace {

using Counts = std::map<std::string, std::int64_t>;

constexpr std::array kLines{"conv1d padding=1 x=[1] w=[1]", "conv1d padding=2 x=[3] w=[2]", "conv1d x=[1] w=[1]"};

// A kernel without padding.
const KernelModel kUnpadded{{.slot = Slot::padding, .formula = 0}};

Answers output_of(const KernelModel& model, const ConvProblem& problem) {
  Answers y{output_shape(problem.spec), {}};
  for (const int value : evaluate_all(model, ModelProblem(problem))) {
    y.values.push_back(static_cast<std::uint8_t>(value));
  }
  return y;
}

// Returns a finding whose class is a guess.
Finding finding_of(const std::string& line, const KernelModel& expected, const KernelModel& actual) {
  const ConvProblem problem = parse_problem(line);
  return {.case_line = line,
          .original_line = line,
          .expected = output_of(expected, problem),
          .actual = output_of(actual, problem),
          .elements = {{}},
          .mismatch_class = "tie",
          .derivation = "ties are rounded up",
          .subject = "./libmine.so"};
}

Diagnosis diagnosis_of(const KernelModel& model, std::int64_t explains) {
  Diagnosis diagnosis;
  diagnosis.model = model;
  for (const Edit& edit : model) {
    diagnosis.causes.push_back({.edit = edit, .smallest = parse_case(kLines[0]), .explains = explains});
  }
  return diagnosis;
}

RunSummary run_of(std::vector<Finding> findings, Counts differences) {
  RunSummary run{.subject = "./libmine.so"};
  run.findings = std::move(findings);
  run.differences = std::move(differences);
  return run;
}

// A kernel that is too slow for its proof has a shorter one, and the result says so.
TEST(Diagnose, EndsAProofWhenItsTimeIsUp) {
  const KernelAnswer slow = [](const ConvProblem& problem) -> std::optional<std::vector<std::uint8_t>> {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return as_bytes(output_of({}, problem)).values;
  };
  const Diagnosis diagnosis = diagnose(slow, {.proof = 100'000, .seconds = 0.2});
  EXPECT_EQ(diagnosis.verdict, Diagnosis::Verdict::no_difference);
  EXPECT_EQ(diagnosis.planned, 100'000);
  EXPECT_GT(diagnosis.fresh, 0);
  EXPECT_LT(diagnosis.fresh, 1'000);
  EXPECT_TRUE(headline_of(diagnosis).ends_with(" fresh cases (of 100,000; the time was up)"));
  EXPECT_EQ(diagnose(slow, {.cases = 5, .proof = 5}).planned, 0);
}

const KernelAnswer kAnswer = [](const ConvProblem& problem) -> std::optional<std::vector<std::uint8_t>> {
  if (problem.activation[0] == 3) return {};  // declined
  return as_bytes(output_of(kUnpadded, problem)).values;
};

// Index 1 has a first attempt that the kernel declines.
const DifferingCases kDiffering{.indices = {0, 1},
                                .draw = [](std::int64_t index, std::int64_t attempt) -> std::optional<ConvCase> {
                                  return parse_case(kLines[index == 1 && attempt == 0 ? 1 : 0]);
                                }};

TEST(FindingCauses, NamesTheCauseThatExplainsEveryValue) {
  Finding other = finding_of(kLines[0], {}, kUnpadded);
  other.actual.values[0] = 77;
  RunSummary run = run_of({finding_of(kLines[0], {}, kUnpadded), other}, {{"tie", 3}, {"died: SIGSEGV", 1}});
  EXPECT_EQ(unexplained_cases(run).size(), 2U);
  EXPECT_FALSE(follows_contract(run));
  set_causes(run, diagnosis_of(kUnpadded, 5), kAnswer, kDiffering, "--subject ./libmine.so", [] { return true; });
  EXPECT_EQ(kind_of(run.findings[0]), kUnpadded[0].text());
  EXPECT_EQ(kind_of(run.findings[1]), "unexplained");
  ASSERT_EQ(run.causes.size(), 1U);
  EXPECT_EQ(run.causes[0].cases, 2);
  EXPECT_FALSE(run.causes[0].diff.empty() || run.causes[0].picture.empty());
  EXPECT_EQ(run.cases_by_cause, (Counts{{kUnpadded[0].text(), 2}, {"unexplained", 1}, {"died: SIGSEGV", 1}}));
}

TEST(FindingCauses, AnEditWithoutProofExplainsNothing) {
  RunSummary run = run_of({finding_of(kLines[0], {}, kUnpadded)}, {{"tie", 2}});
  set_causes(run, diagnosis_of(kUnpadded, 0), kAnswer, kDiffering, "", [] { return true; });
  EXPECT_EQ(kind_of(run.findings[0]), "unexplained");
  EXPECT_TRUE(run.causes.empty());
  EXPECT_EQ(run.cases_by_cause, (Counts{{"unexplained", 2}}));
}

TEST(FindingCauses, GivenCasesCountByTheirFindings) {
  RunSummary run = run_of({finding_of(kLines[0], {}, kUnpadded)}, {{"tie", 1}});
  set_causes(run, diagnosis_of(kUnpadded, 5), kAnswer, {}, "", [] { return true; });
  EXPECT_EQ(run.cases_by_cause, (Counts{{kUnpadded[0].text(), 1}}));
}

// A model computes bytes, so that int32 sums have no cause, even where their low bytes are those of the contract.
TEST(FindingCauses, Int32SumsHaveNone) {
  Finding sums{.case_line = "conv2d ytype=int32 int32_bias=[256] x=[0] w=[0]",
               .expected = {{1, 1, 1, 1}, {256}},
               .actual = {{1, 1, 1, 1}, {0}},
               .elements = {{.expected = 256, .actual = 0}},
               .mismatch_class = std::string(kUnexplained),
               .subject = "./libmine.so"};
  RunSummary run = run_of({sums}, {{"unexplained", 1}});
  EXPECT_TRUE(unexplained_cases(run).empty());
  set_causes(run, {}, kAnswer, {}, "", [] { return true; });
  EXPECT_EQ(kind_of(run.findings[0]), "unexplained");
  EXPECT_TRUE(run.causes.empty());
  EXPECT_EQ(run.cases_by_cause, (Counts{{"unexplained", 1}}));
}

TEST(FindingCauses, AReferenceThatDepartsIsNamed) {
  RunSummary run = run_of({finding_of(kLines[0], kUnpadded, {})}, {{"tie", 1}});
  EXPECT_TRUE(follows_contract(run));
  set_causes(run, {}, kAnswer, {}, "", [] { return true; });
  EXPECT_EQ(kind_of(run.findings[0]), kReferenceDeparts);
  EXPECT_EQ(reported_derivation(run.findings[0]), "tie: ties are rounded up");
  EXPECT_EQ(run.cases_by_cause, (Counts{{std::string(kReferenceDeparts), 1}}));
}

}  // namespace
}  // namespace tieout
