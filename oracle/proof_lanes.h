#pragma once
// Inner loops over a layer's numbers, in the best registers that the CPU has: of the sums' proof, modulo 2^64 and 2^32, and of what
// is asked of activations.

#include <cstdint>

#include "oracle/vector_isa.h"

namespace tieout {

// What proof by random numbers needs of one group (sum_proof.h).
struct CombinedChannel {
  const std::uint64_t* combined;  // R, `length` of them
  std::int64_t length;
  std::uint64_t zero_point;    // xz * sum of R
  const std::int32_t* random;  // r, `outputs` of them
  std::int64_t outputs;
};

// A row of output positions of a depthwise layer, `count` channels.
struct DepthwiseRow {
  const std::uint8_t* const* taps;
  std::int64_t tap_count, step, positions, count;
  const std::int32_t *w, *shift, *sums;
};

struct ProofLanes {
  // sum of x[i] * R[i] - xz * sum of R - sum of r[k] * sums[k], modulo 2^64: 0 where the sums are right
  std::uint64_t (*combined_error)(const CombinedChannel& channel, const std::uint8_t* x, const std::int32_t* sums);
  // to[i] += factor * (w[i] - zero_point), modulo 2^64
  void (*add_weights)(std::uint64_t* to, const std::int8_t* w, std::int64_t count, std::int32_t zero_point,
                      std::int64_t factor);
  // sum of (a[i] - zero_point)^2; count below 2^15 times 2^16
  std::uint64_t (*squares)(const std::uint8_t* a, std::int64_t count, std::int32_t zero_point);
  // The first place p * count + i, from `begin` on, at which the sum over t of taps[t][p * step + i] * w[t * count + i] + shift[i]
  // is not sums[p * count + i], modulo 2^32; or positions * count.
  std::int64_t (*first_wrong)(const DepthwiseRow& row, std::int64_t begin);
  // The first i from `begin` on with x[i] > limits[i]; or count.
  std::int64_t (*next_above)(const std::uint8_t* x, const std::uint8_t* limits, std::int64_t begin, std::int64_t count);
  // The lowest and the highest of at least one number.
  void (*extremes)(const std::uint8_t* x, std::int64_t count, std::uint8_t* lowest, std::uint8_t* highest);
};

[[nodiscard]] ProofLanes proof_lanes(VectorIsa isa);
[[nodiscard]] ProofLanes proof_lanes_avx512();  // on CPUs that have it

}  // namespace tieout
