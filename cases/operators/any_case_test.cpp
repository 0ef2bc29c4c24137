#include "cases/operators/any_case.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "cases/operators/operator_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;

TEST(AnyCase, TheFirstWordNamesTheKind) {
  for (const std::string line : {"add shape=2 x=[1,2] x2=[3,4]", "conv2d input=2x2 x=uniform w=uniform"}) {
    const auto c = parse_any_case(line);
    ASSERT_TRUE(c) << c.error().text();
    EXPECT_EQ(std::holds_alternative<OperatorCase>(*c), line.starts_with("add"));
    EXPECT_EQ(print(*c), line);
  }
  EXPECT_EQ(operator_of_line("  hardswish shape=1"), find_operator("hardswish"));
  EXPECT_EQ(operator_of_line("conv2d"), nullptr);
}

TEST(AnyCase, AMistypedOperatorGetsAdvice) {
  const auto message = [](const char* line) { return parse_any_case(line).error().text(); };
  EXPECT_THAT(message("hardswich shape=1"), HasSubstr("; did you mean hardswish?"));
  EXPECT_THAT(message("frobnicate shape=1"), HasSubstr("; `tieout help operators` lists other operators"));
  EXPECT_THAT(message("conv2d kernel=0"), Not(HasSubstr("operator")));
}

TEST(AnyCase, TooLargeCasesAreRefused) {
  EXPECT_TRUE(check_cost(parse_any_case("add shape=1024").value()));
  const auto refused = check_cost(parse_any_case("relu shape=16x16777216").value());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().text(), HasSubstr("MiB are allowed; make the shape smaller"));
}

}  // namespace
}  // namespace tieout
