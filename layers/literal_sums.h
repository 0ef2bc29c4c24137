#pragma once
// Computes the sums of dequantized numbers for selected elements of a layer, operation by operation in the defined
// order (dequantized.h). Each addition waits for the previous one, so several elements are summed side by side, each in
// its own order.

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "cases/machine/cpu.h"
#include "layers/ordered_windows.h"
#include "layers/simd/float_sums.h"
#include "oracle/hypotheses/dequantized.h"

namespace tieout {

// The parameters of an output channel that its dequantized products depend on.
struct Dequantization {
  double activation_scale = 1, weight_scale = 1;
  std::int32_t activation_zero_point = 0, weight_zero_point = 0;
  Granularity granularity = Granularity::per_tensor;
};

// Computes to[i] = x[i] * w[i], dequantized, with every operation in the type that dequantized.h defines for it.
template <typename Real>
using Multiply = void (*)(const std::uint8_t* x, const std::int8_t* w, std::int64_t count, const Dequantization& by,
                          Real* to);
// Returns the function for that instruction set.
template <typename Real>
[[nodiscard]] Multiply<Real> multiply(SimdIsa isa);

// Sums of dequantized numbers for elements of one layer. Real: float for manual_output_2, double for manual_output_1.
template <typename Real>
class LiteralSums {
 public:
  static constexpr std::size_t kSideBySide = 16;

  // layer: must outlive this; its activation may be exchanged between calls of visit().
  LiteralSums(const LayerView& layer, SimdIsa isa)
      : layer_(layer), c_(*layer.spec), windows_(layer), multiply_(multiply<Real>(isa)) {
    if constexpr (sizeof(Real) == sizeof(float)) {
      const bool floats = std::all_of(c_.weight_scales.begin(), c_.weight_scales.end(), [](double scale) {
        return static_cast<double>(static_cast<float>(scale)) == scale;
      });
      in_lanes_ = isa != SimdIsa::portable && (floats || c_.granularity == Granularity::per_tensor);
    }
  }

  using Sums = std::array<Real, kSideBySide>;

  // Buffers that are reused from call to call; one instance per thread.
  struct Room {
    std::vector<Real> products;
    std::array<OrderedWindow, kSideBySide> windows;

    // Marks all windows as empty.
    void forget() {
      for (OrderedWindow& window : windows) window.position = -1;
    }
  };

  // Calls see(i, sum) for the sum of each element elements[i], in order.
  template <typename See>
  void visit(std::span<const OutputElement> elements, Room& room, const See& see) const {
    room.forget();  // the activations may have changed since the last call
    Sums sums{};
    for (std::size_t first = 0; first < elements.size(); first += kSideBySide) {
      const auto some = elements.subspan(first, std::min(kSideBySide, elements.size() - first));
      add_up(some, room, sums);
      for (std::size_t lane = 0; lane < some.size(); ++lane) see(first + lane, sums[lane]);
    }
  }

 private:
  void add_up(std::span<const OutputElement> elements, Room& room, Sums& sums) const {
    if constexpr (sizeof(Real) == sizeof(float)) {
      if (in_lanes_) return add_in_lanes(elements, room, sums);
    }
    const auto length = static_cast<std::size_t>(windows_.length());
    room.products.resize(kSideBySide * length);
    for (std::size_t lane = 0; lane < elements.size(); ++lane) {
      products(elements[lane], room.windows.front(), room.products.data() + lane * length);
    }
    const Real* const from = room.products.data();
    sums = {};
    for (std::size_t i = 0; i < length; ++i) {
      for (std::size_t lane = 0; lane < kSideBySide; ++lane) sums[lane] += from[lane * length + i];
    }
  }

  // Elements come mostly position by position, so that neighbours share windows. Unused lanes repeat the last element.
  void add_in_lanes(std::span<const OutputElement> elements, Room& room, Sums& sums) const {
    SixteenElements sixteen{.count = windows_.length(),
                            .activation_scale = static_cast<float>(c_.activation_scale),
                            .activation_zero_point = static_cast<std::int32_t>(c_.activation_zero_point)};
    std::size_t window = 0;
    for (std::size_t lane = 0; lane < kSideBySide; ++lane) {
      const OutputElement& element = elements[std::min(lane, elements.size() - 1)];
      if (lane > 0 && !windows_.holds(element, room.windows[window])) ++window;
      windows_.gather(element, room.windows[window]);
      sixteen.x[lane] = room.windows[window].x;
      sixteen.w[lane] = layer_.weight + element.k * windows_.length();
      sixteen.weight_scale[lane] = static_cast<float>(weight_scale(c_, element.k));
      sixteen.weight_zero_point[lane] = static_cast<std::int32_t>(weight_zero_point(c_, element.k));
    }
    sums_of_sixteen_avx2(sixteen, sums.data());
  }

  // Outside of the input x is the zero point, so that the product is 0, as for x = 0 in the definition.
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
  bool in_lanes_ = false;  // true if the sums are computed with one element per lane
};

}  // namespace tieout
