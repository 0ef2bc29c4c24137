#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cases/random.h"
#include "kernels/subject/subject.h"
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
    return std::move(y->values);
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
                    Expected{"bias_by_reciprocal", "bias: s + b * (1 / A), with two roundings", "per-channel weights"},
                    Expected{"clamp_high_254", "clamp: the largest output is 254", ""},
                    Expected{"tail_of_8_lost", "products are left out where product >= products of a sum / 8 * 8",
                             "products of a sum >= 8"},
                    Expected{"stride_height_from_width", "the stride of the height is stride of the other axis", ""},
                    Expected{"activation_signed", "x is (int8)x", ""},
                    Expected{"scale_of_first_channel", "the channel of the weight scale is 0", ""}),
    [](const auto& test) { return std::string(test.param.fault); });

TEST(Diagnose, FindsNoCauseInAKernelThatFollowsTheContract) {
  DiagnoseOptions options;
  options.cases = 600;
  options.proof = 300;
  const Diagnosis d =
      diagnose(answer_of({.fault = Fault::none, .name = "correct", .wrong = "", .kernel = correct_kernel}), options);
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
      diagnose(answer_of({.fault = Fault::none, .name = "correct", .wrong = "", .kernel = correct_kernel}), options);
  EXPECT_EQ(d.fresh, 0);
}

}  // namespace
}  // namespace tieout
