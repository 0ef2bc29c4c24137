// Tests that fast code for whole layers gives the same results as the slow definitions, element by element: on cases of
// the hunting generator, which have many ties, on one thread and on several.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "cases/contents.h"
#include "cases/random.h"
#include "cases/text/case_text.h"
#include "kernels/conv_relu.h"
#include "layers/layer_comparison.h"
#include "layers/ordered_windows.h"
#include "layers/simd/partial_sums.h"
#include "oracle/element/for_each_window.h"
#include "oracle/engines/engine_model.h"
#include "oracle/hypotheses/dequantized.h"
#include "props/generate/generator.h"

namespace tieout {
namespace {

ConvProblem draw_problem() {
  Random random(*rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>())));
  return with_contents(draw_case(random));
}

// True if all bits are equal, also of a NaN.
bool same(const ElementTrace& a, const ElementTrace& b) {
  return a.accumulator == b.accumulator && a.wrapped == b.wrapped && a.saturated_pairs == b.saturated_pairs &&
         a.activation_sum_saturated == b.activation_sum_saturated && a.result == b.result &&
         std::bit_cast<std::uint32_t>(a.scaled) == std::bit_cast<std::uint32_t>(b.scaled);
}

RC_GTEST_PROP(Fast, TracesEqualTheSpecification, ()) {
  const ConvProblem problem = draw_problem();
  RC_LOG() << print(problem.spec) << '\n';
  using Products = Arithmetic::Products;
  using ActivationSum = Arithmetic::ActivationSum;
  using TensorBias = Arithmetic::TensorBias;
  for (const Arithmetic& arithmetic :
       {Arithmetic{}, Arithmetic{.products = Products::int16_pairs},
        Arithmetic{.activation_sum = ActivationSum::int16, .tensor_bias = TensorBias::separate},
        Arithmetic{Products::int16_pairs, ActivationSum::int16, TensorBias::separate}}) {
    const Answers expected = conv_relu(problem, arithmetic);
    const std::vector<ElementTrace> traces = conv_relu_traces(problem, arithmetic);
    RC_ASSERT(traces.size() == expected.values.size());
    for (std::size_t i = 0; i < traces.size(); ++i) {
      RC_ASSERT(same(traces[i], conv_relu_trace(problem, arithmetic, static_cast<std::int64_t>(i))));
      RC_ASSERT(traces[i].result == expected.values[i]);
    }
  }
}

RC_GTEST_PROP(Fast, IteratedWindowsEqualGatheredWindows, ()) {
  const ConvProblem problem = draw_problem();
  RC_LOG() << print(problem.spec) << '\n';
  std::vector<Window> walked;
  const Answers order = for_each_window(problem, [&](const Window& window) {
    walked.push_back(window);
    return std::uint8_t{0};
  });
  // Offsets in the order of the traversal: positions before channels.
  std::vector<std::int64_t> places;
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

// Returns the problem as a layer of a model has it: with a float bias or none, and the same padding on both sides.
ConvProblem as_layer(const ConvProblem& p) {
  ConvProblem layer = with_even_padding(p);
  layer.spec.int32_bias.clear();
  return layer;
}

// Holds a problem in channels-last layout, as LibTorch has a layer, with the sums that a kernel passes on.
struct Laid {
  explicit Laid(const ConvProblem& p)
      : problem(as_layer(p)),
        answer(as_bytes(predict(problem, Engine::fbgemm, {.avx512 = true, .avx512_vnni = true}))) {
    const ConvCase& c = problem.spec;
    const std::int64_t plane = volume(output_size(c));
    x = channels_last(problem.activation.data(), c.batch, c.in_channels, volume(c.input));
    y = channels_last(answer.values.data(), c.batch, c.out_channels, plane);
    const std::vector<ElementTrace> traces = conv_relu_traces(problem, {});
    sums.resize(traces.size());
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const OutputElement at = element_at(static_cast<std::int64_t>(i), c);
      sums[static_cast<std::size_t>(at.position * c.out_channels + at.k)] = traces[i].accumulator;
    }
  }

  [[nodiscard]] LayerView view() const { return {&problem.spec, x.data(), problem.weight.data()}; }

  // Compares the layer in pieces of `positions`, which go to `parts` in turn.
  [[nodiscard]] LayerMismatches compared(const std::vector<const Hypothesis*>& all, SimdIsa isa, std::int64_t positions,
                                         std::size_t parts, std::vector<std::int32_t> handed_over) const {
    LayerComparison comparison(all, problem.spec, problem.weight.data(), Mismatches::kMost, isa);
    static_cast<void>(comparison.begin(x.data()));
    std::vector<LayerComparison::Part> found(parts);
    const std::int64_t k = problem.spec.out_channels;
    const std::int64_t count = static_cast<std::int64_t>(y.size()) / k;
    for (std::int64_t first = 0, piece = 0; first < count; first += positions, ++piece) {
      comparison.see(found[static_cast<std::size_t>(piece) % parts], first, std::min(positions, count - first),
                     handed_over.data() + first * k, y.data() + first * k);
    }
    std::vector<const LayerComparison::Part*> all_parts;
    for (const LayerComparison::Part& part : found) all_parts.push_back(&part);
    return comparison.finish(all_parts);
  }

  ConvProblem problem;
  Tensor<std::uint8_t> answer;
  std::vector<std::uint8_t> x, y;
  std::vector<std::int32_t> sums;
};

std::vector<const Hypothesis*> every_hypothesis() {
  std::vector<const Hypothesis*> all;
  for (const Hypothesis& hypothesis : hypotheses()) all.push_back(&hypothesis);
  return all;
}

RC_GTEST_PROP(Fast, ComparisonEqualsTheHypotheses, ()) {
  const Laid laid(draw_problem());
  RC_LOG() << print(laid.problem.spec) << '\n';
  const std::vector<const Hypothesis*> all = every_hypothesis();
  const LayerMismatches alone = laid.compared(all, SimdIsa::portable, 1 << 20, 1, laid.sums);
  RC_ASSERT(alone.wrong_sums.empty());
  for (const SimdIsa isa : simd_isas()) {
    const LayerMismatches pieces = laid.compared(all, isa, 5, 3, laid.sums);
    RC_ASSERT(pieces.hypotheses == alone.hypotheses);
    RC_ASSERT(pieces.wrong_sums.empty());
  }
  for (std::size_t h = 0; h < all.size(); ++h) {
    const Mismatches literal = compare_literally(*all[h], laid.problem, laid.answer);
    RC_LOG() << all[h]->name << ": " << alone.hypotheses[h].differing << ", literally " << literal.differing << '\n';
    RC_ASSERT(alone.hypotheses[h] == literal);
  }
}

// A hypothesis that is compared alone uses its own distance, and not the widest of all hypotheses.
RC_GTEST_PROP(Fast, ComparisonEqualsEachHypothesisAlone, ()) {
  const Laid laid(draw_problem());
  RC_LOG() << print(laid.problem.spec) << '\n';
  const std::vector<const Hypothesis*> all = every_hypothesis();
  const Hypothesis* const one = all[*rc::gen::inRange<std::size_t>(0, all.size())];
  RC_LOG() << one->name << '\n';
  const LayerMismatches alone = laid.compared({one}, best_simd_isa(), 7, 2, laid.sums);
  RC_ASSERT(alone.hypotheses.front() == compare_literally(*one, laid.problem, laid.answer));
}

// Wrong sums are detected, and do not change the results of the hypotheses. The sum is off by 2^16, as by a lost carry,
// which sums modulo 2^16 would not detect.
RC_GTEST_PROP(Fast, WrongSumsAreDetectedAndCorrected, ()) {
  const Laid laid(draw_problem());
  RC_LOG() << print(laid.problem.spec) << '\n';
  const std::vector<const Hypothesis*> all = every_hypothesis();
  const LayerMismatches right = laid.compared(all, best_simd_isa(), 5, 1, laid.sums);
  std::vector<std::int32_t> sums = laid.sums;
  const auto channels = static_cast<std::size_t>(laid.problem.spec.out_channels);
  const auto place = *rc::gen::inRange<std::size_t>(0, sums.size());
  const auto bounds = channel_bounds(laid.problem.spec, laid.problem.weight.data());
  RC_PRE(bounds[place % channels].bounds_hold);
  sums[place] += *rc::gen::element(1, -1, 1 << 16);
  for (const SimdIsa isa : simd_isas()) {
    const LayerMismatches wrong = laid.compared(all, isa, 5, 1, sums);
    RC_ASSERT(wrong.hypotheses == right.hypotheses);
    const OutputElement planted{static_cast<std::int64_t>(place / channels),
                                static_cast<std::int64_t>(place % channels)};
    RC_ASSERT(wrong.wrong_sums == std::vector<OutputElement>{planted});
  }
}

// Holds totals of the partial sums of an element, computed by their definition.
struct OnTheWay {
  // Totals of absolute values.
  std::int64_t sums = 0, products = 0;
};
OnTheWay partial_sums(const PartialSumProducts& of) {
  OnTheWay found;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < of.count; ++i) {
    const std::int64_t x = of.x[i] - of.activation_zero_point, w = of.w[i] - of.weight_zero_point;
    const std::int64_t product = x * w;
    sum += product;
    found.sums += std::abs(sum);
    found.products += std::abs(product);
  }
  return found;
}

// Checks the bounds that error_bounds.h derives: manual_output_2's sum is no farther from the exact one than they
// state, and no bound is too large by more than some powers of ten, because wide bounds would cause every element to be
// computed literally.
RC_GTEST_PROP(Fast, SumsInFloat32StayWithinTheirBound, ()) {
  const Laid laid(draw_problem());
  RC_LOG() << print(laid.problem.spec) << '\n';
  const ConvCase& c = laid.problem.spec;
  const auto bounds = channel_bounds(laid.problem.spec, laid.problem.weight.data());
  const LayerView view = laid.view();
  const OrderedWindows windows(view);
  OrderedWindow ordered;
  Window window;
  for (std::size_t i = 0; i < laid.sums.size(); ++i) {
    const OutputElement at{static_cast<std::int64_t>(i) / c.out_channels,
                           static_cast<std::int64_t>(i) % c.out_channels};
    const ChannelBounds& b = bounds[static_cast<std::size_t>(at.k)];
    if (!b.bounds_hold) continue;
    gather(laid.view(), at, window);
    Trace trace;
    static_cast<void>(manual_output_2(window, &trace));
    double squares = 0;
    for (const std::uint8_t x : window.x) squares += static_cast<double>((x - window.xz) * (x - window.xz));
    const double unit =
        static_cast<double>(static_cast<float>(window.xs)) * static_cast<double>(static_cast<float>(window.ws));
    const double off = std::fabs(trace.steps().front().value / unit - laid.sums[i]) * b.multiplier;
    const double scaled = std::fabs(laid.sums[i] * b.multiplier);
    const double beside = 4 * 0x1p-24 * scaled;
    RC_ASSERT(off <= std::sqrt(squares) * b.float_sum + b.half * scaled + beside);
    windows.gather(at, ordered);
    const std::int8_t* const w = laid.problem.weight.data() + at.k * windows.length();
    const std::int64_t wz = weight_zero_point(c, at.k);
    const PartialSumProducts products{.x = ordered.x,
                                      .w = w,
                                      .count = windows.length(),
                                      .activation_zero_point = static_cast<std::int32_t>(c.activation_zero_point),
                                      .weight_zero_point = static_cast<std::int32_t>(wz)};
    const OnTheWay really = partial_sums(products);
    RC_ASSERT(off <= b.running * static_cast<double>(really.sums + 5 * really.products) + beside);
    for (const SimdIsa isa : simd_isas()) {
      const std::int64_t ends = partial_sums(isa)(products);
      RC_ASSERT(really.sums <= ends + kPartialSumBlock / 2 * really.products);
      RC_ASSERT(ends == partial_sums(SimdIsa::portable)(products));
    }
  }
}

// The lists are longer than those of any drawn case, with whole vectors and every length of the rest.
TEST(PartialSums, AreTheSameInAllRegisters) {
  Random random(26);
  std::vector<std::uint8_t> x(1536);
  std::vector<std::int8_t> w(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<std::uint8_t>(random.next() >> 56U);
    w[i] = static_cast<std::int8_t>(random.next() >> 56U);
  }
  std::vector<std::uint8_t> halves = x;  // The values have seven bits.
  for (std::uint8_t& byte : halves) byte /= 2;
  for (std::int64_t count = 0; count <= std::ssize(x); ++count) {
    for (const std::int32_t zero_point : {0, 97, 255}) {
      for (const auto& activations : {x, halves}) {
        const PartialSumProducts products{activations.data() + x.size() - count, w.data() + w.size() - count, count,
                                          zero_point, 0};
        for (const SimdIsa isa : simd_isas()) {
          ASSERT_EQ(partial_sums(isa)(products), partial_sums(SimdIsa::portable)(products)) << count;
        }
      }
    }
  }
}

// The number of rows is that of 3x3 and others, and the number of bytes fills registers or does not.
TEST(OrderedWindows, EqualTheirDefinition) {
  Random random(27);
  for (const std::size_t taps : {1U, 2U, 9U, 10U, 25U}) {
    for (const std::int64_t count : {1, 15, 16, 17, 32, 67}) {
      std::vector<std::vector<std::uint8_t>> rows(taps, std::vector<std::uint8_t>(static_cast<std::size_t>(count)));
      std::vector<const std::uint8_t*> from;
      for (auto& row : rows) {
        for (std::uint8_t& byte : row) byte = static_cast<std::uint8_t>(random.next() >> 56U);
        from.push_back(row.data());
      }
      std::vector<std::uint8_t> to(taps * static_cast<std::size_t>(count));
      interleave(from, count, to.data());
      for (std::size_t i = 0; i < to.size(); ++i) ASSERT_EQ(to[i], rows[i % taps][i / taps]) << taps << ' ' << count;
    }
  }
}

// Random cases seldom have enough channels to fill registers. These layers have partial sums by kernel positions, with
// groups, padding and zero points; scales that make ties; and floats that are summed sixteen at a time.
TEST(Compare, LayersOfWholeRegistersEqualTheHypotheses) {
  for (const char* const line : {"conv2d in_channels=64 out_channels=24 input=5x6 kernel=3x3 padding=1x1 xs=0.5 "
                                 "ws=0.25 os=64 oz=3 x=uniform w=uniform seed=1",
                                 "conv2d in_channels=128 out_channels=6 groups=2 input=5x5 kernel=3x3 stride=2x1 "
                                 "padding=1x2 xs=0.1 xz=60 ws=[0.1,3*0.03125,2*0.7] "
                                 "os=40 oz=61 bias=[3,4*0.5,-2] relu x=uniform w=uniform seed=2",
                                 "conv2d batch=2 in_channels=64 out_channels=64 groups=64 input=9x9 kernel=3x3 "
                                 "stride=2x2 padding=1x1 xs=0.125 xz=7 ws=0.5 os=16 "
                                 "relu x=uniform w=uniform seed=3",
                                 "conv3d in_channels=64 out_channels=5 input=3x4x4 kernel=2x2x2 padding=1x1x1 xs=0.5 "
                                 "ws=0.5 os=128 oz=100 x=uniform w=uniform seed=4"}) {
    const auto c = parse(line);
    ASSERT_TRUE(c) << line << ": " << c.error().text();
    const Laid laid(with_contents(*c));
    const std::vector<const Hypothesis*> all = every_hypothesis();
    for (const SimdIsa isa : simd_isas()) {
      const LayerMismatches opinion = laid.compared(all, isa, 7, 2, laid.sums);
      EXPECT_TRUE(opinion.wrong_sums.empty());
      for (std::size_t h = 0; h < all.size(); ++h) {
        EXPECT_EQ(opinion.hypotheses[h], compare_literally(*all[h], laid.problem, laid.answer)) << all[h]->name << '\n'
                                                                                                << line;
      }
    }
  }
}

// The taps are so far apart that the lines between them would take megabytes.
TEST(Compare, SupportsTapsThatAreFarApart) {
  const auto c = parse(
      "conv2d in_channels=16 out_channels=4 input=3x10 kernel=2x3 stride=131072x1 padding=131072x1 "
      "dilation=131072x1 xs=0.5 xz=9 "
      "ws=0.25 os=32 oz=3 x=uniform w=uniform seed=5");
  ASSERT_TRUE(c) << c.error().text();
  const Laid laid(with_contents(*c));
  const Hypothesis* const one = find_hypothesis("manual_output_2");
  std::vector<std::int32_t> sums = laid.sums;
  ++sums[3];
  for (const SimdIsa isa : simd_isas()) {
    const LayerMismatches opinion = laid.compared({one}, isa, 1000, 1, sums);
    EXPECT_EQ(opinion.wrong_sums, (std::vector<OutputElement>{{0, 3}}));
    EXPECT_EQ(opinion.hypotheses.front(), compare_literally(*one, laid.problem, laid.answer));
  }
}

// With 2^23 products no bound holds for their sum in float32, and 0 times that bound is NaN.
TEST(Compare, WhereNoBoundHoldsSumsAreLiteral) {
  const auto c = parse(
      "conv2d in_channels=8388608 xs=0.1 ws=0.1 os=0.02 oz=128 x=[1048576*202,2097152*101,5242880*0] "
      "w=[1048576*1,2097152*-1,5242880*0]");
  ASSERT_TRUE(c) << c.error().text();
  const Laid laid(with_contents(*c));
  const Hypothesis* const one = find_hypothesis("manual_output_2");
  const Mismatches literal = compare_literally(*one, laid.problem, laid.answer);
  EXPECT_EQ(literal.differing, 1);
  for (const SimdIsa isa : simd_isas()) {
    EXPECT_EQ(laid.compared({one}, isa, 1000, 1, laid.sums).hypotheses.front(), literal);
  }
}

// This is an ordinary layer with scales of a calibration and 576 products. Bounds that are too wide would show as a
// count.
TEST(Compare, FewElementsAreNearEnoughToATie) {
  const auto c = parse(
      "conv2d in_channels=64 out_channels=64 input=14x14 kernel=3x3 padding=1x1 xs=0.031 xz=60 ws=0.0043 os=0.11 oz=61 "
      "x=reduced w=uniform seed=3");
  ASSERT_TRUE(c) << c.error().text();
  const Laid laid(with_contents(*c));
  const std::vector<const Hypothesis*> document{find_hypothesis("manual_output_1"), find_hypothesis("manual_output_2")};
  const LayerMismatches opinion = laid.compared(document, best_simd_isa(), 1000, 1, laid.sums);
  EXPECT_GT(opinion.looked_at, 0);
  // 5.5 %: random weights have sums that are small compared with their products.
  EXPECT_LT(opinion.looked_at, 12544 / 10);
  EXPECT_GT(opinion.summed, 0);
  // The partial sums show that most of these elements cannot lose that much.
  EXPECT_LT(opinion.summed, 12544 / 50);
}

}  // namespace
}  // namespace tieout
