// Tests that LibTorch is predicted on every engine, with tolerance zero on every element. RapidCheck draws, shrinks and
// reports. It draws a number, and the case is the project's own function of that number, the one that `tieout fuzz`
// uses.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "oracle/engines/known_defects.h"
#include "oracle/libtorch/libtorch.h"
#include "props/generate/generator.h"
#include "props/shrink/shrink.h"
#include "props/verify/verify.h"
#include "reports/formats/finding_text.h"

namespace tieout {

// RapidCheck finds this function and prints the case's line for a failure.
void showValue(const ConvCase& c, std::ostream& out) { out << replay_command({.case_line = print(c)}); }

namespace {

rc::Gen<ConvCase> cases(Call call = Call::conv) {
  const auto drawn =
      rc::gen::map(rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>())),
                   [call](std::uint64_t seed) {
                     Random random(seed);
                     return draw_case(random, {.call = call});
                   });
  return rc::gen::shrink(drawn, [](const ConvCase& c) { return rc::seq::fromContainer(shrink_candidates(c)); });
}

class ConvRelu : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(libtorch()) << libtorch().error().message; }
};

void expect_libtorch_as_predicted(const ConvCase& c) {
  const Verdict verdict = verify(c, **libtorch());
  RC_PRE(verdict.status != Status::skipped && verdict.status != Status::known_defect);
  RC_CLASSIFY(true, std::string(name(verdict.path)));
  RC_ASSERT(verdict.reason == std::string());
  if (verdict.status == Status::differed) RC_FAIL(finding_text(verdict.finding));
}

RC_GTEST_FIXTURE_PROP(ConvRelu, EqualsLibTorch, ()) { expect_libtorch_as_predicted(*cases()); }

RC_GTEST_FIXTURE_PROP(ConvRelu, LinearEqualsLibTorch, ()) { expect_libtorch_as_predicted(*cases(Call::linear)); }

// FBGEMM computes a linear layer as the convolution of single positions that it is.
RC_GTEST_FIXTURE_PROP(ConvRelu, FbgemmsLinearEqualsItsConvolution, ()) {
  ConvCase c = *cases(Call::linear);
  LibTorch& reference = **libtorch();
  c.execution.engine = Engine::fbgemm;
  RC_PRE(reference.available(c.execution).has_value());
  ConvProblem problem = with_contents(c);
  const auto linear = reference.conv(problem);
  problem.spec.execution.call = Call::conv;
  const auto conv = reference.conv(problem);
  RC_ASSERT(linear.has_value());
  RC_ASSERT(conv.has_value());
  RC_ASSERT(linear->y.shape == (Shape{c.batch, c.out_channels}));
  RC_ASSERT(linear->y.values == conv->y.values);
}

// FBGEMM called directly computes what PyTorch's operator does on every path and instruction set.
RC_GTEST_FIXTURE_PROP(ConvRelu, TheDirectCallEqualsTheOperator, ()) {
  ConvCase c = *cases();
  LibTorch& reference = **libtorch();
  c.int32_bias.clear();
  c.execution.engine = Engine::fbgemm;
  RC_PRE(reference.available(c.execution).has_value());
  const bool defective = known_defect(as_run(c, reference), reference.hardware()) != nullptr;
  RC_PRE(!defective);
  ConvProblem problem = with_contents(c);
  const auto by_operator = reference.conv(problem);
  RC_ASSERT(by_operator.has_value());
  problem.spec.execution.engine = Engine::fbgemm_direct;
  const auto directly = reference.conv(problem);
  RC_ASSERT(directly.has_value());
  RC_ASSERT(directly->y == by_operator->y);
  RC_ASSERT(directly->picked == Engine::fbgemm_direct);
}

RC_GTEST_FIXTURE_PROP(ConvRelu, PathIsPredicted, ()) {
  const ConvCase c = *cases(*rc::gen::element(Call::conv, Call::linear));
  RC_ASSERT(fbgemm_path(c, (*libtorch())->hardware()) == (*libtorch())->fbgemm_path(c));
}

RC_GTEST_FIXTURE_PROP(ConvRelu, TextReadsBack, ()) {
  const ConvCase c = *cases(*rc::gen::element(Call::conv, Call::linear));
  const auto again = parse(print(c));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == c);
}

}  // namespace
}  // namespace tieout
