#include "cli/options/seed.h"

#include <fmt/core.h>

#include <bit>
#include <charconv>
#include <limits>
#include <random>

namespace tieout {

tl::expected<std::uint64_t, std::string> parse_seed(const std::string& text) {
  const char* const end = text.data() + text.size();
  std::uint64_t seed = 0;
  std::int64_t negative = 0;
  const auto read =
      text.starts_with('-') ? std::from_chars(text.data(), end, negative) : std::from_chars(text.data(), end, seed);
  if (read.ec == std::errc() && read.ptr == end) return seed | std::bit_cast<std::uint64_t>(negative);
  return tl::unexpected(fmt::format("must be a whole number from {} to {}, is '{}'",
                                    std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::uint64_t>::max(),
                                    text));
}

std::uint64_t draw_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace tieout
