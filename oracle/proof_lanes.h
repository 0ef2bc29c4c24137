#pragma once
// Inner loops over a layer's numbers, in the best registers that the CPU has: of the sums' proof, modulo 2^64 and 2^32, and of what
// is asked of activations.

#include <cstdint>

#include "cases/aligned.h"
#include "oracle/vector_isa.h"

namespace tieout {

// Neighbouring bytes of a window, and the R of each (sum_proof.h); those end at a multiple of 8, with zeros.
struct CombinedRun {
  const std::uint8_t* x;
  const std::uint64_t* combined;
};

// A row of output positions, whose windows are runs of one length each, and one group of output channels.
struct CombinedRow {
  const CombinedRun* runs;  // of the first position
  std::int64_t run_count, run_length;
  std::int64_t step, positions;  // bytes from the runs of a position to those of the next
  std::uint64_t zero_point;      // xz * sum of R over all runs
  const std::int32_t* random;    // r, `outputs` of them
  std::int64_t outputs;
  const std::int32_t* sums;  // of the first position
  std::int64_t sums_step;
};

// A row of output positions of a depthwise layer, `count` channels.
struct DepthwiseSumRow {
  const std::uint8_t* const* taps;
  std::int64_t tap_count, step, positions, count;
  const std::int32_t *w, *shift, *sums;
  const std::int8_t* packed;  // what pack_taps() has made of w, or nullptr
};

// Whether the sum of channel i at position p is not what first_wrong(), below, says: a single one, by its definition.
[[nodiscard]] bool is_wrong(const DepthwiseSumRow& row, std::int64_t p, std::int64_t i);

// The first wrong position of channels `channel` .. + kDepthwiseChannels, from position `begin` on; or row.positions.
using FirstWrongPosition = std::int64_t (*)(const DepthwiseSumRow& row, std::int64_t begin, std::int64_t channel);
inline constexpr std::int64_t kDepthwiseChannels = 16;

// ProofLanes::first_wrong by it; channels behind the last whole register are looked at one by one.
[[nodiscard]] std::int64_t first_wrong_by(FirstWrongPosition of_channels, const DepthwiseSumRow& row,
                                          std::int64_t begin);

struct ProofLanes {
  // The first position from `begin` on at which sum of x[i] * R[i] - xz * sum of R - sum of r[k] * sums[k] is not 0 modulo 2^64;
  // or positions.
  std::int64_t (*first_unproven)(const CombinedRow& row, std::int64_t begin);
  // R, a multiple of 8 of them, in the order in which first_unproven() reads them.
  void (*arrange)(std::uint64_t* combined, std::int64_t count) = [](std::uint64_t*, std::int64_t) {};
  // to[i] += factor * (w[i] - zero_point), modulo 2^64
  void (*add_weights)(std::uint64_t* to, const std::int8_t* w, std::int64_t count, std::int32_t zero_point,
                      std::int64_t factor);
  // Of w[i] - zero_point: the sum of all absolute values, and the sum of the squares of each kNormBlock, to `squares`.
  std::int64_t (*norms)(const std::int8_t* w, std::int64_t count, std::int32_t zero_point, std::int32_t* squares);
  // sum of (a[i] - zero_point)^2
  std::uint64_t (*squares)(const std::uint8_t* a, std::int64_t count, std::int32_t zero_point);
  // The first place p * count + i, from `begin` on, at which the sum over t of taps[t][p * step + i] * w[t * count + i] + shift[i]
  // is not sums[p * count + i], modulo 2^32; or positions * count.
  std::int64_t (*first_wrong)(const DepthwiseSumRow& row, std::int64_t begin);
  // Taps x channels, taps of `columns` a row, as first_wrong() reads them best; empty where it reads w.
  AlignedVector<std::int8_t> (*pack_taps)(const std::int32_t* w, std::int64_t taps, std::int64_t columns,
                                          std::int64_t channels) =
      [](const std::int32_t*, std::int64_t, std::int64_t, std::int64_t) { return AlignedVector<std::int8_t>(); };
  // The first i from `begin` on with x[i] > limits[i]; or count.
  std::int64_t (*next_above)(const std::uint8_t* x, const std::uint8_t* limits, std::int64_t begin, std::int64_t count);
  // The lowest and the highest of at least one number.
  void (*extremes)(const std::uint8_t* x, std::int64_t count, std::uint8_t* lowest, std::uint8_t* highest);
};

[[nodiscard]] ProofLanes proof_lanes(VectorIsa isa);
[[nodiscard]] ProofLanes proof_lanes_avx2();         // on CPUs that have it
[[nodiscard]] ProofLanes proof_lanes_avx512();       // likewise
[[nodiscard]] ProofLanes proof_lanes_avx512_vnni();  // likewise; for windows of kMostDigitBytes at most

// Its part for depthwise layers.
[[nodiscard]] std::int64_t first_wrong_vnni(const DepthwiseSumRow& row, std::int64_t begin);
[[nodiscard]] AlignedVector<std::int8_t> pack_taps_vnni(const std::int32_t* w, std::int64_t taps, std::int64_t columns,
                                                        std::int64_t channels);

inline constexpr std::int64_t kNormBlock = 32;

// Sums of digits, each at most 255 * 128, have to fit 32 bits.
inline constexpr std::int64_t kMostDigitBytes = std::int64_t{1} << 16;

}  // namespace tieout
