// Packs the weights and each channel's constants in the order in which the loops read them.

#include <immintrin.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "cases/layout.h"
#include "kernels/channel_scale.h"
#include "kernels/packed/conv_plan.h"

namespace tieout {
namespace {

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
        block_(plan.loops.block),
        of_block_step_(kStep * block_) {}

  void pack_panels() {
    std::size_t lines = 0;
    each_panel([&](auto, auto, std::int64_t blocks, auto) { lines += cache_lines(block_steps_of_panel(blocks)); });
    plan_.weights.reserve(lines);  // reserved, so that growing does not move megabytes
    each_panel([&](std::int64_t group, std::int64_t first, std::int64_t blocks, std::int64_t channels) {
      pack_panel(group, first, blocks, channels);
    });
  }

  void pack_depthwise(std::int64_t period, std::int64_t channels_of_period) {
    plan_.period = period;
    const auto quads = static_cast<std::int64_t>(plan_.run_offsets.size()) / kStep;
    std::int8_t* to = room_for(period * quads * 4, plan_.weights);
    for (std::int64_t turn = 0; turn < period; ++turn) {
      for (std::int64_t quad = 0; quad < quads; ++quad) {
        for (std::int64_t block = 0; block < 4; ++block, to += of_block_step_) {
          put_block_step(to, [&](std::int64_t lane, std::int64_t i) {
            const std::int64_t place = turn * 4 * block_ + channel_of_lane(4, block, lane);
            const std::int64_t tap = quad * kStep + i;
            if (place >= channels_of_period || tap >= length_) return std::int8_t{0};
            return ordered_[place % plan_.spec.out_channels * length_ + tap];
          });
        }
      }
      put_channels(4, [&](std::int64_t channel) {
        const std::int64_t place = turn * 4 * block_ + channel;
        return place < channels_of_period ? place % plan_.spec.out_channels : -1;
      });
    }
    if (!plan_.weight_zero_points) return;
    to = room_for(quads, plan_.ones);
    for (std::int64_t quad = 0; quad < quads; ++quad, to += of_block_step_) {
      put_block_step(to, [&](std::int64_t, std::int64_t i) {
        return quad * kStep + i < length_ ? std::int8_t{1} : std::int8_t{0};
      });
    }
  }

  void pack_depthwise_3x3() {
    const std::int64_t channels = plan_.spec.out_channels, size = 4 * block_ / plan_.pixels;
    const std::int64_t turns = (channels + size - 1) / size;
    const bool exact = plan_.arithmetic.products == Arithmetic::Products::exact;
    std::int8_t* to = room_for(turns * 3 * 4, plan_.weights);
    for (std::int64_t turn = 0; turn < turns; ++turn) {
      const std::int64_t first = std::min(turn * size, channels - size);
      for (std::int64_t third = 0; third < 3; ++third) {
        for (std::int64_t block = 0; block < 4; ++block, to += of_block_step_) {
          put_block_step(to, [&](std::int64_t lane, std::int64_t i) {
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
  // Calls use(group, first channel, blocks, channels that exist) for each panel.
  template <typename Use>
  void each_panel(const Use& use) const {
    for (std::int64_t group = 0; group < plan_.spec.groups; ++group) {
      const std::int64_t end = (group + 1) * plan_.group_outputs;
      for (std::int64_t first = group * plan_.group_outputs; first < end;) {
        const std::int64_t blocks = std::min<std::int64_t>(plan_.loops.blocks, (end - first + block_ - 1) / block_);
        const std::int64_t channels = std::min(end - first, blocks * block_);
        use(group, first, blocks, channels);
        first += channels;
      }
    }
  }

  [[nodiscard]] std::int64_t block_steps_of_panel(std::int64_t blocks) const {
    return static_cast<std::int64_t>(plan_.run_offsets.size()) * plan_.steps * blocks;
  }

  [[nodiscard]] std::size_t cache_lines(std::int64_t block_steps) const {
    return static_cast<std::size_t>((block_steps * of_block_step_ + 63) / 64);
  }

  // Appends memory for `block_steps` block steps and returns its start.
  std::int8_t* room_for(std::int64_t block_steps, std::vector<CacheLine>& lines) const {
    const std::size_t first = lines.size();
    lines.resize(first + cache_lines(block_steps));
    return lines.data()[first].bytes;
  }

  // Fills the weights of one block step. value(lane, i) returns the i-th of the step's four.
  template <typename Value>
  void put_block_step(std::int8_t* bytes, const Value& value) const {
    for (std::int64_t lane = 0; lane < block_; ++lane) {
      for (std::int64_t i = 0; i < kStep; ++i) bytes[lane * kStep + i] = value(lane, i);
    }
  }

  // Packs steps in which every lane has all four bytes, four steps and four lanes at a time.
  void put_whole_steps(std::int8_t* to, std::int64_t first, std::int64_t blocks, std::int64_t run,
                       std::int64_t steps) const {
    for (std::int64_t block = 0; block < blocks; ++block) {
      for (std::int64_t lane = 0; lane < block_; lane += 4) {
        const std::int8_t* rows[4];
        for (std::int64_t i = 0; i < 4; ++i) {
          const std::int64_t channel = first + channel_of_lane(blocks, block, lane + i);
          rows[i] = ordered_ + channel * length_ + run * plan_.run_bytes;
        }
        const auto put = [&](std::int64_t step, __m128i four_lanes) {
          std::int8_t* const at = to + (step * blocks + block) * of_block_step_ + lane * kStep;
          _mm_store_si128(reinterpret_cast<__m128i*>(at), four_lanes);
        };
        std::int64_t step = 0;
        for (; step + 4 <= steps; step += 4) {
          const auto row = [&](int i) {
            return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[i] + step * kStep));
          };
          const __m128i a = _mm_unpacklo_epi32(row(0), row(1)), b = _mm_unpackhi_epi32(row(0), row(1));
          const __m128i c = _mm_unpacklo_epi32(row(2), row(3)), d = _mm_unpackhi_epi32(row(2), row(3));
          put(step, _mm_unpacklo_epi64(a, c));
          put(step + 1, _mm_unpackhi_epi64(a, c));
          put(step + 2, _mm_unpacklo_epi64(b, d));
          put(step + 3, _mm_unpackhi_epi64(b, d));
        }
        for (; step < steps; ++step) {
          std::int32_t four[4];
          for (std::int64_t i = 0; i < 4; ++i) std::memcpy(four + i, rows[i] + step * kStep, sizeof four[i]);
          put(step, _mm_loadu_si128(reinterpret_cast<const __m128i*>(four)));
        }
      }
    }
  }

  // Appends the constants of `blocks` blocks. channel_at(place) returns the channel for a place in the order of the
  // channels, or -1 for an unused lane.
  template <typename ChannelAt>
  void put_channels(std::int64_t blocks, const ChannelAt& channel_at) {
    for (std::int64_t block = 0; block < blocks; ++block) {
      BlockNumbers& numbers = plan_.numbers.emplace_back();
      for (std::int64_t lane = 0; lane < block_; ++lane) {
        const std::int64_t k = channel_at(channel_of_lane(blocks, block, lane));
        const PackedChannel channel =
            k < 0 ? PackedChannel{} : packed_channel(plan_.spec, plan_.arithmetic, weight_, k);
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
                                 .first_line = static_cast<std::int64_t>(plan_.weights.size()),
                                 .first_block = static_cast<std::int64_t>(plan_.numbers.size())};
    placed.panel.blocks = static_cast<int>(blocks);
    placed.panel.channels = channels;
    std::int8_t* to = room_for(block_steps_of_panel(blocks), plan_.weights);
    for (std::int64_t run = 0; run < runs; ++run) {
      const std::int64_t whole = channels == blocks * block_ ? plan_.run_bytes / kStep : 0;
      put_whole_steps(to, first, blocks, run, whole);
      to += whole * blocks * of_block_step_;
      for (std::int64_t step = whole; step < plan_.steps; ++step) {
        for (std::int64_t block = 0; block < blocks; ++block, to += of_block_step_) {
          put_block_step(to, [&](std::int64_t lane, std::int64_t i) {
            const std::int64_t channel = channel_of_lane(blocks, block, lane);
            const std::int64_t at = step * kStep + i;
            if (channel >= channels || at >= plan_.run_bytes) return std::int8_t{0};
            return ordered_[(first + channel) * length_ + run * plan_.run_bytes + at];
          });
        }
      }
    }
    put_channels(blocks, [&](std::int64_t channel) { return channel < channels ? first + channel : -1; });
    if (!plan_.trimmed_areas.empty() && plan_.spec.activation_zero_point != 0) {
      put_sums_outside(first, blocks, channels);
    }
    plan_.panels.push_back(placed);
  }

  // Appends what each tap outside of the input contributes to the sum of each channel.
  void put_sums_outside(std::int64_t first, std::int64_t blocks, std::int64_t channels) {
    for (std::int64_t tap = 0; tap < volume(plan_.spec.kernel); ++tap) {
      for (std::int64_t lane = 0; lane < blocks * block_; ++lane) {
        const std::int64_t channel = channel_of_lane(blocks, lane / block_, lane % block_);
        const std::int64_t from = (first + channel) * length_ + tap * plan_.group_channels;
        plan_.sums_outside.push_back(channel < channels ? sum_outside(ordered_ + from) : 0);
      }
    }
  }

  // Returns the sum of one tap that reads only zero points. The tap has an even number of channels, so that neighbours
  // that saturate together belong to the same tap.
  [[nodiscard]] std::int32_t sum_outside(const std::int8_t* weights) const {
    const std::int64_t zero_point = plan_.spec.activation_zero_point;
    if (plan_.arithmetic.products == Arithmetic::Products::exact) {
      return static_cast<std::int32_t>(zero_point *
                                       sum_of_weights({weights, static_cast<std::size_t>(plan_.group_channels)}));
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
  const std::int8_t* ordered_;  // weights in the order of the reduction, K x length
  std::int64_t length_, block_, of_block_step_;
};

// Returns after how many registers of `bytes` bytes the weights repeat, where the stride is 1: a row of the output is
// one run of bytes, in which the channels repeat independently of the registers' ends.
std::int64_t period_of_rows(std::int64_t channels, std::int64_t bytes) { return channels / std::gcd(channels, bytes); }

}  // namespace

void pack_weights(ConvPlan& plan, std::span<const std::int8_t> weight) {
  Packer packer(plan, weight);
  if (plan.reduction == Reduction::dense) {
    packer.pack_panels();
    for (ConvPlan::PlacedPanel& placed : plan.panels) {
      placed.panel.weights = plan.weights[static_cast<std::size_t>(placed.first_line)].bytes;
      placed.panel.numbers = plan.numbers.data() + placed.first_block;
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
  const std::int64_t bytes = 4 * plan.loops.block;  // size of a register
  const std::int64_t period = period_of_rows(channels, bytes);
  // Weights that repeat after a long period would not stay in the cache.
  plan.runs_on = plan.spec.stride[2] == 1 && (period <= 16 || period * bytes <= 8 * channels);
  if (plan.runs_on) {
    packer.pack_depthwise(period, period * bytes);
  } else {
    packer.pack_depthwise((channels + bytes - 1) / bytes, channels);
  }
}

}  // namespace tieout
