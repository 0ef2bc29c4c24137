#pragma once
// Numbers as people read them.

#include <cstdint>
#include <string>

namespace tieout {

// 1234567 as "1,234,567".
[[nodiscard]] std::string grouped(std::int64_t value);

}  // namespace tieout
