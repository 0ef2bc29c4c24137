#pragma once
// Estimates the memory and time to verify a case and checks them against fixed limits, so that a typing error can
// neither exhaust the machine's memory nor occupy it for a day.

#include <cstdint>
#include <tl/expected.hpp>

#include "cases/validate.h"

namespace tieout {

// Returns the number of multiplications of the convolution, output elements times products per element; at most 2^62.
[[nodiscard]] std::int64_t product_count(const ConvCase& c);

// Limit of memory_to_verify(), in bytes.
inline constexpr std::int64_t kMostBytes = std::int64_t{4} << 30;
// Limit of product_count(); as many products take some minutes on one core.
inline constexpr std::int64_t kMostProducts = std::int64_t{1} << 37;

// Returns roughly how many bytes verifying takes: four copies of activation and weight, and 40 bytes for each output
// element.
[[nodiscard]] std::int64_t memory_to_verify(const ConvCase& c);

// Checks both limits. The error names what is too large, the limit and the cause. c: a valid case.
[[nodiscard]] tl::expected<void, CaseError> check_cost(const ConvCase& c);

}  // namespace tieout
