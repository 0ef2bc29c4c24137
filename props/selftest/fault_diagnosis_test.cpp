#include "props/selftest/fault_diagnosis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cases/random.h"
#include "cases/text/case_text.h"
#include "kernels/subject/subject.h"
#include "props/diagnose/conduct.h"
#include "props/diagnose/diagnose.h"
#include "props/diagnose/diagnosis_text.h"
#include "props/selftest/fault.h"

namespace tieout {
namespace {

KernelAnswer answer_of(const FaultyKernel& faulty) {
  const std::shared_ptr<Subject> subject = linked_subject(std::string(faulty.name), faulty.kernel, nullptr);
  return [subject](const ConvProblem& problem) -> std::optional<std::vector<std::uint8_t>> {
    auto y = subject->run(problem);
    if (!y) return {};
    return as_bytes(*y).values;
  };
}

Diagnosis diagnosis_of(std::string_view fault) {
  const auto all = faulty_kernels();
  const auto found = std::ranges::find(all, fault, &FaultyKernel::name);
  EXPECT_NE(found, all.end());
  DiagnoseOptions options;
  options.cases = 4'000;
  options.proof = 500;
  options.seconds = 600;  // the limits of the search are its cases, so that a slow machine has the same result
  return diagnose(answer_of(*found), options);
}

struct Expected {
  std::string_view fault, text, condition;
};

class DiagnosedFault : public testing::TestWithParam<Expected> {};

// One of each kind. The lines are those that a user has to correct.
TEST_P(DiagnosedFault, IsNamedWithItsCondition) {
  const Diagnosis d = diagnosis_of(GetParam().fault);
  EXPECT_EQ(d.verdict, Diagnosis::Verdict::explained);
  EXPECT_EQ(d.predicted, d.fresh);
  EXPECT_GT(d.fresh_differing, 0);
  ASSERT_EQ(d.causes.size(), 1U) << diagnosis_text(d, "");
  EXPECT_EQ(d.causes.front().edit.text(), GetParam().text);
  EXPECT_EQ(d.causes.front().edit.condition.text(), GetParam().condition);
  EXPECT_NE(d.causes.front().expected, d.causes.front().actual);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, DiagnosedFault,
    testing::Values(Expected{"round_half_up", "rounding: floorf(s + 0.5F): ties up, and the addition rounds", ""},
                    Expected{"bias_by_reciprocal", "bias: s + b * (1 / A), with two roundings",
                             "the weights are quantized per channel"},
                    Expected{"clamp_high_254", "clamp: the largest output is 254", ""},
                    Expected{"tail_of_8_lost",
                             "in the sum of x * w, terms are left out where product >= products of a sum / 8 * 8",
                             "a sum has at least 8 products"},
                    Expected{"stride_height_from_width", "the stride of the height is the stride of the width", ""},
                    Expected{"activation_signed", "x is int8(x)", ""},
                    Expected{"scale_of_first_channel", "the channel of the weight scale is 0", ""}),
    [](const auto& test) { return std::string(test.param.fault); });

const FaultyKernel& faulty_kernel(std::string_view name) {
  return *std::ranges::find(faulty_kernels(), name, &FaultyKernel::name);
}

// What a kernel does beside its values is named with the parameter or the condition that it depends on.
TEST(FindConduct, NamesWhatTheAnswerDependsOn) {
  const Expected faults[]{
      {"stale_padding",
       "kept state: the answer depends on what an earlier call left behind, even one of the same problem", ""},
      {"kept_weights_by_shape", "kept state: the answer depends on the problem before, which had other weights", ""},
      {"kept_first_zero_point",
       "kept state: the answer depends on the problem before, which had another output zero point", ""},
      {"kept_without_last_bias", "kept state: the answer depends on the problem before, which had another last bias",
       ""},
      {"uninitialised_scratch", "uninitialised memory: the answer depends on what malloc or the stack held before", ""},
      {"first_thread_only", "thread: another thread is answered differently", ""},
      {"differs_every_second_call", "not repeatable: every second call of the same problem is answered differently",
       ""},
      {"null_bias", "crash: SIGSEGV", "there is no bias"},
      {"crashes_on_many_channels", "crash: SIGABRT", "K >= 65"},
  };
  for (const Expected& expected : faults) {
    const auto subject = linked_subject(std::string(expected.fault), faulty_kernel(expected.fault).kernel, nullptr);
    const auto conduct = find_conduct(*subject, {.seconds = 600}, 60);
    ASSERT_TRUE(conduct) << expected.fault;
    EXPECT_EQ(conduct->text, expected.text);
    EXPECT_EQ(conduct->condition, expected.condition) << expected.fault;
    EXPECT_GT(conduct->failing, 0) << expected.fault;
    EXPECT_LT(print(conduct->c).size(), 120U) << expected.fault << ": " << print(conduct->c);
    EXPECT_EQ(conduct->planned, 0) << expected.fault;
  }
}

TEST(FindConduct, DependsOnTheSeedAndTheSubjectOnly) {
  for (const char* fault : {"null_bias", "kept_weights_by_shape"}) {
    const auto subject = linked_subject(fault, faulty_kernel(fault).kernel, nullptr);
    const auto once = find_conduct(*subject, {.seconds = 600}, 60);
    const auto again = find_conduct(*subject, {.seconds = 600}, 60);
    ASSERT_TRUE(once && again) << fault;
    EXPECT_EQ(once->cases, again->cases) << fault;
    EXPECT_EQ(once->failing, again->failing) << fault;
    EXPECT_EQ(print(once->c), print(again->c)) << fault;
  }
}

// Returns other values for 3-D problems after a problem with three groups.
const char* remembers_groups(const tieout_conv* c) {
  static bool seen = false;
  const char* const declined = correct_kernel(c);
  seen = seen || c->groups == 3;
  if (declined == nullptr && seen && c->dims == 3) c->output[0] ^= 1U;
  return declined;
}

// Where no single parameter of the problem before matters, its property does.
TEST(FindConduct, NamesThePropertyOfTheProblemBefore) {
  const auto subject = linked_subject("remembers", remembers_groups, nullptr);
  const auto conduct = find_conduct(*subject, {.seconds = 600}, 60);
  ASSERT_TRUE(conduct);
  ASSERT_TRUE(conduct->before);
  EXPECT_EQ(conduct->before->groups, 3);
  EXPECT_LT(print(*conduct->before).size(), 120U);
  EXPECT_EQ(conduct->text,
            "kept state: the answer depends on the problem before, if in that problem there are 3 groups");
}

// A hang is found once with the whole time limit; the cases that follow show on what it depends.
TEST(FindConduct, NamesTheConditionOfAHang) {
  const auto subject = linked_subject("hangs", faulty_kernel("hangs_on_wide_stride").kernel, nullptr);
  const auto conduct = find_conduct(*subject, {.seconds = 60}, 2);
  ASSERT_TRUE(conduct);
  EXPECT_EQ(conduct->text, "hang: no answer in time");
  EXPECT_NE(conduct->condition.find("stride of the width"), std::string::npos) << conduct->condition;
}

TEST(FindConduct, FindsNothingInKernelsThatOnlyDependOnTheProblem) {
  const auto correct = linked_subject("correct", correct_kernel, nullptr);
  EXPECT_FALSE(find_conduct(*correct, {.seconds = 600}, 60));
  const auto wrong = linked_subject("wrong", faulty_kernel("clamp_high_254").kernel, nullptr);
  EXPECT_FALSE(find_conduct(*wrong, {.seconds = 600}, 60));
}

DiagnoseOptions few_cases() {
  DiagnoseOptions options;
  options.cases = 4'000;
  options.proof = 300;
  options.seconds = 600;
  return options;
}

TEST(DiagnoseFault, ChecksTheCausesOnFreshCases) {
  const FaultDiagnosis found = diagnose_fault(faulty_kernel("clamp_high_254"), few_cases(), 60);
  EXPECT_EQ(found.outcome, FaultDiagnosis::Outcome::explained);
  EXPECT_EQ(found.causes, "clamp: the largest output is 254");
  EXPECT_EQ(found.fresh, 300);
  EXPECT_EQ(found.predicted, 300);
  EXPECT_GT(found.differing, 0);
  EXPECT_EQ(found.differing_predicted, found.differing);
  EXPECT_TRUE(is_right(found));
}

// A crash ends the process of the diagnosis only, and a text that does not name the parameter is not right.
TEST(DiagnoseFault, RequiresTheParameterOfAFaultOfState) {
  FaultyKernel faulty = faulty_kernel("kept_without_bias");
  EXPECT_TRUE(is_right(diagnose_fault(faulty, few_cases(), 60)));
  faulty.named = "another padding";
  EXPECT_FALSE(is_right(diagnose_fault(faulty, few_cases(), 60)));
  EXPECT_TRUE(is_right(diagnose_fault(faulty_kernel("null_bias"), few_cases(), 60)));
}

// A fault of values that is taken for one of state is not explained.
TEST(DiagnoseFault, RequiresACauseOfAFaultOfValues) {
  FaultyKernel faulty = faulty_kernel("kept_without_bias");
  faulty.named = {};
  const FaultDiagnosis found = diagnose_fault(faulty, few_cases(), 60);
  EXPECT_EQ(found.outcome, FaultDiagnosis::Outcome::misnamed);
  EXPECT_FALSE(is_right(found));
}

TEST(Diagnose, FindsNoCauseInAKernelThatFollowsTheContract) {
  DiagnoseOptions options;
  options.cases = 600;
  options.proof = 300;
  const Diagnosis d =
      diagnose(answer_of({.fault = Fault::none, .name = "correct", .wrong = "", .kernel = correct_kernel, .named = ""}),
               options);
  EXPECT_EQ(d.verdict, Diagnosis::Verdict::no_difference);
  EXPECT_TRUE(d.causes.empty());
  EXPECT_EQ(headline_of(d), "follows the contract on 300 of 300 fresh cases");
}

// Random bytes have no cause, and none is named.
TEST(Diagnose, NamesNoCauseOfRandomAnswers) {
  Random random(5);
  DiagnoseOptions options;
  options.cases = 300;
  options.proof = 100;
  options.seconds = 5;
  const Diagnosis d = diagnose(
      [&](const ConvProblem& problem) -> std::optional<std::vector<std::uint8_t>> {
        std::vector<std::uint8_t> y(static_cast<std::size_t>(element_count(output_shape(problem.spec))));
        for (std::uint8_t& value : y) value = static_cast<std::uint8_t>(random.below(256));
        return y;
      },
      options);
  EXPECT_EQ(d.verdict, Diagnosis::Verdict::unexplained);
  EXPECT_TRUE(d.causes.empty());
}

TEST(Diagnose, SaysThatAKernelDeclines) {
  DiagnoseOptions options;
  options.cases = 100;
  const Diagnosis d = diagnose([](const ConvProblem&) { return std::optional<std::vector<std::uint8_t>>(); }, options);
  EXPECT_EQ(d.verdict, Diagnosis::Verdict::declines);
  EXPECT_EQ(headline_of(d), "answered 0 of 100 cases, too few for a diagnosis");
}

TEST(Diagnose, EndsWhenItIsStopped) {
  DiagnoseOptions options;
  options.progress = [](const std::string&, std::int64_t, std::int64_t) { return false; };
  const Diagnosis d =
      diagnose(answer_of({.fault = Fault::none, .name = "correct", .wrong = "", .kernel = correct_kernel, .named = ""}),
               options);
  EXPECT_EQ(d.fresh, 0);
}

}  // namespace
}  // namespace tieout
