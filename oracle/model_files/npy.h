#pragma once
// Reads and writes numpy's file format for one array, as numpy.save() does.

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "oracle/libtorch/model.h"

namespace tieout {

// The contents of a file's header.
struct NpyHeader {
  ModelTensor::Type type = ModelTensor::Type::float32;
  Shape shape;
  std::size_t data = 0;  // offset of the elements in the file
};

// The number of bytes from the beginning of a file that parse_npy_header() needs at most. numpy's own headers are
// shorter than 64 KiB.
inline constexpr std::size_t kMostNpyHeader = std::size_t{1} << 16;

// Parses a header of format version 1, 2 or 3. begin: the first kMostNpyHeader bytes of the file, or the whole file if
// it is shorter. file_size: the size of the whole file, which must equal what the shape requires. Elements must be
// little-endian, in C order, and of type float32, float64, int64, int32 or uint8. An error states what is wrong and
// what is allowed.
[[nodiscard]] tl::expected<NpyHeader, std::string> parse_npy_header(std::string_view begin, std::uint64_t file_size);

// Parses a whole file in memory; errors as in parse_npy_header().
[[nodiscard]] tl::expected<ModelTensor, std::string> parse_npy(std::string_view bytes);

// Reads a file on disk. The elements are read only if the header fits the file's size. The error does not name the
// file.
[[nodiscard]] tl::expected<ModelTensor, std::string> read_npy(const std::string& file);

// Returns the file that numpy.save() would write for the tensor, in format version 1. bytes: one for each element of
// its type, none repeated.
[[nodiscard]] std::string npy_file(ModelTensor::Type type, const Shape& shape, std::string_view bytes);

}  // namespace tieout
