// What is computed fast for whole layers is what is defined slowly, element by element: on the cases that hunt, which are full of
// ties, on one thread and on several.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>

#include "cases/case_text.h"
#include "cases/contents.h"
#include "kernels/conv_fast.h"
#include "oracle/compare.h"
#include "oracle/each_window.h"
#include "oracle/engine_model.h"
#include "props/generator.h"

namespace tieout {
namespace {

ConvProblem draw_problem() {
  Random random(*rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>())));
  return with_contents(draw_case(random));
}

// In every bit, NaN included.
bool same(const ElementTrace& a, const ElementTrace& b) {
  return a.accumulator == b.accumulator && a.wrapped == b.wrapped && a.saturated_pairs == b.saturated_pairs &&
         a.activation_sum_saturated == b.activation_sum_saturated && a.result == b.result &&
         std::bit_cast<std::uint32_t>(a.scaled) == std::bit_cast<std::uint32_t>(b.scaled);
}

RC_GTEST_PROP(Fast, KernelEqualsTheSpecification, ()) {
  const ConvProblem problem = draw_problem();
  RC_LOG() << print(problem.spec) << '\n';
  using Products = Arithmetic::Products;
  using ActivationSum = Arithmetic::ActivationSum;
  using TensorBias = Arithmetic::TensorBias;
  for (const Arithmetic& arithmetic :
       {Arithmetic{}, Arithmetic{.products = Products::int16_pairs},
        Arithmetic{.activation_sum = ActivationSum::int16, .tensor_bias = TensorBias::separate},
        Arithmetic{Products::int16_pairs, ActivationSum::int16, TensorBias::separate}}) {
    const Tensor<std::uint8_t> expected = conv_relu(problem, arithmetic);
    const std::vector<ElementTrace> traces = conv_relu_traces(problem, arithmetic);
    RC_ASSERT(traces.size() == expected.values.size());
    for (std::size_t i = 0; i < traces.size(); ++i) {
      RC_ASSERT(same(traces[i], conv_relu_trace(problem, arithmetic, static_cast<std::int64_t>(i))));
      RC_ASSERT(traces[i].result == expected.values[i]);
    }
    RC_ASSERT(conv_relu_fast(problem, arithmetic, 1) == expected);
    RC_ASSERT(conv_relu_fast(problem, arithmetic, 3) == expected);
  }
}

RC_GTEST_PROP(Fast, WindowsInTurnAreThoseGatheredAlone, ()) {
  const ConvProblem problem = draw_problem();
  RC_LOG() << print(problem.spec) << '\n';
  std::vector<Window> walked;
  const Tensor<std::uint8_t> order = each_window(problem, [&](const Window& window) {
    walked.push_back(window);
    return std::uint8_t{0};
  });
  std::vector<std::int64_t> places;  // of the walk: positions before channels
  const ConvCase& c = problem.spec;
  const std::int64_t positions = volume(output_size(c)), outputs = c.out_channels / c.groups;
  for (std::int64_t image = 0; image < c.batch * c.groups; ++image) {
    for (std::int64_t p = 0; p < positions; ++p) {
      for (std::int64_t o = 0; o < outputs; ++o) places.push_back((image * outputs + o) * positions + p);
    }
  }
  RC_ASSERT(places.size() == walked.size());
  RC_ASSERT(order.values.size() == walked.size());
  Window alone;
  for (std::size_t i = 0; i < walked.size(); ++i) {
    gather(problem, places[i], alone);
    const Window& window = walked[i];
    RC_ASSERT(window.x == alone.x);
    RC_ASSERT(window.w == alone.w);
    RC_ASSERT(window.inside == alone.inside);
    RC_ASSERT(window.products == alone.products);
    RC_ASSERT(window.activations == alone.activations);
    RC_ASSERT(window.weights == alone.weights);
    RC_ASSERT(window.bias == alone.bias);
    RC_ASSERT(window.exact_sum() == alone.exact_sum());
  }
}

RC_GTEST_PROP(Fast, ComparisonEqualsTheHypotheses, ()) {
  const ConvProblem problem = draw_problem();
  RC_LOG() << print(problem.spec) << '\n';
  std::vector<const Hypothesis*> all;
  for (const Hypothesis& hypothesis : hypotheses()) all.push_back(&hypothesis);
  constexpr Hardware kVnni{.avx512 = true, .avx512_vnni = true};
  const Tensor<std::uint8_t> answer = predict(problem, Engine::fbgemm, kVnni);
  const auto alone = compare(all, problem, answer, 1);
  RC_ASSERT(compare(all, problem, answer, 3) == alone);
  for (std::size_t h = 0; h < all.size(); ++h) {
    const Disagreement literal = compare_literally(*all[h], problem, answer);
    RC_LOG() << all[h]->name << ": " << alone[h].differing << ", literally " << literal.differing << '\n';
    RC_ASSERT(alone[h] == literal);
  }
}

}  // namespace
}  // namespace tieout
