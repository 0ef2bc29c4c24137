// Computes conv_relu_traces(), which fuzzing calls for every case: the specification's results by other code. A window
// is gathered once for all output channels, and its products are added in pairs, eight pairs at a time if the CPU has
// AVX2.

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "cases/case_predicates.h"
#include "cases/machine/cpu.h"
#include "cases/padded.h"
#include "kernels/channel_scale.h"
#include "kernels/conv_relu.h"

namespace tieout {
namespace {

// 16-bit numbers in 256 bits, which one multiply-add takes. Windows and weights are filled up with zeros to a multiple
// of it.
constexpr std::int64_t kAtOnce = 16;

struct Products {
  std::int64_t sum = 0;
  std::int32_t saturated_pairs = 0;
};

// Adds the products of x and w, whose length is a multiple of kAtOnce, in pairs of neighbours. Pairs that leave int16
// are clamped to it where they saturate. A pair is at most 2 * 255 * 128 in magnitude, so that 2^14 of them fit int32.
template <Arithmetic::Products kProducts>
Products add_portable(const std::int16_t* x, const std::int16_t* w, std::int64_t length) {
  Products products;
  for (std::int64_t i = 0; i < length; i += 2) {
    const std::int32_t pair = x[i] * w[i] + x[i + 1] * w[i + 1];
    const std::int32_t kept = kProducts == Arithmetic::Products::exact ? pair : std::min(std::max(pair, -32768), 32767);
    products.saturated_pairs += kept != pair ? 1 : 0;
    products.sum += kept;
  }
  return products;
}

[[TIEOUT_AVX2]] inline std::int32_t sum_of(__m256i lanes) {
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0x4e));
  sum = _mm_add_epi32(sum, _mm_shuffle_epi32(sum, 0xb1));
  return _mm_cvtsi128_si32(sum);
}

template <Arithmetic::Products kProducts>
[[TIEOUT_AVX2]] Products add_avx2(const std::int16_t* x, const std::int16_t* w, std::int64_t length) {
  constexpr std::int64_t kFits = 2 * (std::int64_t{1} << 14);
  Products products;
  __m256i kept_pairs = _mm256_setzero_si256();  // counted downward, since a comparison that holds gives -1
  for (std::int64_t begin = 0; begin < length; begin += kFits) {
    __m256i sum = _mm256_setzero_si256();
    for (std::int64_t i = begin; i < std::min(begin + kFits, length); i += kAtOnce) {
      __m256i pair = _mm256_madd_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i)),
                                       _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + i)));
      if constexpr (kProducts == Arithmetic::Products::int16_pairs) {
        const __m256i kept =
            _mm256_min_epi32(_mm256_max_epi32(pair, _mm256_set1_epi32(-32768)), _mm256_set1_epi32(32767));
        kept_pairs = _mm256_add_epi32(kept_pairs, _mm256_cmpeq_epi32(pair, kept));
        pair = kept;
      }
      sum = _mm256_add_epi32(sum, pair);
    }
    products.sum += sum_of(sum);
  }
  if constexpr (kProducts == Arithmetic::Products::int16_pairs) {
    products.saturated_pairs = static_cast<std::int32_t>(length / 2) + sum_of(kept_pairs);
  }
  return products;
}

using Add = Products (*)(const std::int16_t* x, const std::int16_t* w, std::int64_t length);

Add best_add(Arithmetic::Products products) {
  const bool exact = products == Arithmetic::Products::exact;
  if (best_simd_isa() >= SimdIsa::avx2) {
    return exact ? add_avx2<Arithmetic::Products::exact> : add_avx2<Arithmetic::Products::int16_pairs>;
  }
  return exact ? add_portable<Arithmetic::Products::exact> : add_portable<Arithmetic::Products::int16_pairs>;
}

// The values that all elements of an output channel share.
struct Channel {
  std::int64_t shift = 0;  // taps * xz * wz - xz * sum(w), and the int32 bias
  std::int64_t weight_zero_point = 0;
  ChannelScale scale;
};

// Rounds to the nearest int32, ties to even; values that do not fit, and NaN, become INT32_MIN. A call of floor(),
// which is in libm, would be slow.
std::int32_t to_int32_without_libm(float v) {
  if (!(v >= -0x1p31F && v < 0x1p31F)) return std::numeric_limits<std::int32_t>::min();
  const auto toward_zero = static_cast<std::int32_t>(v);
  const float rest = v - static_cast<float>(toward_zero);  // exact, and 0 from 2^24 on
  // There are no branches, because half of them would be mispredicted.
  const std::int32_t odd = toward_zero & 1;
  const std::int32_t up = static_cast<std::int32_t>(rest > 0.5F) | (static_cast<std::int32_t>(rest == 0.5F) & odd);
  const std::int32_t down = static_cast<std::int32_t>(rest < -0.5F) | (static_cast<std::int32_t>(rest == -0.5F) & odd);
  return toward_zero + up - down;
}

// Transposes rows x columns, whose rows are `apart` elements apart, to columns x rows. Where one of them is 1, the
// order is kept and a copy is enough: most weights have 1x1 kernels, and most images of depthwise cases have one
// channel per group.
template <typename T>
void transpose(const T* from, std::int64_t rows, std::int64_t columns, std::int16_t* to, std::int64_t apart) {
  if (rows == 1 || (columns == 1 && apart == 1)) {
    std::copy_n(from, rows * columns, to);
    return;
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) to[column * rows + row] = from[row * apart + column];
  }
}

// Returns the sum of the values. Parts of it are added in 32 bits, as far as these suffice, so that compilers vectorize
// the loop.
template <typename T>
std::int64_t sum_of(const T* values, std::int64_t count) {
  constexpr std::int64_t kFits = std::int64_t{1} << 16;  // 16-bit numbers whose sum fits int32
  std::int64_t sum = 0;
  for (std::int64_t begin = 0; begin < count; begin += kFits) {
    sum += std::accumulate(values + begin, values + std::min(begin + kFits, count), std::int32_t{0});
  }
  return sum;
}

// Copies a run. Most runs are short, and copying too much takes less time than a call of memmove: both buffers extend
// kAtOnce elements beyond the run.
inline std::int16_t* copy_run(const std::int16_t* from, std::int64_t run, std::int16_t* to) {
  if (run > kAtOnce) return std::copy_n(from, run, to);
  std::memcpy(to, from, kAtOnce * sizeof *to);
  return to + run;
}

class Traces {
 public:
  Traces(const ConvProblem& problem, const Arithmetic& arithmetic)
      : problem_(problem), c_(problem.spec), arithmetic_(arithmetic), out_(output_size(c_)) {
    group_channels_ = c_.in_channels / c_.groups;
    length_ = group_channels_ * volume(c_.kernel);
    padded_ = (length_ + kAtOnce - 1) / kAtOnce * kAtOnce;
    weights_.assign(static_cast<std::size_t>(c_.out_channels * padded_), 0);
    window_.assign(static_cast<std::size_t>(padded_ + kAtOnce), 0);
    extent_ = padded_size(c_);
    sums_activations_ = arithmetic.activation_sum != Arithmetic::ActivationSum::exact || has_weight_zero_point(c_);
    for (std::int64_t k = 0; k < c_.out_channels; ++k) channels_.push_back(lay_out(k));
  }

  std::vector<ElementTrace> run() {
    const Add add = best_add(arithmetic_.products);
    const std::int64_t positions = volume(out_);
    const std::int64_t outputs = c_.out_channels / c_.groups;
    std::vector<ElementTrace> traces(static_cast<std::size_t>(c_.batch * c_.out_channels * positions));
    ElementTrace* of_image = traces.data();
    for (std::int64_t image = 0; image < c_.batch * c_.groups; ++image, of_image += outputs * positions) {
      lay_out_image(image);
      std::int64_t p = 0;
      for (std::int64_t d = 0; d < out_[0]; ++d) {
        for (std::int64_t h = 0; h < out_[1]; ++h) {
          for (std::int64_t w = 0; w < out_[2]; ++w, ++p) {
            gather({d, h, w});
            const std::int64_t activations = sums_activations_ ? sum_of(window_.data(), padded_) : 0;
            for (std::int64_t o = 0; o < outputs; ++o) {
              const std::int64_t k = image % c_.groups * outputs + o;
              const Products products = add(window_.data(), weights_.data() + k * padded_, padded_);
              of_image[o * positions + p] = finish(k, products, activations);
            }
          }
        }
      }
    }
    return traces;
  }

 private:
  // Stores the weights of a channel in the order in which neighbours are paired, channels fastest. Returns the values
  // that all elements of the channel share.
  Channel lay_out(std::int64_t k) {
    const std::int64_t taps = volume(c_.kernel);
    const std::int8_t* const w = problem_.weight.data() + k * length_;
    transpose(w, group_channels_, taps, weights_.data() + k * padded_, taps);
    const std::int64_t sum = sum_of(w, length_);
    const std::int64_t xz = c_.activation_zero_point;
    const std::int64_t wz = weight_zero_point(c_, k);
    return {.shift = length_ * xz * wz - xz * sum + int32_bias(c_, k),
            .weight_zero_point = wz,
            .scale = channel_scale(c_, arithmetic_, k)};
  }

  // Stores a group of an image with padding, channels fastest. Without dilation, the rows of windows are runs in it.
  void lay_out_image(std::int64_t image) {
    const std::int64_t plane = volume(c_.input);
    const std::uint8_t* from = problem_.activation.data() + image * group_channels_ * plane;
    image_.assign(static_cast<std::size_t>(volume(extent_) * group_channels_ + kAtOnce),
                  static_cast<std::int16_t>(c_.activation_zero_point));
    for (std::int64_t d = 0; d < c_.input[0]; ++d) {
      for (std::int64_t h = 0; h < c_.input[1]; ++h, from += c_.input[2]) {
        const std::int64_t to = place(d + c_.padding[0], h + c_.padding[1], c_.padding[2]);
        transpose(from, group_channels_, c_.input[2], image_.data() + to * group_channels_, plane);
      }
    }
  }

  [[nodiscard]] std::int64_t place(std::int64_t d, std::int64_t h, std::int64_t w) const {
    return (d * extent_[1] + h) * extent_[2] + w;
  }

  void gather(const Spatial& at) {
    const std::int64_t run = c_.dilation[2] == 1 ? c_.kernel[2] * group_channels_ : group_channels_;
    std::int16_t* to = window_.data();
    for (std::int64_t kd = 0; kd < c_.kernel[0]; ++kd) {
      const std::int64_t d = at[0] * c_.stride[0] + kd * c_.dilation[0];
      for (std::int64_t kh = 0; kh < c_.kernel[1]; ++kh) {
        const std::int64_t h = at[1] * c_.stride[1] + kh * c_.dilation[1];
        const std::int16_t* from = image_.data() + place(d, h, at[2] * c_.stride[2]) * group_channels_;
        for (std::int64_t done = 0; done < c_.kernel[2] * group_channels_; done += run) {
          to = copy_run(from, run, to);
          from += c_.dilation[2] * group_channels_;
        }
      }
    }
    std::fill_n(to, kAtOnce, std::int16_t{0});  // overwrites what the last copy_run() wrote too much
  }

  [[nodiscard]] ElementTrace finish(std::int64_t k, const Products& products, std::int64_t activations) const {
    const Channel& channel = channels_[static_cast<std::size_t>(k)];
    const bool saturated = arithmetic_.activation_sum == Arithmetic::ActivationSum::int16 && activations > 32767;
    const std::int64_t exact =
        products.sum + channel.shift - channel.weight_zero_point * (saturated ? 32767 : activations);
    const auto raw = static_cast<std::int32_t>(exact);  // modulo 2^32
    const ChannelScale& scale = channel.scale;
    const auto f = static_cast<float>(raw);
    // std::fma() is slow in a libm without FMA instructions, and most biases are not fused.
    const float with_bias = scale.reciprocal == 1.0F ? f + scale.bias : std::fma(scale.bias, scale.reciprocal, f);
    const float scaled = with_bias * scale.multiplier;
    const auto oz = static_cast<std::int32_t>(c_.output_zero_point);
    const std::int32_t q = std::clamp(to_int32_without_libm(scaled), -32768, 32767) + oz;
    const std::int32_t y = std::clamp(q, c_.relu == Relu::on ? oz : 0, 255);
    return {.accumulator = raw,
            .wrapped = raw != exact,
            .saturated_pairs = products.saturated_pairs,
            .activation_sum_saturated = saturated,
            .scaled = scaled,
            .result = c_.output_type == OutputType::int32 ? raw : y};
  }

  const ConvProblem& problem_;
  const ConvCase& c_;
  const Arithmetic& arithmetic_;
  Spatial out_, extent_{};
  bool sums_activations_ = false;
  std::int64_t group_channels_ = 0, length_ = 0, padded_ = 0;
  std::vector<std::int16_t> weights_, image_, window_;
  std::vector<Channel> channels_;
};

}  // namespace

std::vector<ElementTrace> conv_relu_traces(const ConvProblem& problem, const Arithmetic& arithmetic) {
  if (can_be_padded(problem.spec)) return Traces(problem, arithmetic).run();
  std::vector<ElementTrace> traces;
  const std::int64_t elements = element_count(output_shape(problem.spec));
  for (std::int64_t offset = 0; offset < elements; ++offset) {
    traces.push_back(conv_relu_trace(problem, arithmetic, offset));
  }
  return traces;
}

}  // namespace tieout
