// Tests campaigns on a machine that refuses memory or ends processes, with subjects whose messages vary, and with
// faults that occur only after other cases.

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

#include "cases/testing/temporary_folder.h"
#include "cases/text/case_text.h"
#include "props/campaign/campaign.h"
#include "props/campaign/given_cases.h"
#include "props/campaign/test_campaign.h"
#include "props/findings/case_sequence.h"
#include "props/findings/kinds.h"
#include "props/verify/stand_in_reference.h"
#include "reports/data/report.h"

namespace tieout {
namespace {

using testing::HasSubstr;

// Names a file that belongs to this test and does not exist at first.
class Marker {
 public:
  // Returns true once, in the process that calls it first.
  [[nodiscard]] bool take() const {
    if (std::filesystem::exists(path_)) return false;
    std::ofstream(path_).close();
    return true;
  }

 private:
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "marker";
};

// A subject that answers by the specification kernel and then applies `spoil`.
class Spoilt : public Subject {
 public:
  using Answer = tl::expected<Answers, SubjectError>;
  using Spoil = std::function<Answer(const ConvCase&, Answers)>;
  explicit Spoilt(Spoil spoil) : spoil_(std::move(spoil)) {}

  std::string name() const override { return "spoilt"; }
  std::string text() const override { return "./spoilt.so"; }
  Isolation isolation() const override { return Isolation::none; }
  tl::expected<void, SubjectError> load(double) override { return {}; }
  Answer run(const ConvProblem& problem, const Conditions&) override {
    return spoil_(problem.spec, conv_relu(problem, Arithmetic{}));
  }

 private:
  Spoil spoil_;
};

// The kernel ends processes where memory runs out, and users do by mistake.
TEST(CampaignUnderPressure, AWorkerKilledOnceIsNotAFinding) {
  const Marker marker;
  StandInReference killed([&](const ConvProblem& problem, EngineAnswer answer) {
    if (problem.spec.dims == 3 && marker.take()) raise(SIGKILL);
    return answer;
  });
  const RunSummary result = run_whole_campaign({.cases = 60, .seed = 1}, killed);
  EXPECT_FALSE(marker.take()) << "nothing was killed";
  EXPECT_EQ(result.cases.crashed, 0);
  EXPECT_EQ(result.cases.no_resources, 0);
  EXPECT_TRUE(result.findings.empty());
  StandInReference honest([](const ConvProblem&, EngineAnswer answer) { return answer; });
  EXPECT_EQ(result.cases, run_whole_campaign({.cases = 60, .seed = 1}, honest).cases);
  RunSummary of_fbgemm = result;
  of_fbgemm.cases.unavailable = 0;  // the engines that this reference lacks
  EXPECT_EQ(exit_status(make_report({of_fbgemm})), 0);
}

TEST(CampaignUnderPressure, ALibTorchThatIsAlwaysKilledIsNotVerified) {
  StandInReference killed([](const ConvProblem& problem, EngineAnswer answer) {
    if (problem.spec.dims == 3) raise(SIGKILL);
    return answer;
  });
  const RunSummary result = run_whole_campaign({.cases = 60, .seed = 1}, killed);
  EXPECT_EQ(result.cases.crashed, 0);
  EXPECT_GT(result.cases.no_resources, 3);
  EXPECT_GT(result.cases.passed, 10);
  EXPECT_TRUE(result.findings.empty());
  EXPECT_EQ(exit_status(make_report({result})), 3);
}

// The subject may have killed itself: a failure that repeats alone is a finding.
TEST(CampaignUnderPressure, ASubjectThatIsAlwaysKilledIsAFinding) {
  StandInReference reference;
  Spoilt killed([](const ConvCase& c, Answers y) {
    if (c.dims == 3) raise(SIGKILL);
    return y;
  });
  const RunSummary result =
      run_whole_campaign({.cases = 30, .seed = 1, .kept_per_kind = 1, .subject = &killed}, reference);
  EXPECT_GT(result.cases.crashed, 3);
  EXPECT_EQ(result.cases.no_resources, 0);
  EXPECT_EQ(exit_status(make_report({result})), 1);
}

TEST(CampaignUnderPressure, ARefusalForLackOfMemoryIsNotVerified) {
  StandInReference poor([](const ConvProblem& problem, EngineAnswer answer) -> EngineResult<EngineAnswer> {
    if (problem.spec.dims != 3) return answer;
    return tl::unexpected(
        EngineError{EngineError::Kind::refused, "no memory for a guarded tensor in 4096 bytes of pages"});
  });
  const RunSummary result = run_whole_campaign({.cases = 60, .seed = 1}, poor);
  EXPECT_EQ(result.cases.differed, 0);
  EXPECT_GT(result.cases.no_resources, 3);
  EXPECT_EQ(exit_status(make_report({result})), 3);
}

#ifndef __SANITIZE_ADDRESS__
// LibTorch dies if one of its allocations fails; with more memory it does not.
TEST(CampaignUnderPressure, ACrashForLackOfMemoryIsNotVerified) {
  StandInReference large([](const ConvProblem& problem, EngineAnswer answer) {
    if (problem.spec.dims != 3) return answer;
    void* const memory = std::malloc(std::size_t{200} << 20U);
    if (memory == nullptr) raise(SIGSEGV);
    std::free(memory);
    return answer;
  });
  const RunSummary result =
      run_whole_campaign({.cases = 60, .seed = 1, .memory_per_case = std::int64_t{64} << 20U}, large);
  EXPECT_EQ(result.cases.crashed, 0);
  EXPECT_GT(result.cases.no_resources, 3);
  EXPECT_TRUE(result.findings.empty());
}
#endif

// Cases counted before processes can no longer be started are kept, and the cause is reported.
TEST(CampaignUnderPressure, ARunThatCannotStartAProcessEndsWithWhatItHas) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizers' own checks need file descriptors";
#endif
  StandInReference reference;
  const CampaignOptions options{.cases = 3 * kBlock, .seed = 1};
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  std::string why;
  const RunSummary result = run_campaign(options, reference, {.so_far = empty_run(options, reference)},
                                         {.progress = [](auto&, auto&) { return true; },
                                          .block =
                                              [&](auto&, auto&) {
                                                const rlimit none{3, before.rlim_max};
                                                setrlimit(RLIMIT_NOFILE, &none);
                                                return true;
                                              },
                                          .stopped = [&](const std::string& words) { why = words; }});
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_THAT(why, HasSubstr("Too many open files"));
  EXPECT_FALSE(result.finished);
  EXPECT_GE(result.cases.all(), kBlock);
  EXPECT_LT(result.cases.all(), 3 * kBlock);
}

class Replaced final : public Spoilt {
 public:
  using Spoilt::Spoilt;
  std::string change() const override { return is_replaced ? "./spoilt.so was changed" : ""; }
  bool is_replaced = false;
};

Answers wrong_everywhere(const ConvCase&, Answers y) {
  for (std::int32_t& value : y.values) value = value % 2 == 0 ? value + 1 : value - 1;
  return y;
}

// The blocks before the replacement are counted. The blocks that were not counted yet are not, because they may hold
// answers of either version.
TEST(CampaignUnderPressure, ASubjectThatIsReplacedEndsTheRun) {
  StandInReference reference;
  Replaced wrong(wrong_everywhere);
  const CampaignOptions options{.cases = 3 * kBlock, .seed = 1, .kept_per_kind = 0, .subject = &wrong};
  std::string why;
  const RunSummary result = run_campaign(options, reference, {.so_far = empty_run(options, reference)},
                                         {.progress = [](auto&, auto&) { return true; },
                                          .block = [&](auto&, auto&) { return wrong.is_replaced = true; },
                                          .stopped = [&](const std::string& words) { why = words; }});
  EXPECT_EQ(why, "--subject: ./spoilt.so was changed");
  EXPECT_FALSE(result.finished);
  EXPECT_EQ(result.cases.all(), kBlock);

  const RunSummary none =
      run_campaign(options, reference, {.so_far = empty_run(options, reference), .corpus = {{*parse("conv2d")}}},
                   {.progress = [](auto&, auto&) { return true; }});
  EXPECT_EQ(none.cases.all(), 0);
}

TEST(GivenCases, DoNotCountTheAnswerOfAReplacedSubject) {
  StandInReference reference;
  Replaced wrong(wrong_everywhere);
  GivenCases cases("tieout check", reference, &wrong, {});
  ASSERT_TRUE(cases.verify(*parse("conv2d")));
  wrong.is_replaced = true;
  const auto after = cases.verify(*parse("conv2d"));
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error(), "--subject: ./spoilt.so was changed");
  ASSERT_TRUE(cases.end(false));
  EXPECT_EQ(cases.run().cases.all(), 1);
  EXPECT_EQ(exit_status(make_report({cases.run()})), 1);  // the first answer was wrong
}

// An address in a subject's messages makes no kind of its own, and messages that vary without end are counted together.
TEST(CampaignKinds, StayFewIfTheMessagesVary) {
  StandInReference reference;
  int calls = 0;
  Spoilt wordy([&](const ConvCase& c, Answers) -> Spoilt::Answer {
    std::string word = "error at 0x7f" + std::to_string(10'000 + ++calls);
    if (c.dims == 3) word = "unknown " + std::string(1 + static_cast<std::size_t>(calls) % 97, 'q');
    return tl::unexpected(SubjectError{SubjectError::Kind::misbehaved, word});
  });
  const RunSummary result =
      run_whole_campaign({.cases = 400, .seed = 1, .kept_per_kind = 0, .subject = &wordy}, reference);
  EXPECT_EQ(result.cases.differed, 400);
  EXPECT_EQ(result.differences.count("error at #"), 1U);
  EXPECT_LE(result.differences.size(), Kinds::kMost + 1);
}

TEST(Kinds, AreTheSameAfterAResume) {
  const auto outcome = [](int i) {
    return CaseOutcome{.status = i % 2 == 0 ? Status::differed : Status::skipped,
                       .reason = "kind " + std::string(static_cast<std::size_t>(i), 'q')};
  };
  RunSummary whole;
  Kinds kinds(whole);
  RunSummary resumed;
  for (int i = 1; i < 400; ++i) {
    CaseOutcome in_whole = outcome(i);
    kinds.limit(in_whole);
    count(whole, in_whole, "");
    CaseOutcome in_resumed = outcome(i);
    Kinds(resumed).limit(in_resumed);
    count(resumed, in_resumed, "");
  }
  EXPECT_EQ(whole.differences, resumed.differences);
  EXPECT_EQ(whole.reasons, resumed.reasons);
  EXPECT_EQ(whole.differences.size(), Kinds::kMost + 1);
  EXPECT_GT(whole.differences.at(kOtherKind), 100);
}

// A kernel that is wrong from a certain case on in the same process.
class Remembering {
 public:
  Spoilt::Answer operator()(const ConvCase& c, Answers y) {
    seen_ = seen_ || c.groups == 3;
    if (seen_ && c.dims == 3) {
      for (std::int32_t& value : y.values) value = value % 2 == 0 ? value + 1 : value - 1;
    }
    return y;
  }

 private:
  bool seen_ = false;
};

TEST(CaseSequence, FindsTheCaseThatMustPrecede) {
  StandInReference reference;
  Spoilt subject{Remembering()};
  const CaseSetup setup{.reference = reference, .subject = &subject};
  std::vector<AnyCase> before(40, *parse("conv2d"));
  before[11] = *parse("conv2d in_channels=3 out_channels=3 groups=3");
  const ConvCase last = *parse("conv3d x=[9] w=[9]");
  const Finding finding{.case_line = print(last), .original_line = print(last), .index = 7};
  const auto found = find_cases_before(finding, before, setup);
  EXPECT_EQ(found.value().before, std::vector<std::string>{print(before[11])});
  EXPECT_EQ(found.value().index, 7);
  EXPECT_FALSE(found.value().elements.empty());
  before.erase(before.begin() + 11);
  EXPECT_FALSE(find_cases_before(finding, before, setup));
}

TEST(CaseSequence, OfACampaignCanBeReplayed) {
  StandInReference reference;
  Spoilt subject{Remembering()};
  const RunSummary result =
      run_whole_campaign({.cases = 300, .seed = 1, .kept_per_kind = 3, .subject = &subject}, reference);
  const auto found = std::ranges::find_if(result.findings, [](const Finding& one) { return !one.before.empty(); });
  ASSERT_NE(found, result.findings.end());
  ASSERT_EQ(found->before.size(), 1U);
  const CaseSetup setup{.reference = reference, .subject = &subject};
  const ConvCase last = *parse(found->case_line);
  const auto end = verify_after({*parse(found->before.front())}, last, setup);
  EXPECT_TRUE(is_finding(end.value().outcome));
  EXPECT_FALSE(is_finding(verify_after({}, last, setup).value().outcome));
}

}  // namespace
}  // namespace tieout
