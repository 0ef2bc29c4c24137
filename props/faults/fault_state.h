#pragma once
// What a kernel keeps, rightly or wrongly, from one call, image or window to the next.

#include <cstdint>

#include "props/faults/fault.h"

namespace tieout {

// The weights of this call.
[[nodiscard]] const std::int8_t* kept_weights(const tieout_conv& c, Fault fault);

// Room for one window.
[[nodiscard]] std::int64_t* scratch_row(std::int64_t length, Fault fault);

// What the sums of the image before leave behind: nothing.
[[nodiscard]] std::int64_t carried_over(std::int64_t n, std::int64_t products, Fault fault);

// The multiplier of output channel k of this call.
[[nodiscard]] float kept_multiplier(const tieout_conv& c, std::int64_t k, float multiplier, Fault fault);

// The sum of output channel k's weights of this call.
[[nodiscard]] std::int64_t kept_weight_sum(const tieout_conv& c, std::int64_t k, std::int64_t sum, Fault fault);

// The problem of this call, with one of its parameters from an earlier call that the fault takes for the same. What it
// points to lives as long as the process.
[[nodiscard]] tieout_conv with_kept_parameter(const tieout_conv& c, Fault fault);

// The output's zero point of this call.
[[nodiscard]] std::int64_t kept_zero_point(const tieout_conv& c, Fault fault);

}  // namespace tieout
