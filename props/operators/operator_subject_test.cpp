// Tests the verification of a subject of operators, with a stand-in for LibTorch.

#include "props/operators/operator_subject.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "cases/operators/operator_text.h"
#include "props/operators/any_case_outcome.h"
#include "props/operators/operator_shrink.h"
#include "props/operators/operator_verify.h"
#include "props/verify/hypothesis_subject.h"
#include "props/verify/stand_in_reference.h"

namespace tieout {
namespace {

using testing::Eq;
using testing::HasSubstr;
using testing::StartsWith;

OperatorCase case_of_line(const std::string& line) { return parse_operator(line).value(); }

const char* clamp_low(const tieout_operator* c) {
  for (std::int64_t i = 0; i < c->output_count; ++i) {
    c->output[i] = static_cast<std::uint8_t>(std::max<std::int64_t>(c->inputs[0].bytes[i], c->output_zero_point));
  }
  return nullptr;
}

Verdict verdict_on(const std::string& line, OperatorFunction kernel, TrialMode where = TrialMode::alone) {
  StandInReference reference;
  const auto subject = linked_operator_subject("mine", kernel, nullptr);
  return verify_operator_subject(case_of_line(line), reference, *subject, {}, where);
}

constexpr const char* kRelu = "relu shape=1x2x3x4 xs=0.5 xz=30 x=uniform seed=4";

TEST(OperatorSubject, AnEqualSubjectPasses) {
  for (const TrialMode where : {TrialMode::in_a_run, TrialMode::here, TrialMode::once, TrialMode::alone}) {
    const Verdict verdict = verdict_on(kRelu, clamp_low, where);
    EXPECT_EQ(verdict.status, Status::passed) << verdict.finding.failure;
    EXPECT_EQ(verdict.elements, 24);
  }
}

TEST(OperatorSubject, ADifferenceIsAFindingWithBothTensors) {
  const Verdict verdict = verdict_on(kRelu, [](const tieout_operator* c) -> const char* {
    (void)clamp_low(c);
    if (c->output_count > 5) ++c->output[5];  // trials also call it with a tensor of one element
    return nullptr;
  });
  EXPECT_EQ(verdict.status, Status::differed);
  EXPECT_EQ(verdict.finding.expected_name, "aten");
  EXPECT_EQ(verdict.finding.actual_name, "mine");
  EXPECT_EQ(verdict.finding.mismatch_class, kOtherArithmetic);
  EXPECT_EQ(verdict.finding.derivation, "");
  ASSERT_EQ(verdict.finding.elements.size(), 1U);
  EXPECT_EQ(verdict.finding.elements[0].offset, 5);
  EXPECT_EQ(verdict.finding.elements[0].actual, verdict.finding.elements[0].expected + 1);
  EXPECT_EQ(verdict.finding.actual.shape, (Shape{1, 2, 3, 4}));
}

// The kernel truncates where the contract rounds ties to even. The variant is only searched for in a process of its
// own.
TEST(OperatorSubject, ADifferenceNamesTheVariant) {
  const OperatorFunction truncates = [](const tieout_operator* c) -> const char* {
    for (std::int64_t i = 0; i < c->output_count; ++i) {
      const double real = (c->inputs[0].bytes[i] - 10) * 0.25 + (c->inputs[1].bytes[i] - 10) * 0.25;
      c->output[i] = static_cast<std::uint8_t>(std::clamp(static_cast<int>(real) + 10, 0, 255));
    }
    return nullptr;
  };
  const std::string line = "add shape=6 xs=0.25 xz=10 os=1 oz=10 x=[0,1,2,3,250,11] x2=[0,1,2,3,250,12]";
  const Verdict verdict = verdict_on(line, truncates, TrialMode::alone);
  EXPECT_EQ(verdict.finding.mismatch_class, kOtherArithmetic);
  EXPECT_EQ(verdict.finding.derivation,
            "the values of truncated: results truncated: a cast to an integer, or a division of integers, where the "
            "contract has nearbyintf(), ties to even, before the cast");
  EXPECT_EQ(verdict.finding.explained, 2);
  EXPECT_EQ(verdict_on(line, truncates, TrialMode::here).finding.derivation, "");
}

// The reference is wrong, and the kernel is right: there is nothing to change in it.
TEST(OperatorSubject, AnotherReferenceCanBeTheWrongOne) {
  const auto wrong = linked_operator_subject(
      "wrong",
      [](const tieout_operator* c) -> const char* {
        std::fill_n(c->output, c->output_count, std::uint8_t{7});
        return nullptr;
      },
      nullptr);
  const auto subject = linked_operator_subject("mine", clamp_low, nullptr);
  const Verdict verdict =
      verify_operator_subject(case_of_line(kRelu), Reference(*wrong), *subject, {}, TrialMode::alone);
  EXPECT_EQ(verdict.status, Status::differed);
  EXPECT_TRUE(verdict.finding.derivation.starts_with("the values of specification: the specification"))
      << verdict.finding.derivation;
  EXPECT_EQ(verdict.finding.derivation.find("where the contract has"), std::string::npos) << verdict.finding.derivation;
}

// LibTorch's vector code gives 176 for these bytes, the exact contract 175.
TEST(OperatorSubject, TheExactContractIsRightWhereLibTorchDeparts) {
  const std::string line = "add shape=65 xs=0.0466264933 xz=[88,209] os=0.0932529867 oz=228 x=[65*4] x2=[65*188]";
  StandInReference libtorch;
  const auto answers = [](std::uint8_t value) {
    return value == 175 ? [](const tieout_operator* c) -> const char* {
      std::fill_n(c->output, c->output_count, std::uint8_t{175});
      return nullptr;
    } : [](const tieout_operator* c) -> const char* {
      std::fill_n(c->output, c->output_count, std::uint8_t{176});
      return nullptr;
    };
  };
  const auto verify = [&](OperatorFunction kernel, Strictness strictness) {
    const auto subject = linked_operator_subject("mine", kernel, nullptr);
    return verify_operator_subject(case_of_line(line), libtorch, *subject, {.strictness = strictness}, TrialMode::once);
  };
  const Verdict exact = verify(answers(175), Strictness::contract);
  EXPECT_EQ(exact.status, Status::passed);
  EXPECT_EQ(exact.reason, "follows the exact contract; LibTorch's vector code of add rounds differently");
  const Verdict strict = verify(answers(175), Strictness::libtorch);
  EXPECT_EQ(strict.status, Status::differed);
  EXPECT_EQ(strict.finding.mismatch_class, kOtherCode);
  EXPECT_EQ(strict.finding.derivation,
            "LibTorch's vector code of add rounds differently; the subject follows the exact contract");
  EXPECT_EQ(strict.finding.explained, 64);
  // LibTorch computes the last element by scalar code.
  const Verdict vector = verify(answers(176), Strictness::contract);
  EXPECT_EQ(vector.status, Status::differed);
  EXPECT_EQ(vector.finding.derivation, "all of the subject's values are those of LibTorch's vector code of add");
  EXPECT_EQ(vector.finding.explained, 1);
}

TEST(OperatorSubject, ConditionsThatMustNotMatterAreNamed) {
  const auto conduct = [](OperatorFunction kernel) { return verdict_on(kRelu, kernel).conduct; };
  EXPECT_THAT(conduct([](const tieout_operator* c) -> const char* {
                const std::uint8_t before = c->output[0];
                (void)clamp_low(c);
                c->output[0] = before;
                return nullptr;
              }),
              StartsWith("unwritten output"));
  EXPECT_THAT(conduct([](const tieout_operator* c) -> const char* {
                static double scale = 0;  // of the call before
                (void)clamp_low(c);
                if (scale != c->inputs[0].scale) c->output[0] = 1;
                scale = c->inputs[0].scale;
                return nullptr;
              }),
              Eq("kept state: the answer depends on the problem before, which had another scale of the first input"));
  EXPECT_THAT(conduct([](const tieout_operator* c) -> const char* {
                (void)clamp_low(c);
                c->output[-1] = 1;
                return nullptr;
              }),
              StartsWith("writes before its output"));
}

// A table that is kept under a key without the zero point of the output answers the call after that with another one.
TEST(OperatorSubject, AStaleTableIsFoundByItsTwin) {
  const auto kernel = [](const tieout_operator* c) -> const char* {
    static double scale = 0;
    static std::int64_t zero_point = 0;
    if (scale != c->inputs[0].scale) zero_point = c->output_zero_point;
    scale = c->inputs[0].scale;
    for (std::int64_t i = 0; i < c->output_count; ++i) {
      c->output[i] = static_cast<std::uint8_t>(std::max<std::int64_t>(c->inputs[0].bytes[i], zero_point));
    }
    return nullptr;
  };
  const Verdict verdict = verdict_on(kRelu, kernel);
  EXPECT_EQ(verdict.status, Status::differed);
  EXPECT_EQ(verdict.conduct,
            "kept state: the answer depends on the problem before, which had another zero point of "
            "the first input");
}

TEST(OperatorSubject, ACrashIsAFinding) {
  const Verdict verdict = verdict_on(kRelu, [](const tieout_operator*) -> const char* { std::abort(); });
  EXPECT_EQ(verdict.status, Status::crashed);
  EXPECT_THAT(verdict.finding.failure, HasSubstr("SIGABRT"));
}

TEST(OperatorSubject, SubjectsOfConvolutionsDecline) {
  StandInReference reference;
  const auto subject = hypothesis_subject("hypothesis:manual_output_1").value();
  const CaseSetup setup{.reference = reference, .subject = subject.get()};
  const CaseOutcome outcome = run_case(AnyCase(case_of_line("relu")), setup, Placement::here);
  EXPECT_EQ(outcome.status, Status::skipped);
  EXPECT_TRUE(is_declined(outcome));
  EXPECT_EQ(outcome.reason, "declined by the subject: operators other than convolutions");
}

TEST(OperatorSubject, AnotherSubjectIsTheReference) {
  const auto other = linked_operator_subject("other", clamp_low, nullptr);
  const auto mine = linked_operator_subject(
      "mine",
      [](const tieout_operator* c) -> const char* {
        (void)clamp_low(c);
        c->output[0] = 77;
        return nullptr;
      },
      nullptr);
  const Reference reference(*other);
  const Verdict verdict = verify_operator_subject(case_of_line(kRelu), reference, *mine, {}, TrialMode::in_a_run);
  EXPECT_EQ(verdict.status, Status::differed);
  EXPECT_EQ(verdict.finding.expected_name, "other");
  EXPECT_EQ(verdict.finding.elements.size(), 1U);
  EXPECT_EQ(verify_operator_subject(case_of_line(kRelu), reference, *other, {}, TrialMode::in_a_run).status,
            Status::passed);
}

TEST(OperatorSubject, AFaultIsShrunkToWhatItNeeds) {
  StandInReference reference;
  // Wrong for large bytes in the second channel.
  const auto subject = linked_operator_subject(
      "mine",
      [](const tieout_operator* c) -> const char* {
        if (c->output_rank != 4) return "other than four dimensions";
        (void)clamp_low(c);
        const std::int64_t positions = c->output_shape[2] * c->output_shape[3];
        for (std::int64_t i = positions; i < c->output_count; ++i)
          if (c->output[i] > 200) --c->output[i];
        return nullptr;
      },
      nullptr);
  const std::string drawn = "relu shape=2x5x4x3 xs=0.37 xz=9 x=uniform seed=5 threads=3 format=channels_last";
  const Verdict verdict = verify_operator_subject(case_of_line(drawn), reference, *subject, {}, TrialMode::alone);
  ASSERT_EQ(verdict.status, Status::differed);
  const Finding small = shrink_operator_finding(verdict.finding, reference, 60, Effort::thorough, subject.get());
  const OperatorCase c = case_of_line(small.case_line);
  EXPECT_EQ(element_count(c.inputs.front().shape), 2) << small.case_line;
  EXPECT_EQ(c.threads, 1);
  EXPECT_EQ(small.elements.size(), 1U);
  EXPECT_EQ(small.subject, "mine");
  EXPECT_EQ(small.original_line, print(case_of_line(drawn)));
}

}  // namespace
}  // namespace tieout
