#include "props/identify.h"

#include <gtest/gtest.h>

#include <set>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "kernels/conv_relu.h"

namespace tieout {
namespace {

Responder subject_of(const Hypothesis& hypothesis) {
  return [&hypothesis](const ConvProblem& problem, std::int64_t offset) -> std::optional<std::uint8_t> {
    Window window;
    gather(problem, offset, window);
    return hypothesis.evaluate(window, nullptr);
  };
}

using Kind = HypothesisVerdict::Kind;

std::set<std::string> not_refuted(const Identification& found) {
  std::set<std::string> names;
  for (const HypothesisVerdict& verdict : found.verdicts) {
    if (verdict.kind != Kind::refuted) names.insert(verdict.name);
  }
  return names;
}

// A hypothesis that plays the subject is named back, and nothing else stands beside it.
TEST(Identify, NamesEveryHypothesisBack) {
  for (const Hypothesis& hypothesis : hypotheses()) {
    const Identification found = identify(subject_of(hypothesis), FbgemmPath::im2col, 20'000);
    EXPECT_EQ(not_refuted(found), std::set<std::string>{std::string(hypothesis.name)});
  }
}

// Each refutation is a case on which the two really part: it replays from its line.
TEST(Identify, RefutationsReplayFromTheirLines) {
  const Hypothesis& subject = *find_hypothesis("manual_output_1");
  for (const FbgemmPath path : {FbgemmPath::pointwise, FbgemmPath::depthwise}) {
    for (const HypothesisVerdict& verdict : identify(subject_of(subject), path, 3'000).verdicts) {
      if (verdict.kind != Kind::refuted) continue;
      const auto c = parse(print(verdict.probe.c));
      ASSERT_TRUE(c);
      const ConvProblem problem = with_contents(*c);
      Window window;
      gather(problem, verdict.probe.offset, window);
      EXPECT_EQ(subject.evaluate(window, nullptr), verdict.subject_says);
      EXPECT_EQ(find_hypothesis(verdict.name)->evaluate(window, nullptr), verdict.says);
      EXPECT_NE(verdict.says, verdict.subject_says);
    }
  }
}

TEST(Identify, OurKernelFollowsTheIntegers) {
  const Responder kernel = [](const ConvProblem& problem, std::int64_t offset) -> std::optional<std::uint8_t> {
    return conv_relu_trace(problem, {}, offset).result;
  };
  EXPECT_EQ(not_refuted(identify(kernel, FbgemmPath::pointwise, 20'000)), std::set<std::string>{"integer_float32"});
}

// What every hypothesis answers alike discriminates nothing and is not counted.
TEST(Identify, CountsOnlyCasesThatCouldHaveRefuted) {
  const Identification found = identify(subject_of(*find_hypothesis("integer_float32")), FbgemmPath::pointwise, 500);
  EXPECT_EQ(found.probes, 500);
  for (const HypothesisVerdict& verdict : found.verdicts) EXPECT_LT(verdict.discriminating, 500);
}

TEST(Identify, ASubjectThatDeclinesEverythingIsNotIdentified) {
  const Identification found = identify([](const ConvProblem&, std::int64_t) { return std::optional<std::uint8_t>{}; },
                                        FbgemmPath::pointwise, 50);
  EXPECT_EQ(found.probes, 0);
  EXPECT_EQ(found.declined, 50);
}

TEST(Probe, TakesThePathThatItIsMadeFor) {
  const Hardware vnni{.avx512 = true, .avx512_vnni = true};
  for (const FbgemmPath path :
       {FbgemmPath::pointwise, FbgemmPath::im2col, FbgemmPath::depthwise, FbgemmPath::groupwise}) {
    for (std::uint64_t index = 0; index < 300; ++index) {
      EXPECT_EQ(name(fbgemm_path(probe_of(path, index).c, vnni)), name(path)) << print(probe_of(path, index).c);
    }
  }
}

}  // namespace
}  // namespace tieout
