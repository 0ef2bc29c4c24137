#include "oracle/layer_sums.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "cases/parallel.h"

namespace tieout {
namespace {

constexpr std::int64_t kLanes = SumLanes::kLanes;
constexpr std::int64_t kChannels = 4;

// One register of whatever width the target has; g++ splits it where the target has less.
using Lanes [[gnu::vector_size(64)]] = float;
constexpr std::int64_t kRegisters = kLanes / 16;

struct Block {
  std::array<std::array<float, kLanes>, kChannels> exact, rounded;  // of a segment; running on
};

// The literal order of manual_output_2: an activation after the other, channel, then kernel position; a multiplication and
// an addition, each rounded. Each lane is an element of its own, so that lanes change nothing.
template <int kCount>
[[gnu::always_inline]] inline void sum_lanes(const float* x, std::int64_t length, const float* steps,
                                             const float* weights, float scale, Block& block) {
  Lanes exact[std::size_t{kCount}][kRegisters] = {};
  Lanes rounded[std::size_t{kCount}][kRegisters];
  for (int k = 0; k < kCount; ++k) {
    __builtin_memcpy(rounded[k], block.rounded[static_cast<std::size_t>(k)].data(), sizeof rounded[k]);
  }
  for (std::int64_t i = 0; i < length; ++i) {
    for (std::int64_t r = 0; r < kRegisters; ++r) {
      Lanes q;
      __builtin_memcpy(&q, x + i * kLanes + r * 16, sizeof q);
      const Lanes real = q * scale;
      for (int k = 0; k < kCount; ++k) {
        exact[k][r] += q * steps[i * kChannels + k];
        const Lanes product = real * weights[i * kChannels + k];
        rounded[k][r] += product;
      }
    }
  }
  for (int k = 0; k < kCount; ++k) {
    __builtin_memcpy(block.exact[static_cast<std::size_t>(k)].data(), exact[k], sizeof exact[k]);
    __builtin_memcpy(block.rounded[static_cast<std::size_t>(k)].data(), rounded[k], sizeof rounded[k]);
  }
}

using Sum = void (*)(const float*, std::int64_t, const float*, const float*, float, Block&);

template <int kCount>
[[gnu::target("avx512f")]] void sum_avx512(const float* x, std::int64_t length, const float* steps,
                                           const float* weights, float scale, Block& block) {
  sum_lanes<kCount>(x, length, steps, weights, scale, block);
}

template <int kCount>
[[gnu::target("avx2")]] void sum_avx2(const float* x, std::int64_t length, const float* steps, const float* weights,
                                      float scale, Block& block) {
  sum_lanes<kCount>(x, length, steps, weights, scale, block);
}

template <int kCount>
void sum_portable(const float* x, std::int64_t length, const float* steps, const float* weights, float scale,
                  Block& block) {
  sum_lanes<kCount>(x, length, steps, weights, scale, block);
}

template <int kCount>
Sum best() {
  if (__builtin_cpu_supports("avx512f") != 0) return sum_avx512<kCount>;
  return __builtin_cpu_supports("avx2") != 0 ? sum_avx2<kCount> : sum_portable<kCount>;
}

}  // namespace

struct LayerSums::Scratch {
  std::vector<float> plane;  // channels x padded input: q - xz
  std::vector<float> x;      // length x kLanes
  std::array<std::int64_t, kLanes> from{};
  bool in_a_row = false;  // the lanes' activations lie side by side
};

LayerSums::LayerSums(const ConvProblem& problem) : problem_(problem), c_(problem.spec), out_(output_size(c_)) {
  channels_ = c_.in_channels / c_.groups;
  outputs_ = c_.out_channels / c_.groups;
  taps_ = volume(c_.kernel);
  length_ = channels_ * taps_;
  for (std::size_t d = 0; d < 3; ++d) padded_[d] = c_.input[d] + 2 * c_.padding[d];
  double largest = 0;
  std::int32_t largest_step = 0;
  for (const std::uint8_t q : problem.activation) {
    largest = std::max(largest, static_cast<double>(std::abs(q - c_.activation_zero_point)));
  }
  const std::int64_t blocks = (outputs_ + kChannels - 1) / kChannels;
  steps_.assign(static_cast<std::size_t>(c_.groups * blocks * length_ * kChannels), 0);
  weights_ = steps_;
  for (std::int64_t k = 0; k < c_.out_channels; ++k) {
    const double scale = weight_scale(c_, k);
    const std::int64_t o = k % outputs_;
    const std::int64_t block = k / outputs_ * blocks + o / kChannels;
    const auto wz = static_cast<std::int32_t>(weight_zero_point(c_, k));
    const std::int8_t* const w = problem.weight.data() + k * length_;
    const auto first = static_cast<std::size_t>(block * length_ * kChannels + o % kChannels);
    float* to_step = steps_.data() + first;
    float* to_weight = weights_.data() + first;
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < length_; ++i, to_step += kChannels, to_weight += kChannels) {
      const std::int32_t step = w[i] - wz;
      *to_step = static_cast<float>(step);
      *to_weight = c_.granularity == Granularity::per_tensor ? static_cast<float>(step) * static_cast<float>(scale)
                                                             : static_cast<float>(static_cast<double>(step) * scale);
      sum += std::abs(step);
      largest_step = std::max(largest_step, std::abs(step));
    }
    magnitude_.push_back(static_cast<double>(sum) * largest);
  }
  segment_ = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(0x1p24 / std::max(1.0, largest * static_cast<double>(largest_step))) - 1);
  find_pairs(problem.activation.empty() ? 0 : *std::max_element(problem.activation.begin(), problem.activation.end()));
}

// largest: of the activations; padding counts as one.
void LayerSums::find_pairs(std::int64_t largest) {
  largest = std::max<std::int64_t>(largest, static_cast<std::uint8_t>(c_.activation_zero_point));
  pairs_.resize(static_cast<std::size_t>(c_.out_channels));
  std::vector<std::int64_t> place(static_cast<std::size_t>(length_));  // of reduction number i in the weights
  for (std::int64_t i = 0; i < length_; ++i) place[static_cast<std::size_t>(i)] = i % channels_ * taps_ + i / channels_;
  for (std::int64_t k = 0; k < c_.out_channels; ++k) {
    const std::int8_t* const w = problem_.weight.data() + k * length_;
    const auto [lowest, highest] = std::minmax_element(w, w + length_);
    if (length_ == 0 || (2 * largest * *highest <= 32767 && 2 * largest * *lowest >= -32768)) continue;
    for (std::size_t i = 0; i + 1 < place.size(); i += 2) {
      const std::int64_t a = w[place[i]], b = w[place[i + 1]];
      const std::int64_t up = std::max<std::int64_t>(a, 0) + std::max<std::int64_t>(b, 0);
      const std::int64_t down = std::min<std::int64_t>(a, 0) + std::min<std::int64_t>(b, 0);
      if (up * largest <= 32767 && down * largest >= -32768) continue;
      pairs_[static_cast<std::size_t>(k)].push_back(
          {place[i], place[i + 1], static_cast<float>(a), static_cast<float>(b)});
    }
  }
}

std::uint32_t LayerSums::saturating(std::int64_t k, const Scratch& scratch) const {
  std::uint32_t lanes = 0;
  const auto xz = static_cast<float>(static_cast<std::uint8_t>(c_.activation_zero_point));
  for (const Pair& pair : pairs_[static_cast<std::size_t>(k)]) {
    const float* const a = scratch.x.data() + pair.first * kLanes;
    const float* const b = scratch.x.data() + pair.second * kLanes;
    for (std::uint32_t p = 0; p < kLanes; ++p) {
      const float sum = (a[p] + xz) * pair.first_weight + (b[p] + xz) * pair.second_weight;
      lanes |= (sum > 32767.0F || sum < -32768.0F ? 1U : 0U) << p;
    }
  }
  return lanes;
}

void LayerSums::pad(std::int64_t image, Scratch& scratch) const {
  const std::int64_t plane = volume(padded_);
  scratch.plane.assign(static_cast<std::size_t>(channels_ * plane + kLanes), 0.0F);
  const std::uint8_t* from = problem_.activation.data() + image * channels_ * volume(c_.input);
  const auto xz = static_cast<std::int32_t>(c_.activation_zero_point);
  for (std::int64_t channel = 0; channel < channels_; ++channel) {
    for (std::int64_t row = 0; row < c_.input[0] * c_.input[1]; ++row, from += c_.input[2]) {
      const std::int64_t d = row / c_.input[1] + c_.padding[0];
      const std::int64_t h = row % c_.input[1] + c_.padding[1];
      float* const to = scratch.plane.data() + channel * plane + (d * padded_[1] + h) * padded_[2] + c_.padding[2];
      for (std::int64_t w = 0; w < c_.input[2]; ++w) to[w] = static_cast<float>(from[w] - xz);
    }
  }
}

// The windows of positions first..last, at most kLanes, side by side.
void LayerSums::lay_out(std::int64_t first, std::int64_t last, Scratch& scratch) const {
  scratch.in_a_row = true;
  for (std::int64_t p = 0; p < kLanes; ++p) {  // lanes beyond the end repeat the last position
    const std::int64_t at = std::min(first + p, last);
    const Spatial place{at / (out_[1] * out_[2]), at / out_[2] % out_[1], at % out_[2]};
    const auto lane = static_cast<std::size_t>(p);
    scratch.from[lane] =
        (place[0] * c_.stride[0] * padded_[1] + place[1] * c_.stride[1]) * padded_[2] + place[2] * c_.stride[2];
    // Those beyond the end may be anything: the plane is followed by kLanes more.
    scratch.in_a_row = scratch.in_a_row && (first + p > last || scratch.from[lane] == scratch.from[0] + p);
  }
  float* lanes = scratch.x.data();
  for (std::int64_t channel = 0; channel < channels_; ++channel) {
    for (std::int64_t tap = 0; tap < taps_; ++tap, lanes += kLanes) {
      const Spatial at{tap / (c_.kernel[1] * c_.kernel[2]), tap / c_.kernel[2] % c_.kernel[1], tap % c_.kernel[2]};
      const float* const base = scratch.plane.data() + channel * volume(padded_) +
                                (at[0] * c_.dilation[0] * padded_[1] + at[1] * c_.dilation[1]) * padded_[2] +
                                at[2] * c_.dilation[2];
      if (scratch.in_a_row) {
        std::copy_n(base + scratch.from[0], kLanes, lanes);
      } else {
        for (std::size_t p = 0; p < kLanes; ++p) lanes[p] = base[scratch.from[p]];
      }
    }
  }
}

void LayerSums::visit(int threads, const std::function<void(std::size_t, const SumLanes&)>& see) const {
  const std::array<Sum, kChannels> sums{best<1>(), best<2>(), best<3>(), best<4>()};
  const std::int64_t positions = volume(out_);
  // Steps end with a row where its windows lie side by side, and it is long enough to fill one.
  const bool by_rows = c_.stride[2] == 1 && out_[2] >= 3 * kLanes / 4 && padded_[2] != out_[2];
  const std::int64_t row = by_rows ? out_[2] : positions;
  const std::int64_t steps_of_row = (row + kLanes - 1) / kLanes;
  const std::int64_t steps = positions / std::max<std::int64_t>(row, 1) * steps_of_row;
  const std::int64_t blocks = (outputs_ + kChannels - 1) / kChannels;
  const auto scale = static_cast<float>(c_.activation_scale);
  in_parts(c_.batch * c_.groups * steps, threads, [&](std::size_t part, std::int64_t begin, std::int64_t end) {
    Scratch scratch;
    scratch.x.resize(static_cast<std::size_t>(length_ * kLanes));
    Block block;
    std::array<std::array<std::int32_t, kLanes>, kChannels> exact;
    SumLanes lanes;
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t image = item / steps;  // batch and group
      const std::int64_t line = item % steps / steps_of_row * row;
      const std::int64_t first = line + item % steps_of_row * kLanes;
      lanes.count = std::min(kLanes, line + row - first);
      if (item == begin || first == 0) pad(image, scratch);
      lay_out(first, first + lanes.count - 1, scratch);
      for (std::int64_t b = 0; b < blocks; ++b) {
        const std::int64_t count = std::min(kChannels, outputs_ - b * kChannels);
        const std::int64_t at = (image % c_.groups * blocks + b) * length_ * kChannels;
        for (auto& sum : block.rounded) sum.fill(0);
        for (auto& sum : exact) sum.fill(0);
        for (std::int64_t i = 0; i < length_; i += segment_) {
          sums[static_cast<std::size_t>(count - 1)](scratch.x.data() + i * kLanes, std::min(segment_, length_ - i),
                                                    steps_.data() + at + i * kChannels,
                                                    weights_.data() + at + i * kChannels, scale, block);
          for (std::size_t o = 0; o < static_cast<std::size_t>(count); ++o) {
            for (std::size_t p = 0; p < kLanes; ++p) {  // wraps where exact() is false
              exact[o][p] =
                  static_cast<std::int32_t>(std::int64_t{exact[o][p]} + static_cast<std::int32_t>(block.exact[o][p]));
            }
          }
        }
        for (std::int64_t o = 0; o < count; ++o) {
          lanes.k = image % c_.groups * outputs_ + b * kChannels + o;
          lanes.offset = (image / c_.groups * c_.out_channels + lanes.k) * positions + first;
          lanes.exact = exact[static_cast<std::size_t>(o)];
          lanes.rounded = block.rounded[static_cast<std::size_t>(o)];
          lanes.saturating = saturating(lanes.k, scratch);
          see(part, lanes);
        }
      }
    }
  });
}

}  // namespace tieout
