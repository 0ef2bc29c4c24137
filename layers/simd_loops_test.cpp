// Compares the loops over whole layers with their definitions, for every instruction set of the CPU: with lengths
// around the size of a register, with zero points, and with the extreme values of bytes.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "layers/drawn_bytes.h"
#include "layers/literal_sums.h"
#include "layers/ordered_windows.h"
#include "layers/simd/layer_loops.h"
#include "layers/simd/partial_sums.h"

namespace tieout {
namespace {

TEST(LayerLoops, NormsAreTheirDefinition) {
  Random random(31);
  for (std::size_t count = 0; count <= 130; ++count) {
    const auto w = drawn<std::int8_t>(count, random);
    for (const std::int32_t zero_point : {0, -128, 127}) {
      std::int64_t sum = 0;
      std::vector<std::int32_t> squares((count + kNormBlock - 1) / kNormBlock);
      for (std::size_t i = 0; i < count; ++i) {
        const std::int32_t step = w[i] - zero_point;
        sum += std::abs(step);
        squares[i / kNormBlock] += step * step;
      }
      for (const SimdIsa isa : simd_isas()) {
        std::vector<std::int32_t> found(squares.size());
        ASSERT_EQ(layer_loops(isa).norms(w.data(), std::ssize(w), zero_point, found.data()), sum) << count;
        ASSERT_EQ(found, squares) << count;
      }
    }
  }
}

// Lengths: 8 and 16 fill registers of bytes with digits, 3 is that of an RGB input, 9 is one more than a register. Few
// and many channels are summed, and one sum is wrong by a power of two.
TEST(LayerLoops, OneWrongSumIsNotProven) {
  Random random(32);
  for (const std::int64_t length : {1, 3, 8, 9, 16, 67}) {
    for (const std::int64_t outputs : {1, 15, 16, 17, 40}) {
      constexpr std::int64_t kPositions = 7, kZeroPoint = 93, kRuns = 2;
      const auto x = drawn<std::uint8_t>(static_cast<std::size_t>(kPositions * length * kRuns), random);
      const auto w = drawn<std::int8_t>(static_cast<std::size_t>(outputs * length * kRuns), random);
      std::vector<std::int32_t> r(static_cast<std::size_t>(outputs)),
          sums(static_cast<std::size_t>(kPositions * outputs));
      for (std::int32_t& number : r) number = static_cast<std::int32_t>(random.next() >> 32U);
      const std::int64_t padded = (length + 7) / 8 * 8;
      std::vector<std::uint64_t> combined(static_cast<std::size_t>(padded * kRuns));
      std::uint64_t zero_point = 0;
      for (std::int64_t k = 0; k < outputs; ++k) {
        for (std::int64_t i = 0; i < length * kRuns; ++i) {
          const std::int64_t weight = w[static_cast<std::size_t>(k * length * kRuns + i)];
          const auto term = static_cast<std::uint64_t>(weight * r[static_cast<std::size_t>(k)]);
          combined[static_cast<std::size_t>(i / length * padded + i % length)] += term;
          zero_point += term * kZeroPoint;
          // The runs of a position are contiguous; positions follow after all of them.
          for (std::int64_t p = 0; p < kPositions; ++p) {
            const std::int64_t step = x[static_cast<std::size_t>(p * length * kRuns + i)] - kZeroPoint;
            sums[static_cast<std::size_t>(p * outputs + k)] += static_cast<std::int32_t>(step * weight);
          }
        }
      }
      for (const SimdIsa isa : simd_isas()) {
        const LayerLoops lanes = layer_loops(isa);
        std::vector<std::uint64_t> arranged = combined;
        lanes.arrange(arranged.data(), std::ssize(arranged));
        const std::vector<CombinedRun> runs{{x.data(), arranged.data()}, {x.data() + length, arranged.data() + padded}};
        std::vector<std::int32_t> handed_over = sums;
        const CombinedRow row{.runs = runs.data(),
                              .run_count = kRuns,
                              .run_length = length,
                              .step = length * kRuns,
                              .positions = kPositions,
                              .zero_point = zero_point,
                              .random = r.data(),
                              .outputs = outputs,
                              .sums = handed_over.data(),
                              .sums_step = outputs};
        ASSERT_EQ(lanes.first_unproven(row, 0), kPositions);
        for (std::int64_t wrong = 0; wrong < kPositions * outputs; ++wrong) {
          std::int32_t& sum = handed_over[static_cast<std::size_t>(wrong)];
          const std::int32_t right = sum;
          sum ^= std::int32_t{1} << (wrong % 31);
          ASSERT_EQ(lanes.first_unproven(row, 0), wrong / outputs) << length << ' ' << outputs;
          ASSERT_EQ(lanes.first_unproven(row, wrong / outputs + 1), kPositions);
          sum = right;
        }
      }
    }
  }
}

// The largest sums of digits: all bytes are 255, and all digits are -2^15 or -2^7.
TEST(LayerLoops, DigitsAddUpWithoutOverflow) {
  for (const std::uint64_t combined : {-0x8000800080008000U, -0x8080808080808080U}) {
    for (const std::int64_t length : {1016, 1023, 1024, 1025, 2049, 65536}) {
      const std::vector<std::uint8_t> x(static_cast<std::size_t>(length), 255);
      std::vector<std::uint64_t> all(static_cast<std::size_t>((length + 7) / 8 * 8));
      std::fill_n(all.begin(), length, combined);
      const std::int32_t random = 7, sum = 5;
      const std::uint64_t zero_point = static_cast<std::uint64_t>(length) * 255 * combined - 35;
      for (const SimdIsa isa : simd_isas()) {
        const LayerLoops lanes = layer_loops(isa);
        std::vector<std::uint64_t> arranged = all;
        lanes.arrange(arranged.data(), std::ssize(arranged));
        const CombinedRun run{x.data(), arranged.data()};
        CombinedRow row{.runs = &run,
                        .run_count = 1,
                        .run_length = length,
                        .step = 0,
                        .positions = 1,
                        .zero_point = zero_point,
                        .random = &random,
                        .outputs = 1,
                        .sums = &sum,
                        .sums_step = 1};
        ASSERT_EQ(lanes.first_unproven(row, 0), 1) << length;
        ++row.zero_point;
        ASSERT_EQ(lanes.first_unproven(row, 0), 0) << length;
      }
    }
  }
}

// The sums exceed what lanes of 32 bits hold.
TEST(LayerLoops, LengthsOfMillionsOfNumbers) {
  constexpr std::int64_t kCount = (std::int64_t{1} << 21) + 33;
  const std::vector<std::int8_t> w(kCount, -128);
  const std::vector<std::uint8_t> a(kCount, 255);
  for (const SimdIsa isa : simd_isas()) {
    std::vector<std::int32_t> squares((kCount + kNormBlock - 1) / kNormBlock);
    EXPECT_EQ(layer_loops(isa).norms(w.data(), kCount, 127, squares.data()), 255 * kCount);
    EXPECT_EQ(squares.front(), kNormBlock * 255 * 255);
    EXPECT_EQ(squares.back(), 255 * 255);
    EXPECT_EQ(layer_loops(isa).squares(a.data(), kCount, 0), std::uint64_t{65025} * kCount);  // 255^2
  }
}

// 64 channels are a register of bytes. Strides share columns or do not, and weights fit in bytes or do not.
TEST(LayerLoops, DepthwiseSumsAreTheirDefinition) {
  Random random(33);
  for (const std::int64_t channels : {1, 16, 63, 64, 65, 96, 144}) {
    for (const std::int64_t stride : {1, 2}) {
      for (const auto& [rows, columns] : {std::pair{2, 2}, {1, 3}, {2, 3}, {3, 3}, {4, 3}, {5, 3}, {5, 5}}) {
        for (const std::int32_t weight_zero_point : {0, 5}) {
          constexpr std::int64_t kPositions = 6, kShift = 17;
          const std::int64_t taps = std::int64_t{rows} * columns, line = (kPositions * stride + columns) * channels;
          const auto x = drawn<std::uint8_t>(static_cast<std::size_t>(rows * line), random);
          const auto stored = drawn<std::int8_t>(static_cast<std::size_t>(taps * channels), random);
          std::vector<std::int32_t> w, shift(static_cast<std::size_t>(channels), kShift);
          for (const std::int8_t weight : stored) w.push_back(weight - weight_zero_point);
          std::vector<const std::uint8_t*> from;
          for (std::int64_t t = 0; t < taps; ++t)
            from.push_back(x.data() + t / columns * line + t % columns * channels);
          std::vector<std::int32_t> sums;
          for (std::int64_t p = 0; p < kPositions; ++p) {
            for (std::int64_t k = 0; k < channels; ++k) {
              std::int32_t sum = kShift;
              for (std::int64_t t = 0; t < taps; ++t) {
                sum += from[static_cast<std::size_t>(t)][p * stride * channels + k] *
                       w[static_cast<std::size_t>(t * channels + k)];
              }
              sums.push_back(sum);
            }
          }
          for (const SimdIsa isa : simd_isas()) {
            const LayerLoops lanes = layer_loops(isa);
            const AlignedVector<std::int8_t> packed = lanes.pack_taps(w.data(), taps, channels);
            std::vector<std::int32_t> handed_over = sums;
            const DepthwiseSumRow row{.taps = from.data(),
                                      .tap_count = taps,
                                      .step = stride * channels,
                                      .positions = kPositions,
                                      .count = channels,
                                      .w = w.data(),
                                      .shift = shift.data(),
                                      .sums = handed_over.data(),
                                      .packed = packed.empty() ? nullptr : packed.data()};
            ASSERT_EQ(lanes.first_wrong(row, 0), std::ssize(sums));
            for (std::int64_t wrong = 0; wrong < std::ssize(sums); ++wrong) {
              ++handed_over[static_cast<std::size_t>(wrong)];
              ASSERT_EQ(lanes.first_wrong(row, 0), wrong) << channels;
              ASSERT_EQ(lanes.first_wrong(row, wrong + 1), std::ssize(sums));
              --handed_over[static_cast<std::size_t>(wrong)];
            }
          }
        }
      }
    }
  }
}

// The sums equal those of one addition after the other, in every rounding. The scales are float32 numbers, as
// calibration gives them.
TEST(LiteralSums, SixteenAtOnceAreThoseOfEach) {
  if (best_simd_isa() == SimdIsa::portable) GTEST_SKIP() << "This CPU has no AVX2.";
  Random random(36);
  for (const std::int64_t count : {1, 5, 63, 64, 65, 200}) {
    const auto x = drawn<std::uint8_t>(static_cast<std::size_t>(16 * count), random);
    const auto w = drawn<std::int8_t>(static_cast<std::size_t>(16 * count), random);
    SixteenElements elements{.count = count, .activation_scale = 0.0371F, .activation_zero_point = 113};
    for (std::size_t lane = 0; lane < 16; ++lane) {
      elements.x[lane] = x.data() + static_cast<std::int64_t>(lane) * count;
      elements.w[lane] = w.data() + static_cast<std::int64_t>(lane) * count;
      elements.weight_scale[lane] = 0.0043F + 0.0007F * static_cast<float>(lane);
      elements.weight_zero_point[lane] = static_cast<std::int32_t>(lane) - 7;
    }
    float sums[16];
    sums_of_sixteen_avx2(elements, sums);
    for (std::size_t lane = 0; lane < 16; ++lane) {
      float sum = 0;
      for (std::int64_t i = 0; i < count; ++i) {
        const auto scale = static_cast<double>(elements.weight_scale[lane]);
        sum += dequantized_activation(elements.x[lane][i] - 113, static_cast<double>(elements.activation_scale)) *
               dequantized_weight<float>(elements.w[lane][i] - elements.weight_zero_point[lane], scale,
                                         Granularity::per_channel);
      }
      ASSERT_EQ(sums[lane], sum) << count;
    }
  }
}

}  // namespace
}  // namespace tieout
