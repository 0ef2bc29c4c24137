#pragma once
// A number that is exact: what the doubles of a case make by multiplying, adding and comparing them, without a rounding.

#include <array>
#include <cstdint>

namespace tieout {

// A fixed-point number in two's complement, 1,024 bits, of which 368 lie behind the point. That holds every sum of products
// of two scales, each between 2^-127 and 2^128, and an integer below 2^60.
class ExactNumber {
 public:
  ExactNumber() = default;

  // integer * a * b. a: as above, or 0, or any float. b: as above.
  static ExactNumber product(std::int64_t integer, double a, double b = 1);

  ExactNumber& operator+=(const ExactNumber& other);
  ExactNumber& operator-=(const ExactNumber& other);

  // -1, 0 or 1.
  [[nodiscard]] int sign() const;

 private:
  std::array<std::uint32_t, 32> limbs_{};  // lowest first
};

}  // namespace tieout
