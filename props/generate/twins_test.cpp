#include "props/generate/twins.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "cases/contents.h"
#include "cases/text/case_text.h"
#include "cases/validate.h"

namespace tieout {
namespace {

ConvProblem problem() {
  const auto c = parse(
      "conv2d in_channels=3 out_channels=2 input=4x5 kernel=2x3 padding=1 xz=3 ws=[0.5,0.25] wz=[1,2] os=3 oz=7 "
      "bias=[1,2] x=uniform w=uniform seed=9");
  EXPECT_TRUE(c) << c.error().text();
  return with_contents(*c);
}

// Every kind exists for a problem with all parameters; each twin is valid, has its contents, and differs.
TEST(Twins, DifferInTheParameterOfTheirName) {
  const ConvProblem p = problem();
  std::set<std::string_view> names;
  for (std::size_t kind = 0; kind < twin_kinds(); ++kind) {
    names.insert(twin_name(kind));
    const ConvProblem twin = twin_of(p, kind).value();
    EXPECT_TRUE(validate(twin.spec)) << twin_name(kind);
    EXPECT_EQ(std::ssize(twin.activation), element_count(activation_shape(twin.spec))) << twin_name(kind);
    EXPECT_EQ(std::ssize(twin.weight), element_count(weight_shape(twin.spec))) << twin_name(kind);
  }
  EXPECT_EQ(names.size(), twin_kinds());
}

// A twin differs from its problem in a single part of a kernel's key.
TEST(Twins, DifferInOneThing) {
  const ConvProblem p = problem();
  for (std::size_t kind = 0; kind < twin_kinds(); ++kind) {
    const ConvProblem twin = twin_of(p, kind).value();
    const ConvCase& a = p.spec;
    const ConvCase& b = twin.spec;
    int differences = (a.activation_zero_point != b.activation_zero_point) +
                      (a.output_zero_point != b.output_zero_point) + (a.activation_scale != b.activation_scale) +
                      (a.output_scale != b.output_scale) + (a.bias != b.bias) + (a.relu != b.relu) +
                      (a.padding != b.padding) + (a.stride != b.stride) + (a.dilation != b.dilation) +
                      (a.batch != b.batch) + (a.granularity != b.granularity) + (p.weight != twin.weight);
    differences += a.granularity == b.granularity && a.weight_scales != b.weight_scales ? 1 : 0;
    differences += a.granularity == b.granularity && a.weight_zero_points != b.weight_zero_points ? 1 : 0;
    differences += a.batch == b.batch && p.activation != twin.activation ? 1 : 0;
    // This changes several extents.
    if (twin_name(kind) == "order of the axes") continue;
    EXPECT_EQ(differences, 1) << twin_name(kind);
  }
}

TEST(Twins, OfContentsDifferInOneByte) {
  const ConvProblem p = problem();
  for (std::size_t kind = 0; kind < twin_kinds(); ++kind) {
    const ConvProblem twin = twin_of(p, kind).value();
    if (twin_name(kind) == "last weight") {
      EXPECT_TRUE(std::equal(p.weight.begin(), p.weight.end() - 1, twin.weight.begin()));
      EXPECT_NE(p.weight.back(), twin.weight.back());
    }
    if (twin_name(kind) == "last activation") {
      EXPECT_TRUE(std::equal(p.activation.begin(), p.activation.end() - 1, twin.activation.begin()));
    }
  }
}

TEST(Twins, AreOmittedIfNothingCanChange) {
  const ConvProblem p = with_contents(*parse("conv1d x=[1] w=[1]"));
  for (std::size_t kind = 0; kind < twin_kinds(); ++kind) {
    const bool none = twin_name(kind) == "bias" || twin_name(kind) == "last bias" ||
                      twin_name(kind) == "order of the axes" || twin_name(kind) == "order of weights";
    EXPECT_TRUE(!none || !twin_of(p, kind)) << twin_name(kind);
  }
}

}  // namespace
}  // namespace tieout
