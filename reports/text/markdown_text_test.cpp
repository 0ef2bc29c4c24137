#include "reports/text/markdown_text.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

TEST(InlineText, EscapesMarkupAndKeepsNames) {
  EXPECT_EQ(inline_text("avx512_vnni, 2.15.0"), "avx512_vnni, 2.15.0");
  EXPECT_EQ(inline_text("_a_ a|b\nc"), "\\_a\\_ a\\|b c");
  EXPECT_EQ(inline_text("<b> [x](y) `z`"), "\\<b\\> \\[x\\]\\(y\\) \\`z\\`");
}

TEST(CodeSpan, UsesMoreBackticksThanItsText) {
  EXPECT_EQ(code_span("a"), "`a`");
  EXPECT_EQ(code_span("a``b`c"), "```a``b`c```");
  EXPECT_EQ(code_span("`a"), "`` `a ``");
  EXPECT_EQ(code_span("a|b|\nc"), "`a\\|b\\| c`");
}

TEST(Fenced, CannotBeEndedByItsText) {
  EXPECT_EQ(fenced("a"), "```\na\n```\n");
  EXPECT_EQ(fenced("a\n```\n# b\n"), "````\na\n```\n# b\n````\n");
}

}  // namespace
}  // namespace tieout
