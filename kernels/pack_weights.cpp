// Weights and the numbers of each channel in the order in which the loops read them.

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "cases/layout.h"
#include "kernels/channel_scale.h"
#include "kernels/conv_plan.h"

namespace tieout {
namespace {

// What a lane of the loops knows of its channel. One that only fills up a block is all zeros.
struct Channel {
  std::int32_t start = 0, weight_zero_point = 0;
  ChannelScale scale;
};

// Modulo 2^32, as is what it goes into.
std::int32_t sum_of(std::span<const std::int8_t> weights) {
  return static_cast<std::int32_t>(
      std::accumulate(weights.begin(), weights.end(), std::uint32_t{0},
                      [](auto sum, auto w) { return sum + static_cast<std::uint32_t>(w); }));
}

Channel channel_of(const ConvPlan& plan, std::span<const std::int8_t> weight, std::int64_t k) {
  const ConvCase& c = plan.spec;
  const std::int64_t length = reduction_length(c);
  const auto weights = weight.subspan(static_cast<std::size_t>(k * length), static_cast<std::size_t>(length));
  const std::int64_t xz = c.activation_zero_point;
  const std::int64_t wz = weight_zero_point(c, k);
  const std::int64_t sum = sum_of(weights);
  return {.start = static_cast<std::int32_t>(length * xz * wz - xz * sum),  // modulo 2^32
          .weight_zero_point = static_cast<std::int32_t>(wz),
          .scale = channel_scale(c, plan.arithmetic, k)};
}

class Packer {
 public:
  Packer(ConvPlan& plan, std::span<const std::int8_t> weight)
      : plan_(plan),
        weight_(weight),
        reordered_(volume(plan.spec.kernel) == 1 ? std::vector<std::int8_t>()
                                                 : transposed(weight.data(), plan.spec.out_channels,
                                                              plan.group_channels, volume(plan.spec.kernel))),
        ordered_(reordered_.empty() ? weight.data() : reordered_.data()),
        length_(reduction_length(plan.spec)),
        lines_of_block_step_(bytes_of_block_step(plan.loops.form) / 64) {}

  void pack_panels() {
    std::int64_t lines = 0;
    each_panel([&](std::int64_t, std::int64_t, std::int64_t blocks, std::int64_t) { lines += lines_of_panel(blocks); });
    plan_.weights.reserve(static_cast<std::size_t>(lines));  // megabytes, which are not to be moved as they grow
    each_panel([&](std::int64_t group, std::int64_t first, std::int64_t blocks, std::int64_t channels) {
      pack_panel(group, first, blocks, channels);
    });
  }

  void pack_depthwise(std::int64_t period, std::int64_t channels_of_period) {
    plan_.period = period;
    const auto quads = static_cast<std::int64_t>(plan_.run_offsets.size()) / kStep;
    plan_.weights.resize(static_cast<std::size_t>(period * quads * 4 * lines_of_block_step_));
    std::size_t line = 0;
    for (std::int64_t turn = 0; turn < period; ++turn) {
      for (std::int64_t quad = 0; quad < quads; ++quad) {
        for (std::int64_t block = 0; block < 4; ++block, line += static_cast<std::size_t>(lines_of_block_step_)) {
          put_block_step(line, [&](std::int64_t lane, std::int64_t i) {
            const std::int64_t place = turn * 64 + channel_of_lane(4, block, lane);
            const std::int64_t tap = quad * kStep + i;
            if (place >= channels_of_period || tap >= length_) return std::int8_t{0};
            return ordered_[place % plan_.spec.out_channels * length_ + tap];
          });
        }
      }
      put_channels(4, [&](std::int64_t channel) {
        const std::int64_t place = turn * 64 + channel;
        return place < channels_of_period ? place % plan_.spec.out_channels : -1;
      });
    }
    if (!plan_.weight_zero_points) return;
    plan_.ones.resize(static_cast<std::size_t>(quads * lines_of_block_step_));
    plan_.weights.swap(plan_.ones);
    for (std::int64_t quad = 0; quad < quads; ++quad) {
      put_block_step(static_cast<std::size_t>(quad * lines_of_block_step_), [&](std::int64_t, std::int64_t i) {
        return quad * kStep + i < length_ ? std::int8_t{1} : std::int8_t{0};
      });
    }
    plan_.weights.swap(plan_.ones);
  }

  void pack_depthwise_3x3() {
    const std::int64_t channels = plan_.spec.out_channels, size = kDepthwiseBytes / plan_.pixels;
    const std::int64_t turns = (channels + size - 1) / size;
    const bool exact = plan_.arithmetic.products == Arithmetic::Products::exact;
    plan_.weights.resize(static_cast<std::size_t>(turns * 3 * 4 * lines_of_block_step_));
    std::size_t line = 0;
    for (std::int64_t turn = 0; turn < turns; ++turn) {
      const std::int64_t first = std::min(turn * size, channels - size);
      for (std::int64_t third = 0; third < 3; ++third) {
        for (std::int64_t block = 0; block < 4; ++block, line += static_cast<std::size_t>(lines_of_block_step_)) {
          put_block_step(line, [&](std::int64_t lane, std::int64_t i) {
            const std::int64_t tap = exact ? i * 3 + third : third * 4 + i;
            if (tap >= 9) return std::int8_t{0};
            const std::int64_t channel = first + channel_of_lane(4, block, lane) % size;
            return ordered_[channel * length_ + tap];
          });
        }
      }
      put_channels(4, [&](std::int64_t place) { return first + place % size; });
    }
  }

 private:
  // use(group, first channel, blocks, channels that exist)
  template <typename Use>
  void each_panel(const Use& use) const {
    for (std::int64_t group = 0; group < plan_.spec.groups; ++group) {
      const std::int64_t end = (group + 1) * plan_.group_outputs;
      for (std::int64_t first = group * plan_.group_outputs; first < end;) {
        std::int64_t blocks = plan_.loops.blocks;
        while (blocks > 1 && (end - first + kBlock - 1) / kBlock < blocks) blocks /= 2;
        // Two thirds of two blocks are dearer than one block and a third one by itself, four with one empty are not.
        const std::int64_t channels = std::min(end - first, blocks * kBlock);
        use(group, first, blocks, channels);
        first += channels;
      }
    }
  }

  [[nodiscard]] std::int64_t lines_of_panel(std::int64_t blocks) const {
    return static_cast<std::int64_t>(plan_.run_offsets.size()) * plan_.steps * blocks * lines_of_block_step_;
  }

  // value(lane, i): the i-th of a step's four. To plan_.weights from `line` on.
  template <typename Value>
  void put_block_step(std::size_t line, const Value& value) {
    std::int8_t* const bytes = plan_.weights[line].bytes;
    for (std::int64_t lane = 0; lane < kBlock; ++lane) {
      for (std::int64_t i = 0; i < kStep; ++i) {
        const std::int8_t w = value(lane, i);
        if (plan_.loops.form == WeightForm::bytes) {
          bytes[lane * 4 + i] = w;
        } else {
          // The first and third of the step in the first line, the others in the second; int16, the low byte first.
          std::int8_t* const half = plan_.weights[line + static_cast<std::size_t>(i % 2)].bytes + lane * 4 + i / 2 * 2;
          half[0] = w;
          half[1] = static_cast<std::int8_t>(w < 0 ? -1 : 0);
        }
      }
    }
  }

  // Steps of which every lane has all four bytes, four steps and four lanes at a time.
  void put_whole_steps(std::size_t line, std::int64_t first, std::int64_t blocks, std::int64_t run,
                       std::int64_t steps) {
    for (std::int64_t block = 0; block < blocks; ++block) {
      for (std::int64_t lane = 0; lane < kBlock; lane += 4) {
        const std::int8_t* rows[4];
        for (std::int64_t i = 0; i < 4; ++i) {
          const std::int64_t channel = first + channel_of_lane(blocks, block, lane + i);
          rows[i] = ordered_ + channel * length_ + run * plan_.run_bytes;
        }
        const auto line_of = [&](std::int64_t step) {
          return &plan_.weights[line + static_cast<std::size_t>((step * blocks + block) * lines_of_block_step_)];
        };
        std::int64_t step = 0;
        for (; step + 4 <= steps; step += 4) {
          const auto row = [&](int i) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i] + step * kStep));
          };
          const __m128i a = _mm_unpacklo_epi32(row(0), row(1)), b = _mm_unpackhi_epi32(row(0), row(1));
          const __m128i c = _mm_unpacklo_epi32(row(2), row(3)), d = _mm_unpackhi_epi32(row(2), row(3));
          put_four_lanes(line_of(step), lane, _mm_unpacklo_epi64(a, c));
          put_four_lanes(line_of(step + 1), lane, _mm_unpackhi_epi64(a, c));
          put_four_lanes(line_of(step + 2), lane, _mm_unpacklo_epi64(b, d));
          put_four_lanes(line_of(step + 3), lane, _mm_unpackhi_epi64(b, d));
        }
        for (; step < steps; ++step) {
          std::int32_t four[4];
          for (std::int64_t i = 0; i < 4; ++i) std::memcpy(four + i, rows[i] + step * kStep, sizeof four[i]);
          put_four_lanes(line_of(step), lane, _mm_loadu_si128(reinterpret_cast<const __m128i*>(four)));
        }
      }
    }
  }

  // A step of four lanes, four bytes each; see WeightForm.
  void put_four_lanes(CacheLine* to, std::int64_t lane, __m128i bytes) const {
    const auto put = [&](CacheLine& line, __m128i lanes) {
      _mm_store_si128(reinterpret_cast<__m128i*>(line.bytes + lane * 4), lanes);
    };
    if (plan_.loops.form == WeightForm::bytes) {
      put(to[0], bytes);
      return;
    }
    put(to[0], _mm_srai_epi16(_mm_slli_epi16(bytes, 8), 8));
    put(to[1], _mm_srai_epi16(bytes, 8));
  }

  // channel_at(place): of a panel's lanes in order; -1: a lane that only fills up.
  template <typename ChannelAt>
  void put_channels(std::int64_t blocks, const ChannelAt& channel_at) {
    for (std::int64_t block = 0; block < blocks; ++block) {
      BlockNumbers& numbers = plan_.numbers.emplace_back();
      for (std::int64_t lane = 0; lane < kBlock; ++lane) {
        const std::int64_t k = channel_at(channel_of_lane(blocks, block, lane));
        const Channel channel = k < 0 ? Channel{} : channel_of(plan_, weight_, k);
        numbers.start[lane] = channel.start;
        numbers.weight_zero_point[lane] = channel.weight_zero_point;
        numbers.bias[lane] = channel.scale.bias;
        numbers.reciprocal[lane] = channel.scale.reciprocal;
        numbers.multiplier[lane] = channel.scale.multiplier;
      }
    }
  }

  void pack_panel(std::int64_t group, std::int64_t first, std::int64_t blocks, std::int64_t channels) {
    const auto runs = static_cast<std::int64_t>(plan_.run_offsets.size());
    ConvPlan::PlacedPanel placed{.group = group,
                                 .first_channel = first,
                                 .lines = static_cast<std::int64_t>(plan_.weights.size()),
                                 .blocks = static_cast<std::int64_t>(plan_.numbers.size())};
    placed.panel.blocks = static_cast<int>(blocks);
    placed.panel.channels = channels;
    auto line = plan_.weights.size();
    plan_.weights.resize(line + static_cast<std::size_t>(lines_of_panel(blocks)));
    for (std::int64_t run = 0; run < runs; ++run) {
      const std::int64_t whole = channels == blocks * kBlock ? plan_.run_bytes / kStep : 0;
      put_whole_steps(line, first, blocks, run, whole);
      line += static_cast<std::size_t>(whole * blocks * lines_of_block_step_);
      for (std::int64_t step = whole; step < plan_.steps; ++step) {
        for (std::int64_t block = 0; block < blocks; ++block, line += static_cast<std::size_t>(lines_of_block_step_)) {
          put_block_step(line, [&](std::int64_t lane, std::int64_t i) {
            const std::int64_t channel = channel_of_lane(blocks, block, lane);
            const std::int64_t at = step * kStep + i;
            if (channel >= channels || at >= plan_.run_bytes) return std::int8_t{0};
            return ordered_[(first + channel) * length_ + run * plan_.run_bytes + at];
          });
        }
      }
    }
    put_channels(blocks, [&](std::int64_t channel) { return channel < channels ? first + channel : -1; });
    if (!plan_.trimmed_areas.empty()) sum_outside(first, blocks, channels);
    plan_.panels.push_back(placed);
  }

  // Of each tap and channel, with nothing but zero points.
  void sum_outside(std::int64_t first, std::int64_t blocks, std::int64_t channels) {
    for (std::int64_t tap = 0; tap < volume(plan_.spec.kernel); ++tap) {
      for (std::int64_t lane = 0; lane < blocks * kBlock; ++lane) {
        const std::int64_t channel = channel_of_lane(blocks, lane / kBlock, lane % kBlock);
        const std::int64_t from = (first + channel) * length_ + tap * plan_.group_channels;
        plan_.sums_outside.push_back(channel < channels ? sum_outside(ordered_ + from) : 0);
      }
    }
  }

  // Of a tap, whose channels are an even number: neighbours that saturate never belong to two.
  [[nodiscard]] std::int32_t sum_outside(const std::int8_t* weights) const {
    const std::int64_t zero_point = plan_.spec.activation_zero_point;
    if (zero_point == 0) return 0;
    if (plan_.arithmetic.products == Arithmetic::Products::exact) {
      return static_cast<std::int32_t>(zero_point * sum_of({weights, static_cast<std::size_t>(plan_.group_channels)}));
    }
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < plan_.group_channels; i += 2) {
      sum += std::clamp<std::int64_t>(zero_point * (weights[i] + weights[i + 1]), -32768, 32767);
    }
    return static_cast<std::int32_t>(sum);  // modulo 2^32
  }

  ConvPlan& plan_;
  std::span<const std::int8_t> weight_;
  std::vector<std::int8_t> reordered_;
  const std::int8_t* ordered_;  // in the order of the reduction, K x length
  std::int64_t length_, lines_of_block_step_;
};

// Where the stride is 1, a row of the output is one run of bytes, and channels repeat in it: a register then never ends with
// the last channel, but after how many of them do the weights repeat?
std::int64_t period_of_rows(const ConvCase& c) { return c.out_channels / std::gcd<std::int64_t>(c.out_channels, 64); }

}  // namespace

void pack_weights(ConvPlan& plan, std::span<const std::int8_t> weight) {
  Packer packer(plan, weight);
  if (plan.reduction == Reduction::dense) {
    packer.pack_panels();
    for (ConvPlan::PlacedPanel& placed : plan.panels) {
      placed.panel.weights = plan.weights[static_cast<std::size_t>(placed.lines)].bytes;
      placed.panel.numbers = plan.numbers.data() + placed.blocks;
    }
    return;
  }
  if (plan.reduction == Reduction::depthwise_3x3) {
    packer.pack_depthwise_3x3();
    const auto zero_point = static_cast<std::int8_t>(plan.spec.activation_zero_point);
    plan.outside.resize(static_cast<std::size_t>(plan.line_bytes / 64 + 1));
    for (CacheLine& line : plan.outside) std::fill(std::begin(line.bytes), std::end(line.bytes), zero_point);
    return;
  }
  while (plan.run_offsets.size() % kStep != 0) plan.run_offsets.push_back(plan.run_offsets.front());
  const std::int64_t channels = plan.spec.out_channels;
  const std::int64_t period = period_of_rows(plan.spec);
  // Weights that repeat late would not stay in the cache.
  if (plan.spec.stride[2] == 1 && (period <= 16 || period * 64 <= 8 * channels)) {
    plan.one_row = ConvPlan::OneRow::yes;
    packer.pack_depthwise(period, period * 64);
  } else {
    packer.pack_depthwise((channels + 63) / 64, channels);
  }
}

}  // namespace tieout
