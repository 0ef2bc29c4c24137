#include "kernels/subject/guarded_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace tieout {
namespace {

using Placement = Conditions::Placement;

TEST(GuardedBuffer, EndsOrBeginsAtAnUnmappedPage) {
  GuardedBuffer buffer;
  buffer.place(5, 1, Placement::at_end, 7);
  EXPECT_EQ(buffer.bytes()[4], 7);
  EXPECT_DEATH((void)*static_cast<volatile unsigned char*>(buffer.bytes().data() + 5), "");
  buffer.place(5, 1, Placement::at_begin, 8);
  EXPECT_EQ(buffer.bytes()[0], 8);
  EXPECT_DEATH((void)*static_cast<volatile unsigned char*>(buffer.bytes().data() - 1), "");
}

TEST(GuardedBuffer, IsAlignedAndDetectsStrayWrites) {
  GuardedBuffer buffer;
  buffer.place(5, 64, Placement::at_end, 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.bytes().data()) % 64, 0U);
  EXPECT_EQ(buffer.strayed(), GuardedBuffer::Strayed::no);
  buffer.bytes().data()[5] = 0;
  EXPECT_EQ(buffer.strayed(), GuardedBuffer::Strayed::behind);
  buffer.place(5, 64, Placement::at_end, 0);
  buffer.bytes().data()[-1] = 0;
  EXPECT_EQ(buffer.strayed(), GuardedBuffer::Strayed::before);
}

TEST(GuardedBuffer, CountsTheDistance) {
  GuardedBuffer buffer;
  buffer.place(5, 1, Placement::at_end, 0);
  const unsigned char* const data = buffer.bytes().data();
  EXPECT_EQ(buffer.distance(data + 5), 1);
  EXPECT_EQ(buffer.distance(data + 4), 0);
  EXPECT_EQ(buffer.distance(data - 2), -2);
  EXPECT_TRUE(buffer.covers(data + 5));
  GuardedBuffer other;
  other.place(5000, 1, Placement::at_end, 0);
  EXPECT_FALSE(other.covers(data));
}

}  // namespace
}  // namespace tieout
