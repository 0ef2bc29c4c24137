// The standard method in C++: im2col turns every window into a row of a matrix, which is multiplied by the weights. The
// layouts are NHWC and OHWI, so that the channels of a pixel are contiguous. It follows FBGEMM's exact contract bit for
// bit.
//
//   c++ -std=c++20 -O2 -ffp-contract=off -shared -fPIC im2col_gemm.cpp -o libim2col_gemm.so
//   tieout fuzz --subject ./libim2col_gemm.so

#include <tieout_kernel.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

constexpr tieout_kernel_info kInfo{.size = sizeof kInfo,
                                   .version = TIEOUT_KERNEL_VERSION,
                                   .name = nullptr,
                                   .activation_layout = TIEOUT_NHWC,
                                   .weight_layout = TIEOUT_OHWI,
                                   .alignment = 0,
                                   .domain = nullptr};

std::int64_t volume(const std::int64_t* extents) { return extents[0] * extents[1] * extents[2]; }

// Returns a matrix with a row for each output position of image `n` and one group. A row is the window in the order
// kernel position x channel, with the zero point subtracted, so that padding is 0.
std::vector<std::int16_t> im2col(const tieout_conv& c, std::int64_t n, std::int64_t group) {
  const std::int64_t channels = c.in_channels / c.groups;
  std::vector<std::int16_t> rows;
  rows.reserve(static_cast<std::size_t>(volume(c.output_size) * volume(c.kernel) * channels));
  std::int64_t o[3];
  std::int64_t t[3];
  for (o[0] = 0; o[0] < c.output_size[0]; ++o[0])
    for (o[1] = 0; o[1] < c.output_size[1]; ++o[1])
      for (o[2] = 0; o[2] < c.output_size[2]; ++o[2])
        for (t[0] = 0; t[0] < c.kernel[0]; ++t[0])
          for (t[1] = 0; t[1] < c.kernel[1]; ++t[1])
            for (t[2] = 0; t[2] < c.kernel[2]; ++t[2]) {
              std::int64_t pixel = n;
              bool inside = true;
              for (int d = 0; d < 3; ++d) {
                const std::int64_t at = o[d] * c.stride[d] + t[d] * c.dilation[d] - c.padding[d];
                inside = inside && 0 <= at && at < c.input[d];
                pixel = pixel * c.input[d] + at;
              }
              const std::int64_t first = pixel * c.in_channels + group * channels;
              for (std::int64_t i = 0; i < channels; ++i) {
                rows.push_back(
                    static_cast<std::int16_t>(inside ? c.activation[first + i] - c.activation_zero_point : 0));
              }
            }
  return rows;
}

// Returns a column of the other matrix: the `length` weights of output channel k, with the zero point subtracted.
std::vector<std::int16_t> pack(const tieout_conv& c, std::int64_t k, std::int64_t length) {
  const std::int64_t zero_point = c.weight_zero_points[c.per_channel ? k : 0];
  std::vector<std::int16_t> column;
  for (std::int64_t i = 0; i < length; ++i) {
    column.push_back(static_cast<std::int16_t>(c.weight[k * length + i] - zero_point));
  }
  return column;
}

std::uint8_t requantize(const tieout_conv& c, std::int64_t k, std::int32_t raw) {
  const float unit =
      static_cast<float>(c.activation_scale) * static_cast<float>(c.weight_scales[c.per_channel ? k : 0]);
  float s = static_cast<float>(raw);
  if (c.bias) s = c.per_channel ? s + c.bias[k] / unit : std::fma(c.bias[k], 1.0F / unit, s);
  s = std::nearbyint(s * (unit / static_cast<float>(c.output_scale)));
  const bool fits = s >= -0x1p31F && s < 0x1p31F;
  std::int64_t q = fits ? static_cast<std::int64_t>(s) : std::numeric_limits<std::int32_t>::min();
  q = std::clamp<std::int64_t>(q, -32768, 32767) + c.output_zero_point;
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(q, c.relu ? c.output_zero_point : 0, 255));
}

}  // namespace

const tieout_kernel_info* tieout_describe() { return &kInfo; }

const char* tieout_conv_relu(const tieout_conv* conv) {
  const tieout_conv& c = *conv;
  const std::int64_t outputs = c.out_channels / c.groups;
  const std::int64_t length = c.in_channels / c.groups * volume(c.kernel);
  const std::int64_t positions = volume(c.output_size);
  for (std::int64_t n = 0; n < c.batch; ++n) {
    for (std::int64_t group = 0; group < c.groups; ++group) {
      const std::vector<std::int16_t> rows = im2col(c, n, group);
      for (std::int64_t k = group * outputs; k < (group + 1) * outputs; ++k) {
        const std::vector<std::int16_t> column = pack(c, k, length);
        for (std::int64_t p = 0; p < positions; ++p) {
          std::uint32_t sum = 0;  // unsigned, because the sum may wrap
          for (std::int64_t i = 0; i < length; ++i) {
            sum += static_cast<std::uint32_t>(std::int32_t{rows[p * length + i]} * column[i]);
          }
          c.output[(n * positions + p) * c.out_channels + k] = requantize(c, k, static_cast<std::int32_t>(sum));
        }
      }
    }
  }
  return nullptr;
}
