#pragma once
// Seeds, as every subcommand that has one takes them.

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace tieout {

// What torch.manual_seed() takes: -2^63..2^64-1, a negative seed standing for 2^64 + seed. The error says what is
// allowed.
[[nodiscard]] tl::expected<std::uint64_t, std::string> parse_seed(const std::string& text);

// 64 bits of the machine's own randomness: where the user named no seed. It is printed, so that the run can be
// repeated.
[[nodiscard]] std::uint64_t draw_seed();

}  // namespace tieout
