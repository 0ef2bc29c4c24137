#include "cases/strings/printable.h"

#include <gtest/gtest.h>

#include "cases/strings/shell_word.h"

namespace tieout {
namespace {

TEST(Printable, KeepsPrintableText) {
  EXPECT_EQ(printable("a \"b\" ~\\ caf\xc3\xa9 \xe2\x82\xac"), "a \"b\" ~\\ caf\xc3\xa9 \xe2\x82\xac");
  EXPECT_EQ(printable(""), "");
}

TEST(Printable, EscapesControlCharacters) {
  EXPECT_EQ(printable("a\x1b[2J\r\n\t\x7f"), "a\\x1b[2J\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(printable(std::string("\0\xff\xc3(", 4)), "\\x00\\xff\\xc3(");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            // U+009B, a C1 control, begins a control sequence.
            "\\xc2\\x9b31m");
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "txt.exe"),
            // U+202E writes the following text from right to left.
            "\\xe2\\x80\\xaetxt.exe");
  // These are an isolate and a line separator.
  EXPECT_EQ(printable("a\xe2\x81\xa6\xe2\x80\xa8"), "a\\xe2\\x81\\xa6\\xe2\\x80\\xa8");
}

TEST(Printable, EscapesWorkflowCommandsOfGithub) {
  EXPECT_EQ(printable("::error::x"), "\\::error::x");
  EXPECT_EQ(printable("  ::error::x"), "  \\::error::x");
  EXPECT_EQ(printable("a ::error::x"), "a ::error::x");
  EXPECT_EQ(printable("a ##[error]x"), "a #\\x23[error]x");
  EXPECT_EQ(printable_lines("a\n::set-env::\n\t::x\n ##[y"), "a\n\\::set-env::\n\t\\::x\n #\\x23[y");
}

TEST(Printable, CutsLongTexts) {
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
}

TEST(Printable, KeepsLines) {
  EXPECT_EQ(printable_lines("a\n\nb\tc\x1b\n"), "a\n\nb\tc\\x1b\n");
  EXPECT_EQ(printable_lines("a\r\nb"), "a\\x0d\nb");
}

TEST(ShellWord, QuotesAnyText) {
  EXPECT_EQ(shell_word("./lib-1.so"), "./lib-1.so");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("'; touch x; '"), "''\\''; touch x; '\\'''");
  EXPECT_EQ(shell_word("$(x) `y`"), "'$(x) `y`'");
  EXPECT_EQ(shell_word("a\x1b[1m'\\\n"), "$'a\\x1b[1m\\'\\\\\\x0a'");
}

}  // namespace
}  // namespace tieout
