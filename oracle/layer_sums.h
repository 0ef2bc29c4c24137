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
  std::int64_t k = 0;                      // the output channel
  std::int64_t offset = 0;                 // of the first element, in the output
  std::int64_t count = 0;                  // of elements; lanes behind them mean nothing
  std::array<std::int32_t, kLanes> exact;  // sum of (x - xz) * (w - wz); see LayerSums::exact()
  std::array<float, kLanes> rounded;  // manual_output_2's: of dequantized numbers, every operation rounded to float32
  std::uint32_t saturating = 0;       // a bit a lane: some pair of neighbouring products leaves int16
};

class LayerSums {
 public:
  explicit LayerSums(const ConvProblem& problem);

  // Whether SumLanes::exact is, for that output channel: no partial sum leaves int32.
  [[nodiscard]] bool exact(std::int64_t k) const { return magnitude(k) < 0x1p30; }

  // max |x - xz| * sum |w - wz|: bounds the sum of channel k, and what rounding each activation can add to it.
  [[nodiscard]] double magnitude(std::int64_t k) const { return magnitude_[static_cast<std::size_t>(k)]; }

  // Every element of the output once, on `threads` threads; part: which of them.
  void visit(int threads, const std::function<void(std::size_t part, const SumLanes&)>& see) const;

 private:
  struct Scratch;
  void pad(std::int64_t image, Scratch& scratch) const;
  void lay_out(std::int64_t first, std::int64_t last, Scratch& scratch) const;
  void find_pairs(std::int64_t largest);
  [[nodiscard]] std::uint32_t saturating(std::int64_t k, const Scratch& scratch) const;

  // Two neighbours in the reduction, kernel position first and channel fastest, whose products can leave int16 together.
  struct Pair {
    std::int64_t first, second;  // in the order of the sums here
    float first_weight, second_weight;
  };

  const ConvProblem& problem_;
  const ConvCase& c_;
  Spatial out_, padded_{};
  std::int64_t channels_ = 0, outputs_ = 0, taps_ = 0, length_ = 0;
  std::vector<float> steps_, weights_;  // K x length_, in blocks of output channels: w - wz, and dequantized
  std::vector<double> magnitude_;
  std::vector<std::vector<Pair>> pairs_;  // by output channel
  std::int64_t segment_ = 1;  // so many products add up to less than 2^24, where float32 holds every integer
};

}  // namespace tieout
