#include "layers/sum_check.h"

#include <algorithm>
#include <cstring>

#include "cases/case_predicates.h"
#include "cases/random.h"

namespace tieout {
namespace {

std::int64_t whole_digits(std::int64_t count) { return (count + 7) / 8 * 8; }

}  // namespace

SumCheck::SumCheck(const LayerView& layer, std::span<const ChannelBounds> bounds, std::uint64_t seed, SimdIsa isa)
    : layer_(layer),
      c_(*layer.spec),
      windows_(layer),
      lanes_(layer_loops(isa)),
      channels_(c_.in_channels / c_.groups),
      outputs_(c_.out_channels / c_.groups),
      directly_(is_depthwise(c_)),
      run_taps_(c_.groups == 1 && c_.dilation[2] == 1 ? c_.kernel[2] : 1),
      run_length_(whole_digits(run_taps_ * channels_)) {
  const std::int64_t length = windows_.length();
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
    packed_ = lanes_.pack_taps(taps_.data(), length, c_.groups);
    return;
  }
  combine(bounds, seed);
}

void SumCheck::combine(std::span<const ChannelBounds> bounds, std::uint64_t seed) {
  Random random(seed);
  for (std::int64_t k = 0; k < c_.out_channels; ++k) {
    const auto drawn = static_cast<std::int32_t>(random.next() >> 32U);
    random_.push_back(bounds[static_cast<std::size_t>(k)].bounds_hold ? drawn : 0);
  }
  const std::int64_t length = windows_.length(), taps = windows_.taps();
  combined_.resize(static_cast<std::size_t>(c_.groups * taps / run_taps_ * run_length_));
  std::uint64_t* to = combined_.data();
  // In the order of the weights: channel, then kernel position.
  std::vector<std::uint64_t> in_order(static_cast<std::size_t>(length));
  for (std::int64_t g = 0; g < c_.groups; ++g) {
    std::fill(in_order.begin(), in_order.end(), 0);
    for (std::int64_t k = g * outputs_; k < (g + 1) * outputs_; ++k) {
      lanes_.add_weights(in_order.data(), layer_.weight + k * length, length,
                         static_cast<std::int32_t>(weight_zero_point(c_, k)), random_[static_cast<std::size_t>(k)]);
    }
    std::uint64_t sum = 0;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      std::uint64_t* const of_tap = to + tap % run_taps_ * channels_;
      for (std::int64_t i = 0; i < channels_; ++i) {
        of_tap[i] = in_order[static_cast<std::size_t>(i * taps + tap)];
        sum += of_tap[i];
      }
      if (tap % run_taps_ == run_taps_ - 1) to += run_length_;
    }
    zero_points_.push_back(sum * static_cast<std::uint64_t>(c_.activation_zero_point));
  }
  lanes_.arrange(combined_.data(), static_cast<std::int64_t>(combined_.size()));
}

void SumCheck::correct(std::int64_t first, std::int64_t count, std::int32_t* sums, Room& room,
                       std::vector<OutputElement>& wrong) const {
  const Spatial out = output_size(c_);
  const std::int64_t plane = out[1] * out[2];
  while (count > 0) {
    const OutputPlace place(first, out);
    Piece piece{.first = first,
                .count = std::min(count, plane - first % plane),
                .image = place.image,
                .at = place.at,
                .sums = sums};
    if (locate(piece, room)) {
      prove(piece, room, wrong);
    } else {
      prove_one_by_one(piece, room, wrong);
    }
    first += piece.count;
    sums += piece.count * c_.out_channels;
    count -= piece.count;
  }
}

// Copying the lines together with their padding is much cheaper than treating the windows at the edges separately.
bool SumCheck::locate(Piece& piece, Room& room) const {
  const auto from = [&](std::size_t d) { return piece.at[d] * c_.stride[d] - c_.padding[d]; };
  const std::int64_t line = c_.input[2] * c_.in_channels;
  const auto line_at = [&](std::int64_t z, std::int64_t y) {
    return layer_.activation + ((piece.image * c_.input[0] + z) * c_.input[1] + y) * line;
  };
  if (c_.padding == Spatial{}) {
    piece.line = line;
    piece.plane = c_.dilation[0] * c_.input[1] * line;
    piece.lines = line_at(from(0), from(1));
    return true;
  }
  constexpr std::int64_t kLargestCopy = std::int64_t{1} << 24;
  const std::int64_t columns = output_size(c_)[2], rows = (piece.at[2] + piece.count + columns - 1) / columns;
  const std::int64_t side = c_.padding[2] * c_.in_channels;
  const std::int64_t height = (rows - 1) * c_.stride[1] + (c_.kernel[1] - 1) * c_.dilation[1] + 1;
  piece.line = line + 2 * side;
  if (piece.line > kLargestCopy || height > kLargestCopy / (c_.kernel[0] * piece.line)) return false;
  piece.plane = height * piece.line;
  room.padded.resize(static_cast<std::size_t>(c_.kernel[0] * piece.plane));
  std::uint8_t* to = room.padded.data();
  const auto fill = [&](std::int64_t count) {
    std::memset(to, static_cast<int>(c_.activation_zero_point), static_cast<std::size_t>(count));
    to += count;
  };
  for (std::int64_t kd = 0; kd < c_.kernel[0]; ++kd) {
    const std::int64_t z = from(0) + kd * c_.dilation[0];
    for (std::int64_t y = from(1); y < from(1) + height; ++y) {
      if (z < 0 || z >= c_.input[0] || y < 0 || y >= c_.input[1]) {
        fill(piece.line);
        continue;
      }
      fill(side);
      std::memcpy(to, line_at(z, y), static_cast<std::size_t>(line));
      to += line;
      fill(side);
    }
  }
  piece.lines = room.padded.data();
  return true;
}

void SumCheck::prove(const Piece& piece, Room& room, std::vector<OutputElement>& wrong) const {
  const Spatial out = output_size(c_);
  const std::int64_t taps = windows_.taps();
  // A 1x1 convolution without stride is one single row.
  const bool one_row = taps == 1 && c_.padding == Spatial{} && c_.stride == Spatial{1, 1, 1};
  room.taps.resize(static_cast<std::size_t>(taps));
  std::int64_t h = 0, w = piece.at[2];
  for (std::int64_t done = 0; done < piece.count;) {
    const std::int64_t count = std::min(piece.count - done, one_row ? piece.count : out[2] - w);
    const std::uint8_t* const window = piece.lines + h * c_.stride[1] * piece.line + w * c_.stride[2] * c_.in_channels;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const Spatial& step = windows_.step(tap);
      room.taps[static_cast<std::size_t>(tap)] =
          window + tap / (c_.kernel[1] * c_.kernel[2]) * piece.plane + step[1] * piece.line + step[2] * c_.in_channels;
    }
    prove_row(piece.first + done, count, piece.sums + done * c_.out_channels, room, wrong);
    done += count;
    ++h;
    w = 0;
  }
}

// Checks each window separately, for taps that are so far apart that the lines between them would be megabytes.
void SumCheck::prove_one_by_one(const Piece& piece, Room& room, std::vector<OutputElement>& wrong) const {
  const Spatial out = output_size(c_);
  const auto pixel = static_cast<std::size_t>(c_.in_channels);
  room.taps.resize(static_cast<std::size_t>(windows_.taps()));
  OutputPlace place(piece.first, out);
  for (std::int64_t i = 0; i < piece.count; ++i, place.advance(out)) {
    room.padded.assign(room.taps.size() * pixel, static_cast<std::uint8_t>(c_.activation_zero_point));
    for (std::size_t tap = 0; tap < room.taps.size(); ++tap) {
      std::uint8_t* const to = room.padded.data() + tap * pixel;
      const std::uint8_t* const from = windows_.tap_at(place, 0, static_cast<std::int64_t>(tap));
      if (from != nullptr) std::memcpy(to, from, pixel);
      room.taps[tap] = to;
    }
    prove_row(piece.first + i, 1, piece.sums + i * c_.out_channels, room, wrong);
  }
}

void SumCheck::prove_row(std::int64_t position, std::int64_t count, std::int32_t* sums, Room& room,
                         std::vector<OutputElement>& wrong) const {
  if (directly_) {
    prove_directly(position, count, sums, room, wrong);
  } else {
    prove_randomly(position, count, sums, room, wrong);
  }
}

void SumCheck::prove_directly(std::int64_t position, std::int64_t count, std::int32_t* sums, const Room& room,
                              std::vector<OutputElement>& wrong) const {
  const DepthwiseSumRow row{.taps = room.taps.data(),
                            .tap_count = windows_.taps(),
                            .step = c_.stride[2] * c_.in_channels,
                            .positions = count,
                            .count = c_.groups,
                            .w = taps_.data(),
                            .shift = shifts_.data(),
                            .sums = sums,
                            .packed = packed_.empty() ? nullptr : packed_.data()};
  for (std::int64_t at = 0; (at = lanes_.first_wrong(row, at)) < count * c_.groups; ++at) {
    const OutputElement element{position + at / c_.groups, at % c_.groups};
    wrong.push_back(element);
    sums[at] = literal(element.position, element.k);
  }
}

void SumCheck::prove_randomly(std::int64_t position, std::int64_t count, std::int32_t* sums, Room& room,
                              std::vector<OutputElement>& wrong) const {
  const std::int64_t runs = windows_.taps() / run_taps_;
  for (std::int64_t g = 0; g < c_.groups; ++g) {
    room.runs.clear();
    for (std::int64_t run = 0; run < runs; ++run) {
      room.runs.push_back({room.taps[static_cast<std::size_t>(run * run_taps_)] + g * channels_,
                           combined_.data() + (g * runs + run) * run_length_});
    }
    const CombinedRow row{.runs = room.runs.data(),
                          .run_count = runs,
                          .run_length = run_taps_ * channels_,
                          .step = c_.stride[2] * c_.in_channels,
                          .positions = count,
                          .zero_point = zero_points_[static_cast<std::size_t>(g)],
                          .random = random_.data() + g * outputs_,
                          .outputs = outputs_,
                          .sums = sums + g * outputs_,
                          .sums_step = c_.out_channels};
    for (std::int64_t p = 0; (p = lanes_.first_unproven(row, p)) < count; ++p) {
      for (std::int64_t k = g * outputs_; k < (g + 1) * outputs_; ++k) {
        if (random_[static_cast<std::size_t>(k)] == 0) continue;
        const std::int32_t exact = literal(position + p, k);
        std::int32_t& sum = sums[p * c_.out_channels + k];
        if (sum != exact) wrong.push_back({position + p, k});
        sum = exact;
      }
    }
  }
}

std::int32_t SumCheck::literal(std::int64_t position, std::int64_t k) const {
  const OutputPlace place(position, output_size(c_));
  const std::int64_t taps = windows_.taps();
  const std::int8_t* const w = layer_.weight + k * channels_ * taps;
  const std::int64_t wz = weight_zero_point(c_, k);
  std::int64_t sum = 0;
  for (std::int64_t t = 0; t < taps; ++t) {
    const std::uint8_t* const x = windows_.tap_at(place, k / outputs_, t);
    if (x == nullptr) continue;  // padding is the zero point and contributes nothing
    for (std::int64_t i = 0; i < channels_; ++i) sum += (x[i] - c_.activation_zero_point) * (w[i * taps + t] - wz);
  }
  return static_cast<std::int32_t>(sum);
}

}  // namespace tieout
