// Tests the verdict on a subject, against a reference that answers as FBGEMM does.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "oracle/engines/engine_model.h"
#include "props/verify/stand_in_reference.h"
#include "props/verify/verify.h"

namespace tieout {
namespace {

using testing::HasSubstr;

// A subject that computes by the specification kernel with a given arithmetic, and adds `off` to every value.
class Own final : public Subject {
 public:
  explicit Own(Arithmetic arithmetic, std::int32_t off = 0) : arithmetic_(arithmetic), off_(off) {}
  std::string name() const override { return "own"; }
  std::string text() const override { return "./own kernel.so"; }
  Isolation isolation() const override { return Isolation::none; }
  tl::expected<void, SubjectError> load(double) override { return {}; }
  SubjectAnswer run(const ConvProblem& problem, const Conditions&) override {
    if (reference_answers != nullptr) answers_known = std::max(answers_known, *reference_answers);
    if (problem.spec.dims == declined_dims) {
      return tl::unexpected(SubjectError{SubjectError::Kind::declined, "such dims"});
    }
    auto y = conv_relu(problem, arithmetic_);
    for (std::int32_t& value : y.values) value = off_ == 0 ? value : (value + off_) % 256;
    return y;
  }
  int declined_dims = 0;
  // Number of answers of the reference so far; read at every call.
  const int* reference_answers = nullptr;
  // The largest of these numbers at any call.
  int answers_known = 0;

 private:
  Arithmetic arithmetic_;
  std::int32_t off_;
};

// A linked kernel that computes by the exact contract and then applies `change` to the output.
class Changed final : public Subject {
 public:
  using Change = std::function<void(const ConvProblem&, Answers&)>;
  explicit Changed(Change change) : change_(std::move(change)) {}
  std::string name() const override { return "changed"; }
  std::string domain() const override { return {}; }
  std::string text() const override { return "./changed.so"; }
  Isolation isolation() const override { return Isolation::none; }
  using Subject::load;
  tl::expected<void, SubjectError> load(double) override { return {}; }
  tl::expected<Answers, SubjectError> run(const ConvProblem& problem, const Conditions&) override {
    auto y = conv_relu(problem, Arithmetic{});
    change_(problem, y);
    return y;
  }

 private:
  Change change_;
};

ConvCase parsed(const char* line) { return parse(line).value(); }

// Depthwise code saturates pairs and gives 80 in the centre, where the exact sum gives 142.
constexpr const char* kSaturating =
    "conv2d in_channels=8 out_channels=8 groups=8 input=3x3 kernel=3x3 padding=1x1 os=2048 x=[72*255] w=[72*127]";

TEST(VerifySubject, AcceptsEqualValues) {
  StandInReference reference;
  Own same(Arithmetic{});
  const Verdict verdict = verify(parsed("conv2d in_channels=3 input=4x4 kernel=2x2 os=300"), reference, &same);
  EXPECT_EQ(verdict.status, Status::passed);
  EXPECT_EQ(verdict.reason, "");
  EXPECT_EQ(verdict.elements, 9);
}

// Findings hold the values that the output's type stores.
TEST(VerifySubject, AnInt8OutputIsFoundInItsOwnValues) {
  StandInReference reference;
  Own off(Arithmetic{}, 1);
  const Verdict verdict = verify(parsed("conv2d xtype=int8 ytype=int8 x=[-3] w=[2]"), reference, &off);
  EXPECT_EQ(verdict.status, Status::differed);
  EXPECT_EQ(verdict.finding.expected.values, (std::vector<std::int32_t>{-6}));
  EXPECT_EQ(verdict.finding.actual.values, (std::vector<std::int32_t>{-5}));
  ASSERT_EQ(verdict.finding.elements.size(), 1U);
  EXPECT_EQ(verdict.finding.elements[0].expected, -6);
  EXPECT_EQ(verdict.finding.elements[0].actual, -5);
}

// No operator returns sums: they are those that FBGEMM's path adds, or exact ones.
TEST(VerifySubject, AnInt32OutputIsComparedWithTheSums) {
  StandInReference reference;
  Own exact(Arithmetic{});
  const ConvCase c = parsed("conv2d in_channels=2 ytype=int32 int32_bias=[-7] x=[255,255] w=[127,127]");
  EXPECT_EQ(verify(c, reference, &exact).status, Status::passed);
  Changed wrong([](const ConvProblem&, Answers& y) { y.values.front() += 1'000'000; });
  const Verdict verdict = verify(c, reference, &wrong);
  EXPECT_EQ(verdict.status, Status::differed);
  EXPECT_EQ(verdict.finding.expected_name, "fbgemm_sums");
  EXPECT_EQ(verdict.finding.expected.values, (std::vector<std::int32_t>{2 * 255 * 127 - 7}));
  // Without a subject there is nothing to compare.
  EXPECT_EQ(verify(c, reference).status, Status::skipped);
}

TEST(VerifySubject, TheExactContractIsAcceptedUnlessStrict) {
  StandInReference reference;
  Own exact(Arithmetic{});
  const ConvCase c = parsed(kSaturating);
  const Verdict verdict = verify(c, reference, &exact);
  EXPECT_EQ(verdict.status, Status::passed);
  EXPECT_THAT(verdict.reason, HasSubstr("saturates pairs"));
  const Verdict strict = verify(c, reference, &exact, {.strictness = Strictness::libtorch});
  EXPECT_EQ(strict.status, Status::differed);
  EXPECT_EQ(strict.finding.mismatch_class, "pair saturation");
  Own as_fbgemm({.products = Arithmetic::Products::int16_pairs});
  EXPECT_EQ(verify(c, reference, &as_fbgemm, {.strictness = Strictness::libtorch}).status, Status::passed);
}

// A value that is one off the exact contract violates it.
TEST(VerifySubject, OtherDeviationsAreDifferences) {
  StandInReference reference;
  Own off(Arithmetic{}, 1);
  const Verdict verdict = verify(parsed(kSaturating), reference, &off);
  EXPECT_EQ(verdict.status, Status::differed);
  // The pairs saturate where FBGEMM's do not.
  Own pairs({.products = Arithmetic::Products::int16_pairs});
  EXPECT_EQ(verify(parsed("conv2d in_channels=2 os=512 x=[2*255] w=[2*127]"), reference, &pairs).status,
            Status::differed);
  // The bias is rounded twice, but not in depthwise code.
  Own separate({.tensor_bias = Arithmetic::TensorBias::separate});
  EXPECT_EQ(
      verify(parsed("conv2d xs=0.01 ws=0.02 os=0.0004 oz=20 bias=[-0.0137999998] x=[11] w=[6]"), reference, &separate)
          .status,
      Status::differed);
}

// There are eight channels of nine elements with saturating pairs; the subject has one element wrong.
TEST(VerifySubject, AcceptedDeviationsAreNotReportedWithAWrongElement) {
  StandInReference reference;
  Changed wrong([](const ConvProblem&, Answers& y) {
    // The other problems of the trial are smaller.
    if (y.values.size() > 4) y.values[4] = 77;
  });
  const Verdict verdict = verify(parsed(kSaturating), reference, &wrong);
  ASSERT_EQ(verdict.status, Status::differed);
  const Finding& finding = verdict.finding;
  EXPECT_EQ(compare_tensors(finding.expected, finding.actual).offsets, std::vector<std::int64_t>{4});
  EXPECT_EQ(finding.expected_name, "specification");
  ASSERT_EQ(finding.elements.size(), 1U);
  // This is the exact contract's value, and not the 80 of saturating pairs.
  EXPECT_EQ(finding.elements[0].expected, 142);
  EXPECT_EQ(finding.elements[0].actual, 77);
  EXPECT_EQ(finding.elements[0].accumulator, 9 * 255 * 127);
  EXPECT_EQ(finding.mismatch_class, "unexplained");
  const Verdict strict = verify(parsed(kSaturating), reference, &wrong, {.strictness = Strictness::libtorch});
  EXPECT_EQ(compare_tensors(strict.finding.expected, strict.finding.actual).offsets.size(), 72U);
}

// The value is 58.5 by exact sums and 32 by saturating pairs.
TEST(VerifySubject, AWrongElementIsComparedWithTheContractThatTheSubjectFollows) {
  StandInReference reference;
  const ConvCase c = parsed("conv2d in_channels=2 os=1024 x=[252,225] w=[127,124] isa=avx2");
  Changed rounds_away([](const ConvProblem&, Answers& y) { ++y.values[0]; });
  const Verdict verdict = verify(c, reference, &rounds_away);
  ASSERT_EQ(verdict.status, Status::differed);
  ASSERT_EQ(verdict.finding.elements.size(), 1U);
  EXPECT_EQ(verdict.finding.elements[0].expected, 58);
  EXPECT_EQ(verdict.finding.elements[0].actual, 59);
  EXPECT_EQ(verdict.finding.mismatch_class, "tie") << verdict.finding.derivation;
}

TEST(VerifySubject, EqualCasesReportWhereLibTorchIsNotExact) {
  StandInReference reference;
  const ConvCase c = parsed("conv1d in_channels=2 xz=144 x=[255,255] w=[114,113] isa=avx2");
  Own as_fbgemm({.products = Arithmetic::Products::int16_pairs});
  for (Subject* const subject : {static_cast<Subject*>(nullptr), static_cast<Subject*>(&as_fbgemm)}) {
    const Verdict verdict = verify(c, reference, subject);
    EXPECT_EQ(verdict.status, Status::passed);
    EXPECT_EQ(verdict.departure.elements, 1);
    EXPECT_EQ(verdict.departure.here, 79);
    EXPECT_EQ(verdict.departure.there, 255);
    EXPECT_THAT(verdict.departure.cause, HasSubstr("saturates pairs"));
  }
  EXPECT_EQ(verify(parsed("conv1d in_channels=2 xz=144 x=[255,255] w=[114,113]"), reference).departure.elements, 0);
}

TEST(VerifySubject, TheResultOnAnotherCpuIsPredicted) {
  const ConvProblem problem = with_contents(parsed("conv1d in_channels=2 xz=144 x=[255,255] w=[114,113]"));
  const std::vector<ElementTrace> traces = conv_relu_traces(problem, {});
  const Answers exact = conv_relu(problem, {});
  const Departure other = departure_elsewhere({problem, exact, Engine::fbgemm, FbgemmPath::pointwise, {}, traces},
                                              {.avx512 = true, .avx512_vnni = true});
  EXPECT_EQ(other.elements, 1);
  EXPECT_EQ(other.here, 255);
  EXPECT_EQ(other.there, 79);
}

// The bias of depthwise layers depends on the version, which is the same on the other CPU.
TEST(VerifySubject, AnotherCpuHasTheSameVersionOfLibTorch) {
  const ConvProblem problem =
      with_contents(parsed("conv2d in_channels=8 out_channels=8 groups=8 kernel=3x3 padding=1x1 xs=0.01 ws=0.02 "
                           "os=0.00039999998211860677 oz=20 bias=[8*-0.0137999998] x=[8*11] w=[72*6]"));
  for (const LibTorchVersion version : {LibTorchVersion{2, 9, 1}, kNewestLibTorch}) {
    const Hardware hardware{.avx512 = true, .avx512_vnni = true, .libtorch = version};
    const Arithmetic arithmetic = fbgemm_arithmetic(problem.spec, hardware);
    const std::vector<ElementTrace> traces = conv_relu_traces(problem, arithmetic);
    const Answers y = conv_relu(problem, arithmetic);
    EXPECT_EQ(y.values.front(), version < kNewestLibTorch ? 19 : 18);
    const Answered answer{problem, y, Engine::fbgemm, FbgemmPath::depthwise, arithmetic, traces};
    EXPECT_EQ(departure_elsewhere(answer, hardware).elements, 0) << text_of(version);
  }
}

TEST(VerifySubject, TheSpecificationIsExpectedIfLibTorchHasADefect) {
  StandInReference reference;
  Own same(Arithmetic{});
  const ConvCase c =
      parsed("conv2d in_channels=20 out_channels=20 groups=5 input=3x3 kernel=3x3 padding=1x1 x=[180*1] w=[720*1]");
  const Verdict verdict = verify(c, reference, &same);
  ASSERT_NE(verdict.defect, nullptr);
  EXPECT_EQ(verdict.status, Status::passed);
  EXPECT_EQ(verdict.finding.expected_name, "specification");
  Own off(Arithmetic{}, 1);
  EXPECT_EQ(verify(c, reference, &off).status, Status::differed);
}

TEST(VerifySubject, ADeclinedCaseIsSkipped) {
  StandInReference reference;
  Own shy(Arithmetic{});
  shy.declined_dims = 2;
  const Verdict verdict = verify(parsed("conv2d"), reference, &shy);
  EXPECT_EQ(verdict.status, Status::skipped);
  EXPECT_EQ(verdict.reason, "declined by the subject: such dims");
}

// The expected output does not exist while the subject can still answer.
TEST(VerifySubject, TheReferenceAnswersAfterTheSubject) {
  int answers = 0;
  StandInReference reference([&](const ConvProblem&, EngineAnswer answer) -> EngineResult<EngineAnswer> {
    ++answers;
    return answer;
  });
  Own same(Arithmetic{});
  same.reference_answers = &answers;
  EXPECT_EQ(verify(parsed("conv2d in_channels=3 input=4x4 kernel=2x2 os=300"), reference, &same).status,
            Status::passed);
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(same.answers_known, 0);
  same.declined_dims = 2;
  EXPECT_EQ(verify(parsed("conv2d in_channels=3"), reference, &same).status, Status::skipped);
  EXPECT_EQ(answers, 1) << "what is declined need not be known";
}

// ---- another implementation as the reference

// A reference that answers as `answer` does.
class Other final : public Subject {
 public:
  using Answer = std::function<SubjectAnswer(const ConvProblem&)>;
  explicit Other(Answer answer, std::string name = "other") : answer_(std::move(answer)), name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::string text() const override { return "./other.so"; }
  Isolation isolation() const override { return Isolation::library; }
  tl::expected<void, SubjectError> load(double) override { return {}; }
  void stop() override { ++stops; }
  SubjectAnswer run(const ConvProblem& problem, const Conditions&) override { return answer_(problem); }
  int stops = 0;

 private:
  Answer answer_;
  std::string name_;
};

Other other_by(Arithmetic arithmetic) {
  return Other([arithmetic](const ConvProblem& problem) { return conv_relu(problem, arithmetic); });
}

Other failing(SubjectError::Kind kind, const char* message) {
  return Other([=](const ConvProblem&) -> SubjectAnswer { return tl::unexpected(SubjectError{kind, message}); });
}

TEST(OtherReference, GivesTheExpectedValuesAndNothingIsExcused) {
  Other exact = other_by({});
  Own same(Arithmetic{});
  const ConvCase c = parsed(kSaturating);
  const Verdict equal = verify(c, Reference(exact), &same);
  EXPECT_EQ(equal.status, Status::passed);
  EXPECT_EQ(equal.elements, 72);
  EXPECT_EQ(equal.departure.elements, 0);
  // With LibTorch as the reference, both values count as right here.
  Own pairs({.products = Arithmetic::Products::int16_pairs});
  const Verdict verdict = verify(c, Reference(exact), &pairs);
  ASSERT_EQ(verdict.status, Status::differed);
  EXPECT_EQ(verdict.finding.expected_name, "other");
  EXPECT_EQ(verdict.finding.reference, "./other.so");
  EXPECT_EQ(verdict.finding.mismatch_class, "pair saturation");
  Other saturating = other_by({.products = Arithmetic::Products::int16_pairs});
  EXPECT_EQ(verify(c, Reference(saturating), &pairs).status, Status::passed);
}

// The class is derived from the exact contract, which this reference does not follow.
TEST(OtherReference, AClassIsOnlyNamedWhereItFollowsTheExactContract) {
  const ConvCase tie = parsed("conv2d bias=[0.5] x=[0] w=[0]");
  Changed rounds_away([](const ConvProblem&, Answers& y) { ++y.values[0]; });
  Other exact = other_by({});
  EXPECT_EQ(verify_alone(tie, Reference(exact), 60, &rounds_away).finding.mismatch_class, "tie");
  Other wrong([](const ConvProblem& problem) {
    auto y = conv_relu(problem, Arithmetic{});
    ++y.values[0];
    return y;
  });
  Own right(Arithmetic{});
  EXPECT_EQ(verify_alone(tie, Reference(wrong), 60, &right).finding.mismatch_class, "unexplained");
}

// LibTorch gives wrong values for this case, and the specification would be expected.
TEST(OtherReference, KnownDefectsOfLibTorchDoNotMatter) {
  const ConvCase c =
      parsed("conv2d in_channels=20 out_channels=20 groups=5 input=3x3 kernel=3x3 padding=1x1 x=[180*1] w=[720*1]");
  Other off([](const ConvProblem& problem) {
    auto y = conv_relu(problem, Arithmetic{});
    for (std::int32_t& value : y.values) value = (value + 1) % 256;
    return y;
  });
  Own as_off(Arithmetic{}, 1);
  const Verdict verdict = verify(c, Reference(off), &as_off);
  EXPECT_EQ(verdict.status, Status::passed);
  EXPECT_EQ(verdict.defect, nullptr);
  EXPECT_EQ(verdict.finding.expected_name, "other");
}

TEST(OtherReference, ItsFailuresAreNotTheSubjects) {
  struct Failure {
    SubjectError::Kind kind;
    Status status;
    const char* reason;
  };
  using Kind = SubjectError::Kind;
  Own same(Arithmetic{});
  for (const Failure& failure :
       {Failure{Kind::declined, Status::skipped, "declined by the reference: words"},
        Failure{Kind::died, Status::unavailable, "the reference died: words"},
        Failure{Kind::hung, Status::unavailable, "the reference hangs: no answer in time"},
        Failure{Kind::misbehaved, Status::unavailable, "the reference misbehaves: words"},
        Failure{Kind::absent, Status::unavailable, "the reference cannot be started: words"},
        Failure{Kind::no_resources, Status::no_resources, "the reference does not start: words"}}) {
    Other other = failing(failure.kind, "words");
    for (const bool alone : {false, true}) {
      const Verdict verdict = alone ? verify_alone(parsed("conv2d"), Reference(other), 60, &same)
                                    : verify(parsed("conv2d"), Reference(other), &same);
      EXPECT_EQ(verdict.status, failure.status) << failure.reason;
      EXPECT_EQ(verdict.reason, failure.reason);
      EXPECT_EQ(verdict.elements, 0);
    }
  }
}

// An answer that is not repeated in a new process is no reason to call the subject wrong.
TEST(OtherReference, AnUnstableOneIsNotTheSubjectsDifference) {
  int calls = 0;
  Other unstable([&](const ConvProblem& problem) {
    auto y = conv_relu(problem, Arithmetic{});
    if (calls++ == 0) ++y.values[0];
    return y;
  });
  Own same(Arithmetic{});
  const Verdict in_a_run = verify(parsed("conv2d"), Reference(unstable), &same);
  EXPECT_EQ(in_a_run.status, Status::unavailable);
  EXPECT_EQ(in_a_run.reason, "the reference is unstable: it answers differently in a new process");
  EXPECT_EQ(unstable.stops, 1);
  calls = 0;
  const Verdict alone = verify_alone(parsed("conv2d"), Reference(unstable), 60, &same);
  EXPECT_EQ(alone.status, Status::unavailable);
  EXPECT_EQ(alone.reason, "the reference is unstable: not repeatable: the same call answered differently");
}

// What is wrong with the subject apart from its values needs no reference.
TEST(OtherReference, AFaultOfConductIsFoundWithoutIt) {
  Other shy = failing(SubjectError::Kind::declined, "all");
  Other crashing = failing(SubjectError::Kind::died, "SIGSEGV");
  const Verdict verdict = verify(parsed("conv2d"), Reference(shy), &crashing);
  EXPECT_EQ(verdict.status, Status::crashed);
  EXPECT_EQ(verdict.finding.failure, "died: SIGSEGV");
}

TEST(OtherReference, OfTheSameNameIsToldApart) {
  Other exact([](const ConvProblem& problem) { return conv_relu(problem, Arithmetic{}); }, "own");
  Own off(Arithmetic{}, 1);
  const Verdict verdict = verify(parsed("conv2d"), Reference(exact), &off);
  EXPECT_EQ(verdict.finding.expected_name, "own (reference)");
  EXPECT_EQ(verdict.finding.actual_name, "own");
}

TEST(OtherReference, ShrinkingKeepsIt) {
  // Differs from LibTorch, and from the exact contract, on no other cases than these.
  Other rounds_away([](const ConvProblem& problem) {
    auto y = conv_relu(problem, Arithmetic{});
    if (problem.spec.relu == Relu::on) ++y.values[0];
    return y;
  });
  Own exact(Arithmetic{});
  const ConvCase c =
      parsed("conv2d batch=2 in_channels=3 out_channels=4 input=5x5 kernel=3x3 os=300 relu x=uniform seed=3");
  const Reference reference(rounds_away);
  const Verdict verdict = verify_alone(c, reference, 60, &exact);
  ASSERT_EQ(verdict.status, Status::differed);
  const Finding small = shrink_finding(verdict.finding, reference, 60, &exact);
  EXPECT_EQ(small.case_line, "conv2d relu x=[0] w=[0]");
  EXPECT_EQ(small.reference, "./other.so");
  EXPECT_EQ(small.expected_name, "other");
}

}  // namespace
}  // namespace tieout
