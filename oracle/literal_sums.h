#pragma once
// The sums of dequantized numbers, operation by operation in their own order (dequantized.h), of some elements of a layer. An
// addition waits for the one before it: several elements are summed side by side, each in its own order.

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "oracle/dequantized.h"
#include "oracle/ordered_windows.h"
#include "oracle/vector_isa.h"

namespace tieout {

// What dequantized products of one output channel depend on, beside the stored numbers.
struct Dequantization {
  double activation_scale = 1, weight_scale = 1;
  std::int32_t activation_zero_point = 0, weight_zero_point = 0;
  Granularity granularity = Granularity::per_tensor;
};

// to[i] = x[i] * w[i], dequantized, every operation in float32 but for those that float64 has.
template <typename Real>
using Multiply = void (*)(const std::uint8_t* x, const std::int8_t* w, std::int64_t count, const Dequantization& by,
                          Real* to);
template <typename Real>
[[nodiscard]] Multiply<Real> multiply(VectorIsa isa);

template <typename Real>
class LiteralSums {
 public:
  static constexpr std::size_t kSideBySide = 8;

  LiteralSums(const LayerView& layer, VectorIsa isa)
      : layer_(layer), c_(*layer.spec), windows_(layer), multiply_(multiply<Real>(isa)) {}

  // see(i, sum) for every element's number i, in order. room, window: reused from call to call.
  template <typename See>
  void visit(std::span<const OutputElement> elements, std::vector<Real>& room, OrderedWindow& window,
             const See& see) const {
    const auto length = static_cast<std::size_t>(windows_.length());
    room.resize(kSideBySide * length);
    for (std::size_t first = 0; first < elements.size(); first += kSideBySide) {
      const std::size_t count = std::min(kSideBySide, elements.size() - first);
      for (std::size_t lane = 0; lane < count; ++lane) {
        products(elements[first + lane], window, room.data() + lane * length);
      }
      std::array<Real, kSideBySide> sums{};
      const Real* const from = room.data();
      for (std::size_t i = 0; i < length; ++i) {
        for (std::size_t lane = 0; lane < kSideBySide; ++lane) sums[lane] += from[lane * length + i];
      }
      for (std::size_t lane = 0; lane < count; ++lane) see(first + lane, sums[lane]);
    }
  }

 private:
  // Outside of the input x is its zero point, so that the product is 0, as it is where x is 0.
  void products(const OutputElement& element, OrderedWindow& window, Real* to) const {
    windows_.gather(element, window);
    multiply_(window.x, layer_.weight + element.k * windows_.length(), windows_.length(),
              {.activation_scale = c_.activation_scale,
               .weight_scale = weight_scale(c_, element.k),
               .activation_zero_point = static_cast<std::int32_t>(c_.activation_zero_point),
               .weight_zero_point = static_cast<std::int32_t>(weight_zero_point(c_, element.k)),
               .granularity = c_.granularity},
              to);
  }

  const LayerView& layer_;
  const ConvCase& c_;
  OrderedWindows windows_;
  Multiply<Real> multiply_;
};

}  // namespace tieout
