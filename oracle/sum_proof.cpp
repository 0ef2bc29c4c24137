#include "oracle/sum_proof.h"

#include <array>

#include "cases/random.h"

namespace tieout {

SumProof::SumProof(const LayerView& layer, std::span<const ChannelBounds> bounds, std::uint64_t seed, VectorIsa isa)
    : layer_(layer),
      c_(*layer.spec),
      windows_(layer),
      lanes_(proof_lanes(isa)),
      outputs_(c_.out_channels / c_.groups),
      directly_(c_.groups > 1 && c_.in_channels == c_.groups && outputs_ == 1) {
  const std::int64_t length = windows_.length();
  if (directly_) {
    taps_.resize(static_cast<std::size_t>(length * c_.groups));
    shifts_.resize(static_cast<std::size_t>(c_.groups));
    padding_.assign(static_cast<std::size_t>(c_.groups), static_cast<std::uint8_t>(c_.activation_zero_point));
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
  Random random(seed);
  for (std::int64_t k = 0; k < c_.out_channels; ++k) {
    const auto drawn = static_cast<std::int32_t>(random.next() >> 32U);
    random_.push_back(bounds[static_cast<std::size_t>(k)].tame ? drawn : 0);
  }
  const std::int64_t channels = c_.in_channels / c_.groups, taps = windows_.taps();
  std::vector<std::uint64_t> in_order(
      static_cast<std::size_t>(length));  // of the weights: channel, then kernel position
  for (std::int64_t g = 0; g < c_.groups; ++g) {
    std::fill(in_order.begin(), in_order.end(), 0);
    for (std::int64_t k = g * outputs_; k < (g + 1) * outputs_; ++k) {
      lanes_.add_weights(in_order.data(), layer.weight + k * length, length,
                         static_cast<std::int32_t>(weight_zero_point(c_, k)), random_[static_cast<std::size_t>(k)]);
    }
    std::uint64_t sum = 0;
    for (std::int64_t i = 0; i < length; ++i) {
      combined_.push_back(in_order[static_cast<std::size_t>(i % channels * taps + i / channels)]);
      sum += combined_.back();
    }
    zero_points_.push_back(sum * static_cast<std::uint64_t>(c_.activation_zero_point));
  }
}

void SumProof::mend(std::int64_t first, std::int64_t count, std::int32_t* sums, std::vector<std::uint8_t>& room,
                    std::vector<OutputElement>& wrong) const {
  const Spatial out = output_size(c_);
  OutputPlace place(first, out);
  for (std::int64_t p = first; p < first + count;) {
    std::int32_t* const here = sums + (p - first) * c_.out_channels;
    std::int64_t proven = 1;
    if (directly_) {
      proven = prove_directly(place, p, std::min(first + count - p, out[2] - place.at[2]), here, wrong);
    } else {
      prove_randomly(place, p, here, room, wrong);
    }
    for (p += proven; proven > 0; --proven) place.advance(out);
  }
}

// As many positions of a row, at most `most`, as have the same kernel positions inside of the input; or one. How many those are.
std::int64_t SumProof::prove_directly(const OutputPlace& place, std::int64_t position, std::int64_t most,
                                      std::int32_t* sums, std::vector<OutputElement>& wrong) const {
  constexpr std::int64_t kMostTaps = 343;  // 7x7x7
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
  std::int64_t positions = 1;
  if (inside) {  // until the last kernel column leaves the input
    const std::int64_t last_column = place.at[2] * c_.stride[2] - c_.padding[2] + (c_.kernel[2] - 1) * c_.dilation[2];
    positions = std::min(most, (c_.input[2] - 1 - last_column) / c_.stride[2] + 1);
  }
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

void SumProof::prove_randomly(const OutputPlace& place, std::int64_t position, std::int32_t* sums,
                              std::vector<std::uint8_t>& room, std::vector<OutputElement>& wrong) const {
  const std::int64_t length = windows_.length();
  for (std::int64_t g = 0; g < c_.groups; ++g) {
    const CombinedChannel channel{.combined = combined_.data() + g * length,
                                  .length = length,
                                  .zero_point = zero_points_[static_cast<std::size_t>(g)],
                                  .random = random_.data() + g * outputs_,
                                  .outputs = outputs_};
    if (lanes_.combined_error(channel, windows_.at(place, g, room), sums + g * outputs_) == 0) continue;
    for (std::int64_t k = g * outputs_; k < (g + 1) * outputs_; ++k) {
      if (random_[static_cast<std::size_t>(k)] == 0) continue;
      const std::int32_t exact = literal(place, k);
      if (sums[k] != exact) wrong.push_back({position, k});
      sums[k] = exact;
    }
  }
}

std::int32_t SumProof::literal(const OutputPlace& place, std::int64_t k) const {
  const std::int64_t channels = c_.in_channels / c_.groups, taps = windows_.taps();
  const std::int8_t* const w = layer_.weight + k * channels * taps;
  const std::int64_t wz = weight_zero_point(c_, k);
  std::int64_t sum = 0;
  for (std::int64_t t = 0; t < taps; ++t) {
    const std::uint8_t* const x = windows_.tap_at(place, k / outputs_, t);
    if (x == nullptr) continue;  // the zero point: contributes nothing
    for (std::int64_t i = 0; i < channels; ++i) sum += (x[i] - c_.activation_zero_point) * (w[i * taps + t] - wz);
  }
  return static_cast<std::int32_t>(sum);
}

}  // namespace tieout
