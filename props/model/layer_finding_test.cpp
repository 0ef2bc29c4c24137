#include "props/model/layer_finding.h"

#include <gtest/gtest.h>

#include <map>

#include "cases/contents.h"
#include "kernels/conv_relu.h"
#include "props/generate/strategy.h"
#include "props/model/cpu_forecast.h"

namespace tieout {
namespace {

constexpr Hardware kVnni{.avx512 = true, .avx512_vnni = true};

// The crop has an element with the same sum and value, because it includes the window, its padding and the stride's
// phase.
TEST(LayerFinding, ACropHoldsTheElementOnTheSamePath) {
  std::map<FbgemmPath, int> cases_of_path;
  std::size_t smaller = 0;
  for (std::uint64_t index = 0; index < 400; ++index) {
    const ConvProblem problem = with_contents(case_of(7, index));
    const std::int64_t count = element_count(output_shape(problem.spec));
    if (count == 0) continue;
    const std::int64_t offset = count * 3 / 5;
    const ConvCase part = crop(problem, offset, kVnni);
    EXPECT_EQ(fbgemm_path(part, kVnni), fbgemm_path(problem.spec, kVnni));
    ++cases_of_path[fbgemm_path(part, kVnni)];
    const ElementTrace whole = conv_relu_trace(problem, {}, offset);
    const auto traces = conv_relu_traces(with_contents(part), {});
    EXPECT_TRUE(std::any_of(traces.begin(), traces.end(), [&](const ElementTrace& t) {
      return t.accumulator == whole.accumulator && t.result == whole.result;
    })) << index;
    if (traces.size() < static_cast<std::size_t>(count)) ++smaller;
  }
  for (const FbgemmPath path : kFbgemmPaths) EXPECT_GT(cases_of_path[path], 10) << name(path);
  EXPECT_GT(cases_of_path[FbgemmPath::linear], 10);
  EXPECT_GT(smaller, 200U);
}

// The layer has one image and one position, for which channels last equals channels first.
PairSaturation saturation_of(const ConvProblem& problem) {
  const Tensor<std::uint8_t> output = as_bytes(conv_relu(problem, {}));
  const CapturedConv captured{.spec = problem.spec,
                              .activation = problem.activation,
                              .weight = problem.weight,
                              .output = output.values,
                              .output_shape = output.shape};
  SecondsByPart seconds;
  return pair_saturation(LayerWalks({}, LayerWalks::Weights::dropped).walk(captured, {}, 1, seconds));
}

// A model that gets no images has an empty output, which must not fail.
TEST(LayerWalks, ALayerOfNoImageHasNoDifferences) {
  const ConvProblem problem{.spec = {.batch = 0, .in_channels = 2}, .activation = {}, .weight = {127, 127}};
  const CapturedConv captured{
      .spec = problem.spec, .weight = problem.weight, .output_shape = output_shape(problem.spec)};
  SecondsByPart seconds;
  const ComputedLayer walked = LayerWalks({}, LayerWalks::Weights::dropped).walk(captured, {}, 2, seconds);
  EXPECT_EQ(walked.kernel.differing, 0);
  EXPECT_TRUE(walked.mismatches.wrong_sums.empty());
}

// 129 * 127 * 2 = 32766 fits int16; 130 * 127 * 2 = 33020 does not.
TEST(Saturation, DependsOnWeightsAndActivations) {
  ConvProblem problem{.spec = {.in_channels = 2}, .activation = {129, 129}, .weight = {127, 127}};
  EXPECT_EQ(saturation_of(problem), PairSaturation::unused);
  problem.activation = {0, 130};
  EXPECT_EQ(saturation_of(problem), PairSaturation::possible);
  // The products have different signs.
  problem.weight = {127, -128};
  EXPECT_EQ(saturation_of(problem), PairSaturation::never);
  problem.weight = {-128, -1};  // 255 * -129 = -32895
  EXPECT_EQ(saturation_of(problem), PairSaturation::unused);
  // Padding counts as an activation.
  problem.spec.activation_zero_point = 255;
  EXPECT_EQ(saturation_of(problem), PairSaturation::possible);
}

}  // namespace
}  // namespace tieout
