#pragma once
// The arithmetic of the faulty kernel: sums, multiplier, bias, rounding, clamp. The right expression of each function is the
// one without a fault's name.

#include <cstdint>

#include "props/faults/fault.h"

namespace tieout {

struct Sums {
  std::int64_t products = 0, activations = 0, weights = 0;
};

// Adds up a window, product by product.
class SumUp {
 public:
  SumUp(Fault fault, std::int64_t length) : fault_(fault), length_(length) {}
  void add(std::int64_t i, std::int64_t x, std::int64_t w);
  [[nodiscard]] Sums finish();

 private:
  [[nodiscard]] bool is(Fault fault) const { return fault_ == fault; }

  Fault fault_;
  std::int64_t length_;  // of the window
  std::int64_t part_ = 0;
  float float_sum_ = 0;
  Sums sums_;
};

[[nodiscard]] std::int32_t saturated(std::int64_t value);

[[nodiscard]] float to_float(std::int64_t raw, Fault fault);

// fl(fl(fl(xs) * fl(ws)) / fl(os))
[[nodiscard]] float multiplier_of(const tieout_conv& c, double weight_scale, Fault fault);

// Per channel fl(raw + fl(b / A)); per tensor fma(b, fl(1 / A), raw).
[[nodiscard]] float with_bias(std::int64_t raw, float bias, float unit, bool per_channel, Fault fault);

// fl(value * M), where value is raw with its bias.
[[nodiscard]] float scale(std::int64_t raw, float value, float multiplier, const tieout_conv& c, Fault fault);

// clamp(ties_to_even(s) + zero_point, relu ? zero_point : 0, 255)
[[nodiscard]] std::uint8_t clamp(float scaled, std::int64_t zero_point, bool relu, Fault fault);

}  // namespace tieout
