// Campaigns that verify a subject, against a reference that answers as FBGEMM does.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "kernels/conv_relu.h"
#include "kernels/subject/subject.h"
#include "props/campaign/test_campaign.h"
#include "props/verify/stand_in_reference.h"
#include "reports/data/report.h"
#include "reports/formats/finding_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;

// Answers as the specification does, and adds one to every value.
class OffByOne final : public Subject {
 public:
  std::string name() const override { return "own"; }
  std::string text() const override { return "./own kernel.so"; }
  Isolation isolation() const override { return Isolation::none; }
  tl::expected<void, SubjectError> load(double) override { return {}; }
  SubjectAnswer run(const ConvProblem& problem, const Conditions&) override {
    auto y = conv_relu(problem, Arithmetic{});
    for (std::int32_t& value : y.values) value = (value + 1) % 256;
    return y;
  }
};

TEST(CampaignSubject, ARunWithOnlyDeclinedCasesIsNotVerified) {
  StandInReference reference;
  const auto shy = linked_subject("shy", [](const tieout_conv*) { return "everything"; }, nullptr);
  const RunSummary run = run_whole_campaign({.cases = 50, .seed = 1, .subject = shy.get()}, reference);
  EXPECT_EQ(run.cases.skipped, 50);
  EXPECT_EQ(run.reasons.at("declined by the subject: everything"), 50);
  EXPECT_EQ(exit_status(make_report({run})), 3);
}

TEST(CampaignSubject, FindingsNameTheSubjectAndReplay) {
  StandInReference reference;
  OffByOne off;
  const RunSummary run = run_whole_campaign({.cases = 20, .seed = 1, .kept_per_kind = 1, .subject = &off}, reference);
  EXPECT_EQ(run.cases.differed, 20);
  ASSERT_GE(run.findings.size(), 1U);
  const std::string text = finding_text(run.findings.front());
  EXPECT_THAT(text, HasSubstr("own and fbgemm differ at "));
  EXPECT_THAT(text, HasSubstr("replay: tieout check --subject './own kernel.so' 'conv2d"));
}

class Exact final : public Subject {
 public:
  std::string name() const override { return "exact"; }
  std::string text() const override { return "./exact.so"; }
  Isolation isolation() const override { return Isolation::none; }
  tl::expected<void, SubjectError> load(double) override { return {}; }
  SubjectAnswer run(const ConvProblem& problem, const Conditions&) override {
    if (problem.spec.dims == 3) return tl::unexpected(SubjectError{SubjectError::Kind::declined, "dims"});
    if (problem.spec.dims == 1 && crashes) std::abort();
    return conv_relu(problem, Arithmetic{});
  }
  bool crashes = false;
};

TEST(CampaignSubject, AnotherReferenceThanLibTorchIsNamed) {
  Exact exact;
  OffByOne off;
  const Reference reference(exact);
  const CampaignOptions options{.cases = 30, .seed = 1, .kept_per_kind = 1, .subject = &off};
  const RunSummary run = run_whole_campaign(options, reference);
  EXPECT_EQ(run.reference, "./exact.so");
  EXPECT_EQ(run.machine.libtorch, "");
  EXPECT_GT(run.cases.differed, 0);
  EXPECT_EQ(run.cases.skipped, run.reasons.at("declined by the reference: dims"));
  EXPECT_EQ(run.cases.differed + run.cases.skipped, 30);
  ASSERT_GE(run.findings.size(), 1U);
  EXPECT_EQ(run.findings.front().cell.engine, "exact");
  const std::string text = finding_text(run.findings.front());
  EXPECT_THAT(text, HasSubstr("own and exact differ at "));
  EXPECT_THAT(text, HasSubstr("replay: tieout check --subject './own kernel.so' --reference ./exact.so 'conv2d"));
  // Sums that only FBGEMM's code saturates are no classes to reach.
  EXPECT_EQ(std::ranges::count(run.classes, "pair_saturation"), 0);
  EXPECT_EQ(std::ranges::count(run.classes, "tie"), 1);
}

// It runs within the worker, which its crash ends.
TEST(CampaignSubject, ACrashOfTheReferenceIsNotTheSubjects) {
  Exact exact;
  exact.crashes = true;
  OffByOne off;
  const RunSummary run =
      run_whole_campaign({.cases = 30, .seed = 1, .kept_per_kind = 0, .subject = &off}, Reference(exact));
  EXPECT_EQ(run.cases.crashed, 0);
  EXPECT_GT(run.cases.unavailable, 0);
  EXPECT_EQ(run.reasons.at("the reference died: SIGABRT"), run.cases.unavailable);
}

}  // namespace
}  // namespace tieout
