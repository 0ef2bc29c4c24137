#include "props/generate/learn_domain.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "cases/text/case_text.h"
#include "kernels/conv_relu.h"
#include "props/generate/strategy.h"

namespace tieout {
namespace {

using testing::HasSubstr;
using testing::Not;

// Returns a subject that takes the domain's cases. Like the checks of a kernel, each violated condition gives a reason
// of its own.
std::function<Reply(const ConvCase&)> declining(const Domain& domain, bool one_reason) {
  return [domain, one_reason](const ConvCase& c) {
    if (domain.contains(c)) return Reply{};
    std::uint32_t reason = 2;
    for (const Condition& condition : domain.alternatives().front()) {
      if (!holds(condition, c)) break;
      ++reason;
    }
    return Reply{.taken = false, .reason = one_reason ? 2 : reason};
  };
}

struct Taken {
  // Percentages: of cases drawn from the learnt domain, and of the true domain's cases that were learnt.
  int of_drawn = 0, of_domain = 0;
};

Taken compare(const Domain& learnt, const Domain& domain) {
  constexpr GeneratorOptions kSmall{.products = 2'000, .audience = Audience::subject};
  constexpr int kCases = 200;
  Taken taken;
  for (int index = 0; index < kCases; ++index) {
    const auto at = static_cast<std::uint64_t>(index);
    taken.of_drawn += domain.contains(case_of(7, at, kSmall, learnt)) ? 1 : 0;
    taken.of_domain += learnt.contains(case_of(7, at, kSmall, domain)) ? 1 : 0;
  }
  return {taken.of_drawn * 100 / kCases, taken.of_domain * 100 / kCases};
}

// Cases drawn from the learnt domain are taken, and cases that are taken are in the learnt domain, with few exceptions.
TEST(LearnDomain, EqualsTheSubjectsConditions) {
  for (const char* text : {
           ("dims=2 groups=1 batch=1 kernel=3x3 stride=1 dilation=1 padding=1 in_channels%16=0 out_channels%16=0 "
            "granularity=per_channel wz=0"),
           "kernel=1 stride=1 padding=0",
           "granularity=per_tensor",
           "groups=1 out_channels%8=0 in_channels%4=0",
           "batch=1",
           "xz=128 wz=0",
           "relu=on",
           "dims=1",
           "dims=3",
           "groups=1",
           "multiplier<1",
           "dims=2 padding=same kernel.h=kernel.w kernel%2=1",
       }) {
    const auto domain = Domain::parse(text);
    ASSERT_TRUE(domain) << domain.error();
    const Domain learnt = learn_domain(declining(*domain, false));
    const Taken taken = compare(learnt, *domain);
    EXPECT_GE(taken.of_drawn, 80) << text << "\nlearnt: " << learnt.text();
    EXPECT_GE(taken.of_domain, 60) << text << "\nlearnt: " << learnt.text();
  }
}

TEST(LearnDomain, FindsADepthwiseKernel) {
  const auto domain = Domain::parse("groups=in_channels in_channels=out_channels groups>1");
  const Domain learnt = learn_domain(declining(*domain, false));
  EXPECT_GE(compare(learnt, *domain).of_drawn, 80) << learnt.text();
}

// Reasons lead to a case that is taken; without them, combinations of ordinary properties do.
TEST(LearnDomain, WorksWithoutReasons) {
  const auto domain =
      Domain::parse("dims=2 groups=1 kernel=3 padding=1 granularity=per_tensor relu=on in_channels%8=0");
  const Domain learnt = learn_domain(declining(*domain, true));
  EXPECT_GE(compare(learnt, *domain).of_drawn, 80) << learnt.text();
}

TEST(LearnDomain, HasAlternatives) {
  const auto domain =
      Domain::parse("dims=2 groups=1 kernel=1 padding=0 or dims=2 groups=1 kernel=3 padding=1 stride=2");
  const Domain learnt = learn_domain(declining(*domain, false));
  EXPECT_GE(learnt.alternatives().size(), 2U) << learnt.text();
  EXPECT_GE(compare(learnt, *domain).of_drawn, 80) << learnt.text();
}

TEST(LearnDomain, IsUnlimitedIfNothingIsDeclined) {
  int asked = 0;
  const auto ask = [&](bool taken) {
    return learn_domain([&, taken](const ConvCase&) {
      ++asked;
      return Reply{.taken = taken, .reason = 2};
    });
  };
  EXPECT_TRUE(ask(true).is_everything());
  // A kernel that takes everything needs few questions.
  EXPECT_LE(asked, 100);
  EXPECT_TRUE(ask(false).is_everything());
  EXPECT_LE(asked, 20'000);
}

const char* takes_three_by_three(const tieout_conv* c) {
  if (c->kernel[1] != 3 || c->kernel[2] != 3 || c->dims != 2) return "3x3 only";
  return nullptr;
}

const char* crashes_on_strides(const tieout_conv* c) {
  if (c->dims != 2) return "2-d only";
  if (c->stride[2] == 3) raise(SIGKILL);
  return nullptr;
}

// A case on which the subject dies counts as taken, because it is a finding.
TEST(LearnDomain, RunsTheSubjectInAWorker) {
  const auto narrow = linked_subject("narrow", takes_three_by_three, nullptr);
  EXPECT_EQ(learn_domain(*narrow, 5).text(), "dims=2 kernel=3");
  const auto crashing = linked_subject("crashing", crashes_on_strides, nullptr);
  const Domain learnt = learn_domain(*crashing, 5);
  EXPECT_THAT(learnt.text(), Not(HasSubstr("stride")));
  EXPECT_THAT(learnt.text(), HasSubstr("dims=2"));
}

}  // namespace
}  // namespace tieout
