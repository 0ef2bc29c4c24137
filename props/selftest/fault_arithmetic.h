#pragma once
// Provides the arithmetic of the faulty kernel: sums, multiplier, bias, rounding and clamp. In each function, the
// expression that is not guarded by the name of a fault is the correct one.

#include <cstdint>

#include "props/selftest/fault.h"

namespace tieout {

struct Sums {
  std::int64_t products = 0, activations = 0, weights = 0;
};

// Locates an output element for faults in the blocks of a kernel's loops.
struct Block {
  std::int64_t position, row, column, channel;  // position: rows and columns flattened.
};

// Returns how many times product i of the element is added: once, unless the fault changes that.
[[nodiscard]] inline std::int64_t times_counted(const Block& b, std::int64_t i, Fault fault) {
  switch (fault) {
    case Fault::tile_of_64_by_64: return b.position >= 64 && b.channel >= 64 && i == 0 ? 0 : 1;
    case Fault::tile_of_16_rows_by_16_columns: return b.row >= 16 && b.column >= 16 && i == 0 ? 0 : 1;
    case Fault::panel_of_256_products: return b.channel >= 16 && i >= 256 ? 0 : 1;
    case Fault::panel_of_16_positions_8_channels_64_products:
      return b.position >= 16 && b.channel >= 8 && i >= 64 ? 0 : 1;
    case Fault::panel_of_32_in_three_loops: return b.position >= 32 && b.channel >= 32 && i >= 32 ? 2 : 1;
    default: return 1;
  }
}

// Adds up the products of a window one by one.
class SumUp {
 public:
  SumUp(Fault fault, std::int64_t length) : fault_(fault), length_(length) {}
  void add(std::int64_t i, std::int64_t x, std::int64_t w);
  [[nodiscard]] Sums finish();

 private:
  [[nodiscard]] bool is(Fault fault) const { return fault_ == fault; }

  Fault fault_;
  std::int64_t length_;  // Number of products of the window.
  std::int64_t part_ = 0;
  float float_sum_ = 0;
  Sums sums_;
};

[[nodiscard]] std::int32_t saturated(std::int64_t value);

[[nodiscard]] float to_float(std::int64_t raw, Fault fault);

// Returns fl(fl(fl(xs) * fl(ws)) / fl(os)) unless there is a fault.
[[nodiscard]] float multiplier_of(const tieout_conv& c, double weight_scale, Fault fault);

// Returns fl(raw + fl(b / A)) per channel and fma(b, fl(1 / A), raw) per tensor unless there is a fault.
[[nodiscard]] float with_bias(std::int64_t raw, float bias, float unit, bool per_channel, Fault fault);

// Returns fl(value * M) unless there is a fault. value: raw with its bias.
[[nodiscard]] float scale(std::int64_t raw, float value, float multiplier, const tieout_conv& c, Fault fault);

// Returns clamp(ties_to_even(s) + zero_point, relu ? zero_point : 0, 255) unless there is a fault.
[[nodiscard]] std::uint8_t clamp(float scaled, std::int64_t zero_point, bool relu, Fault fault);

}  // namespace tieout
