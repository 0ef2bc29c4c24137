#include "kernels/host/open_subject.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <string>

namespace tieout {
namespace {

using testing::HasSubstr;

TEST(OpenSubject, ReportsErrors) {
  const auto nowhere = open_subject("nowhere/libmine.so");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, SubjectError::Kind::absent);
  EXPECT_THAT(nowhere.error().message, HasSubstr("'nowhere/libmine.so': there is no such file; name a shared library"));
  const auto text = open_subject(TIEOUT_SOURCE_DIR "/README.md");
  ASSERT_TRUE(text);
  const auto loaded = (*text)->load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message, HasSubstr("README.md"));
  EXPECT_THAT(loaded.error().message, HasSubstr("; name a shared library for this machine"));
  const auto folder = open_subject(TIEOUT_SOURCE_DIR);
  ASSERT_FALSE(folder);
  EXPECT_THAT(folder.error().message, HasSubstr("it is not a regular file, but a folder"));
}

}  // namespace
}  // namespace tieout
