#include "layers/saturating_pairs.h"

#include <immintrin.h>

#include <algorithm>

namespace tieout {
namespace {

// Copies the weights of channel k in the order in which neighbours form pairs.
void in_pairing_order(const ConvCase& c, const std::int8_t* weight, std::int64_t k, std::vector<std::int8_t>& to) {
  const std::int64_t channels = c.in_channels / c.groups, taps = volume(c.kernel);
  const std::int8_t* const w = weight + k * channels * taps;
  to.resize(static_cast<std::size_t>(channels * taps));
  std::int8_t* out = to.data();
  for (std::int64_t t = 0; t < taps; ++t) {
    for (std::int64_t i = 0; i < channels; ++i) *out++ = w[i * taps + t];
  }
}

std::int64_t begin_of(PairsFrom from) { return from == PairsFrom::even ? 0 : 1; }

[[gnu::always_inline]] inline PairExtremes extremes_by(const std::int8_t* __restrict w,
                                                       const std::int8_t* __restrict first, std::int64_t count,
                                                       std::int64_t distance) {
  constexpr std::int16_t kNone = 0;
  std::int16_t lowest = 0, highest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int16_t a = static_cast<std::int8_t>(w[i] & first[i]),
                       b = static_cast<std::int8_t>(w[i + distance] & first[i]);
    const auto low = static_cast<std::int16_t>(std::min(a, kNone) + std::min(b, kNone));
    const auto high = static_cast<std::int16_t>(std::max(a, kNone) + std::max(b, kNone));
    lowest = std::min(lowest, low);
    highest = std::max(highest, high);
  }
  return {lowest, highest};
}

using Extremes = PairExtremes (*)(const std::int8_t* w, const std::int8_t* first, std::int64_t count,
                                  std::int64_t distance);

PairExtremes extremes_portable(const std::int8_t* w, const std::int8_t* first, std::int64_t count,
                               std::int64_t distance) {
  return extremes_by(w, first, count, distance);
}

[[TIEOUT_AVX2]] PairExtremes extremes_avx2(const std::int8_t* w, const std::int8_t* first, std::int64_t count,
                                           std::int64_t distance) {
  return extremes_by(w, first, count, distance);
}

}  // namespace

// True for an odd number of channels at several kernel positions.
bool has_odd_pairs(const ConvCase& c) {
  const std::int64_t channels = c.in_channels / c.groups;
  return volume(c.kernel) > 1 && channels > 1 && channels % 2 != 0;
}

std::vector<PairExtremes> pair_extremes(const ConvCase& c, const std::int8_t* weight, SimdIsa isa, PairsFrom from) {
  const Extremes extremes = isa == SimdIsa::portable ? extremes_portable : extremes_avx2;
  const std::int64_t length = reduction_length(c);
  const bool reordered = has_odd_pairs(c) || from == PairsFrom::odd;  // there are pairs across kernel positions
  // Neighbours are w[i] and w[i + distance], for those i at which `first` has all bits set.
  const std::int64_t distance = reordered || c.in_channels == c.groups ? 1 : volume(c.kernel);
  std::vector<std::int8_t> first;
  for (std::int64_t i = 0; i + distance < length; ++i) first.push_back(i / distance % 2 == begin_of(from) ? -1 : 0);
  std::vector<PairExtremes> all;
  std::vector<std::int8_t> ordered;
  for (std::int64_t k = 0; k < c.out_channels; ++k) {
    if (reordered) in_pairing_order(c, weight, k, ordered);
    const std::int8_t* const w = reordered ? ordered.data() : weight + k * length;
    const PairExtremes pairs = extremes(w, first.data(), std::ssize(first), distance);
    const int alone = (length - begin_of(from)) % 2 == 0 ? 0 : w[length - 1];  // the last of an odd number
    all.push_back({std::min(pairs.lowest, alone), std::max(pairs.highest, alone)});
  }
  return all;
}

PairExtremes widest(const std::vector<PairExtremes>& channels) {
  PairExtremes all;
  for (const PairExtremes& channel : channels) {
    all = {std::min(all.lowest, channel.lowest), std::max(all.highest, channel.highest)};
  }
  return all;
}

SaturatingPairs::SaturatingPairs(const LayerView& layer, const ActivationRange& range,
                                 const std::vector<PairExtremes>& extremes, SimdIsa isa, PairsFrom from)
    : layer_(layer),
      c_(*layer.spec),
      windows_(layer),
      channels_(c_.in_channels / c_.groups),
      outputs_(c_.out_channels / c_.groups),
      from_(begin_of(from)),
      limits_(static_cast<std::size_t>(windows_.taps() * c_.in_channels), 255),
      padding_(static_cast<std::size_t>(c_.in_channels), static_cast<std::uint8_t>(c_.activation_zero_point)) {
  pairs_.resize(static_cast<std::size_t>(c_.groups * ((windows_.length() + 1) / 2)));
  for (std::int64_t k = 0; k < c_.out_channels; ++k) {
    if (extremes[static_cast<std::size_t>(k)].leave_int16(range.highest)) add_pairs(k, range.highest);
  }
  find_pixels(isa);
}

// Activations that are large enough are rare, and are searched once and not once for each window.
void SaturatingPairs::find_pixels(SimdIsa isa) {
  const LayerLoops lanes = layer_loops(isa);
  const std::int64_t channels = c_.in_channels, pixels = c_.batch * volume(c_.input);
  constexpr std::int64_t kAtOnce = 4096;  // bytes
  const std::int64_t some = std::max<std::int64_t>(1, kAtOnce / channels);
  // the minimum over all kernel positions
  std::vector<std::uint8_t> lowest(static_cast<std::size_t>(some * channels), 255);
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    std::uint8_t& limit = lowest[i % static_cast<std::size_t>(channels)];
    limit = std::min(limit, limits_[i]);
  }
  for (std::size_t i = static_cast<std::size_t>(channels); i < lowest.size(); ++i) {
    lowest[i] = lowest[i - static_cast<std::size_t>(channels)];
  }
  large_begin_.reserve(static_cast<std::size_t>(pixels) + 2);
  const auto begin_until = [&](std::int64_t pixel) {
    large_begin_.resize(static_cast<std::size_t>(pixel) + 1, static_cast<std::uint32_t>(large_.size()));
  };
  const auto look = [&](std::int64_t pixel, std::int64_t count, const std::uint8_t* x) {
    for (std::int64_t i = -1; (i = lanes.next_above(x, lowest.data(), i + 1, count * channels)) < count * channels;) {
      begin_until(pixel + i / channels);
      large_.push_back(static_cast<std::uint32_t>(i % channels));
    }
  };
  for (std::int64_t p = 0; p < pixels; p += some) {
    look(p, std::min(some, pixels - p), layer_.activation + p * channels);
  }
  look(pixels, 1, padding_.data());
  begin_until(pixels + 1);
}

void SaturatingPairs::add_pairs(std::int64_t k, int largest) {
  const std::int64_t length = windows_.length();
  std::vector<std::int8_t> ordered;
  const std::int8_t* w = layer_.weight + k * length;
  if (windows_.taps() > 1 && channels_ > 1) {
    in_pairing_order(c_, layer_.weight, k, ordered);
    w = ordered.data();
  }
  const auto consider = [&](std::int64_t index) {
    const int a = w[index], b = index + 1 < length ? w[index + 1] : 0;
    const PairExtremes both{std::min(a, 0) + std::min(b, 0), std::max(a, 0) + std::max(b, 0)};
    if (both.leave_int16(largest)) add_pair(k, index, a, b, both);
  };
  // A pair that leaves int16 has two weights of the same sign, because a single product, at most 128 * 255, does not
  // leave it. Such pairs are rare, so sixteen weights at a time are tested for any.
  const __m128i high = _mm_set1_epi16(static_cast<short>(32767 / largest));
  const __m128i low = _mm_set1_epi16(static_cast<short>(-(32768 / largest)));
  std::int64_t i = from_;
  for (; i + 16 <= length; i += 16) {
    const __m128i weights = _mm_loadu_si128(reinterpret_cast<const __m128i*>(w + i));
    const __m128i sums = _mm_add_epi16(_mm_srai_epi16(_mm_slli_epi16(weights, 8), 8), _mm_srai_epi16(weights, 8));
    if (_mm_movemask_epi8(_mm_or_si128(_mm_cmpgt_epi16(sums, high), _mm_cmplt_epi16(sums, low))) == 0) continue;
    for (std::int64_t pair = i; pair < i + 16; pair += 2) consider(pair);
  }
  for (; i < length; i += 2) consider(i);
}

void SaturatingPairs::add_pair(std::int64_t k, std::int64_t index, int a, int b, const PairExtremes& both) {
  const std::int64_t group = k / outputs_, length = windows_.length();
  pairs_[static_cast<std::size_t>(group * ((length + 1) / 2) + (index - from_) / 2)].push_back({index, k, a, b});
  // If both activations are at most this limit, the pair stays within int16.
  const int up = both.highest > 0 ? 32767 / both.highest : 255;
  const int down = both.lowest < 0 ? 32768 / -both.lowest : 255;
  const auto limit = static_cast<std::uint8_t>(std::min({up, down, 255}));
  for (std::int64_t at = index; at < std::min(index + 2, length); ++at) {
    std::uint8_t& lowest =
        limits_[static_cast<std::size_t>(at / channels_ * c_.in_channels + group * channels_ + at % channels_)];
    lowest = std::min(lowest, limit);
  }
}

int SaturatingPairs::activation(const OutputPlace& place, std::int64_t group, std::int64_t index) const {
  if (index >= windows_.length()) return 0;
  const std::uint8_t* const tap = windows_.tap_at(place, group, index / channels_);
  return tap == nullptr ? padding_.front() : tap[index % channels_];
}

void SaturatingPairs::look(const OutputPlace& place, std::int64_t position, std::int64_t channel, std::int64_t tap,
                           std::vector<std::int64_t>& found_in, std::vector<OutputElement>& found) const {
  const std::int64_t group = channel / channels_;
  const std::int64_t index = tap * channels_ + channel % channels_;
  if (index < from_) return;
  const auto pair = static_cast<std::size_t>(group * ((windows_.length() + 1) / 2) + (index - from_) / 2);
  if (pairs_[pair].empty()) return;
  const std::int64_t first = (index - from_) / 2 * 2 + from_;
  const int a = activation(place, group, first), b = activation(place, group, first + 1);
  for (const Pair& candidate : pairs_[pair]) {
    const int sum = a * candidate.first + b * candidate.second;
    auto& last = found_in[static_cast<std::size_t>(candidate.k)];
    if ((sum <= 32767 && sum >= -32768) || last == position) continue;
    last = position;
    found.push_back({position, candidate.k});
  }
}

// True if no pixel of the window, nor any between its columns, is large enough: the pixels of a line are neighbours in
// large_begin_.
bool SaturatingPairs::none_large(const OutputPlace& place) const {
  const std::size_t padding = large_begin_.size() - 2;
  if (large_begin_[padding] != large_begin_[padding + 1] && c_.padding != Spatial{}) return false;
  const std::int64_t first = place.at[2] * c_.stride[2] - c_.padding[2];
  const std::int64_t left = std::max<std::int64_t>(first, 0);
  const std::int64_t right = std::min(first + (c_.kernel[2] - 1) * c_.dilation[2], c_.input[2] - 1);
  if (left > right) return true;
  return every_line(c_, place, [&](std::int64_t first_pixel) {
    const auto begin = large_begin_.begin() + first_pixel;
    return begin[left] == begin[right + 1];
  });
}

void SaturatingPairs::find(std::int64_t first, std::int64_t count, std::vector<OutputElement>& found) const {
  if (large_.empty()) return;
  std::vector<std::int64_t> found_in(static_cast<std::size_t>(c_.out_channels), -1);  // the last position, by channel
  const Spatial out = output_size(c_);
  OutputPlace place(first, out);
  const std::size_t padding = large_begin_.size() - 2;
  for (std::int64_t p = first; p < first + count; ++p, place.advance(out)) {
    if (none_large(place)) continue;
    for (std::int64_t t = 0; t < windows_.taps(); ++t) {
      const std::uint8_t* x = windows_.tap_at(place, 0, t);
      const std::size_t pixel =
          x == nullptr ? padding : static_cast<std::size_t>((x - layer_.activation) / c_.in_channels);
      if (x == nullptr) x = padding_.data();
      for (std::uint32_t i = large_begin_[pixel]; i < large_begin_[pixel + 1]; ++i) {
        const std::uint32_t channel = large_[i];
        if (x[channel] > limits_[static_cast<std::size_t>(t * c_.in_channels) + channel]) {
          look(place, p, channel, t, found_in, found);
        }
      }
    }
  }
}

}  // namespace tieout
