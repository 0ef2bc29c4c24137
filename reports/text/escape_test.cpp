#include "reports/text/escape.h"

#include <gtest/gtest.h>

namespace tieout {
namespace {

TEST(LegalText, KeepsValidText) {
  const std::string text = "tab\t line\n \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 ~";
  EXPECT_EQ(legal_text(text), text);
}

TEST(LegalText, ReplacesEachInvalidByte) {
  const std::string replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(legal_text(std::string("a\0b\x1B", 4)), "a" + replaced + "b" + replaced);
  EXPECT_EQ(legal_text("\x7F"), replaced);
  EXPECT_EQ(legal_text("\xC3"), replaced);                                // truncated sequence
  EXPECT_EQ(legal_text("\xC3("), replaced + "(");                         // missing continuation byte
  EXPECT_EQ(legal_text("\xC0\xBC"), replaced + replaced);                 // '<' in an overlong form
  EXPECT_EQ(legal_text("\xED\xA0\x80"), replaced + replaced + replaced);  // surrogate
  EXPECT_EQ(legal_text("\xEF\xBF\xBE"), replaced + replaced + replaced);  // U+FFFE
  EXPECT_EQ(legal_text("\xF4\x90\x80\x80").size(), 4 * replaced.size());  // beyond U+10FFFF
}

TEST(Escaped, EscapesMarkup) {
  EXPECT_EQ(escaped("</script><img src=x onerror='alert(1)'>&\""),
            "&lt;/script&gt;&lt;img src=x onerror=&#39;alert(1)&#39;&gt;&amp;&quot;");
}

TEST(Base64, IsRfc4648) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64(std::string("\xFF\xFE\x00\x01", 4)), "//4AAQ==");
}

}  // namespace
}  // namespace tieout
