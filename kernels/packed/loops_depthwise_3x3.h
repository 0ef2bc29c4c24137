#pragma once
// Loops of depthwise layers with 3x3 windows, as templates of the operations in `Lanes`: see loops_template.h.
//
// Shuffles put the three bytes of a window's column into one lane, for four blocks of channels at a time, and every
// window of a tile that contains the column uses them. Where neighbouring products saturate together, the neighbours
// lie in a row of the window: there each window takes its taps by fours in their order.

#include <cstddef>
#include <cstdint>

#include "kernels/packed/loops_depthwise.h"
#include "kernels/packed/store_sums.h"

namespace tieout {

enum class Place { inside, edge };  // position of a tile: at an edge, its windows may reach into the padding

// Loads the same channels of the kPixels pixels that neighbouring positions of the output read.
template <typename Lanes, Place kPlace, std::int64_t kStride, std::size_t kPixels>
typename Lanes::Bytes load_pixels(const Depthwise3x3& row, const std::uint8_t* line, std::int64_t column) {
  const std::uint8_t* at[kPixels];
#pragma GCC unroll 4
  for (std::int64_t i = 0; i < std::int64_t{kPixels}; ++i) {
    const std::int64_t here = column + i * kStride;
    const bool outside = kPlace == Place::edge && (here < 0 || here >= row.width);
    at[i] = outside ? row.outside : line + here * row.channels;
  }
  return Lanes::bytes(at);
}

// Computes kWide registers of kPixels positions each, from position `first` on, for the channels of one turn. The first
// of the two loops loads each column of a window once for all windows that contain it; the second one, for products
// that saturate in pairs, takes each window's taps by fours in their order.
//
// The function is long because the sums of a tile stay in registers from the loops to the end: with the end in an
// inlined function of its own, the depthwise layers of MobileNet took 2 % longer.
template <typename Lanes, Place kPlace, std::int64_t kStride, std::size_t kPixels, std::size_t kWide>
// NOLINTNEXTLINE(readability-function-size)
void depthwise_3x3_tile(const Depthwise3x3& row, const OutputRange& range, std::int64_t turn, std::int64_t first) {
  constexpr std::int64_t kWeights = kStep * Lanes::kBlock;
  constexpr std::int64_t kSize = kDepthwiseBytes<Lanes> / std::int64_t{kPixels};
  constexpr std::int64_t kShift = kStride * std::int64_t{kPixels};  // columns from a register's to the next one's
  const std::int64_t last_channel = row.channels - kSize;           // last channel that a turn can begin with
  const std::int64_t channel = turn * kSize < last_channel ? turn * kSize : last_channel;
  const std::uint8_t* const lines[3] = {row.lines[0] + channel, row.lines[1] + channel, row.lines[2] + channel};
  const std::int64_t column = first * kStride - row.padding;
  const std::int8_t* const w = row.weights + turn * 3 * 4 * kWeights;
  const BlockNumbers* const numbers = row.numbers + turn * 4;
  typename Lanes::Sums sums[kWide][4];
  const auto load = [&](std::int64_t h, std::int64_t c) {
    return load_pixels<Lanes, kPlace, kStride, kPixels>(row, lines[h], column + c);
  };
  const auto add = [&](std::int64_t k, const typename Lanes::Activations(&x)[4], std::int64_t third) {
#pragma GCC unroll 4
    for (std::int64_t r = 0; r < 4; ++r) {
      const auto before = third == 0 ? Lanes::load(numbers[r].start) : sums[k][r];
      sums[k][r] = Lanes::dot(before, x[r], Lanes::weights(w + (third * 4 + r) * kWeights));
    }
  };
  if constexpr (Lanes::kProducts == Arithmetic::Products::exact) {
#pragma GCC unroll 32
    for (std::int64_t c = 0; c < (std::int64_t{kWide} - 1) * kShift + 3; ++c) {
      if (c % kShift >= 3) continue;
      const auto last = load(2, c);
      typename Lanes::Activations x[4];
      Lanes::interleave(load(0, c), load(1, c), last, last, x);  // the fourth row is multiplied by a weight of 0
#pragma GCC unroll 16
      for (std::int64_t k = 0; k < std::int64_t{kWide}; ++k) {
        const std::int64_t tap = c - k * kShift;
        if (tap >= 0 && tap < 3) add(k, x, tap);
      }
    }
  } else {
#pragma GCC unroll 16
    for (std::int64_t k = 0; k < std::int64_t{kWide}; ++k) {
#pragma GCC unroll 3
      for (std::int64_t third = 0; third < 3; ++third) {
        const auto tap = [&](std::int64_t i) {
          const std::int64_t t = third * 4 + i < 8 ? third * 4 + i : 8;  // taps behind the last have weights of 0
          return load(t / 3, k * kShift + t % 3);
        };
        typename Lanes::Activations x[4];
        Lanes::interleave(tap(0), tap(1), tap(2), tap(3), x);
        add(k, x, third);
      }
    }
  }
  const auto place = [&](std::size_t k, std::size_t i) {  // index in the output
    return (first + static_cast<std::int64_t>(k * kPixels + i)) * row.channels + channel;
  };
  std::uint8_t* y[kWide][kPixels];
#pragma GCC unroll 16
  for (std::size_t k = 0; k < kWide; ++k) {
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kPixels; ++i) y[k][i] = row.y + place(k, i);
    if (row.sums == nullptr) continue;
    std::int32_t* raw[kPixels];
#pragma GCC unroll 4
    for (std::size_t i = 0; i < kPixels; ++i) raw[i] = row.sums + place(k, i);
    store_sums<Lanes>(sums[k], kSize, raw);
  }
  Lanes::finish(sums, numbers, range, y, kSize);
}

// Computes a row in tiles of kWide registers; the last tile may recompute positions of the one before.
template <typename Lanes, std::int64_t kStride, std::size_t kPixels, std::size_t kWide>
void depthwise_3x3_tiles(const Depthwise3x3& row, const OutputRange& range, std::int64_t turn) {
  constexpr std::int64_t kPositions = std::int64_t{kWide} * std::int64_t{kPixels};
  for (std::int64_t at = 0; at < row.positions; at += kPositions) {
    const std::int64_t last = row.positions - kPositions, first = at < last ? at : last;
    const std::int64_t left = first * kStride - row.padding;
    if (left >= 0 && left + (kPositions - 1) * kStride + 3 <= row.width) {
      depthwise_3x3_tile<Lanes, Place::inside, kStride, kPixels, kWide>(row, range, turn, first);
    } else {
      depthwise_3x3_tile<Lanes, Place::edge, kStride, kPixels, kWide>(row, range, turn, first);
    }
  }
}

template <typename Lanes, std::int64_t kStride, std::size_t kPixels>
void depthwise_3x3_turns(const Depthwise3x3& row, const OutputRange& range) {
  constexpr std::size_t kWide = Lanes::kDepthwiseWide;
  const bool wide = row.positions >= static_cast<std::int64_t>(kWide * kPixels);
  for (std::int64_t turn = 0; turn * kDepthwiseBytes<Lanes> < row.channels * std::int64_t{kPixels}; ++turn) {
    if (wide) {
      depthwise_3x3_tiles<Lanes, kStride, kPixels, kWide>(row, range, turn);
    } else {
      depthwise_3x3_tiles<Lanes, kStride, kPixels, 1>(row, range, turn);
    }
  }
}

template <typename Lanes, std::int64_t kStride>
void depthwise_3x3_of_stride(const Depthwise3x3& row, const OutputRange& range) {
  switch (row.pixels) {
    case 1: return depthwise_3x3_turns<Lanes, kStride, 1>(row, range);
    case 2: return depthwise_3x3_turns<Lanes, kStride, 2>(row, range);
    default: return depthwise_3x3_turns<Lanes, kStride, 4>(row, range);
  }
}

template <typename Lanes>
void depthwise_3x3(const Depthwise3x3& row, const OutputRange& range) {
  if (row.stride == 1) return depthwise_3x3_of_stride<Lanes, 1>(row, range);
  depthwise_3x3_of_stride<Lanes, 2>(row, range);
}

}  // namespace tieout
