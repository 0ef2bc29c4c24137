#pragma once
// How PyTorch 2.15.0 chooses scales and zero points from float data, bit for bit, without LibTorch.
//
// HistogramObserver and PerChannelMinMaxObserver exist in python only. Their arithmetic is float32, in python's order,
// with float64 where python's own floats take part; the sums follow the order of LibTorch's summation (observers.cpp).

#include <cstdint>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace tieout {

// What a quantized activation may hold. Half the range, as get_default_qconfig("fbgemm") asks for, keeps the sums of
// two products within int16.
enum class QuantizedRange { full, reduced };  // 0..255, 0..127

struct QuantizationParameters {
  float scale = 1;
  std::int64_t zero_point = 0;

  bool operator==(const QuantizationParameters&) const = default;
};

// scale = max((max(high, 0) - min(low, 0)) / (qmax - 0), 2^-23), zero_point = clamp(-round(min(low, 0) / scale), 0, qmax)
// low <= high: the ends of the observed values; qmax: 255 or 127.
[[nodiscard]] QuantizationParameters affine_parameters(float low, float high, QuantizedRange range);

// Counts values in 2048 bins and finds the part of their range whose quantization loses least: some outliers are
// clamped so that the rest is kept more finely.
class HistogramObserver {
 public:
  explicit HistogramObserver(QuantizedRange range) : range_(range) {}

  // Takes one batch in. Infinities are passed over, as are empty batches; a batch that widens the range of those
  // before it spreads their counts over the new bins. Error, and nothing is taken in: a NaN, or a range whose bins
  // overflow float32, where python raises or counts at random.
  [[nodiscard]] tl::expected<void, std::string> observe(std::span<const float> values);

  // {1, 0} before anything was observed.
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
  std::vector<float> histogram_;  // empty before the first batch, then 2048 counts; fractions after a widening
};

// PerChannelMinMaxObserver, symmetric, for int8 weights: scale[k] = max(max|w[k]| / 127.5, 2^-23), zero points 0.
// weight: out_channels x anything. Error: a NaN.
[[nodiscard]] tl::expected<std::vector<float>, std::string> per_channel_scales(std::span<const float> weight,
                                                                               std::int64_t out_channels);

}  // namespace tieout
