#include "reports/sample_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>

#include "cases/random.h"

namespace tieout {
namespace {

constexpr std::array<const char*, 33> kClasses{"tie",
                                               "beside_tie",
                                               "pair_saturation",
                                               "sum_beyond_2_24",
                                               "int32_wrap",
                                               "conversion_overflow",
                                               "int16_saturation",
                                               "clamped_low",
                                               "clamped_high",
                                               "interior",
                                               "zero_point_at_end",
                                               "weight_zero_point",
                                               "bias",
                                               "padded",
                                               "dilated",
                                               "grouped",
                                               "per_channel",
                                               "relu",
                                               "odd_channels",
                                               "large_batch",
                                               "tie_with_bias",
                                               "strided",
                                               "one_dimensional",
                                               "three_dimensional",
                                               "large_kernel",
                                               "mixed_kernel",
                                               "two_outputs_a_channel",
                                               "activation_sum_saturated",
                                               "enlarging",
                                               "channels_last",
                                               "several_threads",
                                               "forced_isa",
                                               "other_engine"};
constexpr std::array<const char*, 4> kPaths{"depthwise", "groupwise", "im2col", "pointwise"};
constexpr std::array<const char*, 5> kIsas{"avx2", "avx512", "avx512_256", "avx512_vnni", "avx512_vnni_256"};
constexpr std::array<const char*, 4> kFills{"uniform", "edges", "extremes", "reduced"};

constexpr const char* kExplanation = R"(case: conv2d in_channels=2 os=512 x=[2*255] w=[2*127] isa=avx2
element: [0, 0, 0, 0] of [1, 1, 1, 1]
window: 2 products, xz = 0, wz = 0; 1 of 1 pair saturates int16
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

// Smooth, so that a picture of it looks like one of an activation.
std::uint8_t value_at(Random& random, std::int64_t channel, std::int64_t row, std::int64_t column) {
  const std::int64_t wave = (channel * 37 + row * (channel % 5 + 1) * 3 + column * (channel % 3 + 2) * 2) % 256;
  return static_cast<std::uint8_t>((wave < 128 ? wave : 255 - wave) + random.between(0, 24));
}

// spread: of the differences, -spread..spread. density: one element in so many differs, in every `every`-th channel.
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
    finding.actual.values.back() ^= 1U;
    finding.elements.push_back({.offset = element_count(shape) - 1,
                                .expected = finding.expected.values.back(),
                                .actual = finding.actual.values.back()});
  }
  for (std::size_t i = 0; i < finding.expected.values.size(); ++i) {
    finding.explained += finding.expected.values[i] != finding.actual.values[i] ? 1 : 0;
  }
}

Finding difference(std::int64_t index, const char* kind, const char* derivation, const char* isa, const char* path) {
  Finding finding{.expected_name = "libtorch", .actual_name = "scalar", .diff_class = kind, .derivation = derivation};
  finding.cell = {.engine = "fbgemm", .isa = isa, .path = path, .granularity = "per_channel", .bias = "bias"};
  finding.index = index;
  return finding;
}

// Four differences, one crash and one refusal, as a night might find them.
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
  pairs.explanation = kExplanation;
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

void count_cells(RunSummary& run, std::uint64_t night) {
  std::int64_t drawn = 0;
  const auto cell = [&](const char* engine, const char* isa, const char* path) {
    Random random(night, static_cast<std::uint64_t>(drawn++));
    CellCounts& counts = run.cells[{.engine = engine,
                                    .isa = isa,
                                    .path = path,
                                    .granularity = drawn % 2 == 0 ? "per_tensor" : "per_channel",
                                    .bias = drawn % 3 == 0 ? "no bias" : "bias"}];
    counts.cases = random.between(20, 900);
    counts.elements = counts.cases * random.between(60, 400);
    for (std::size_t i = 0; i < kClasses.size(); ++i) {
      const bool other = std::string_view(kClasses[i]) == "other_engine";
      const bool depthwise = 24 <= i && i <= 27;
      if (other ? std::string_view(engine) == "fbgemm" : depthwise && std::string_view(path) != "depthwise") continue;
      if (i == 27) continue;                           // the class that none of these runs reaches
      const std::size_t rarity = (i * 7 + i / 5) % 6;  // some classes are met often, some seldom
      counts.classes[kClasses[i]] = other ? counts.cases : (counts.cases >> rarity) * random.between(60, 100) / 100;
    }
    run.cases.passed += counts.cases;
  };
  for (const char* isa : kIsas) {
    for (const char* path : kPaths) cell("fbgemm", isa, path);
  }
  for (const char* engine : {"onednn", "qnnpack", "x86"}) {
    for (const char* path : kPaths) cell(engine, "native", path);
  }
}

RunSummary night(std::uint64_t number) {
  RunSummary run{
      .command = fmt::format("tieout fuzz --cases 15000 --seed {}", 9595659807944810231U + number),
      .subject = "scalar",
      .reference = "LibTorch 2.15.0, avx512_vnni",
      .machine = {.cpu = "AMD EPYC 9654 96-Core Processor", .isa = "avx512_vnni", .libtorch = "2.15.0", .cores = 2}};
  run.seed = 9595659807944810231U + number;
  run.started = 1794276000 + static_cast<std::int64_t>(number) * 86400;
  count_cells(run, number);
  run.classes = {kClasses.begin(), kClasses.end()};
  run.missing_classes = {"activation_sum_saturated"};
  run.cases.mistrusted = 61;
  run.cases.skipped = 212;
  run.reasons = {{"fbgemm_groupwise_remainder: known to be wrong", 61}, {"onednn has no weight zero points", 212}};
  run.seconds = 41.5;
  run.seconds_in_engine = 30.25;
  return run;
}

void add(RunSummary& run, const Finding& finding) {
  run.findings.push_back(finding);
  ++run.differences[kind_of(finding)];
  if (finding.failure.starts_with("died")) {
    ++run.cases.crashed;
    return;
  }
  --run.cases.passed;
  ++run.cases.differed;
  for (auto& [cell, counts] : run.cells) {
    if (cell.engine != finding.cell.engine || cell.isa != finding.cell.isa || cell.path != finding.cell.path) continue;
    ++counts.differed;
    return;
  }
}

Report nights() {
  const std::vector<Finding> found = findings_of_a_night();
  std::vector<RunSummary> runs;
  for (std::uint64_t number = 0; number < 14; ++number) {
    RunSummary run = night(number);
    if (number % 3 != 1) add(run, found[0]);
    if (number >= 5) add(run, found[1]);
    if (number == 13) add(run, found[2]);
    if (number % 4 == 1) add(run, found[3]);
    if (number >= 9) add(run, found[4]);
    runs.push_back(std::move(run));
  }
  runs[6].finished = false;
  return make_report(std::move(runs),
                     {{.kind = "tie",
                       .engine = "fbgemm",
                       .reason = "ties are rounded to even by the specification; the subject is an old one",
                       .link = "https://github.com/pytorch/pytorch/issues/12345"},
                      {.kind = "died: SIGSEGV", .path = "groupwise", .reason = "writes beside its tensors", .link = ""},
                      {.kind = "zero-point order",
                       .engine = "onednn",
                       .reason = "added before rounding",
                       .link = "see the contract"}});
}

Report hostile() {
  const std::string markup = "</script></title><img src=x onerror=\"alert(1)\">{{title}}'`|\\";
  const std::string bytes = std::string("\0\x1B[31m\xFF\xC0\xBC\xED\xA0\x80", 13) + "]]>--><!--%0A::error::";
  RunSummary run = night(0);
  run.command = run.subject = run.reference = markup + bytes;
  run.machine.cpu = run.machine.libtorch = markup;
  run.reasons = {{markup, 1}, {bytes, 2}, {"```\n# heading\n::warning::hello", 3}};
  run.classes.push_back(markup);
  run.missing_classes.push_back(markup);
  run.cells[{.engine = markup, .isa = bytes, .path = "<b>", .granularity = "\"", .bias = "&amp;"}] = {
      .cases = 3, .elements = 4, .differed = 1, .classes = {{markup, 2}}};
  run.cells[{.engine = "fbgemm", .isa = "avx2", .path = "unreached", .granularity = "", .bias = ""}] = {};

  Finding finding = difference(1, markup.c_str(), markup.c_str(), "<isa>", "<path>");
  finding.expected_name = finding.actual_name = markup;
  finding.case_line = markup + "\n```\n" + bytes;
  finding.original_line = bytes + markup;
  finding.explanation = markup + bytes + "\n```\n</pre>";
  fill_tensors(finding, {1, 2, 2, 3}, 9, 2, 1);
  finding.elements.front().scaled = -0.0F / 0.0F;
  add(run, finding);
  Finding volume = difference(2, "rounding", "rounded down", "avx2", "im2col");
  volume.case_line = volume.original_line = "conv3d out_channels=2 input=2x3x4 x=uniform w=uniform";
  fill_tensors(volume, {1, 2, 2, 3, 4}, 255, 3, 1);
  add(run, volume);
  Finding refused = difference(3, "", "", "avx2", "im2col");
  refused.failure = "refused: " + markup + "\nsecond line " + bytes;
  refused.case_line = refused.original_line = "conv2d x=[1] w=[1]";
  add(run, refused);
  return make_report({run}, {{.kind = "rounding", .reason = markup + bytes, .link = "javascript:alert(1)"},
                             {.kind = bytes, .reason = markup, .link = "javascript:alert(2)"}});
}

Report many() {
  RunSummary run = night(1);
  constexpr std::array kKinds{"tie", "rounding", "pair saturation", "bias rounding", "multiplier rounding"};
  for (std::int64_t i = 0; i < 10'000; ++i) {
    Random random(3, static_cast<std::uint64_t>(i));
    Finding finding =
        difference(i, random.pick(kKinds), "the bias is added in float64", random.pick(kIsas), random.pick(kPaths));
    const std::int64_t channels = random.between(1, 16);
    const std::int64_t side = random.between(1, 8);
    finding.case_line = fmt::format(
        "conv2d in_channels={} out_channels={} input={}x{} xs={:.9f} ws={:.9f} os={:.9f} oz={} relu x={} w={} seed={}",
        random.between(1, 16), channels, side, side, random.unit(), random.unit(), random.unit(),
        random.between(0, 255), random.pick(kFills), random.pick(kFills), random.next());
    finding.original_line = finding.case_line + " format=channels_last threads=2";
    finding.explanation = kExplanation + fmt::format("{:.17g} {:.17g} {:.17g} {}\n", random.unit(), random.unit(),
                                                     random.unit(), random.next());
    fill_tensors(finding, {1, channels, side, side}, 2, 8, 1);
    run.findings.push_back(finding);
    ++run.differences[finding.diff_class];
  }
  run.cases.differed = 10'000;
  return make_report({run});
}

Report equal() {
  RunSummary run = night(2);
  run.missing_classes.clear();
  return make_report({run});
}

Report vain() {
  RunSummary run{.command = "tieout fuzz --cases 1 --seed 1", .reference = "LibTorch 2.15.0, avx2", .seed = 1};
  run.cases.errored = 1;
  run.reasons = {{"onednn is not in this LibTorch", 1}};
  return make_report({run});
}

}  // namespace

tl::expected<Report, std::string> sample_report(std::string_view name) {
  if (name == "nights") return nights();
  if (name == "hostile") return hostile();
  if (name == "equal") return equal();
  if (name == "vain") return vain();
  if (name == "many") return many();
  return tl::unexpected(fmt::format("'{}' is no sample: nights, hostile, equal, vain or many", name));
}

}  // namespace tieout
