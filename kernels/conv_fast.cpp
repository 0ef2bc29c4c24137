#include "kernels/conv_fast.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "cases/parallel.h"
#include "kernels/lanes.h"

namespace tieout {
namespace {

Channel channel_of(const ConvCase& c, const Arithmetic& arithmetic, std::int64_t k) {
  const float unit = static_cast<float>(c.activation_scale) * static_cast<float>(weight_scale(c, k));
  Channel channel{.multiplier = unit / static_cast<float>(c.output_scale)};
  if (c.bias.empty()) return channel;
  const float bias = c.bias[static_cast<std::size_t>(k)];
  channel.how = Channel::Bias::added;
  if (c.granularity == Granularity::per_channel) {
    channel.bias = bias / unit;
  } else if (arithmetic.tensor_bias == Arithmetic::TensorBias::separate) {
    channel.bias = bias * (1.0F / unit);
  } else {
    channel.how = Channel::Bias::fused;
    channel.bias = bias;
    channel.reciprocal = 1.0F / unit;
  }
  return channel;
}

// Whether any pair of the layer can leave int16, by its weights and its largest activation.
Pairs pairs_of(const ConvProblem& problem, const Arithmetic& arithmetic, const std::vector<std::int16_t>& weights,
               std::int64_t length) {
  if (arithmetic.products == Arithmetic::Products::exact) return Pairs::exact;
  std::int64_t largest = static_cast<std::uint8_t>(problem.spec.activation_zero_point);
  for (const std::uint8_t x : problem.activation) largest = std::max<std::int64_t>(largest, x);
  for (std::size_t k = 0; k < weights.size(); k += static_cast<std::size_t>(length)) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(length); i += 2) {
      const std::int64_t a = weights[k + i], b = weights[k + i + 1];
      const std::int64_t up = std::max<std::int64_t>(a, 0) + std::max<std::int64_t>(b, 0);
      const std::int64_t down = std::min<std::int64_t>(a, 0) + std::min<std::int64_t>(b, 0);
      if (up * largest > 32767 || down * largest < -32768) return Pairs::saturate;
    }
  }
  return Pairs::exact;
}

class FastConv {
 public:
  FastConv(const ConvProblem& problem, const Arithmetic& arithmetic)
      : problem_(problem), c_(problem.spec), arithmetic_(arithmetic), out_(output_size(c_)) {
    channels_ = c_.in_channels / c_.groups;
    outputs_ = c_.out_channels / c_.groups;
    taps_ = volume(c_.kernel);
    pairs_ = (channels_ * taps_ + 1) / 2;
    for (std::size_t d = 0; d < 3; ++d) {
      padded_[d] = std::max((out_[d] - 1) * c_.stride[d] + c_.dilation[d] * (c_.kernel[d] - 1) + 1,
                            c_.input[d] + 2 * c_.padding[d]);
    }
    y_ = {output_shape(c_), {}};
    y_.values.resize(static_cast<std::size_t>(element_count(y_.shape)));
    lay_out_weights();
    multiply_ = best_multiply(pairs_of(problem, arithmetic, reordered_, 2 * pairs_));
    requantize_ = best_requantize();
  }

  Tensor<std::uint8_t> run(int threads) {
    // Blocks end with a row where its windows lie side by side, and it is long enough to fill one.
    const bool by_rows = c_.stride[2] == 1 && out_[2] >= 3 * kPositions / 4 && padded_[2] != out_[2];
    const std::int64_t row = by_rows ? out_[2] : volume(out_);
    const std::int64_t blocks_of_row = (row + kPositions - 1) / kPositions;
    const std::int64_t blocks = volume(out_) / std::max<std::int64_t>(row, 1) * blocks_of_row;
    in_parts(c_.batch * c_.groups * blocks, threads, [&](std::size_t, std::int64_t begin, std::int64_t end) {
      Scratch scratch;
      scratch.x.resize(static_cast<std::size_t>(pairs_ * kPositions));
      for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t image = item / blocks;  // batch and group
        if (item == begin || item % blocks == 0) pad(image, scratch);
        const std::int64_t line = item % blocks / blocks_of_row * row;
        const std::int64_t first = line + item % blocks_of_row * kPositions;
        block(image, first, std::min(first + kPositions, line + row) - 1, scratch);
      }
    });
    return std::move(y_);
  }

 private:
  struct Scratch {
    std::vector<std::uint8_t> plane;  // channels_ x padded_, of one image and group
    std::vector<std::int32_t> x;      // pairs_ x kPositions
    std::array<std::int64_t, kPositions> from{};
    bool in_a_row = false;  // the lanes' activations lie side by side
  };

  // K x 2 * pairs_, in the order in which neighbours pair; then by blocks of kChannels, two int16 in 32 bits.
  void lay_out_weights() {
    const std::int64_t length = 2 * pairs_;
    reordered_.assign(static_cast<std::size_t>(c_.out_channels * length), 0);
    sums_of_weights_.assign(static_cast<std::size_t>(c_.out_channels), 0);
    for (std::int64_t k = 0; k < c_.out_channels; ++k) {
      const std::int8_t* w = problem_.weight.data() + k * channels_ * taps_;
      for (std::int64_t channel = 0; channel < channels_; ++channel) {
        for (std::int64_t tap = 0; tap < taps_; ++tap, ++w) {
          reordered_[static_cast<std::size_t>(k * length + tap * channels_ + channel)] = *w;
          sums_of_weights_[static_cast<std::size_t>(k)] += *w;
        }
      }
    }
    const std::int64_t blocks = (outputs_ + kChannels - 1) / kChannels;
    weights_.assign(static_cast<std::size_t>(c_.groups * blocks * pairs_ * kChannels), 0);
    for (std::int64_t g = 0; g < c_.groups; ++g) {
      for (std::int64_t o = 0; o < outputs_; ++o) {
        for (std::int64_t i = 0; i < pairs_; ++i) {
          const auto from = static_cast<std::size_t>((g * outputs_ + o) * length + 2 * i);
          const auto low = static_cast<std::uint16_t>(reordered_[from]);
          const auto high = static_cast<std::uint16_t>(reordered_[from + 1]);
          weights_[static_cast<std::size_t>(((g * blocks + o / kChannels) * pairs_ + i) * kChannels + o % kChannels)] =
              static_cast<std::int32_t>(low | (std::uint32_t{high} << 16U));
        }
      }
    }
  }

  void pad(std::int64_t image, Scratch& scratch) const {
    const std::int64_t plane = volume(padded_);
    scratch.plane.assign(static_cast<std::size_t>(channels_ * plane + kPositions),
                         static_cast<std::uint8_t>(c_.activation_zero_point));
    const std::uint8_t* from = problem_.activation.data() + image * channels_ * volume(c_.input);
    for (std::int64_t channel = 0; channel < channels_; ++channel) {
      for (std::int64_t d = 0; d < c_.input[0]; ++d) {
        for (std::int64_t h = 0; h < c_.input[1]; ++h, from += c_.input[2]) {
          const std::int64_t to =
              channel * plane + ((d + c_.padding[0]) * padded_[1] + h + c_.padding[1]) * padded_[2] + c_.padding[2];
          std::memcpy(scratch.plane.data() + to, from, static_cast<std::size_t>(c_.input[2]));
        }
      }
    }
  }

  // One value of the reduction, of all positions of the block, into the low or the high half of its lanes.
  template <int kShift>
  void lay_out_value(std::int64_t value, const Scratch& scratch, std::int32_t* lanes) const {
    const std::int64_t tap = value / channels_;
    const Spatial at{tap / (c_.kernel[1] * c_.kernel[2]), tap / c_.kernel[2] % c_.kernel[1], tap % c_.kernel[2]};
    const std::uint8_t* const base = scratch.plane.data() + value % channels_ * volume(padded_) +
                                     (at[0] * c_.dilation[0] * padded_[1] + at[1] * c_.dilation[1]) * padded_[2] +
                                     at[2] * c_.dilation[2];
    const auto put = [&](std::size_t p, std::uint8_t value_at) {
      const std::int32_t x = std::int32_t{value_at} << kShift;
      lanes[p] = kShift == 0 ? x : lanes[p] | x;
    };
    if (scratch.in_a_row) {
      const std::uint8_t* const from = base + scratch.from[0];
      for (std::size_t p = 0; p < kPositions; ++p) put(p, from[p]);
    } else {
      for (std::size_t p = 0; p < kPositions; ++p) put(p, base[scratch.from[p]]);
    }
  }

  // Positions first..last of an image and group.
  void block(std::int64_t image, std::int64_t first, std::int64_t last, Scratch& scratch) {
    scratch.in_a_row = true;
    for (std::int64_t p = 0; p < kPositions; ++p) {  // lanes beyond the end repeat the last position
      const std::int64_t at = std::min(first + p, last);
      const Spatial place{at / (out_[1] * out_[2]), at / out_[2] % out_[1], at % out_[2]};
      scratch.from[static_cast<std::size_t>(p)] =
          (place[0] * c_.stride[0] * padded_[1] + place[1] * c_.stride[1]) * padded_[2] + place[2] * c_.stride[2];
      // Those beyond the end may be anything: the plane is followed by kPositions more.
      scratch.in_a_row =
          scratch.in_a_row && (first + p > last || scratch.from[static_cast<std::size_t>(p)] == scratch.from[0] + p);
    }
    const std::int64_t length = channels_ * taps_;
    for (std::int64_t i = 0; i < pairs_; ++i) {
      std::int32_t* const lanes = scratch.x.data() + i * kPositions;
      lay_out_value<0>(2 * i, scratch, lanes);
      if (2 * i + 1 < length) lay_out_value<16>(2 * i + 1, scratch, lanes);
    }
    std::array<std::int64_t, kPositions> activations{};
    if (has_weight_zero_points()) sum_activations(scratch, activations);
    const std::int64_t group = image % c_.groups;
    const std::int64_t blocks = (outputs_ + kChannels - 1) / kChannels;
    LaneSums sums;
    for (std::int64_t b = 0; b < blocks; ++b) {
      multiply_(scratch.x.data(), weights_.data() + (group * blocks + b) * pairs_ * kChannels, pairs_, sums);
      for (std::int64_t o = b * kChannels; o < std::min(outputs_, (b + 1) * kChannels); ++o) {
        finish(image, group * outputs_ + o, first, last, sums[static_cast<std::size_t>(o % kChannels)], activations);
      }
    }
  }

  [[nodiscard]] bool has_weight_zero_points() const {
    return std::any_of(c_.weight_zero_points.begin(), c_.weight_zero_points.end(), [](auto z) { return z != 0; });
  }

  void sum_activations(const Scratch& scratch, std::array<std::int64_t, kPositions>& sums) const {
    for (std::int64_t i = 0; i < pairs_; ++i) {
      for (std::size_t p = 0; p < kPositions; ++p) {
        const std::int32_t both = scratch.x[static_cast<std::size_t>(i * kPositions) + p];
        sums[p] += (both & 0xffff) + (both >> 16);
      }
    }
    if (arithmetic_.activation_sum == Arithmetic::ActivationSum::exact) return;
    for (std::int64_t& sum : sums) sum = std::min<std::int64_t>(sum, 32767);
  }

  void finish(std::int64_t image, std::int64_t k, std::int64_t first, std::int64_t last,
              std::array<std::int32_t, kPositions>& sums, const std::array<std::int64_t, kPositions>& activations) {
    const std::int64_t xz = c_.activation_zero_point;
    const std::int64_t wz = weight_zero_point(c_, k);
    const std::int64_t shift = channels_ * taps_ * xz * wz - xz * sums_of_weights_[static_cast<std::size_t>(k)];
    for (std::size_t p = 0; p < kPositions; ++p) {
      sums[p] = static_cast<std::int32_t>(sums[p] + shift - wz * activations[p]);  // modulo 2^32
    }
    const auto oz = static_cast<std::int32_t>(c_.output_zero_point);
    std::array<std::uint8_t, kPositions> y;
    requantize_(sums.data(), channel_of(c_, arithmetic_, k), oz, c_.relu == Relu::on ? oz : 0, y.data());
    std::uint8_t* const to = y_.values.data() + (image / c_.groups * c_.out_channels + k) * volume(out_) + first;
    std::memcpy(to, y.data(), static_cast<std::size_t>(last - first + 1));
  }

  const ConvProblem& problem_;
  const ConvCase& c_;
  const Arithmetic& arithmetic_;
  Spatial out_, padded_{};
  std::int64_t channels_ = 0, outputs_ = 0, taps_ = 0, pairs_ = 0;
  std::vector<std::int16_t> reordered_;
  std::vector<std::int64_t> sums_of_weights_;
  std::vector<std::int32_t> weights_;
  Multiply multiply_ = nullptr;
  Requantize requantize_ = nullptr;
  Tensor<std::uint8_t> y_;
};

}  // namespace

Tensor<std::uint8_t> conv_relu_fast(const ConvProblem& problem, const Arithmetic& arithmetic, int threads) {
  return FastConv(problem, arithmetic).run(threads);
}

}  // namespace tieout
