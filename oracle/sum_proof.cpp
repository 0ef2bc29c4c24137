#include "oracle/sum_proof.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "cases/random.h"

namespace tieout {
namespace {

constexpr std::int64_t kMostTaps = 343;  // 7x7x7

std::int64_t upward(std::int64_t count) { return (count + 7) / 8 * 8; }

// Longer windows than digits can have are nobody's.
VectorIsa isa_for(std::int64_t bytes, VectorIsa isa) {
  return isa == VectorIsa::avx512_vnni && bytes > kMostDigitBytes ? VectorIsa::avx512 : isa;
}

}  // namespace

SumProof::SumProof(const LayerView& layer, std::span<const ChannelBounds> bounds, std::uint64_t seed, VectorIsa isa)
    : layer_(layer),
      c_(*layer.spec),
      windows_(layer),
      lanes_(proof_lanes(isa_for(windows_.length(), isa))),
      channels_(c_.in_channels / c_.groups),
      outputs_(c_.out_channels / c_.groups),
      directly_(c_.groups > 1 && c_.in_channels == c_.groups && outputs_ == 1),
      everywhere_inside_(windows_.taps() == 1 && c_.padding == Spatial{}),
      run_taps_(c_.groups == 1 && c_.dilation[2] == 1 ? c_.kernel[2] : 1),
      run_length_(upward(run_taps_ * channels_)) {
  const std::int64_t length = windows_.length();
  padding_.assign(static_cast<std::size_t>(c_.in_channels), static_cast<std::uint8_t>(c_.activation_zero_point));
  if (directly_) {
    taps_.resize(static_cast<std::size_t>(length * c_.groups));
    shifts_.resize(static_cast<std::size_t>(c_.groups));
    for (std::int64_t k = 0; k < c_.groups; ++k) {
      std::int64_t sum = 0;
      for (std::int64_t t = 0; t < length; ++t) {
        const std::int64_t step = layer.weight[k * length + t] - weight_zero_point(c_, k);
        taps_[static_cast<std::size_t>(t * c_.groups + k)] = static_cast<std::int32_t>(step);
        sum += step;
      }
      shifts_[static_cast<std::size_t>(k)] = static_cast<std::int32_t>(-c_.activation_zero_point * sum);
    }
    return;
  }
  combine(bounds, seed);
}

void SumProof::combine(std::span<const ChannelBounds> bounds, std::uint64_t seed) {
  Random random(seed);
  for (std::int64_t k = 0; k < c_.out_channels; ++k) {
    const auto drawn = static_cast<std::int32_t>(random.next() >> 32U);
    random_.push_back(bounds[static_cast<std::size_t>(k)].tame ? drawn : 0);
  }
  const std::int64_t length = windows_.length(), taps = windows_.taps();
  combined_.resize(static_cast<std::size_t>(c_.groups * taps / run_taps_ * run_length_));
  std::uint64_t* to = combined_.data();
  std::vector<std::uint64_t> in_order(
      static_cast<std::size_t>(length));  // of the weights: channel, then kernel position
  for (std::int64_t g = 0; g < c_.groups; ++g) {
    std::fill(in_order.begin(), in_order.end(), 0);
    for (std::int64_t k = g * outputs_; k < (g + 1) * outputs_; ++k) {
      lanes_.add_weights(in_order.data(), layer_.weight + k * length, length,
                         static_cast<std::int32_t>(weight_zero_point(c_, k)), random_[static_cast<std::size_t>(k)]);
    }
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      std::uint64_t sum = 0;
      std::uint64_t* const of_tap = to + tap % run_taps_ * channels_;
      for (std::int64_t i = 0; i < channels_; ++i) {
        of_tap[i] = in_order[static_cast<std::size_t>(i * taps + tap)];
        sum += of_tap[i];
      }
      zero_points_.push_back(sum * static_cast<std::uint64_t>(c_.activation_zero_point));
      if (tap % run_taps_ == run_taps_ - 1) to += run_length_;
    }
  }
  lanes_.arrange(combined_.data(), static_cast<std::int64_t>(combined_.size()));
}

void SumProof::mend(std::int64_t first, std::int64_t count, std::int32_t* sums, std::vector<std::uint8_t>& room,
                    std::vector<OutputElement>& wrong) const {
  const Spatial out = output_size(c_);
  const bool one_row = everywhere_inside_ && c_.stride == Spatial{1, 1, 1};
  OutputPlace place(first, out);
  for (std::int64_t p = first; p < first + count;) {
    std::int32_t* const here = sums + (p - first) * c_.out_channels;
    const std::int64_t most = std::min(first + count - p, one_row ? count : out[2] - place.at[2]);
    const std::int64_t proven =
        directly_ ? prove_directly(place, p, most, here, wrong) : prove_randomly(place, p, most, here, room, wrong);
    p += proven;
    place = OutputPlace(p, out);
  }
}

// Of a row's positions, from one on whose kernel columns lie inside of the input: as many as have that, too.
std::int64_t SumProof::columns_inside(const OutputPlace& place, std::int64_t most) const {
  const std::int64_t last_column = place.at[2] * c_.stride[2] - c_.padding[2] + (c_.kernel[2] - 1) * c_.dilation[2];
  return std::min(most, (c_.input[2] - 1 - last_column) / c_.stride[2] + 1);
}

// As many positions of a row, at most `most`, as have the same kernel positions inside of the input; or one. How many those are.
std::int64_t SumProof::prove_directly(const OutputPlace& place, std::int64_t position, std::int64_t most,
                                      std::int32_t* sums, std::vector<OutputElement>& wrong) const {
  std::array<const std::uint8_t*, kMostTaps> taps;
  const std::int64_t count = windows_.taps();
  if (count > kMostTaps) {  // nobody's network
    for (std::int64_t k = 0; k < c_.groups; ++k) {
      const std::int32_t right = literal(place, k);
      if (sums[k] != right) wrong.push_back({position, k});
      sums[k] = right;
    }
    return 1;
  }
  bool inside = true;
  for (std::int64_t t = 0; t < count; ++t) {
    const std::uint8_t* const from = windows_.tap_at(place, 0, t);
    inside = inside && from != nullptr;
    taps[static_cast<std::size_t>(t)] = from == nullptr ? padding_.data() : from;
  }
  const std::int64_t positions = inside ? columns_inside(place, most) : 1;
  const DepthwiseRow row{.taps = taps.data(),
                         .tap_count = count,
                         .step = c_.stride[2] * c_.in_channels,
                         .positions = positions,
                         .count = c_.groups,
                         .w = taps_.data(),
                         .shift = shifts_.data(),
                         .sums = sums};
  std::int64_t at = 0;
  while ((at = lanes_.first_wrong(row, at)) < positions * c_.groups) {
    const OutputElement element{position + at / c_.groups, at % c_.groups};
    wrong.push_back(element);
    sums[at] = literal(OutputPlace(element.position, output_size(c_)), element.k);
    ++at;
  }
  return positions;
}

std::int64_t SumProof::prove_randomly(const OutputPlace& place, std::int64_t position, std::int64_t most,
                                      std::int32_t* sums, std::vector<std::uint8_t>& room,
                                      std::vector<OutputElement>& wrong) const {
  const std::int64_t taps = windows_.taps(), runs = taps / run_taps_;
  const std::int64_t left = place.at[2] * c_.stride[2] - c_.padding[2];
  const bool columns_inside_here = left >= 0 && left + (c_.kernel[2] - 1) * c_.dilation[2] < c_.input[2];
  std::vector<CombinedRun> at_work;
  at_work.reserve(static_cast<std::size_t>(taps));
  CombinedRow row{.run_length = run_taps_ * channels_, .step = c_.stride[2] * c_.in_channels, .positions = 1};
  if (columns_inside_here) row.positions = everywhere_inside_ ? most : columns_inside(place, most);
  // At the sides, kernel positions are runs by themselves; where the lanes cannot split a row's run, its bytes are put together.
  const bool split = !columns_inside_here && run_taps_ > 1;
  const bool put_together = split && channels_ % 8 != 0;
  if (split && !put_together) row.run_length = channels_;
  if (put_together) room.resize(static_cast<std::size_t>(taps * channels_));
  for (std::int64_t g = 0; g < c_.groups; ++g) {
    const std::uint64_t* const combined = combined_.data() + g * runs * run_length_;
    const std::uint64_t* const zero_points = zero_points_.data() + g * taps;
    at_work.clear();
    row.zero_point = 0;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::uint8_t* from = windows_.tap_at(place, g, tap);
      const std::int64_t within = tap % run_taps_;
      const std::uint64_t* const r = combined + tap / run_taps_ * run_length_ + within * channels_;
      if (put_together) {
        if (from == nullptr) from = padding_.data();
        std::memcpy(room.data() + tap * channels_, from, static_cast<std::size_t>(channels_));
        from = room.data() + tap * channels_;
      }
      if (from == nullptr) continue;  // the zero point: contributes nothing
      row.zero_point += zero_points[tap];
      if (within == 0 || (split && !put_together)) at_work.push_back({from, r});
    }
    row.runs = at_work.data();
    row.run_count = static_cast<std::int64_t>(at_work.size());
    prove_group(g, row, position, sums, wrong);
  }
  return row.positions;
}

void SumProof::prove_group(std::int64_t group, CombinedRow row, std::int64_t position, std::int32_t* sums,
                           std::vector<OutputElement>& wrong) const {
  const std::int64_t first = group * outputs_;
  row.random = random_.data() + first;
  row.outputs = outputs_;
  row.sums = sums + first;
  row.sums_step = c_.out_channels;
  for (std::int64_t p = 0; (p = lanes_.first_unproven(row, p)) < row.positions; ++p) {
    const OutputPlace place(position + p, output_size(c_));
    for (std::int64_t k = first; k < first + outputs_; ++k) {
      if (random_[static_cast<std::size_t>(k)] == 0) continue;
      const std::int32_t exact = literal(place, k);
      std::int32_t& sum = sums[p * c_.out_channels + k];
      if (sum != exact) wrong.push_back({position + p, k});
      sum = exact;
    }
  }
}

std::int32_t SumProof::literal(const OutputPlace& place, std::int64_t k) const {
  const std::int64_t taps = windows_.taps();
  const std::int8_t* const w = layer_.weight + k * channels_ * taps;
  const std::int64_t wz = weight_zero_point(c_, k);
  std::int64_t sum = 0;
  for (std::int64_t t = 0; t < taps; ++t) {
    const std::uint8_t* const x = windows_.tap_at(place, k / outputs_, t);
    if (x == nullptr) continue;  // the zero point: contributes nothing
    for (std::int64_t i = 0; i < channels_; ++i) sum += (x[i] - c_.activation_zero_point) * (w[i * taps + t] - wz);
  }
  return static_cast<std::int32_t>(sum);
}

}  // namespace tieout
