#include "cases/strings/bytes.h"

#include <gtest/gtest.h>

#include <limits>

namespace tieout {
namespace {

struct Read {
  int number = 7;
  std::string text;
  std::vector<double> list;
  bool complete = false;
};

Read read(std::string_view bytes) {
  ByteReader reader(bytes);
  Read read;
  reader.get(read.number);
  reader.get(read.text);
  reader.get(read.list);
  read.complete = reader.complete();
  return read;
}

std::string written() {
  ByteWriter writer;
  writer.put(-3);
  writer.put(std::string("a\0b", 3));
  writer.put(std::vector<double>{0.1, -std::numeric_limits<double>::infinity()});
  return writer.take();
}

TEST(Bytes, AreReadAsTheyWereWritten) {
  const Read back = read(written());
  EXPECT_TRUE(back.complete);
  EXPECT_EQ(back.number, -3);
  EXPECT_EQ(back.text, std::string("a\0b", 3));
  EXPECT_EQ(back.list, (std::vector<double>{0.1, -std::numeric_limits<double>::infinity()}));
}

TEST(Bytes, MessagesOfAnotherLengthAreNotComplete) {
  const std::string bytes = written();
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(read(bytes.substr(0, size)).complete) << size;
  EXPECT_FALSE(read(bytes + "x").complete);
}

// Each length exceeds the elements that are left; the last two also overflow when multiplied by the element size.
TEST(Bytes, AForgedLengthIsRefused) {
  std::string bytes = written();
  for (const std::uint64_t length : {std::uint64_t{3}, std::uint64_t{1} << 61U, ~std::uint64_t{0}}) {
    std::memcpy(bytes.data() + sizeof(int) + 8 + 3, &length, sizeof length);
    EXPECT_FALSE(read(bytes).complete);
    EXPECT_TRUE(read(bytes).list.empty());
  }
}

}  // namespace
}  // namespace tieout
