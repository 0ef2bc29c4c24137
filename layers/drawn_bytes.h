#pragma once
// Provides random bytes of all values for tests.

#include <cstddef>
#include <vector>

#include "cases/random.h"

namespace tieout {

template <typename Byte>
[[nodiscard]] std::vector<Byte> drawn(std::size_t count, Random& random) {
  std::vector<Byte> bytes(count);
  for (Byte& byte : bytes) byte = static_cast<Byte>(random.next() >> 56U);
  return bytes;
}

}  // namespace tieout
