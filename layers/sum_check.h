#pragma once
// Checks the exact integer sums that a convolution kernel computed, by Freivalds' algorithm (1977). The check takes as
// many multiplications as one more output channel; because each R has 64 bits, or four digits of 16 bits, that costs
// about as much as eight more output channels of int8.
//
// Let r be 32-bit random numbers, one for each output channel. If raw is right, then at every position and in every
// group
//
//   sum over k of r_k * raw[k]  =  sum over i of (x_i - xz) * R_i,   R_i = sum over k of r_k * (w[k][i] - wz[k])
//
// modulo 2^64. If raw is wrong, the left side is off by a sum of r_k * e_k with |e_k| below 2^32. Whatever the other r
// are, at most one of the 2^32 values of r_k makes that 0, so that a wrong sum passes with probability 2^-32. The
// kernel's results do not depend on r. In depthwise layers, with one output channel per group, the sums are computed
// and compared directly, modulo 2^32.

#include <cstdint>
#include <span>
#include <vector>

#include "cases/machine/aligned.h"
#include "layers/error_bounds.h"
#include "layers/layer_windows.h"
#include "layers/simd/layer_loops.h"

namespace tieout {

class SumCheck {
 public:
  // layer: must outlive this; its activation may be exchanged. bounds: by output channel; a channel that is not
  // bounds_hold may wrap, and is not checked where random numbers are used.
  SumCheck(const LayerView& layer, std::span<const ChannelBounds> bounds, std::uint64_t seed, SimdIsa isa);

  // Buffers that are reused from call to call; one instance per thread.
  struct Room {
    std::vector<std::uint8_t> padded;
    std::vector<const std::uint8_t*> taps;
    std::vector<CombinedRun> runs;
  };

  // Checks and corrects the sums of `count` output positions from `first` on. sums: K per position, int32, with zero
  // points taken out. Wrong sums are replaced by the right ones, and their elements are appended to `wrong`.
  void correct(std::int64_t first, std::int64_t count, std::int32_t* sums, Room& room,
               std::vector<OutputElement>& wrong) const;

 private:
  // Output positions of one plane (an image and an output depth), and the input lines that their windows lie in.
  struct Piece {
    std::int64_t first, count;
    std::int64_t image;
    Spatial at;  // place of the first position
    // The input lines with padding; they begin at the window of output line at[1], column 0.
    const std::uint8_t* lines = nullptr;
    // Bytes from one line to the next, and from one plane of taps to the next.
    std::int64_t line = 0, plane = 0;
    std::int32_t* sums;
  };
  // Sets lines, line and plane: to the input itself or, with padding, to a copy in `room`. Returns false if that copy
  // would be too large.
  [[nodiscard]] bool locate(Piece& piece, Room& room) const;
  void prove(const Piece& piece, Room& room, std::vector<OutputElement>& wrong) const;
  void prove_one_by_one(const Piece& piece, Room& room, std::vector<OutputElement>& wrong) const;
  void prove_row(std::int64_t position, std::int64_t count, std::int32_t* sums, Room& room,
                 std::vector<OutputElement>& wrong) const;
  void prove_directly(std::int64_t position, std::int64_t count, std::int32_t* sums, const Room& room,
                      std::vector<OutputElement>& wrong) const;
  void prove_randomly(std::int64_t position, std::int64_t count, std::int32_t* sums, Room& room,
                      std::vector<OutputElement>& wrong) const;
  void combine(std::span<const ChannelBounds> bounds, std::uint64_t seed);
  [[nodiscard]] std::int32_t literal(std::int64_t position, std::int64_t k) const;

  const LayerView& layer_;
  const ConvCase& c_;
  LayerWindows windows_;
  LayerLoops lanes_;
  std::int64_t channels_, outputs_;  // input and output channels per group
  // True in depthwise layers: sums are computed and compared.
  bool directly_;
  // A run is a row of kernel positions whose bytes are contiguous in the input: its kernel positions, and the length of
  // its R.
  std::int64_t run_taps_, run_length_;
  AlignedVector<std::int32_t> random_;  // r
  // R: groups x runs x run_length_, in the order of LayerLoops::arrange().
  AlignedVector<std::uint64_t> combined_;
  std::vector<std::uint64_t> zero_points_;  // xz * sum of R for each group
  // In depthwise layers: taps x C of w - wz, and by channel -xz times their sum.
  AlignedVector<std::int32_t> taps_, shifts_;
  // The same taps in the order of LayerLoops::pack_taps(), or empty.
  AlignedVector<std::int8_t> packed_;
};

}  // namespace tieout
