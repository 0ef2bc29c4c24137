#include "props/identify/identify.h"

#include <gtest/gtest.h>

#include <set>

#include "cases/contents.h"
#include "cases/text/case_text.h"
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

// A subject that follows a hypothesis is identified as that one, and every other hypothesis is refuted.
TEST(Identify, NamesEveryHypothesisBack) {
  for (const Hypothesis& hypothesis : hypotheses()) {
    const Identification found = identify(subject_of(hypothesis), FbgemmPath::im2col, 20'000);
    EXPECT_EQ(not_refuted(found), std::set<std::string>{std::string(hypothesis.name)});
  }
}

// Each refutation is a case on which the two really differ, and replays from its line.
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

// A probe on which all hypotheses agree is not counted.
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

// A path's plainest shape must not hide a fault of larger windows or of the padding.
TEST(Identify, SeesWhatOnlySomeShapesOfAPathDo) {
  const auto rounds_away_in_windows = [](const ConvProblem& problem,
                                         std::int64_t offset) -> std::optional<std::uint8_t> {
    Window window;
    gather(problem, offset, window);
    const bool large = volume(problem.spec.kernel) > 1;
    return find_hypothesis(large ? "round_half_away" : "integer_float32")->evaluate(window, nullptr);
  };
  const auto pads_with_raw_zero = [](const ConvProblem& problem, std::int64_t offset) -> std::optional<std::uint8_t> {
    ConvProblem padded = problem;
    ConvCase& c = padded.spec;
    for (std::size_t d = 0; d < 3; ++d) c.input[d] += 2 * c.padding[d];
    padded.activation.assign(static_cast<std::size_t>(element_count(activation_shape(c))), 0);
    const Spatial& from = problem.spec.input;
    std::size_t at = 0;
    for (std::int64_t plane = 0; plane < c.batch * c.in_channels; ++plane)
      for (std::int64_t d = 0; d < from[0]; ++d)
        for (std::int64_t h = 0; h < from[1]; ++h)
          for (std::int64_t w = 0; w < from[2]; ++w, ++at) {
            const std::int64_t row = (plane * c.input[0] + d + c.padding[0]) * c.input[1] + h + c.padding[1];
            padded.activation[static_cast<std::size_t>(row * c.input[2] + w + c.padding[2])] = problem.activation[at];
          }
    c.padding = {0, 0, 0};
    return conv_relu_trace(padded, {}, offset).result;
  };
  EXPECT_TRUE(not_refuted(identify(rounds_away_in_windows, FbgemmPath::im2col, 2'000)).empty());
  for (const FbgemmPath path : {FbgemmPath::im2col, FbgemmPath::depthwise, FbgemmPath::groupwise}) {
    EXPECT_TRUE(not_refuted(identify(pads_with_raw_zero, path, 2'000)).empty()) << name(path);
  }
}

TEST(DiscriminatingCase, LiesInTheDomain) {
  const auto domain = Domain::parse("dims=2 kernel=3x3 stride=1 in_channels%16=0 wz=0 granularity=per_channel");
  for (std::uint64_t index = 0; index < 100; ++index) {
    EXPECT_TRUE(domain->contains(draw_discriminating_case(FbgemmPath::im2col, index, *domain).c));
  }
}

TEST(DiscriminatingCase, TakesThePathThatItIsMadeFor) {
  const Hardware vnni{.avx512 = true, .avx512_vnni = true};
  for (const FbgemmPath path :
       {FbgemmPath::pointwise, FbgemmPath::im2col, FbgemmPath::depthwise, FbgemmPath::groupwise}) {
    for (std::uint64_t index = 0; index < 300; ++index) {
      EXPECT_EQ(name(fbgemm_path(draw_discriminating_case(path, index).c, vnni)), name(path))
          << print(draw_discriminating_case(path, index).c);
    }
  }
}

}  // namespace
}  // namespace tieout
