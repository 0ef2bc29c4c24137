#include "cases/text/case_cost.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include "cases/text/case_text.h"

namespace tieout {
namespace {

using testing::HasSubstr;

TEST(CaseCost, AcceptsWholeLayers) {
  for (const char* line : {"conv2d", "conv2d in_channels=2048 out_channels=512 input=7x7", "conv2d batch=0",
                           "conv2d in_channels=64 out_channels=64 input=224x224 kernel=3x3 padding=1"}) {
    EXPECT_TRUE(check_cost(parse(line).value())) << line;
  }
}

TEST(CaseCost, NamesTheExcessiveSize) {
  const auto memory = check_cost(parse("conv2d input=16384x16384").value());
  ASSERT_FALSE(memory);
  EXPECT_THAT(memory.error().text(), HasSubstr("4096 MiB are allowed"));
  const auto products = check_cost(parse("conv3d input=100 kernel=99 padding=49").value());
  ASSERT_FALSE(products);
  EXPECT_THAT(products.error().text(), HasSubstr("2^37 are allowed"));
}

TEST(CaseCost, CountsProducts) {
  EXPECT_EQ(product_count(parse("conv2d in_channels=4 out_channels=2 groups=2 input=5x5 kernel=3x3").value()),
            std::int64_t{2} * 9 * 2 * 9);
}

}  // namespace
}  // namespace tieout
