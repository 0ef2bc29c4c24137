#pragma once
// Provides ExactNumber, which multiplies, adds and compares the doubles of a case without any rounding.

#include <array>
#include <cstdint>

namespace tieout {

// A fixed-point number in two's complement: 1,024 bits, 368 of them fractional. It holds every sum of products of two
// scales, each between 2^-127 and 2^128, and an integer below 2^60.
class ExactNumber {
 public:
  ExactNumber() = default;

  // Returns integer * a * b. a: a scale in the range above, any float, or 0. b: a scale in the range above.
  static ExactNumber product(std::int64_t integer, double a, double b = 1);

  ExactNumber& operator+=(const ExactNumber& other);
  ExactNumber& operator-=(const ExactNumber& other);

  // Returns -1, 0 or 1.
  [[nodiscard]] int sign() const;

 private:
  std::array<std::uint32_t, 32> limbs_{};  // lowest first
};

}  // namespace tieout
