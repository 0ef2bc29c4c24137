#pragma once
// Provides the inner loops over a layer's numbers: for the check of sums (sum_check.h), modulo 2^64 and 2^32, for
// norms, and for searches in activations. All are portable and written for AVX2. CPUs with AVX-512 run those for AVX2,
// where that takes less than a twentieth of the time of `tieout model` longer; docs/measurements/model.md has the
// figures.

#include <cstdint>

#include "cases/machine/aligned.h"
#include "cases/machine/cpu.h"

namespace tieout {

// A run of contiguous bytes of a window, and the R of each (sum_check.h). The R are padded with zeros to a multiple of
// 8.
struct CombinedRun {
  const std::uint8_t* x;
  const std::uint64_t* combined;
};

// A row of output positions for one group of output channels. Every window consists of runs of one length.
struct CombinedRow {
  const CombinedRun* runs;  // runs of the first position
  std::int64_t run_count, run_length;
  // `step`: bytes from the runs of one position to those of the next.
  std::int64_t step, positions;
  std::uint64_t zero_point;    // xz * sum of R over all runs
  const std::int32_t* random;  // r, `outputs` of them
  std::int64_t outputs;
  // The sums of the first position; those of the next follow after sums_step numbers.
  const std::int32_t* sums;
  std::int64_t sums_step;
};

// A row of output positions of a depthwise layer. taps: the bytes of each kernel position at the first output position.
// step: bytes from one output position to the next. count: number of channels. w, shift: see LayerLoops::first_wrong.
struct DepthwiseSumRow {
  const std::uint8_t* const* taps;
  std::int64_t tap_count, step, positions, count;
  const std::int32_t *w, *shift, *sums;
  // The result of pack_taps() for w, or nullptr.
  const std::int8_t* packed;
};

// True if the sum of channel i at position p differs from its definition in LayerLoops::first_wrong.
[[nodiscard]] bool is_wrong(const DepthwiseSumRow& row, std::int64_t p, std::int64_t i);

struct LayerLoops {
  // Returns the first position from `begin` on at which sum of x[i] * R[i] - xz * sum of R - sum of r[k] * sums[k] is
  // not 0 modulo 2^64, or row.positions.
  std::int64_t (*first_unproven)(const CombinedRow& row, std::int64_t begin);
  // Rearranges R into the order in which first_unproven() reads them. count: a multiple of 8.
  void (*arrange)(std::uint64_t* combined, std::int64_t count) = [](std::uint64_t*, std::int64_t) {};
  // Computes to[i] += factor * (w[i] - zero_point), modulo 2^64.
  void (*add_weights)(std::uint64_t* to, const std::int8_t* w, std::int64_t count, std::int32_t zero_point,
                      std::int64_t factor);
  // For w[i] - zero_point: returns the sum of the absolute values, and writes the sum of squares of each block of
  // kNormBlock elements to `squares`.
  std::int64_t (*norms)(const std::int8_t* w, std::int64_t count, std::int32_t zero_point, std::int32_t* squares);
  // Returns the sum of (a[i] - zero_point)^2.
  std::uint64_t (*squares)(const std::uint8_t* a, std::int64_t count, std::int32_t zero_point);
  // Returns the first place p * count + i, from `begin` on, at which
  //   sum over t of taps[t][p * step + i] * w[t * count + i]  +  shift[i]
  // is not sums[p * count + i], modulo 2^32; or positions * count.
  std::int64_t (*first_wrong)(const DepthwiseSumRow& row, std::int64_t begin);
  // Returns w, taps x channels, in the order in which first_wrong() reads it; empty if first_wrong() reads w itself.
  AlignedVector<std::int8_t> (*pack_taps)(const std::int32_t* w, std::int64_t taps, std::int64_t channels) =
      [](const std::int32_t*, std::int64_t, std::int64_t) { return AlignedVector<std::int8_t>(); };
  // Returns the first i from `begin` on with x[i] > limits[i], or count.
  std::int64_t (*next_above)(const std::uint8_t* x, const std::uint8_t* limits, std::int64_t begin, std::int64_t count);
  // Sets the lowest and the highest of `count` numbers. count: at least 1.
  void (*extremes)(const std::uint8_t* x, std::int64_t count, std::uint8_t* lowest, std::uint8_t* highest);
};

[[nodiscard]] LayerLoops layer_loops(SimdIsa isa);
[[nodiscard]] LayerLoops layer_loops_avx2();    // requires AVX2
[[nodiscard]] LayerLoops layer_loops_avx512();  // requires AVX-512

// Number of weights whose squares LayerLoops::norms adds up to one number.
inline constexpr std::int64_t kNormBlock = 32;

}  // namespace tieout
