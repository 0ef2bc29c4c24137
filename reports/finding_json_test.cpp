#include "reports/finding_json.h"

#include <gtest/gtest.h>

#include <limits>

namespace tieout {
namespace {

TEST(FindingJson, ComesBackBitForBit) {
  const Finding finding{.case_line = "conv2d x=[1] w=[50]",
                        .original_line = "conv2d x=uniform w=uniform",
                        .expected_name = "fbgemm",
                        .actual_name = "scalar",
                        .expected = {{1, 1, 1, 3}, {0, 128, 255}},
                        .actual = {{1, 1, 1, 3}, {1, 0, 254}},
                        .elements = {{.offset = 1, .expected = 128, .accumulator = -5, .scaled = 0.1F},
                                     {.offset = 2, .scaled = -std::numeric_limits<float>::infinity()}},
                        .diff_class = "tie",
                        .derivation = "ties are rounded up",
                        .explained = 2,
                        .failure = "refused: \"quotes\", \n lines and \\ backslashes"};
  const auto again = parse_finding_json(finding_json(finding));
  ASSERT_TRUE(again) << again.error();
  EXPECT_EQ(*again, finding);
}

TEST(FindingJson, AnythingElseIsRefused) {
  for (const char* text : {"", "{}", "[1", "{\"case\": 3}", "null"}) EXPECT_FALSE(parse_finding_json(text)) << text;
}

}  // namespace
}  // namespace tieout
