#pragma once
// Determines which results of a layer are possible for a computation in floats, and for one that sums integers: the
// exact value of an element, and bounds on the rounding errors of both.
//
// u = 2^-24. The exact value is v = raw * xs * ws + bias + summand, raw = sum of (x - xz) * (w - wz).
//   float32   x, w and each product are rounded, and so is each of the n sums, in any order:
//             (n + 8) * u * sum |x w| + 8 u (|bias| + |summand|)
//   integers  a few roundings of values that raw, bias and summand make up: 8 u (|raw xs ws| + |bias| + |summand|)
// A result in bytes is possible if it is the rounded quotient of the output scale and a value within the bound. The
// quotient and the zero point are rounded, too.

#include <cstdint>

#include "oracle/engines/fbgemm_path.h"
#include "oracle/libtorch/exported_model.h"

namespace tieout {

struct ExactElement {
  // Before relu, in real units, and the bounds.
  double value = 0, float_bound = 0, integer_bound = 0;
  // The value if neighbouring products are added in saturating int16, as oneDNN does without VNNI.
  double saturated = 0;

  [[nodiscard]] bool saturates() const { return saturated != value; }
};

class ExactLayer {
 public:
  // call, layer: must outlive this. call: one that is a case. hardware: of the CPU that computed it.
  ExactLayer(const ExportedCall& call, const ExportedLayer& layer, const Hardware& hardware);

  // Computes an element of the result by its place in LayerValues.
  [[nodiscard]] ExactElement at(std::size_t place) const;

  // True if the value's result can be the byte. clamped: to the range that the program states, and not only to the
  // range of bytes.
  [[nodiscard]] bool can_be(std::uint8_t byte, double value, double bound, bool clamped) const;
  // True if the value's result can be the number.
  [[nodiscard]] bool can_be(float number, double value, double bound) const;

 private:
  const ExportedCall& call_;
  const ExportedLayer& layer_;
  Hardware hardware_;
};

}  // namespace tieout
