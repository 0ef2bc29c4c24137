#pragma once
// Provides the state that a faulty kernel keeps from one call, image or window to the next. Each function returns the
// correct value unless its fault is chosen.

#include <cstdint>

#include "props/selftest/fault.h"

namespace tieout {

// Returns the weights of this call, or those that a fault keeps from an earlier one.
[[nodiscard]] const std::int8_t* kept_weights(const tieout_conv& c, Fault fault);

// Returns memory for one window of `length` products.
[[nodiscard]] std::int64_t* scratch_row(std::int64_t length, Fault fault);

// Returns what the sums of the previous image contribute to this one: 0, unless the fault carries them over.
[[nodiscard]] std::int64_t carried_over(std::int64_t n, std::int64_t products, Fault fault);

// Returns the multiplier of output channel k, of this call or of an earlier one.
[[nodiscard]] float kept_multiplier(const tieout_conv& c, std::int64_t k, float multiplier, Fault fault);

// Returns the sum of output channel k's weights, of this call or of an earlier one.
[[nodiscard]] std::int64_t kept_weight_sum(const tieout_conv& c, std::int64_t k, std::int64_t sum, Fault fault);

// Returns the problem of this call, with one parameter of an earlier call that the fault mistakes for the same problem.
// The memory that it points to lives as long as the process.
[[nodiscard]] tieout_conv with_kept_parameter(const tieout_conv& c, Fault fault);

// Returns the output's zero point, of this call or of the first one.
[[nodiscard]] std::int64_t kept_zero_point(const tieout_conv& c, Fault fault);

}  // namespace tieout
