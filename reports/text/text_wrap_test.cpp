#include "reports/text/text_wrap.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

TEST(TextWrap, BreaksAtTheLastSpaceThatFits) {
  EXPECT_EQ(wrapped("one two three", 7), "one two\nthree");
  EXPECT_EQ(wrapped("one two three", 6), "one\ntwo\nthree");
  EXPECT_EQ(wrapped("one two three", 8, 2), "one two\n  three");
  EXPECT_EQ(wrapped("one two three", 13), "one two three");
  EXPECT_EQ(wrapped(""), "");
}

TEST(TextWrap, KeepsWordsWhole) {
  EXPECT_EQ(wrapped("a twelve_long b", 4), "a\ntwelve_long\nb");
  EXPECT_EQ(wrapped("twelve_long", 4), "twelve_long");
}

TEST(TextWrap, KeepsExistingLineBreaks) {
  EXPECT_EQ(wrapped("  a: b\n  c: d e", 8), "  a: b\n  c: d e");
  EXPECT_EQ(wrapped("a\n\nb", 8), "a\n\nb");
}

TEST(TextWrap, CountsCodePoints) { EXPECT_EQ(wrapped("\xC3\xA4\xC3\xB6 \xC3\xBC", 4), "\xC3\xA4\xC3\xB6 \xC3\xBC"); }

}  // namespace
}  // namespace tieout
