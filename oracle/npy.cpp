#include "oracle/npy.h"

#include <array>
#include <charconv>
#include <limits>
#include <string_view>

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

// What stands behind 'key': in the header, a python dictionary that numpy writes in one line.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::size_t at = header.find("'" + std::string(key) + "':");
  if (at == std::string_view::npos) return {};
  std::string_view value = header.substr(at + key.size() + 3);
  value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
  return value;
}

// "(2, 3, 224, 224)", "(5,)", "()". Bounded, so that a number of elements fits.
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

tl::expected<ModelTensor, std::string> parse_npy(const std::string& bytes) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  if (bytes.size() < 12 || !std::string_view(bytes).starts_with(kMagic)) {
    return wrong("not a .npy file; numpy.save(FILE, array) writes one");
  }
  const auto byte = [&](std::size_t at) { return std::size_t{static_cast<unsigned char>(bytes[at])}; };
  const bool short_header = byte(6) == 1;  // two bytes of length in version 1, four in 2 and 3
  const std::size_t length = byte(8) | byte(9) << 8U | (short_header ? 0 : byte(10) << 16U | byte(11) << 24U);
  const std::size_t begin = short_header ? 10 : 12;
  if (length > bytes.size() - begin) return wrong("it ends inside its header");
  const std::string_view header = std::string_view(bytes).substr(begin, length);
  if (!value_of(header, "fortran_order").starts_with("False")) {
    return wrong("its elements are in Fortran order: save numpy.ascontiguousarray(array)");
  }
  auto shape = shape_of(value_of(header, "shape"));
  if (!shape) return wrong(shape.error());
  const std::string_view type = value_of(header, "descr");
  for (const Described& known : kTypes) {
    if (!type.starts_with("'" + std::string(known.name) + "'")) continue;
    const std::int64_t due = element_count(*shape) * known.bytes;
    const std::size_t data = begin + length;
    if (due != static_cast<std::int64_t>(bytes.size() - data)) {
      return wrong("it holds " + std::to_string(bytes.size() - data) + " bytes of elements, and its shape asks for " +
                   std::to_string(due));
    }
    return ModelTensor{known.type, std::move(*shape), {bytes.begin() + static_cast<std::ptrdiff_t>(data), bytes.end()}};
  }
  return wrong("its elements must be float32, float64, int64, int32 or uint8, little-endian; its header says " +
               std::string(type.substr(0, type.find(','))) + ": save array.astype('float32')");
}

}  // namespace tieout
