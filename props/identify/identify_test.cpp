#include "props/identify/identify.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

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

constexpr std::array kPointwise{FbgemmPath::pointwise};
constexpr std::array kIm2col{FbgemmPath::im2col};

using Kind = HypothesisVerdict::Kind;

std::set<std::string> not_refuted(const Identification& found) {
  std::set<std::string> names;
  for (const HypothesisVerdict& verdict : found.verdicts) {
    if (verdict.kind != Kind::refuted) names.insert(verdict.name);
  }
  return names;
}

// A subject that follows a hypothesis is identified as that one, and every other hypothesis is refuted.
class IdentifiedHypothesis : public testing::TestWithParam<std::string_view> {};

TEST_P(IdentifiedHypothesis, IsNamedBack) {
#ifdef __SANITIZE_ADDRESS__
  // The sanitizers take minutes for as many probes as refute the last of the other hypotheses.
  constexpr std::int64_t kProbes = 2'000;
  EXPECT_TRUE(not_refuted(identify(subject_of(*find_hypothesis(GetParam())), kIm2col, kProbes))
                  .contains(std::string(GetParam())));
#else
  const Identification found = identify(subject_of(*find_hypothesis(GetParam())), kIm2col, 20'000);
  EXPECT_EQ(not_refuted(found), std::set<std::string>{std::string(GetParam())});
#endif
}

std::vector<std::string_view> hypothesis_names() {
  std::vector<std::string_view> names;
  for (const Hypothesis& hypothesis : hypotheses()) names.push_back(hypothesis.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Identify, IdentifiedHypothesis, testing::ValuesIn(hypothesis_names()),
                         [](const auto& test) { return std::string(test.param); });

// Each refutation is a case on which the two really differ, and replays from its line.
TEST(Identify, RefutationsReplayFromTheirLines) {
  const Hypothesis& subject = *find_hypothesis("manual_output_1");
  for (const FbgemmPath path : {FbgemmPath::pointwise, FbgemmPath::depthwise}) {
    for (const HypothesisVerdict& verdict : identify(subject_of(subject), {&path, 1}, 3'000).verdicts) {
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
  EXPECT_EQ(not_refuted(identify(kernel, kPointwise, 20'000)), std::set<std::string>{"integer_float32"});
}

// A probe on which all hypotheses agree is not counted.
TEST(Identify, CountsOnlyCasesThatCouldHaveRefuted) {
  const Identification found = identify(subject_of(*find_hypothesis("integer_float32")), kPointwise, 500);
  EXPECT_EQ(found.probes, 500);
  for (const HypothesisVerdict& verdict : found.verdicts) EXPECT_LT(verdict.discriminating, 500);
}

TEST(Identify, ASubjectThatDeclinesEverythingIsNotIdentified) {
  const Identification found =
      identify([](const ConvProblem&, std::int64_t) { return std::optional<std::uint8_t>{}; }, kPointwise, 50);
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
  EXPECT_TRUE(not_refuted(identify(rounds_away_in_windows, kIm2col, 2'000)).empty());
  for (const FbgemmPath path : {FbgemmPath::im2col, FbgemmPath::depthwise, FbgemmPath::groupwise}) {
    EXPECT_TRUE(not_refuted(identify(pads_with_raw_zero, {&path, 1}, 2'000)).empty()) << name(path);
  }
}

// Returns a kernel that is right unless a case has the property, where its values are off by one.
Responder right_unless(const std::function<bool(const ConvProblem&, std::int64_t)>& has_property) {
  return [has_property](const ConvProblem& problem, std::int64_t offset) -> std::optional<std::uint8_t> {
    const auto right = static_cast<std::uint8_t>(conv_relu_trace(problem, {}, offset).result);
    return has_property(problem, offset) ? static_cast<std::uint8_t>(right ^ 1U) : right;
  };
}

bool any(const Spatial& values, std::int64_t usual) {
  return std::ranges::any_of(values, [&](std::int64_t value) { return value != usual; });
}

// No hypothesis stands for a kernel that is right only for the plainest layers.
TEST(Identify, NothingStandsForAKernelThatIsRightOnSomeLayersOnly) {
  using Problem = ConvProblem;
  const std::pair<const char*, std::function<bool(const Problem&, std::int64_t)>> properties[]{
      {"kernel", [](const Problem& p, std::int64_t) { return any(p.spec.kernel, 1); }},
      {"padding", [](const Problem& p, std::int64_t) { return any(p.spec.padding, 0); }},
      {"stride", [](const Problem& p, std::int64_t) { return any(p.spec.stride, 1); }},
      {"dilation", [](const Problem& p, std::int64_t) { return any(p.spec.dilation, 1); }},
      {"groups", [](const Problem& p, std::int64_t) { return p.spec.groups > 1; }},
      {"batch", [](const Problem& p, std::int64_t) { return p.spec.batch > 1; }},
      {"second image",
       [](const Problem& p, std::int64_t offset) {
         return offset >= element_count(output_shape(p.spec)) / p.spec.batch && p.spec.batch > 1;
       }},
      {"input channels", [](const Problem& p, std::int64_t) { return p.spec.in_channels > 1; }},
      {"output channels", [](const Problem& p, std::int64_t) { return p.spec.out_channels > 1; }},
      {"per channel", [](const Problem& p, std::int64_t) { return p.spec.granularity == Granularity::per_channel; }},
      {"bias", [](const Problem& p, std::int64_t) { return !p.spec.bias.empty(); }},
      {"relu", [](const Problem& p, std::int64_t) { return p.spec.relu == Relu::on; }},
      {"one dimension", [](const Problem& p, std::int64_t) { return p.spec.dims == 1; }},
      {"three dimensions", [](const Problem& p, std::int64_t) { return p.spec.dims == 3; }},
  };
  for (const auto& [property, has] : properties) {
    EXPECT_TRUE(not_refuted(identify(right_unless(has), kFbgemmPaths, 2'000)).empty()) << property;
  }
}

// Returns the answer of a correct kernel to a problem that was changed before.
Responder confused_by(const std::function<void(ConvProblem&, std::int64_t k)>& change) {
  return [change](const ConvProblem& problem, std::int64_t offset) -> std::optional<std::uint8_t> {
    ConvProblem other = problem;
    const std::int64_t k = offset / volume(output_size(problem.spec)) % problem.spec.out_channels;
    change(other, k);
    return conv_relu_trace(other, {}, offset).result;
  };
}

// Parameters and weights of other channels, the end of the input channels, and other images differ from what the
// element needs, so that a kernel which takes them is seen.
TEST(Identify, NothingStandsForAKernelThatTakesWhatBelongsToAnotherChannel) {
  const std::pair<const char*, std::function<void(ConvProblem&, std::int64_t)>> mistakes[]{
      {"first scale",
       [](ConvProblem& p, std::int64_t) { std::ranges::fill(p.spec.weight_scales, p.spec.weight_scales.front()); }},
      {"first bias",
       [](ConvProblem& p, std::int64_t) {
         if (!p.spec.bias.empty()) std::ranges::fill(p.spec.bias, p.spec.bias.front());
       }},
      {"first weight zero point",
       [](ConvProblem& p, std::int64_t) {
         std::ranges::fill(p.spec.weight_zero_points, p.spec.weight_zero_points.front());
       }},
      {"no weight zero points", [](ConvProblem& p, std::int64_t) { std::ranges::fill(p.spec.weight_zero_points, 0); }},
      {"channel tail",
       [](ConvProblem& p, std::int64_t) {
         const std::int64_t channels = p.spec.in_channels / p.spec.groups;
         const std::int64_t taps = volume(p.spec.kernel);
         for (std::size_t i = 0; i < p.weight.size(); ++i) {
           const std::int64_t channel = static_cast<std::int64_t>(i) / taps % channels;
           if (channels > 8 && channel >= channels / 8 * 8) p.weight[i] = 0;
         }
       }},
      {"first image",
       [](ConvProblem& p, std::int64_t) {
         const std::size_t image = p.activation.size() / static_cast<std::size_t>(p.spec.batch);
         for (std::size_t i = image; i < p.activation.size(); ++i) p.activation[i] = p.activation[i - image];
       }},
      {"first weights",
       [](ConvProblem& p, std::int64_t) {
         const std::size_t row = p.weight.size() / static_cast<std::size_t>(p.spec.out_channels);
         for (std::size_t i = row; i < p.weight.size(); ++i) p.weight[i] = p.weight[i - row];
       }},
  };
  for (const auto& [mistake, change] : mistakes) {
    EXPECT_TRUE(not_refuted(identify(confused_by(change), kFbgemmPaths, 2'000)).empty()) << mistake;
  }
}

TEST(Identify, SaysWhatWasVaried) {
  const Responder right = subject_of(*find_hypothesis("integer_float32"));
  const std::string all = identify(right, kFbgemmPaths, 2'000).variation.text();
  for (const char* const property :
       {"kernels 1x1 to ", "padding", "stride", "dilation", "groups", "weights per tensor and per channel",
        "weight zero points", "bias", "relu", "first and other output channels", "dimensions 1 to 3", "batch 1 to ",
        "input channels 1 to ", "output channels 1 to "}) {
    EXPECT_NE(all.find(property), std::string::npos) << property << " in: " << all;
  }
  EXPECT_EQ(all.find("not varied"), std::string::npos) << all;
  const std::string pointwise = identify(right, kPointwise, 500).variation.text();
  EXPECT_NE(pointwise.find("; not varied: kernel 1x1, no padding, stride 1, dilation 1"), std::string::npos)
      << pointwise;
}

// Cases that the subject declines are none that say something about it.
TEST(Identify, CountsAsVariedOnlyWhatTheSubjectAnswers) {
  const Responder small = [](const ConvProblem& problem, std::int64_t offset) -> std::optional<std::uint8_t> {
    if (problem.spec.batch > 1) return {};
    return conv_relu_trace(problem, {}, offset).result;
  };
  const std::string text = identify(small, kFbgemmPaths, 500).variation.text();
  EXPECT_NE(text.find("not varied: batch 1"), std::string::npos) << text;
}

TEST(DiscriminatingCase, LiesInTheDomain) {
  const auto domain = Domain::parse("dims=2 kernel=3x3 stride=1 in_channels%16=0 wz=0 granularity=per_channel");
  for (std::uint64_t index = 0; index < 100; ++index) {
    EXPECT_TRUE(domain->contains(draw_discriminating_case(FbgemmPath::im2col, index, *domain).c));
  }
}

TEST(DiscriminatingCase, TakesThePathThatItIsMadeFor) {
  const Hardware vnni{.avx512 = true, .avx512_vnni = true};
  for (const FbgemmPath path : kFbgemmPaths) {
    for (std::uint64_t index = 0; index < 300; ++index) {
      EXPECT_EQ(name(fbgemm_path(draw_discriminating_case(path, index).c, vnni)), name(path))
          << print(draw_discriminating_case(path, index).c);
    }
  }
}

}  // namespace
}  // namespace tieout
