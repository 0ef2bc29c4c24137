#pragma once
// The fast kernel's inner loops: many output positions side by side, on the best registers that the CPU has.

#include <array>
#include <cstdint>

namespace tieout {

constexpr std::int64_t kPositions = 32;  // of the output, worked on together: two registers of 16 lanes
constexpr std::int64_t kChannels = 4;    // of the output, likewise

using LaneSums = std::array<std::array<std::int32_t, kPositions>, kChannels>;

enum class Pairs { exact, saturate };

// sums[k][p] = sum over pairs i of x[i][p] . w[i][k], both two int16 in 32 bits; a pair's sum saturated to int16, or not.
// x: pairs x kPositions; w: pairs x kChannels.
using Multiply = void (*)(const std::int32_t* x, const std::int32_t* w, std::int64_t pairs, LaneSums& sums);
[[nodiscard]] Multiply best_multiply(Pairs pairs);

// What requantization needs of one output channel.
struct Channel {
  float bias = 0;        // to be added: already divided, or as it is where it is fused
  float reciprocal = 0;  // of the unit, where the bias is fused
  float multiplier = 0;
  enum class Bias { none, added, fused } how = Bias::none;
};

// y of kPositions sums, zero points taken out: clamp(oz + ties_to_even(float(raw) with bias * multiplier), lowest, 255). Beyond
// int32, and for NaN, the conversion gives INT32_MIN, so the lowest y.
using Requantize = void (*)(const std::int32_t* raw, const Channel& channel, std::int32_t oz, std::int32_t lowest,
                            std::uint8_t* y);
[[nodiscard]] Requantize best_requantize();

}  // namespace tieout
