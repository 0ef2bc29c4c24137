#pragma once
// Inner loops over a layer's numbers, in the best registers that the CPU has: of the sums' proof, modulo 2^64 and 2^32, and of what
// is asked of activations.

#include <cstdint>

#include "oracle/vector_isa.h"

namespace tieout {

struct ProofLanes {
  // sum of a[i] * b[i], modulo 2^64
  std::uint64_t (*dot_sums)(const std::int32_t* a, const std::int32_t* b, std::int64_t count);
  std::uint64_t (*dot_bytes)(const std::uint8_t* a, const std::uint64_t* b, std::int64_t count);
  // to[i] += factor * (w[i] - zero_point), modulo 2^64
  void (*add_weights)(std::uint64_t* to, const std::int8_t* w, std::int64_t count, std::int32_t zero_point,
                      std::int64_t factor);
  // sum of (a[i] - zero_point)^2; count below 2^15 times 2^16
  std::uint64_t (*squares)(const std::uint8_t* a, std::int64_t count, std::int32_t zero_point);
  // The first i from `begin` on at which sum over t of taps[t][i] * w[t * count + i] + shift[i] is not sums[i], modulo 2^32;
  // or count.
  std::int64_t (*first_wrong)(const std::uint8_t* const* taps, std::int64_t tap_count, const std::int32_t* w,
                              const std::int32_t* shift, const std::int32_t* sums, std::int64_t begin,
                              std::int64_t count);
  // The first i from `begin` on with x[i] > limits[i]; or count.
  std::int64_t (*next_above)(const std::uint8_t* x, const std::uint8_t* limits, std::int64_t begin, std::int64_t count);
  // The lowest and the highest of at least one number.
  void (*extremes)(const std::uint8_t* x, std::int64_t count, std::uint8_t* lowest, std::uint8_t* highest);
};

[[nodiscard]] ProofLanes proof_lanes(VectorIsa isa);
[[nodiscard]] ProofLanes proof_lanes_avx512();  // on CPUs that have it

}  // namespace tieout
