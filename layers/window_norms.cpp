#include "layers/window_norms.h"

#include <algorithm>
#include <cmath>

#include "layers/layer_windows.h"

namespace tieout {
namespace {

// Minimum number of channels for measuring windows. With fewer, the bounds are small enough.
constexpr std::int64_t kWorthIt = 16;

// Returns the square root, rounded up.
float upward(double squares) { return static_cast<float>(std::sqrt(squares) * (1 + 0x1p-20)); }

}  // namespace

WindowNorms::WindowNorms(const LayerView& layer, SimdIsa isa, Detail detail)
    : layer_(layer),
      c_(*layer.spec),
      lanes_(layer_loops(isa)),
      by_pixel_(detail == Detail::windows && c_.groups == 1 && c_.in_channels >= kWorthIt) {}

void WindowNorms::begin(const ActivationRange& range) {
  const auto xz = static_cast<double>(c_.activation_zero_point);
  const double largest = std::max(xz - range.lowest, range.highest - xz);
  widest_ = upward(static_cast<double>(reduction_length(c_)) * largest * largest);
  pixels_.clear();
  if (!by_pixel_) return;
  // A pixel's squares are added up once for all windows that it lies in.
  pixels_.resize(static_cast<std::size_t>(c_.batch * volume(c_.input)));
  for (std::size_t p = 0; p < pixels_.size(); ++p) {
    const std::uint8_t* const x = layer_.activation + static_cast<std::int64_t>(p) * c_.in_channels;
    pixels_[p] = lanes_.squares(x, c_.in_channels, static_cast<std::int32_t>(c_.activation_zero_point));
  }
}

void WindowNorms::measure(std::int64_t first, std::int64_t count, std::int64_t positions,
                          std::vector<float>& norms) const {
  norms.assign(static_cast<std::size_t>((count + positions - 1) / positions), widest_);
  if (pixels_.empty()) return;
  const Spatial out = output_size(c_);
  const bool pixel_by_pixel = c_.kernel == Spatial{1, 1, 1} && c_.stride == c_.kernel && c_.padding == Spatial{};
  OutputPlace place(first, out);
  for (std::int64_t p = 0; p < count; p += positions) {
    std::uint64_t squares = 0;
    for (std::int64_t i = p; i < std::min(p + positions, count); ++i) {
      squares =
          std::max(squares, pixel_by_pixel ? pixels_[static_cast<std::size_t>(first + i)] : squares_of_window(place));
      if (!pixel_by_pixel) place.advance(out);
    }
    norms[static_cast<std::size_t>(p / positions)] = upward(static_cast<double>(squares));
  }
}

// Padding holds the zero point and adds nothing.
std::uint64_t WindowNorms::squares_of_window(const OutputPlace& place) const {
  const std::int64_t left = place.at[2] * c_.stride[2] - c_.padding[2];
  std::uint64_t sum = 0;
  static_cast<void>(every_line(c_, place, [&](std::int64_t first_pixel) {
    const std::uint64_t* const line = pixels_.data() + first_pixel;
    for (std::int64_t kw = 0; kw < c_.kernel[2]; ++kw) {
      const std::int64_t x = left + kw * c_.dilation[2];
      if (x >= 0 && x < c_.input[2]) sum += line[x];
    }
    return true;
  }));
  return sum;
}

}  // namespace tieout
