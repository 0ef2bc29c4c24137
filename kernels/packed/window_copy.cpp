#include "kernels/packed/window_copy.h"

#include <algorithm>
#include <cstring>

namespace tieout {
namespace {

constexpr std::int64_t kSlack = 64;  // bytes behind a copy that the loops may read, but do not use

}  // namespace

std::uint8_t* WindowCopy::Memory::room_for(std::int64_t bytes) {
  const std::int64_t count = (bytes + 63) / 64;
  if (count > count_) {
    lines_ = std::make_unique_for_overwrite<CacheLine[]>(static_cast<std::size_t>(count));
    count_ = count;
  }
  return reinterpret_cast<std::uint8_t*>(lines_.get());
}

const std::uint8_t* WindowCopy::pad(std::int64_t d, std::int64_t h, std::int64_t rows) {
  const std::int64_t lines = plan_.lines_of(rows);
  std::uint8_t* const copy = padded_.room_for(c_.kernel[0] * plan_.plane_bytes + kSlack);
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

// Copies the group's channels of one pixel, or the zero point for a pixel outside of the input.
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

const std::uint8_t* WindowCopy::join(const std::uint8_t* lines, std::int64_t first, std::int64_t count,
                                     std::int64_t group) {
  const std::int64_t bytes = plan_.steps * kStep, part = plan_.part_bytes;
  std::uint8_t* const copy = windows_.room_for(count * bytes + kSlack);
  for (std::int64_t p = 0; p < count; ++p) {
    const std::uint8_t* const from = lines + (first + p) * c_.stride[2] * c_.in_channels + group * plan_.group_channels;
    std::uint8_t* to = copy + p * bytes;
    for (const std::int64_t offset : plan_.part_offsets) {
      // Copying exactly a few bytes takes many times as long as copying 16; the next part overwrites the excess.
      for (std::int64_t i = 0; i < part; i += 16) std::memcpy(to + i, from + offset + i, 16);
      to += part;
    }
  }
  return copy;
}

const std::uint8_t* WindowCopy::gather(std::int64_t d, std::int64_t h, std::int64_t first, std::int64_t count,
                                       std::int64_t group) {
  const std::int64_t bytes = plan_.steps * kStep;
  std::uint8_t* const copy = windows_.room_for(count * bytes);
  for (std::int64_t p = 0; p < count; ++p) {
    std::uint8_t* to = copy + p * bytes;
    const std::int64_t left = (first + p) * c_.stride[2] - c_.padding[2];
    for (std::int64_t kd = 0; kd < c_.kernel[0]; ++kd) {
      for (std::int64_t kh = 0; kh < c_.kernel[1]; ++kh) {
        for (std::int64_t kw = 0; kw < c_.kernel[2]; ++kw, to += plan_.group_channels) {
          copy_pixel({d + kd * c_.dilation[0], h + kh * c_.dilation[1], left + kw * c_.dilation[2]}, group, to);
        }
      }
    }
  }
  return copy;
}

}  // namespace tieout
