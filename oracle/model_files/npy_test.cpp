#include "oracle/model_files/npy.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

namespace tieout {
namespace {

using testing::HasSubstr;

// Returns a file as numpy writes it: magic, version 1.0, two bytes of length, the header padded with spaces so that 128
// bytes precede the data.
std::string file(const std::string& header, const std::string& data) {
  std::string padded = header;
  padded.resize(117, ' ');
  padded += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(padded.size()) + '\0' + padded + data;
}

const std::string kHeader = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }";
const std::string kOneAndTwo("\x00\x00\x80\x3f\x00\x00\x00\x40", 8);

TEST(Npy, ReadsFilesOfNumpy) {
  const auto tensor = parse_npy(file(kHeader, kOneAndTwo));
  ASSERT_TRUE(tensor) << tensor.error();
  EXPECT_EQ(tensor->type, ModelTensor::Type::float32);
  EXPECT_EQ(tensor->shape, (Shape{1, 2}));
  EXPECT_EQ(std::string(tensor->bytes.begin(), tensor->bytes.end()), kOneAndTwo);
  const auto scalar = parse_npy(file("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "x"));
  ASSERT_TRUE(scalar) << scalar.error();
  EXPECT_EQ(scalar->shape, Shape{});
  EXPECT_EQ(parse_npy(file("{'descr': '<i8', 'fortran_order': False, 'shape': (0,), }", ""))->shape, Shape{0});
}

TEST(Npy, RefusalsNameTheCause) {
  const auto words = [](const std::string& bytes) {
    const auto tensor = parse_npy(bytes);
    return tensor ? std::string("read") : tensor.error();
  };
  EXPECT_THAT(words(""), HasSubstr("numpy.save"));
  EXPECT_THAT(words(file(kHeader, "abc")), HasSubstr("holds 3 bytes of elements, and its shape asks for 8"));
  EXPECT_THAT(words(file(kHeader, kOneAndTwo).substr(0, 40)), HasSubstr("ends inside its header"));
  EXPECT_THAT(words(file("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", kOneAndTwo)), HasSubstr("'>f4'"));
  EXPECT_THAT(words(file("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", kOneAndTwo)),
              HasSubstr("Fortran"));
  // 2^40 * 2^40 elements would overflow the element count.
  EXPECT_THAT(words(file("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1099511627776), }", "")),
              HasSubstr("shape"));
  EXPECT_THAT(words(file("{'descr': '<f4', 'fortran_order': False, 'shape': (2, }", kOneAndTwo)),
              HasSubstr("no shape"));
}

// The header claims 400 MB and the file has four bytes: the header and the file's size suffice to refuse it.
TEST(Npy, AHeaderThatDoesNotFitTheFileIsRefusedBeforeElementsAreRead) {
  const std::string claimed = file("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 6000, 6000), }", "");
  const auto header = parse_npy_header(claimed, claimed.size() + 4);
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error(), "it holds 4 bytes of elements, and its shape asks for 432000000");
  const auto right = parse_npy_header(claimed, claimed.size() + 432'000'000);
  ASSERT_TRUE(right) << right.error();
  EXPECT_EQ(right->shape, (Shape{1, 3, 6000, 6000}));
  EXPECT_EQ(right->data, claimed.size());
  EXPECT_EQ(read_npy("/dev/zero").error(), "not a regular file");
}

}  // namespace
}  // namespace tieout
