#include "oracle/model_files/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace tieout {
namespace {

using Type = ModelTensor::Type;

struct Described {
  std::string_view name;
  Type type;
  std::int64_t bytes;
};
constexpr std::array<Described, 5> kTypes{{{"<f4", Type::float32, 4},
                                           {"<f8", Type::float64, 8},
                                           {"<i8", Type::int64, 8},
                                           {"<i4", Type::int32, 4},
                                           {"|u1", Type::uint8, 1}}};

tl::unexpected<std::string> wrong(std::string what) { return tl::unexpected(std::move(what)); }

// Returns what follows 'key': in the header, which is a python dictionary that numpy writes in one line.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::size_t at = header.find("'" + std::string(key) + "':");
  if (at == std::string_view::npos) return {};
  std::string_view value = header.substr(at + key.size() + 3);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

// Parses "(2, 3, 224, 224)", "(5,)" or "()". The product of the extents is limited so that it does not overflow.
tl::expected<Shape, std::string> shape_of(std::string_view text) {
  const std::size_t end = text.find(')');
  if (!text.starts_with('(') || end == std::string_view::npos) return wrong("its header has no shape");
  text = text.substr(1, end - 1);
  Shape shape;
  std::int64_t elements = 1;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" ,"), text.size()));
    if (text.empty()) return shape;
    std::int64_t extent = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), extent);
    constexpr std::int64_t kMost = std::int64_t{1} << 40;
    if (read.ec != std::errc() || extent < 0 || (extent > 0 && elements > kMost / extent))
      return wrong("its shape cannot be read");
    elements *= extent;
    shape.push_back(extent);
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  }
}

}  // namespace

tl::expected<NpyHeader, std::string> parse_npy_header(std::string_view begin, std::uint64_t file_size) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  if (begin.size() < 12 || !begin.starts_with(kMagic)) {
    return wrong("not a .npy file; numpy.save(FILE, array) writes one");
  }
  const auto byte = [&](std::size_t at) { return std::size_t{static_cast<unsigned char>(begin[at])}; };
  const bool short_header = byte(6) == 1;  // the length has two bytes in version 1, four in 2 and 3
  const std::size_t length = byte(8) | byte(9) << 8U | (short_header ? 0 : byte(10) << 16U | byte(11) << 24U);
  const std::size_t header_at = short_header ? 10 : 12;
  const std::size_t data = header_at + length;
  if (data > file_size) return wrong("it ends inside its header");
  if (data > begin.size()) return wrong("its header is longer than " + std::to_string(kMostNpyHeader) + " bytes");
  const std::string_view header = begin.substr(header_at, length);
  if (!value_of(header, "fortran_order").starts_with("False")) {
    return wrong("its elements are in Fortran order: save numpy.ascontiguousarray(array)");
  }
  auto shape = shape_of(value_of(header, "shape"));
  if (!shape) return wrong(shape.error());
  const std::string_view type = value_of(header, "descr");
  for (const Described& known : kTypes) {
    if (!type.starts_with("'" + std::string(known.name) + "'")) continue;
    const auto due = static_cast<std::uint64_t>(element_count(*shape) * known.bytes);
    if (due != file_size - data) {
      return wrong("it holds " + std::to_string(file_size - data) + " bytes of elements, and its shape asks for " +
                   std::to_string(due));
    }
    return NpyHeader{known.type, std::move(*shape), data};
  }
  return wrong("its elements must be float32, float64, int64, int32 or uint8, little-endian; its header says " +
               std::string(type.substr(0, type.find(','))) + ": save array.astype('float32')");
}

tl::expected<ModelTensor, std::string> parse_npy(std::string_view bytes) {
  auto header = parse_npy_header(bytes, bytes.size());
  if (!header) return wrong(header.error());
  const std::string_view elements = bytes.substr(header->data);
  return ModelTensor{header->type, std::move(header->shape), {elements.begin(), elements.end()}};
}

tl::expected<ModelTensor, std::string> read_npy(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return wrong("not a regular file");
  const std::uint64_t size = std::filesystem::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) return wrong("cannot be read");
  std::string begin(std::min<std::uint64_t>(size, kMostNpyHeader), '\0');
  if (!stream.read(begin.data(), std::ssize(begin))) return wrong("cannot be read");
  auto header = parse_npy_header(begin, size);
  if (!header) return wrong(header.error());
  ModelTensor tensor{header->type, std::move(header->shape), std::vector<char>(size - header->data)};
  stream.seekg(static_cast<std::streamoff>(header->data));
  if (!stream.read(tensor.bytes.data(), std::ssize(tensor.bytes))) return wrong("cannot be read");
  return tensor;
}

std::string npy_file(Type type, const Shape& shape, std::string_view bytes) {
  const auto described = std::ranges::find(kTypes, type, &Described::type);
  std::string extents;
  for (const std::int64_t extent : shape) extents += std::to_string(extent) + ",";
  std::string header =
      "{'descr': '" + std::string(described->name) + "', 'fortran_order': False, 'shape': (" + extents + "), }";
  // Magic, version and length take ten bytes; the data begins at a multiple of 64.
  constexpr std::size_t kPrefix = 10, kAlignment = 64;
  header.append(kAlignment - (kPrefix + header.size() + 1) % kAlignment, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xffU);
  file += static_cast<char>(header.size() >> 8U);
  return file.append(header).append(bytes);
}

}  // namespace tieout
