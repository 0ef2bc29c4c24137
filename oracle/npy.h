#pragma once
// numpy's file format for one array, as numpy.save() writes it.

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "oracle/model.h"

namespace tieout {

// What a file's header says.
struct NpyHeader {
  ModelTensor::Type type = ModelTensor::Type::float32;
  Shape shape;
  std::size_t data = 0;  // where in the file the elements begin
};

// How much of a file parse_npy_header() needs to see at most: numpy's own headers are shorter than 64 KiB.
inline constexpr std::size_t kMostNpyHeader = std::size_t{1} << 16;

// begin: the first kMostNpyHeader bytes of the file, or all; file_size: of the whole, which the shape must fit. Format version
// 1, 2 or 3; little-endian, in C order: float32, float64, int64, int32 or uint8. The error says what is wrong, and what is
// allowed.
[[nodiscard]] tl::expected<NpyHeader, std::string> parse_npy_header(std::string_view begin, std::uint64_t file_size);

// The whole file.
[[nodiscard]] tl::expected<ModelTensor, std::string> parse_npy(std::string_view bytes);

// The same of a file on disk, whose elements are read only where they fit its size. The error does not name the file.
[[nodiscard]] tl::expected<ModelTensor, std::string> read_npy(const std::string& file);

}  // namespace tieout
