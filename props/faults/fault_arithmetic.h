#pragma once
// The arithmetic of the faulty kernel: sums, multiplier, bias, rounding, clamp. The right expression of each function is the
// one without a fault's name.

#include <cstdint>

#include "props/faults/fault.h"

namespace tieout {

struct Sums {
  std::int64_t products = 0, activations = 0, weights = 0;
};

// Where an output element lies in the blocks of its loops.
struct Block {
  std::int64_t position, row, column, channel;  // position: rows and columns flattened
};

// How many times product i of the element is added: once.
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
