#pragma once
// What it costs to verify a case, and how much is allowed: a typing error must not take all memory, or the whole day.

#include <cstdint>
#include <tl/expected.hpp>

#include "cases/validate.h"

namespace tieout {

// Multiplications of the convolution: output elements times the length of their sums; at most 2^62.
[[nodiscard]] std::int64_t product_count(const ConvCase& c);

inline constexpr std::int64_t kMostBytes = std::int64_t{4} << 30;     // of memory; see memory_to_verify()
inline constexpr std::int64_t kMostProducts = std::int64_t{1} << 37;  // some minutes of one core

// About how many bytes verifying takes: activation, weight and output with their copies, and 24 bytes a traced element.
[[nodiscard]] std::int64_t memory_to_verify(const ConvCase& c);

// The error names what is too large, the limit and the cause. c: valid.
[[nodiscard]] tl::expected<void, CaseError> check_cost(const ConvCase& c);

}  // namespace tieout
