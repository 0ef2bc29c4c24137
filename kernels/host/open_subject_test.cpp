#include "kernels/host/open_subject.h"

#include <gtest/gtest.h>

#include <string>

namespace tieout {
namespace {

TEST(OpenSubject, SaysWhatIsWrong) {
  const auto nowhere = open_subject("nowhere/libmine.so");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().kind, SubjectError::Kind::absent);
  EXPECT_NE(nowhere.error().message.find("'nowhere/libmine.so': there is no such file; name a shared library"),
            std::string::npos);
  const auto text = open_subject(TIEOUT_SOURCE_DIR "/README.md");
  ASSERT_TRUE(text);
  const auto loaded = (*text)->load();
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("README.md"), std::string::npos);
  EXPECT_NE(loaded.error().message.find("; name a shared library for this machine"), std::string::npos);
  const auto folder = open_subject(TIEOUT_SOURCE_DIR);
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("it is not a regular file, but a folder"), std::string::npos);
}

}  // namespace
}  // namespace tieout
