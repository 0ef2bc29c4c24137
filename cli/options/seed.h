#pragma once
// Parses and draws the seeds of subcommands.

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace tieout {

// Parses a seed as torch.manual_seed() takes it: -2^63..2^64-1, where a negative seed stands for 2^64 + seed. The error
// states what is allowed.
[[nodiscard]] tl::expected<std::uint64_t, std::string> parse_seed(const std::string& text);

// Returns 64 random bits of std::random_device, for runs without --seed. The caller prints them, so that the run
// can be repeated.
[[nodiscard]] std::uint64_t draw_seed();

}  // namespace tieout
