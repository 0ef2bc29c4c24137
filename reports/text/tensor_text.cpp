#include "reports/text/tensor_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <limits>
#include <vector>

namespace tieout {
namespace {

constexpr std::string_view kPrefix = "tensor(";
constexpr std::int64_t kLineWidth = 80;
constexpr std::int64_t kMaxElementsShown = 1000;
constexpr std::int64_t kEdge = 3;  // elements shown at each end of a summarised dimension
constexpr std::int64_t kGap = -1;  // marks the omitted elements in a list of positions

enum class Notation {
  whole,       // 96, or 96. in a float tensor
  fixed,       // 96.2500
  scientific,  // 9.6250e+01
};

struct Style {
  Notation notation = Notation::whole;
  std::size_t width = 1;  // width of the widest element
};

template <typename T>
constexpr std::string_view dtype_name() {
  if constexpr (std::same_as<T, std::uint8_t>) return "torch.uint8";
  if constexpr (std::same_as<T, std::int8_t>) return "torch.int8";
  if constexpr (std::same_as<T, std::int32_t>) return "torch.int32";
  if constexpr (std::same_as<T, double>) return "torch.float64";
  return {};  // python does not print float32, its default
}

std::string number(double value, Notation notation) {
  if (std::isnan(value)) return "nan";  // whatever the sign
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  if (notation == Notation::scientific) return fmt::format("{:.4e}", value);
  return notation == Notation::fixed ? fmt::format("{:.4f}", value) : fmt::format("{:.0f}.", value);
}

template <typename T>
std::string number(T value, Notation notation) {
  if constexpr (std::integral<T>) return fmt::format("{}", static_cast<int>(value));
  return number(static_cast<double>(value), notation);
}

std::vector<std::int64_t> shown_positions(std::int64_t extent, bool summarised) {
  std::vector<std::int64_t> positions;
  const bool cut = summarised && extent > 2 * kEdge;
  for (std::int64_t i = 0; i < extent; ++i) {
    if (cut && i == kEdge) {
      positions.push_back(kGap);
      i = extent - kEdge;
    }
    positions.push_back(i);
  }
  return positions;
}

// Collects the elements that decide the notation: not zeros and non-finite values, nor elements that the summary omits.
template <typename T>
void collect_telling(const Tensor<T>& t, std::size_t dim, std::int64_t offset, bool summarised, std::vector<T>& found) {
  if (dim == t.shape.size()) {
    const T value = t.values[static_cast<std::size_t>(offset)];
    if constexpr (std::floating_point<T>) {
      if (!std::isfinite(value) || value == 0) return;
    }
    found.push_back(value);
    return;
  }
  for (const std::int64_t i : shown_positions(t.shape[dim], summarised)) {
    if (i != kGap) collect_telling(t, dim + 1, offset * t.shape[dim] + i, summarised, found);
  }
}

template <typename T>
Notation choose_notation(const std::vector<T>& telling) {
  if (std::integral<T> || telling.empty()) return Notation::whole;
  double smallest = std::numeric_limits<double>::infinity();
  double largest = 0;
  bool whole = true;
  for (const T value : telling) {
    const double magnitude = std::fabs(static_cast<double>(value));
    smallest = std::min(smallest, magnitude);
    largest = std::max(largest, magnitude);
    whole = whole && magnitude == std::floor(magnitude);
  }
  if (largest / smallest > 1000.0 || largest > 1.0e8 || smallest < 1.0e-4) return Notation::scientific;
  return whole ? Notation::whole : Notation::fixed;
}

template <typename T>
Style choose_style(const Tensor<T>& t, bool summarised) {
  std::vector<T> telling;
  collect_telling(t, 0, 0, summarised, telling);
  Style style{.notation = choose_notation(telling)};
  for (const T value : telling) style.width = std::max(style.width, number(value, style.notation).size());
  return style;
}

std::string spaces(std::size_t count) { return std::string(count, ' '); }

// Formats one row, broken into lines of as many elements as fit.
template <typename T>
std::string row(const Tensor<T>& t, std::int64_t offset, std::size_t indent, bool summarised, const Style& style) {
  const auto room = kLineWidth - static_cast<std::int64_t>(indent);
  const std::int64_t per_line = std::max<std::int64_t>(1, room / static_cast<std::int64_t>(style.width + 2));
  std::string text = "[";
  std::int64_t count = 0;
  for (const std::int64_t i : shown_positions(t.shape.back(), summarised)) {
    if (count > 0) text += count % per_line == 0 ? ",\n" + spaces(indent + 1) : ", ";
    ++count;
    if (i == kGap) {
      text += " ...";
    } else {
      const T value = t.values[static_cast<std::size_t>(offset * t.shape.back() + i)];
      text += fmt::format("{:>{}}", number(value, style.notation), style.width);
    }
  }
  return text + "]";
}

template <typename T>
std::string block(const Tensor<T>& t, std::size_t dim, std::int64_t offset, std::size_t indent, bool summarised,
                  const Style& style) {
  const std::size_t rest = t.shape.size() - dim;
  if (rest == 0) return fmt::format("{:>{}}", number(t.values.front(), style.notation), style.width);
  if (rest == 1) return row(t, offset, indent, summarised, style);
  std::string text = "[";
  std::string separator;
  for (const std::int64_t i : shown_positions(t.shape[dim], summarised)) {
    text += separator;
    separator = "," + std::string(rest - 1, '\n') + spaces(indent + 1);
    text += i == kGap ? "..." : block(t, dim + 1, offset * t.shape[dim] + i, indent + 1, summarised, style);
  }
  return text + "]";
}

// Appends each suffix to the last line, or on a new line if it does not fit. Like python, it takes the last line of the
// contents for two characters longer than it is.
std::string with_suffixes(std::string text, const std::vector<std::string>& suffixes) {
  const std::size_t newline = text.rfind('\n');
  const std::size_t line_start = newline == std::string::npos ? 0 : newline + 1;
  std::size_t used = text.size() - line_start + 2;
  for (const std::string& suffix : suffixes) {
    if (used + suffix.size() + 2 > static_cast<std::size_t>(kLineWidth)) {
      text += ",\n" + spaces(kPrefix.size()) + suffix;
      used = kPrefix.size() + suffix.size();
    } else {
      text += ", " + suffix;
      used += suffix.size() + 2;
    }
  }
  return text + ")";
}

}  // namespace

template <typename T>
std::string tensor_text(const Tensor<T>& tensor, std::string_view grad_fn) {
  const bool summarised = element_count(tensor.shape) > kMaxElementsShown;
  const bool empty = element_count(tensor.shape) == 0;
  std::vector<std::string> suffixes;
  if (empty && tensor.shape.size() != 1) suffixes.push_back(fmt::format("size=({})", fmt::join(tensor.shape, ", ")));
  if (!dtype_name<T>().empty()) suffixes.push_back(fmt::format("dtype={}", dtype_name<T>()));
  if (!grad_fn.empty()) suffixes.push_back(fmt::format("grad_fn=<{}>", grad_fn));
  const std::string contents =
      empty ? "[]" : block(tensor, 0, 0, kPrefix.size(), summarised, choose_style(tensor, summarised));
  return with_suffixes(std::string(kPrefix) + contents, suffixes);
}

std::string output_text(const Answers& stored, OutputType type) {
  const auto as = [&]<typename T>(T) {
    return tensor_text(Tensor<T>{stored.shape, {stored.values.begin(), stored.values.end()}});
  };
  switch (type) {
    case OutputType::uint8: return as(std::uint8_t{});
    case OutputType::int8: return as(std::int8_t{});
    case OutputType::int32: break;
  }
  return tensor_text(stored);
}

std::string float_bits_text(const Answers& bits) {
  Tensor<float> floats{bits.shape, {}};
  for (const std::int32_t value : bits.values) floats.values.push_back(std::bit_cast<float>(value));
  return tensor_text(floats);
}

template std::string tensor_text(const Tensor<std::uint8_t>&, std::string_view);
template std::string tensor_text(const Tensor<std::int8_t>&, std::string_view);
template std::string tensor_text(const Tensor<std::int32_t>&, std::string_view);
template std::string tensor_text(const Tensor<float>&, std::string_view);
template std::string tensor_text(const Tensor<double>&, std::string_view);

}  // namespace tieout
