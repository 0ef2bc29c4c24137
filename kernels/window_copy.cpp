#include "kernels/window_copy.h"

#include <algorithm>
#include <cstring>

namespace tieout {
namespace {

constexpr std::int64_t kSlack = 64;  // bytes behind a copy that the loops may read, and do not use
constexpr std::int64_t kPart = 16;   // bytes that are copied at a time, also beyond a window's end

}  // namespace

// What it holds is not cleared: that would take as long as the copy.
std::uint8_t* WindowCopy::room_for(std::int64_t bytes) {
  const std::int64_t lines = (bytes + 63) / 64;
  if (lines > lines_) {
    memory_ = std::make_unique_for_overwrite<CacheLine[]>(static_cast<std::size_t>(lines));
    lines_ = lines;
  }
  return reinterpret_cast<std::uint8_t*>(memory_.get());
}

const std::uint8_t* WindowCopy::pad(std::int64_t d, std::int64_t h, std::int64_t rows) {
  const std::int64_t lines = (rows - 1) * c_.stride[1] + c_.dilation[1] * (c_.kernel[1] - 1) + 1;
  std::uint8_t* const copy = room_for(c_.kernel[0] * plan_.plane_bytes + kSlack);
  const std::int64_t before = std::min(c_.padding[2] * c_.in_channels, plan_.line_bytes);
  const std::int64_t inside = std::min(c_.input[2] * c_.in_channels, plan_.line_bytes - before);
  const auto zero_point = static_cast<int>(c_.activation_zero_point);
  for (std::int64_t kd = 0; kd < c_.kernel[0]; ++kd) {
    const std::int64_t plane = d + kd * c_.dilation[0];
    for (std::int64_t line = 0; line < lines; ++line) {
      std::uint8_t* const to = copy + kd * plan_.plane_bytes + line * plan_.line_bytes;
      const bool exists = plane >= 0 && plane < c_.input[0] && h + line >= 0 && h + line < c_.input[1];
      if (!exists) {
        std::memset(to, zero_point, static_cast<std::size_t>(plan_.line_bytes));
        continue;
      }
      const std::uint8_t* const from = image_ + (plane * c_.input[1] + h + line) * c_.input[2] * c_.in_channels;
      std::memset(to, zero_point, static_cast<std::size_t>(before));
      std::memcpy(to + before, from, static_cast<std::size_t>(inside));
      std::memset(to + before + inside, zero_point, static_cast<std::size_t>(plan_.line_bytes - before - inside));
    }
  }
  return copy;
}

std::int64_t WindowCopy::window_bytes() const { return plan_.steps * kStep + kPart; }

// The group's channels of one pixel.
void WindowCopy::copy_pixel(const Spatial& at, std::int64_t group, std::uint8_t* to) const {
  const auto size = static_cast<std::size_t>(plan_.group_channels);
  bool inside = true;
  for (std::size_t i = 0; i < at.size(); ++i) inside = inside && at[i] >= 0 && at[i] < c_.input[i];
  if (!inside) {
    std::memset(to, static_cast<int>(c_.activation_zero_point), size);
    return;
  }
  const std::int64_t pixel = (at[0] * c_.input[1] + at[1]) * c_.input[2] + at[2];
  std::memcpy(to, image_ + pixel * c_.in_channels + group * plan_.group_channels, size);
}

// Rows of windows, from a line of the input: pixels and their channels follow one another. Parts of a fixed size, the last of
// which goes beyond the row: a call for 21 bytes takes longer than their products.
void WindowCopy::gather_line(std::int64_t d, std::int64_t h, std::int64_t first, std::int64_t count,
                             std::uint8_t* to) const {
  const std::int64_t channels = c_.in_channels, width = c_.kernel[2], size = width * channels,
                     distance = window_bytes();
  const bool exists = d >= 0 && d < c_.input[0] && h >= 0 && h < c_.input[1];
  const std::int64_t line = (d * c_.input[1] + h) * c_.input[2] * channels;
  std::int64_t left = first * c_.stride[2] - c_.padding[2];
  const std::int64_t right = exists ? std::min(c_.input[2], (plan_.image_bytes() - kPart - line) / channels) : 0;
  for (std::int64_t p = 0; p < count;) {
    for (; p < count && (left < 0 || left + width > right); ++p, left += c_.stride[2]) {
      for (std::int64_t w = 0; w < width; ++w) copy_pixel({d, h, left + w}, 0, to + p * distance + w * channels);
    }
    const std::int64_t step = c_.stride[2], last = right - width;
    for (; p < count && left <= last; ++p, left += step) {
      const std::uint8_t* const from = image_ + line + left * channels;
      for (std::int64_t i = 0; i < size; i += kPart) std::memcpy(to + p * distance + i, from + i, kPart);
    }
  }
}

const std::uint8_t* WindowCopy::gather(std::int64_t row, std::int64_t first, std::int64_t count, std::int64_t group) {
  std::uint8_t* const copy = room_for(count * window_bytes());
  std::uint8_t* to = copy;
  for (std::int64_t kd = 0; kd < c_.kernel[0]; ++kd) {
    for (std::int64_t kh = 0; kh < c_.kernel[1]; ++kh) {
      const std::int64_t d = row / plan_.out[1] * c_.stride[0] - c_.padding[0] + kd * c_.dilation[0];
      const std::int64_t h = row % plan_.out[1] * c_.stride[1] - c_.padding[1] + kh * c_.dilation[1];
      if (c_.groups == 1 && c_.dilation[2] == 1) {
        gather_line(d, h, first, count, to);
        to += c_.kernel[2] * c_.in_channels;
        continue;
      }
      for (std::int64_t kw = 0; kw < c_.kernel[2]; ++kw, to += plan_.group_channels) {
        for (std::int64_t p = 0; p < count; ++p) {
          const std::int64_t w = (first + p) * c_.stride[2] - c_.padding[2] + kw * c_.dilation[2];
          copy_pixel({d, h, w}, group, to + p * window_bytes());
        }
      }
    }
  }
  return copy;
}

}  // namespace tieout
