#include "reports/text/number_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace tieout {
namespace {

TEST(Grouped, SeparatesThousandsByCommas) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(-123456), "-123,456");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(ShortNumber, IsRoundedDown) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(999), "999");
  EXPECT_EQ(short_number(1000), "1.0k");
  EXPECT_EQ(short_number(1999), "1.9k");
  EXPECT_EQ(short_number(99999), "99k");
  EXPECT_EQ(short_number(999999), "999k");
  EXPECT_EQ(short_number(1234567), "1.2M");
  EXPECT_EQ(short_number(9223372036854775807), "9.2E");
}

TEST(Counted, UsesThePlural) {
  EXPECT_EQ(counted(0, "case"), "0 cases");
  EXPECT_EQ(counted(1, "case"), "1 case");
  EXPECT_EQ(counted(1234, "case"), "1,234 cases");
}

TEST(UtcText, HasMinutes) {
  EXPECT_EQ(utc_text(1795399259), "2026-11-23 02:00 UTC");
  EXPECT_EQ(utc_text(0), "");
  EXPECT_EQ(iso_text(1795399259), "2026-11-23T02:00:59");
}

TEST(FloatText, IsTheShortestTextThatReadsBack) {
  using Limits = std::numeric_limits<float>;
  EXPECT_EQ(float_text(0.1F), "0.1");
  EXPECT_EQ(float_text(-0.0F), "-0");
  EXPECT_EQ(float_text(Limits::denorm_min()), "1e-45");
  EXPECT_EQ(float_text(Limits::max()), "3.4028235e+38");
  EXPECT_EQ(float_text(-Limits::infinity()), "-inf");
  EXPECT_EQ(float_text(-Limits::quiet_NaN()), "nan");
}

}  // namespace
}  // namespace tieout
