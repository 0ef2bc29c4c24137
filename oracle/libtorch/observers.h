#pragma once
// Computes the scales and zero points that PyTorch 2.15.0's observers choose from float data, bit for bit, without
// LibTorch.
//
// HistogramObserver and PerChannelMinMaxObserver exist in python only. Their arithmetic is float32 in python's order of
// operations, with float64 where python's own floats take part; sums follow the order of LibTorch's summation
// (observers.cpp).

#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace tieout {

// The range of a quantized activation. Half of the full range, which get_default_qconfig("fbgemm") requests, keeps the
// sum of two products within int16.
enum class QuantizedRange { full, reduced };  // 0..255, 0..127

struct QuantizationParameters {
  float scale = 1;
  std::int64_t zero_point = 0;

  bool operator==(const QuantizationParameters&) const = default;
};

// Returns scale = max((max(high, 0) - min(low, 0)) / qmax, 2^-23) and zero_point = clamp(-round(min(low, 0) / scale),
// 0, qmax), where qmax is 255 or 127 by `range`. low <= high: the smallest and largest observed value.
[[nodiscard]] QuantizationParameters affine_parameters(float low, float high, QuantizedRange range);

// Counts values in 2048 bins and finds the part of their range whose quantization has the smallest error: outliers may
// be clamped so that the other values are quantized more finely.
class HistogramObserver {
 public:
  explicit HistogramObserver(QuantizedRange range) : range_(range) {}

  // Adds one batch. Infinities and empty batches are skipped. A batch that widens the range of the earlier ones
  // redistributes their counts over the new bins. Errors, after which nothing has been added: a NaN, or a range whose
  // bins overflow float32, for which python raises an exception or gives arbitrary counts.
  [[nodiscard]] tl::expected<void, std::string> observe(std::span<const float> values);

  // Returns the parameters for all batches so far; {1, 0} before the first one.
  [[nodiscard]] QuantizationParameters parameters() const;

  [[nodiscard]] std::span<const float> histogram() const { return histogram_; }

 private:
  struct Range {
    float low = 0, high = 0;
  };

  [[nodiscard]] Range search() const;
  [[nodiscard]] double quantization_error(std::int64_t first_bin, std::int64_t last_bin) const;
  [[nodiscard]] std::vector<float> spread_over(const Range& wider) const;

  QuantizedRange range_;
  Range observed_;
  // Empty before the first batch, then 2048 counts, which may be fractions after a widening.
  std::vector<float> histogram_;
};

// PerChannelMinMaxObserver, symmetric, for int8 weights: returns scale[k] = max(max|w[k]| / 127.5, 2^-23); the zero
// points are 0. weight: out_channels x any number of values. Error: a NaN.
[[nodiscard]] tl::expected<std::vector<float>, std::string> per_channel_scales(std::span<const float> weight,
                                                                               std::int64_t out_channels);

}  // namespace tieout
