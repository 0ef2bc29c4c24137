#include "oracle/element/window_iterator.h"

#include <algorithm>
#include <numeric>

#include "cases/padded.h"

namespace tieout {
namespace {

// Adds up in 32 bits as far as they suffice, which compilers can vectorize.
template <typename T>
std::int64_t sum_of(const T* values, std::int64_t count) {
  constexpr std::int64_t kFits = std::int64_t{1} << 23;  // number of 8-bit values whose sum fits in 32 bits
  std::int64_t sum = 0;
  for (std::int64_t begin = 0; begin < count; begin += kFits) {
    sum += std::accumulate(values + begin, values + std::min(begin + kFits, count), std::int32_t{0});
  }
  return sum;
}

}  // namespace

WindowIterator::WindowIterator(const ConvProblem& problem, Detail detail)
    : problem_(problem),
      c_(problem.spec),
      channels_(c_.in_channels / c_.groups),
      length_(reduction_length(c_)),
      detail_(detail),
      weights_(problem.weight.size()) {
  extent_ = padded_size(c_);
  sparse_ = !can_be_padded(c_);
  if (sparse_) return;
  const std::int64_t taps = volume(c_.kernel);
  const std::int8_t* from = problem.weight.data();
  for (std::int64_t k = 0; k < c_.out_channels; ++k) {
    std::int8_t* const to = weights_.data() + k * length_;
    sums_of_weights_.push_back(sum_of(from, length_));
    for (std::int64_t channel = 0; channel < channels_; ++channel) {
      for (std::int64_t tap = 0; tap < taps; ++tap) to[tap * channels_ + channel] = *from++;
    }
  }
  image_.resize(static_cast<std::size_t>(volume(extent_) * channels_));
  inside_.assign(image_.size(), 0);
  const auto length = static_cast<std::size_t>(length_);
  window_.x.resize(length);
  if (detail_ == Detail::all) {
    window_.w.resize(length);
    window_.inside.resize(length);
  }
  window_.spec = &c_;
  window_.xs = c_.activation_scale;
  window_.os = c_.output_scale;
  window_.xz = c_.activation_zero_point;
  window_.oz = c_.output_zero_point;
  window_.output_shift = stored_shift(c_.output_type);
  window_.relu = c_.relu;
  window_.granularity = c_.granularity;
  window_.group_channels = channels_;
}

void WindowIterator::enter(std::int64_t image) {
  image_at_ = image;
  if (sparse_) return;
  const std::uint8_t* from = problem_.activation.data() + image * channels_ * volume(c_.input);
  std::fill(image_.begin(), image_.end(), static_cast<std::uint8_t>(c_.activation_zero_point));
  for (std::int64_t channel = 0; channel < channels_; ++channel) {
    for (std::int64_t d = c_.padding[0]; d < c_.padding[0] + c_.input[0]; ++d) {
      for (std::int64_t h = c_.padding[1]; h < c_.padding[1] + c_.input[1]; ++h) {
        auto at = static_cast<std::size_t>(((d * extent_[1] + h) * extent_[2] + c_.padding[2]) * channels_ + channel);
        for (std::int64_t w = 0; w < c_.input[2]; ++w, at += static_cast<std::size_t>(channels_)) {
          image_[at] = *from++;
          inside_[at] = 1;
        }
      }
    }
  }
}

// Copies row by row of the kernel; a row without dilation is contiguous.
void WindowIterator::copy_window(const std::vector<std::uint8_t>& from, const Spatial& position,
                                 std::vector<std::uint8_t>& to) const {
  const std::int64_t row = c_.kernel[2] * channels_;
  const std::int64_t run = c_.dilation[2] == 1 ? row : channels_;
  std::uint8_t* end = to.data();
  for (std::int64_t kd = 0; kd < c_.kernel[0]; ++kd) {
    const std::int64_t d = position[0] * c_.stride[0] + kd * c_.dilation[0];
    for (std::int64_t kh = 0; kh < c_.kernel[1]; ++kh) {
      const std::int64_t h = position[1] * c_.stride[1] + kh * c_.dilation[1];
      const std::uint8_t* first =
          from.data() + ((d * extent_[1] + h) * extent_[2] + position[2] * c_.stride[2]) * channels_;
      for (std::int64_t done = 0; done < row; done += run, first += c_.dilation[2] * channels_) {
        end = std::copy_n(first, run, end);
      }
    }
  }
}

void WindowIterator::stand(const Spatial& position) {
  if (sparse_) {
    const Spatial out = output_size(c_);
    position_ = (position[0] * out[1] + position[1]) * out[2] + position[2];
    return;
  }
  copy_window(image_, position, window_.x);
  if (detail_ == Detail::all) copy_window(inside_, position, window_.inside);
  window_.activations = sum_of(window_.x.data(), length_);
}

const Window& WindowIterator::look(std::int64_t k) {
  if (sparse_) {
    const std::int64_t plane = volume(output_size(c_));
    gather(problem_, (image_at_ / c_.groups * c_.out_channels + k) * plane + position_, window_);
    return window_;
  }
  const std::int8_t* const weights = weights_.data() + k * length_;
  if (detail_ == Detail::all) std::copy_n(weights, length_, window_.w.data());
  window_.int32_bias = int32_bias(c_, k);
  window_.products = window_.int32_bias;
  // This number of products fits in int32, which compilers can vectorize.
  constexpr std::int64_t kFits = 65536;
  for (std::int64_t begin = 0; begin < length_; begin += kFits) {
    std::int32_t sum = 0;
    for (std::int64_t i = begin; i < std::min(begin + kFits, length_); ++i) {
      sum += window_.x[static_cast<std::size_t>(i)] * weights[i];
    }
    window_.products += sum;
  }
  window_.weights = sums_of_weights_[static_cast<std::size_t>(k)];
  window_.ws = weight_scale(c_, k);
  window_.wz = weight_zero_point(c_, k);
  window_.bias = c_.bias.empty() ? std::optional<float>{} : c_.bias[static_cast<std::size_t>(k)];
  return window_;
}

}  // namespace tieout
