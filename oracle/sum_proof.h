#pragma once
// Sums come to this room from somebody else's convolution. Here it is proven that they are what they should be, at the cost of
// about one more output channel, not of a convolution (Freivalds 1977).
//
// r: 32-bit random numbers, one an output channel. At every position and in every group
//
//   sum over k of r_k * raw[k]  =  sum over i of (x_i - xz) * R_i,   R_i = sum over k of r_k * (w[k][i] - wz[k])
//
// modulo 2^64 where raw is right. Where it is not, the left side is off by a sum of r_k * e_k, e_k below 2^32: whatever the other
// r are, at most one r_k of the 2^32 makes it 0, so that a wrong sum passes once in 2^32 times. What a kernel is does not
// depend on r. Depthwise, with one output a group, the sums are computed themselves, modulo 2^32.

#include <cstdint>
#include <span>
#include <vector>

#include "cases/aligned.h"
#include "oracle/channel_bounds.h"
#include "oracle/layer_windows.h"
#include "oracle/proof_lanes.h"

namespace tieout {

class SumProof {
 public:
  // layer: outlives this; its activation may be exchanged. bounds: channels that are not tame may wrap, and are not looked at where proof is by random numbers.
  SumProof(const LayerView& layer, std::span<const ChannelBounds> bounds, std::uint64_t seed, VectorIsa isa);

  // Reused from call to call, one a thread.
  struct Room {
    std::vector<std::uint8_t> padded;
    std::vector<const std::uint8_t*> taps;
    std::vector<CombinedRun> runs;
  };

  // sums: of `count` positions from `first` on, each K numbers: zero points taken out, int32. Those that are wrong are put right,
  // and added to `wrong`.
  void mend(std::int64_t first, std::int64_t count, std::int32_t* sums, Room& room,
            std::vector<OutputElement>& wrong) const;

 private:
  // Positions of one plane of the output, and the input's lines that their windows are in.
  struct Piece {
    std::int64_t first, count;
    std::int64_t image;
    Spatial at;                           // of the first position
    const std::uint8_t* lines = nullptr;  // padded, where the window of at[1], 0 begins
    std::int64_t line = 0, plane = 0;     // bytes to the next
    std::int32_t* sums;
  };
  // Sets lines, line and plane: where they lie, or, if there is padding, a copy in `room`. Whether that is not too large.
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
  ProofLanes lanes_;
  std::int64_t channels_, outputs_;  // of a group
  bool directly_;
  // Bytes that are neighbours in a window: kernel positions, and how long their R are.
  std::int64_t run_taps_, run_length_;
  AlignedVector<std::int32_t> random_;         // r
  AlignedVector<std::uint64_t> combined_;      // groups x runs x run_length_: R, as the lanes arrange it
  std::vector<std::uint64_t> zero_points_;     // by group: xz * sum of R
  AlignedVector<std::int32_t> taps_, shifts_;  // directly: taps x C of w - wz; by channel -xz * sum of those
  AlignedVector<std::int8_t> packed_;          // the same as the lanes like it, or empty
};

}  // namespace tieout
