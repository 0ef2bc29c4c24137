#include "reports/samples/sample_findings.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "cases/random.h"

namespace tieout {
namespace {

constexpr const char* kSteps = R"(case: conv2d in_channels=2 os=512 x=[2*255] w=[2*127] isa=avx2
element: [0, 0, 0, 0] of [1, 1, 1, 1]
window: 2 products, xz = 0, wz = 0; 1 of 1 pair saturates int16 in FBGEMM's order
            x     w   x * w      pair
       0  255   127   32385
       1  255   127   32385     64770 -> 32767 in int16

step            integer_float32   integer_int16_pairs
lost in pairs                 -                 32003
accumulator               64770                 32767 *
raw                       64770                 32767
multiplier          0.001953125           0.001953125
scaled             126.50390625          63.998046875
rounded                     127                    64
result                      127                    64

* parts here from integer_float32, in the same unit:
  integer_int16_pairs, accumulator: sum of sat_int16(x0 * w0 + x1 * w1), int32
)";

// Returns values that vary smoothly, so that a picture of them looks like one of an activation.
std::uint8_t value_at(Random& random, std::int64_t channel, std::int64_t row, std::int64_t column) {
  const std::int64_t wave = (channel * 37 + row * (channel % 5 + 1) * 3 + column * (channel % 3 + 2) * 2) % 256;
  return static_cast<std::uint8_t>((wave < 128 ? wave : 255 - wave) + random.between(0, 24));
}

}  // namespace

const char* sample_explanation() { return kSteps; }

void fill_tensors(Finding& finding, const Shape& shape, int spread, std::uint32_t density, std::int64_t every) {
  Random random(static_cast<std::uint64_t>(finding.index), 7);
  finding.expected.shape = finding.actual.shape = shape;
  for (std::int64_t i = 0; i < element_count(shape); ++i) {
    const std::vector<std::int64_t> at = unravel(i, shape);
    const std::uint8_t expected = value_at(random, at[1], at[at.size() - 2], at.back());
    int difference = 0;
    if (at[1] % every == 1 % every && random.chance(1, density)) {
      difference = static_cast<int>(random.between(1, spread)) * (random.chance(3, 4) ? 1 : -1);
    }
    const auto actual = static_cast<std::uint8_t>(std::clamp(int{expected} + difference, 0, 255));
    finding.expected.values.push_back(expected);
    finding.actual.values.push_back(actual);
    if (expected == actual || finding.elements.size() == 10) continue;
    const std::int64_t accumulator = random.between(-2'000'000, 2'000'000);
    finding.elements.push_back({.offset = i,
                                .expected = expected,
                                .actual = actual,
                                .accumulator = accumulator,
                                .scaled = static_cast<float>(expected) + 0.5F});
  }
  if (finding.elements.empty()) {
    finding.actual.values.back() += finding.actual.values.back() % 2 == 0 ? 1 : -1;
    finding.elements.push_back({.offset = element_count(shape) - 1,
                                .expected = finding.expected.values.back(),
                                .actual = finding.actual.values.back()});
  }
  finding.explained += count_differing(finding.expected.values, finding.actual.values);
}

Finding difference(std::int64_t index, const char* kind, const char* derivation, const char* isa, const char* path) {
  Finding finding{
      .expected_name = "libtorch", .actual_name = "scalar", .mismatch_class = kind, .derivation = derivation};
  finding.cell = {.engine = "fbgemm", .isa = isa, .path = path, .granularity = "per_channel", .bias = "bias"};
  finding.index = index;
  return finding;
}

std::vector<Finding> findings_of_a_night() {
  std::vector<Finding> findings;
  Finding tie = difference(1204, "tie", "ties are rounded away from zero", "avx512_vnni", "pointwise");
  tie.case_line = "conv2d xs=0.1 ws=[0.5] os=0.1 x=[1] w=[1]";
  tie.original_line =
      "conv2d batch=2 in_channels=13 out_channels=7 input=5x5 xs=0.1 ws=[7*0.5] os=0.1 relu x=edges "
      "w=extremes seed=1204";
  fill_tensors(tie, {1, 1, 4, 4}, 1, 4, 1);
  findings.push_back(tie);

  Finding pairs = difference(77, "pair saturation", "pairs of products saturate in int16 in one, and not in the other",
                             "avx2", "im2col");
  pairs.case_line =
      "conv2d in_channels=2 out_channels=8 input=12x12 kernel=3x3 padding=1x1 os=512 x=extremes w=edges "
      "seed=77 isa=avx2";
  pairs.original_line = pairs.case_line;
  pairs.explanation = sample_explanation();
  fill_tensors(pairs, {1, 8, 12, 12}, 63, 9, 2);
  findings.push_back(pairs);

  Finding large = difference(5310, "bias rounding", "the bias is rounded to int32", "avx512", "im2col");
  large.case_line =
      "conv2d in_channels=3 out_channels=64 input=56x56 kernel=3x3 padding=1x1 xs=0.02 ws=0.005 os=0.1 "
      "oz=12 bias=[64*0.25] x=uniform w=uniform seed=5310 isa=avx512";
  large.original_line = large.case_line;
  fill_tensors(large, {1, 64, 56, 56}, 2, 60, 7);
  findings.push_back(large);

  Finding rounding =
      difference(901, "float conversion above 2^24", "the sum is not rounded to float32", "native", "im2col");
  rounding.cell.engine = "qnnpack";
  rounding.case_line =
      "conv1d in_channels=1000 out_channels=6 input=40 os=131072 x=extremes w=extremes seed=901 "
      "engine=qnnpack";
  rounding.original_line = rounding.case_line;
  fill_tensors(rounding, {1, 6, 40}, 1, 12, 3);
  findings.push_back(rounding);

  Finding crash = difference(3111, "", "", "avx2", "groupwise");
  crash.case_line =
      "conv2d in_channels=20 out_channels=20 groups=5 input=3x3 kernel=3x3 padding=1x1 x=[180*1] "
      "w=[720*1] isa=avx2";
  crash.original_line = crash.case_line;
  crash.failure = "died: SIGSEGV";
  findings.push_back(crash);
  return findings;
}

}  // namespace tieout
