#include "oracle/engines/libtorch_version.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

TEST(LibTorchVersion, ReadsWhatReleasesCallThemselves) {
  EXPECT_EQ(parse_libtorch_version("2.9.1+cu128"), (LibTorchVersion{2, 9, 1}));
  EXPECT_EQ(parse_libtorch_version("2.15.0"), kNewestLibTorch);
  EXPECT_EQ(parse_libtorch_version("2.16.0a0+git1234567"), (LibTorchVersion{2, 16, 0}));
  EXPECT_EQ(text_of({2, 9, 1}), "2.9.1");
  EXPECT_EQ(minor_text({2, 12, 1}), "2.12");
}

TEST(LibTorchVersion, RefusesOtherTexts) {
  for (const char* text : {"", "2", "2.9", "2.9.", "v2.9.1", "2..1", "2.-9.1", "2.99999999999.0"}) {
    EXPECT_FALSE(parse_libtorch_version(text)) << text;
  }
}

// A comparison as text would put 2.10 before 2.9.
TEST(LibTorchVersion, IsOrderedByNumber) {
  EXPECT_LT((LibTorchVersion{2, 9, 1}), (LibTorchVersion{2, 10, 0}));
  EXPECT_LT((LibTorchVersion{2, 12, 0}), (LibTorchVersion{2, 12, 1}));
}

}  // namespace
}  // namespace tieout
