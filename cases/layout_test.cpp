#include "cases/layout.h"

#include <gtest/gtest.h>

#include "cases/random.h"

namespace tieout {
namespace {

// Matrices of 9 columns have code of their own, which takes eight rows at a time.
TEST(Layout, TransposedEqualsItsDefinition) {
  Random random(41);
  for (const std::int64_t columns : {1, 2, 8, 9, 10, 40}) {
    for (const std::int64_t rows : {1, 7, 8, 9, 33, 64}) {
      constexpr std::int64_t kOuter = 3;
      std::vector<std::int8_t> from(static_cast<std::size_t>(kOuter * rows * columns));
      for (std::int8_t& byte : from) byte = static_cast<std::int8_t>(random.next() >> 56U);
      const std::vector<std::int8_t> to = transposed(from.data(), kOuter, rows, columns);
      ASSERT_EQ(to.size(), from.size());
      for (std::int64_t i = 0; i < std::ssize(from); ++i) {
        const std::int64_t o = i / (rows * columns), r = i / columns % rows, c = i % columns;
        ASSERT_EQ(to[static_cast<std::size_t>((o * columns + c) * rows + r)], from[static_cast<std::size_t>(i)])
            << rows << 'x' << columns;
      }
    }
  }
}

}  // namespace
}  // namespace tieout
