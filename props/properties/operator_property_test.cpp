// Tests that LibTorch's quantized operators return what is predicted, bit for bit, on cases that are drawn where its
// vector code and its scalar code differ.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

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
    if (!answer) RC_LOG() << answer.error().message << '\n';
    RC_ASSERT(answer.has_value());
    const OperatorOutput predicted = predict_operator(c);
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
