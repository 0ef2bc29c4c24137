#include "oracle/libtorch/observers.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "oracle/element/ties_to_even.h"

namespace tieout {
namespace {

constexpr std::int64_t kBins = 2048;
constexpr std::int64_t kLevels = 256;  // python also uses 256 for the reduced range
// The number of parts that a bin is divided into before it is spread over wider bins.
constexpr std::int64_t kUpsampling = 16;
constexpr double kSearchStep = 1e-5;        // step of the quantiles
constexpr float kSmallestScale = 0x1p-23F;  // torch.finfo(torch.float32).eps

tl::unexpected<std::string> refuse(std::string why) { return tl::unexpected(std::move(why)); }

// Returns torch.sum of a histogram. LibTorch reads it as 64 rows of 32 columns (4 registers of 8 lanes, on every
// instruction set: this kernel has no AVX-512 version) and adds in this order: 16 rows, then 4 such runs, then 4
// registers, then the lanes.
float sum_as_torch(std::span<const float> bins) {
  constexpr std::size_t kColumns = 32;
  constexpr std::size_t kLanes = 8;
  constexpr std::size_t kRun = 16 * kColumns;
  static_assert(kBins == 4 * kRun);
  float columns[kColumns] = {};
  for (std::size_t column = 0; column < kColumns; ++column) {
    for (std::size_t run = 0; run < kBins; run += kRun) {
      float partial = 0;
      for (std::size_t i = run + column; i < run + kRun; i += kColumns) partial += bins[i];
      columns[column] += partial;
    }
  }
  float sum = 0;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sum += ((columns[lane] + columns[lane + kLanes]) + columns[lane + 2 * kLanes]) + columns[lane + 3 * kLanes];
  }
  return sum;
}

// Returns torch.cumsum: accumulated in float64 and rounded to float32 at every element.
std::vector<float> cumulative_sums(std::span<const float> bins) {
  std::vector<float> sums;
  double sum = 0;
  for (const float bin : bins) sums.push_back(static_cast<float>(sum += static_cast<double>(bin)));
  return sums;
}

// Returns torch.linspace(low, high, count): from either end to the middle, with fused operations on instruction sets
// with FMA. FBGEMM requires one of those, so the unfused form is not needed.
std::vector<float> linspace(float low, float high, std::int64_t count) {
  std::vector<float> points;
  const float step = (high - low) / static_cast<float>(count - 1);
  for (std::int64_t i = 0; i < count; ++i) {
    points.push_back(i < count / 2 ? std::fma(step, static_cast<float>(i), low)
                                   : std::fma(-step, static_cast<float>(count - 1 - i), high));
  }
  return points;
}

// Returns torch.histc. If low == high, the bins lie around the single value, by 1 or by the next float if that is
// farther. Counts are float32, so that a bin stops counting at 2^24.
std::vector<float> count_values(std::span<const float> values, float low, float high) {
  constexpr float kMax = std::numeric_limits<float>::max();
  if (low == high) {
    low = std::min(low - 1, std::nextafter(low, -kMax));
    high = std::max(high + 1, std::nextafter(high, kMax));
  }
  std::vector<float> bins(kBins, 0.0F);
  for (const float value : values) {
    if (std::isinf(value)) continue;
    const auto bin = static_cast<std::int64_t>((value - low) * static_cast<float>(kBins) / (high - low));
    ++bins[static_cast<std::size_t>(std::min(bin, kBins - 1))];
  }
  return bins;
}

// Returns torch.div(a, b, rounding_mode="floor"): python's floor division, by the remainder.
float floor_divide(float a, float b) {
  if (b == 0) return a / b;
  const float remainder = std::fmod(a, b);
  float quotient = (a - remainder) / b;
  if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1;
  const float floor = std::floor(quotient);
  return quotient - floor > 0.5F ? floor + 1 : floor;
}

// Returns the integral of x^2 over begin..end, times density.
float error_between(float begin, float end, float density) {
  return density * ((end * end * end - begin * begin * begin) / 3.0F);
}

}  // namespace

QuantizationParameters affine_parameters(float low, float high, QuantizedRange range) {
  const std::int64_t qmax = range == QuantizedRange::full ? 255 : 127;
  const float negative = std::min(low, 0.0F);
  const float positive = std::max(high, 0.0F);
  const float scale = std::max((positive - negative) / static_cast<float>(qmax), kSmallestScale);
  const auto offset = static_cast<std::int64_t>(ties_to_even(negative / scale));
  return {.scale = scale, .zero_point = std::clamp<std::int64_t>(-offset, 0, qmax)};
}

tl::expected<void, std::string> HistogramObserver::observe(std::span<const float> values) {
  Range wider = observed_;
  if (histogram_.empty()) wider = {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
  bool finite = false;
  for (const float value : values) {
    if (std::isnan(value)) return refuse("the batch holds a NaN");
    if (std::isinf(value)) continue;
    finite = true;
    wider = {std::min(wider.low, value), std::max(wider.high, value)};
  }
  if (!finite) return {};
  if (std::isinf((wider.high - wider.low) * static_cast<float>(kBins))) {
    return refuse("the values spread so widely that their bins overflow float32");
  }

  std::vector<float> counts = count_values(values, wider.low, wider.high);
  if (!histogram_.empty()) {
    const bool same = wider.low == observed_.low && wider.high == observed_.high;
    const std::vector<float> before = same ? histogram_ : spread_over(wider);
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += before[i];
  }
  histogram_ = std::move(counts);
  observed_ = wider;
  return {};
}

// Returns the histogram so far in the bins of a wider range.
std::vector<float> HistogramObserver::spread_over(const Range& wider) const {
  if (observed_.low == observed_.high) {
    std::vector<float> bins = count_values(std::span(&observed_.low, 1), wider.low, wider.high);
    const float count = sum_as_torch(histogram_);
    for (float& bin : bins) bin *= count;
    return bins;
  }
  constexpr std::int64_t kPieces = kBins * kUpsampling;
  const float half_piece = 0.5F * ((observed_.high - observed_.low) / static_cast<float>(kPieces));
  const std::vector<float> starts = linspace(observed_.low, observed_.high, kPieces + 1);
  const std::vector<float> edges = linspace(wider.low, wider.high, kBins + 1);
  std::vector<float> bins(kBins, 0.0F);
  for (std::int64_t piece = 0; piece < kPieces; ++piece) {
    const float middle = starts[static_cast<std::size_t>(piece)] + half_piece;
    const auto edge = std::upper_bound(edges.begin(), edges.end(), middle);
    const std::int64_t bin = std::clamp<std::int64_t>(edge - edges.begin() - 1, 0, kBins - 1);
    bins[static_cast<std::size_t>(bin)] +=
        histogram_[static_cast<std::size_t>(piece / kUpsampling)] / static_cast<float>(kUpsampling);
  }
  return bins;
}

// Returns the squared error of quantizing to 256 levels that cover the bins first..last, if the values are distributed
// evenly within their bins.
double HistogramObserver::quantization_error(std::int64_t first_bin, std::int64_t last_bin) const {
  const double bin_width = (static_cast<double>(observed_.high) - static_cast<double>(observed_.low)) / kBins;
  const double level_width = bin_width * static_cast<double>(last_bin - first_bin + 1) / kLevels;
  if (level_width == 0) return 0;
  const auto bin = static_cast<float>(bin_width);
  const auto level = static_cast<float>(level_width);
  const auto half = static_cast<float>(level_width / 2);
  const auto level_of = [level](float x) {
    return std::clamp(floor_divide(x, level), 0.0F, static_cast<float>(kLevels - 1));
  };

  std::vector<float> errors;
  errors.reserve(kBins);
  for (std::int64_t i = 0; i < kBins; ++i) {
    const float begin = static_cast<float>(i - first_bin) * bin;
    const float end = begin + bin;
    const float first_level = level_of(begin);
    const float last_level = level_of(end);
    const float first_centre = (first_level + 0.5F) * level;
    const float last_centre = last_level * level + half;
    const float density = histogram_[static_cast<std::size_t>(i)] / bin;
    float error = error_between(begin - first_centre, half, density);
    error += (last_level - first_level - 1) * error_between(-half, half, density);
    error += error_between(-half, end - last_centre, density);
    errors.push_back(error);
  }
  return static_cast<double>(sum_as_torch(errors));
}

// Moves the end that holds fewer values inwards, by one quantile step at a time, as long as the error decreases.
HistogramObserver::Range HistogramObserver::search() const {
  const auto total = static_cast<double>(sum_as_torch(histogram_));
  const std::vector<float> sums = cumulative_sums(histogram_);
  const auto sum_at = [&sums](std::int64_t bin) { return sums[static_cast<std::size_t>(bin)]; };
  double low_quantile = 0;
  double high_quantile = 1;
  std::int64_t first = 0;
  std::int64_t last = kBins - 1;
  double least_error = std::numeric_limits<double>::infinity();
  while (low_quantile < high_quantile) {
    const double next_low = low_quantile + kSearchStep;
    const double next_high = high_quantile - kSearchStep;
    // A float32 tensor is compared with a python float in float32.
    const auto low_count = static_cast<float>(next_low * total);
    const auto high_count = static_cast<float>(next_high * total);
    std::int64_t left = first;
    std::int64_t right = last;
    while (left < last && sum_at(left) < low_count) ++left;
    while (right > first && sum_at(right) > high_count) --right;

    const bool move_first = left - first > last - right;
    (move_first ? low_quantile : high_quantile) = move_first ? next_low : next_high;
    const std::int64_t next_first = move_first ? left : first;
    const std::int64_t next_last = move_first ? last : right;
    if (next_first == first && next_last == last) continue;

    const double error = quantization_error(next_first, next_last);
    if (error > least_error) break;
    least_error = error;
    first = next_first;
    last = next_last;
  }
  const float bin = (observed_.high - observed_.low) / static_cast<float>(kBins);
  return {observed_.low + bin * static_cast<float>(first), observed_.low + bin * static_cast<float>(last + 1)};
}

QuantizationParameters HistogramObserver::parameters() const {
  if (histogram_.empty()) return {};
  const Range best = search();
  return affine_parameters(best.low, best.high, range_);
}

tl::expected<std::vector<float>, std::string> per_channel_scales(std::span<const float> weight,
                                                                 std::int64_t out_channels) {
  std::vector<float> scales;
  const std::size_t length = weight.size() / static_cast<std::size_t>(out_channels);
  for (std::size_t k = 0; k < static_cast<std::size_t>(out_channels); ++k) {
    float largest = 0;
    for (const float value : weight.subspan(k * length, length)) {
      if (std::isnan(value)) return refuse("the weight holds a NaN");
      largest = std::max(largest, std::fabs(value));
    }
    scales.push_back(std::max(largest / 127.5F, kSmallestScale));
  }
  return scales;
}

}  // namespace tieout
