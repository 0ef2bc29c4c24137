#include "props/generate/case_class.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tieout {
namespace {

bool has(CaseClass which, const ElementTrace& trace) {
  return classify({}, FbgemmPath::im2col, {trace}).test(static_cast<std::size_t>(which));
}

TEST(CaseClass, OnlyExactTiesAreTies) {
  EXPECT_TRUE(has(CaseClass::tie, {.scaled = 2.5F}));
  EXPECT_TRUE(has(CaseClass::tie, {.scaled = -2.5F}));
  EXPECT_FALSE(has(CaseClass::beside_tie, {.scaled = 2.5F}));
  EXPECT_TRUE(has(CaseClass::beside_tie, {.scaled = std::nextafter(2.5F, 3.0F)}));
  EXPECT_TRUE(has(CaseClass::beside_tie, {.scaled = std::nextafter(-2.5F, 0.0F)}));
  EXPECT_FALSE(has(CaseClass::beside_tie, {.scaled = 2.51F}));
  EXPECT_FALSE(has(CaseClass::tie, {.scaled = 3.0F}));
}

TEST(CaseClass, ConversionOverflowBeginsWhereInt32Ends) {
  EXPECT_TRUE(has(CaseClass::conversion_overflow, {.scaled = 0x1p31F}));
  EXPECT_FALSE(has(CaseClass::conversion_overflow, {.scaled = -0x1p31F}));
  EXPECT_TRUE(has(CaseClass::conversion_overflow, {.scaled = std::numeric_limits<float>::quiet_NaN()}));
}

TEST(CaseClass, EveryClassHasItsOwnName) {
  for (std::size_t i = 0; i < kCaseClasses; ++i) {
    EXPECT_FALSE(name(static_cast<CaseClass>(i)).empty());
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(name(static_cast<CaseClass>(i)), name(static_cast<CaseClass>(j)));
  }
}

}  // namespace
}  // namespace tieout
