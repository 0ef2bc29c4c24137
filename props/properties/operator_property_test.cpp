// Tests that LibTorch's quantized operators return what is predicted, bit for bit, on cases that are drawn where its
// vector code and its scalar code differ.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <cstdlib>

#include "cases/operators/operator_text.h"
#include "kernels/operators/operator_kernel.h"
#include "oracle/libtorch/libtorch.h"
#include "oracle/operators/operator_model.h"
#include "props/operators/operator_draw.h"

namespace tieout {
namespace {

class Operators : public testing::TestWithParam<const OperatorSchema*> {};

OperatorCase draw_case_of(const OperatorSchema& schema) {
  Random random(*rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>())));
  return draw_operator_case(schema, random);
}

TEST_P(Operators, LibTorchReturnsThePrediction) {
  const auto reference = libtorch();
  ASSERT_TRUE(reference) << reference.error().message;
  const bool holds = rc::check([&] {
    const OperatorCase c = with_contents(draw_case_of(*GetParam()));
    RC_LOG() << print(c) << '\n';
    const auto answer = (*reference)->run_operator(c);
    if (!predicted_refusal(c).empty()) {
      RC_ASSERT(!answer.has_value());
      return;
    }
    if (!answer) RC_LOG() << answer.error().message << '\n';
    RC_ASSERT(answer.has_value());
    const OperatorOutput predicted = predict_operator(c, (*reference)->hardware());
    RC_ASSERT(answer->values.shape == predicted.values.shape);
    for (std::size_t i = 0; i < predicted.values.values.size(); ++i) {
      if (answer->values.values[i] == predicted.values.values[i]) continue;
      RC_LOG() << "element " << i << ": LibTorch " << answer->values.values[i] << ", predicted "
               << predicted.values.values[i] << '\n';
      RC_FAIL("LibTorch differs from the prediction");
    }
  });
  EXPECT_TRUE(holds);
}

// The roundings in which the two differ move a result by one byte at most. Fails for a formula that is wrong in either.
TEST_P(Operators, SpecificationIsWithinOneByteOfThePrediction) {
  const bool holds = rc::check([&] {
    OperatorCase c = draw_case_of(*GetParam());
    // LibTorch scrambles the output of windows over some views, and over inputs of one position.
    for (OperatorInput& input : c.inputs) input.strides.clear();
    const Shape& shape = c.inputs.front().shape;
    if (shape.size() > 2 && element_count({shape.begin() + 2, shape.end()}) == 1) return;
    c = with_contents(c);
    RC_LOG() << print(c) << '\n';
    const OperatorOutput specified = operator_kernel(c), predicted = predict_operator(c, Hardware{});
    RC_ASSERT(specified.values.shape == predicted.values.shape);
    RC_ASSERT(specified.values.values.size() == predicted.values.values.size());
    RC_ASSERT(specified.is_float == predicted.is_float);
    for (std::size_t i = 0; i < specified.values.values.size(); ++i) {
      // Vector code computes other bytes for numbers that int32 does not hold.
      if (GetParam()->has_float_input && std::fabs(c.inputs[0].floats[i]) >= 0x1p30 * c.output.scale) continue;
      RC_ASSERT(std::abs(specified.values.values[i] - predicted.values.values[i]) <= (specified.is_float ? 0 : 1));
    }
  });
  EXPECT_TRUE(holds);
}

TEST_P(Operators, TextReadsBack) {
  const bool holds = rc::check([&] {
    const OperatorCase c = draw_case_of(*GetParam());
    const auto read = parse_operator(print(c));
    if (!read) RC_LOG() << print(c) << '\n' << read.error().text() << '\n';
    RC_ASSERT(read.has_value());
    RC_ASSERT(*read == c);
  });
  EXPECT_TRUE(holds);
}

INSTANTIATE_TEST_SUITE_P(, Operators, testing::ValuesIn(operator_schemas()),
                         [](const auto& tested) { return std::string(tested.param->name); });

}  // namespace
}  // namespace tieout
