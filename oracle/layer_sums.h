#pragma once
// The sums over every window of a layer, many windows at a time: what hypotheses about whole layers start from.

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "cases/conv_case.h"

namespace tieout {

// Up to kLanes neighbouring elements of one output channel.
struct SumLanes {
  static constexpr std::int64_t kLanes = 32;
  std::int64_t k = 0;                 // the output channel
  std::int64_t offset = 0;            // of the first element, in the output
  std::int64_t count = 0;             // of elements; lanes behind them mean nothing
  std::array<float, kLanes> exact;    // sum of (x - xz) * (w - wz)
  std::array<float, kLanes> rounded;  // manual_output_2's: of dequantized numbers, every operation rounded to float32
};

class LayerSums {
 public:
  explicit LayerSums(const ConvProblem& problem);

  // Whether `exact` is exact for that output channel: no partial sum leaves 2^23, so that float32 holds it.
  [[nodiscard]] bool exact(std::int64_t k) const { return exact_[static_cast<std::size_t>(k)]; }

  // max |x - xz| * sum |w - wz|: bounds the sum of channel k, and what rounding each activation can add to it.
  [[nodiscard]] double magnitude(std::int64_t k) const { return magnitude_[static_cast<std::size_t>(k)]; }

  // Every element of the output once, on `threads` threads; part: which of them.
  void visit(int threads, const std::function<void(std::size_t part, const SumLanes&)>& see) const;

 private:
  struct Scratch;
  void pad(std::int64_t image, Scratch& scratch) const;
  void lay_out(std::int64_t first, Scratch& scratch) const;

  const ConvProblem& problem_;
  const ConvCase& c_;
  Spatial out_, padded_{};
  std::int64_t channels_ = 0, outputs_ = 0, taps_ = 0, length_ = 0;
  std::vector<float> steps_, weights_;  // K x length_, in blocks of output channels: w - wz, and dequantized
  std::vector<bool> exact_;
  std::vector<double> magnitude_;
};

}  // namespace tieout
