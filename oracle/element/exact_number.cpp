#include "oracle/element/exact_number.h"

#include <algorithm>
#include <cmath>

namespace tieout {
namespace {

constexpr int kFractionBits = 368;
constexpr int kLimbBits = 32;

using Limbs = std::array<std::uint32_t, 32>;

std::uint32_t low(std::uint64_t v) { return static_cast<std::uint32_t>(v); }

// The functions below compute modulo 2^1024, where two's complement needs no special rule for signs.

Limbs from_integer(std::int64_t v) {
  Limbs n;
  n.fill(v < 0 ? ~std::uint32_t{0} : 0);
  n[0] = low(static_cast<std::uint64_t>(v));
  n[1] = low(static_cast<std::uint64_t>(v) >> kLimbBits);
  return n;
}

Limbs negated(Limbs n) {
  std::uint64_t carry = 1;
  for (std::uint32_t& limb : n) {
    carry += std::uint64_t{~limb};
    limb = low(carry);
    carry >>= kLimbBits;
  }
  return n;
}

void add(Limbs& n, const Limbs& other) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < n.size(); ++i) {
    carry += std::uint64_t{n[i]} + other[i];
    n[i] = low(carry);
    carry >>= kLimbBits;
  }
}

Limbs times(const Limbs& n, std::uint64_t factor) {
  Limbs product{};
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t digit = low(factor >> (half * kLimbBits));
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i + half < n.size(); ++i) {
      carry += n[i] * digit + product[i + half];
      product[i + half] = low(carry);
      carry >>= kLimbBits;
    }
  }
  return product;
}

Limbs shifted_left(const Limbs& n, int bits) {
  const auto limbs = static_cast<std::size_t>(bits / kLimbBits);
  const int rest = bits % kLimbBits;
  Limbs result{};
  for (std::size_t i = limbs; i < n.size(); ++i) {
    std::uint64_t pair = std::uint64_t{n[i - limbs]} << kLimbBits;
    if (i > limbs) pair |= n[i - limbs - 1];
    result[i] = low(pair >> (kLimbBits - rest));
  }
  return result;
}

// Returns n times the 53-bit mantissa of v and adds the corresponding exponent of 2 to `exponent`.
Limbs times_mantissa(const Limbs& n, double v, int& exponent) {
  int power = 0;
  const double fraction = std::frexp(std::fabs(v), &power);
  exponent += power - 53;
  const Limbs product = times(n, static_cast<std::uint64_t>(std::ldexp(fraction, 53)));
  return v < 0 ? negated(product) : product;
}

}  // namespace

ExactNumber ExactNumber::product(std::int64_t integer, double a, double b) {
  ExactNumber result;
  if (integer == 0 || a == 0 || b == 0) return result;
  int exponent = kFractionBits;
  const Limbs mantissas = times_mantissa(times_mantissa(from_integer(integer), a, exponent), b, exponent);
  result.limbs_ = shifted_left(mantissas, exponent);
  return result;
}

ExactNumber& ExactNumber::operator+=(const ExactNumber& other) {
  add(limbs_, other.limbs_);
  return *this;
}

ExactNumber& ExactNumber::operator-=(const ExactNumber& other) {
  add(limbs_, negated(other.limbs_));
  return *this;
}

int ExactNumber::sign() const {
  if (limbs_.back() >> (kLimbBits - 1) != 0) return -1;
  return std::any_of(limbs_.begin(), limbs_.end(), [](std::uint32_t limb) { return limb != 0; }) ? 1 : 0;
}

}  // namespace tieout
