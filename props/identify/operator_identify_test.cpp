// Tests the identification of an operator's arithmetic, and the explanation of a single case.

#include "props/identify/operator_identify.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cases/operators/operator_text.h"
#include "kernels/operators/operator_kernel.h"
#include "oracle/operators/operator_model.h"
#include "props/identify/operator_probes.h"

namespace tieout {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> names_of_standing(const OperatorIdentification& found) {
  std::vector<std::string> names;
  for (const OperatorVariant& variant : found.standing()) names.push_back(variant.name);
  return names;
}

OperatorIdentification identified_operator(std::string_view name, const OperatorResponder& subject,
                                           std::int64_t cases = 100) {
  return identify_operator(subject, *find_operator(name), Hardware{}, cases, 3).value();
}

OperatorCase operator_from(const std::string& line) { return with_contents(parse_operator(line).value()); }

TEST(OperatorIdentify, TheSpecification) {
  for (const OperatorSchema* const schema : operator_schemas()) {
    const OperatorIdentification found = identified_operator(schema->name, operator_kernel);
    EXPECT_THAT(names_of_standing(found), Contains("specification")) << schema->name;
    EXPECT_EQ(found.cases, 100);
  }
}

TEST(OperatorIdentify, LibTorchsCodes) {
  const auto libtorch = [](const OperatorCase& c) { return predict_operator(c, Hardware{}); };
  EXPECT_THAT(names_of_standing(identified_operator("add", libtorch)), ElementsAre("libtorch"));
  const auto vectors = [](const OperatorCase& c) {
    ElementRecord record;
    record.forced = OperatorCode::vector;
    return predict_operator(c, Hardware{}, record);
  };
  // The vector code of add dequantizes by a fused operation, and does the rest as specified.
  EXPECT_THAT(names_of_standing(identified_operator("add", vectors)),
              ElementsAre("libtorch_vector", "fused_dequantization"));
}

// The vector code of LibTorch refutes the specification and is not used for one element.
TEST(OperatorIdentify, RefutesByFewElements) {
  const OperatorIdentification found = identified_operator("add", operator_kernel);
  for (const VariantVerdict& verdict : found.verdicts) {
    if (!verdict.refuted_by) continue;
    const std::int64_t elements = element_count(verdict.refuted_by->c.inputs[0].shape);
    EXPECT_EQ(elements, verdict.variant.name == "libtorch" ? 79 : 1) << verdict.variant.name;
  }
}

TEST(OperatorIdentify, TwoChanges) {
  const auto subject = [](const OperatorCase& c) {
    return compute_changed(c, {Change::ties_away, Change::fused_dequantization});
  };
  const OperatorIdentification found = identified_operator("hardswish", subject, 200);
  EXPECT_THAT(names_of_standing(found), ElementsAre("ties_away and fused_dequantization"));
  EXPECT_THAT(identification_text(found, true), HasSubstr("\nties_away: refuted by element 0, "));
}

TEST(OperatorIdentify, RefutesEveryVariantOfAnUnknownArithmetic) {
  const auto subject = [](const OperatorCase& c) {
    OperatorOutput y = operator_kernel(c);
    for (std::int32_t& value : y.values.values) value = value == 77 ? 78 : value;
    return y;
  };
  const OperatorIdentification found = identified_operator("relu", subject, 20);
  EXPECT_TRUE(found.standing().empty());
  EXPECT_THAT(identification_text(found, false), HasSubstr("no variant is equal in all cases"));
  // The case that refutes the specification has one element.
  const auto& specification = found.verdicts.front();
  ASSERT_TRUE(specification.refuted_by);
  EXPECT_EQ(specification.variant.name, "specification");
  EXPECT_EQ(specification.refuted_by->c.inputs[0].contents.values.size(), 1U);
  EXPECT_EQ(specification.refuted_by->of_variant, 77);
  EXPECT_EQ(specification.refuted_by->of_subject, 78);
}

TEST(OperatorIdentify, DeclinedCasesAndFailures) {
  const auto declines = [](const OperatorCase& c) -> tl::expected<OperatorOutput, SubjectError> {
    if (flag(c, "relu")) return tl::unexpected(SubjectError{SubjectError::Kind::declined, "no relu"});
    return operator_kernel(c);
  };
  const OperatorIdentification found = identified_operator("add", declines, 30);
  EXPECT_GT(found.declined, 0);
  EXPECT_EQ(found.cases + found.declined, 30);
  const auto dies = [](const OperatorCase&) -> tl::expected<OperatorOutput, SubjectError> {
    return tl::unexpected(SubjectError{SubjectError::Kind::died, "SIGSEGV"});
  };
  EXPECT_EQ(identify_operator(dies, *find_operator("add"), Hardware{}, 30, 3).error().message, "SIGSEGV");
}

// The variants that have the values of one change on a case.
std::vector<std::string> variants_explaining(const OperatorCase& c, const OperatorOutput& actual) {
  std::vector<std::string> names;
  for (const OperatorVariant& one : explain_difference(c, Hardware{}, predict_operator(c, Hardware{}), actual)) {
    names.push_back(one.name);
  }
  return names;
}

TEST(ExplainDifference, NamesTheVariantsOfACase) {
  // -0.5 and 1.5: the tie below zero is rounded to 0, down, and away from zero to -1.
  const OperatorCase c = operator_from("quantize shape=3 os=1 oz=10 x=[-0.5,1.5,0.5]");
  EXPECT_THAT(variants_explaining(c, compute_changed(c, {Change::ties_away})), ElementsAre("ties_away"));
  EXPECT_THAT(variants_explaining(c, predict_operator(c, Hardware{})), ElementsAre());
  // LibTorch's vector code departs from the specification here.
  const OperatorCase tail =
      operator_from("add shape=65 xs=0.0466264933 xz=[88,209] os=0.0932529867 oz=228 x=[65*4] x2=[65*188]");
  EXPECT_THAT(variants_explaining(tail, operator_kernel(tail)), Contains("specification"));
  EXPECT_THAT(variants_explaining(tail, operator_kernel(tail)), Not(Contains("libtorch")));
}

TEST(ExplainDifference, NamesThePlaceOfAChange) {
  const OperatorCase c = operator_from("relu shape=40 xz=9 x=[40*3]");
  OperatorOutput y = operator_kernel(c);
  // 40 elements are two blocks of 16 and 8 more.
  std::fill(y.values.values.begin() + 32, y.values.values.end(), 3);
  EXPECT_THAT(variants_explaining(c, y), Contains("relu_missing in tails of 16"));
  EXPECT_THAT(variants_explaining(c, y), Not(Contains("relu_missing in tails of 8")));
}

TEST(OperatorProbes, AreThoseOfTheirSeed) {
  for (const OperatorSchema* const schema : operator_schemas()) {
    EXPECT_EQ(operator_probe(*schema, 4, 7), operator_probe(*schema, 4, 7)) << schema->name;
    EXPECT_NE(operator_probe(*schema, 4, 6), operator_probe(*schema, 5, 6)) << schema->name;
  }
}

}  // namespace
}  // namespace tieout
