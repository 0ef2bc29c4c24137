#include "reports/samples/sample_report.h"

#include <fmt/core.h>

#include <array>
#include <limits>
#include <string>

#include "cases/case_class_name.h"
#include "cases/random.h"
#include "reports/samples/sample_findings.h"

namespace tieout {
namespace {

constexpr std::array<const char*, 4> kPaths{"depthwise", "groupwise", "im2col", "pointwise"};
constexpr std::array<const char*, 5> kIsas{"avx2", "avx512", "avx512_256", "avx512_vnni", "avx512_vnni_256"};
constexpr std::array<const char*, 4> kFills{"uniform", "edges", "extremes", "reduced"};
constexpr CaseClass kUnreached = CaseClass::activation_sum_saturated;  // a class that none of these runs reaches

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
    for (std::size_t i = 0; i < kCaseClasses; ++i) {
      const auto which = static_cast<CaseClass>(i);
      const bool other = which == CaseClass::other_engine;
      const bool depthwise = CaseClass::large_kernel <= which && which <= CaseClass::activation_sum_saturated;
      if (other ? std::string_view(engine) == "fbgemm" : depthwise && std::string_view(path) != "depthwise") continue;
      if (which == kUnreached) continue;
      const std::size_t rarity = (i * 7 + i / 5) % 6;  // some classes are reached often, others rarely
      counts.classes[std::string(name(which))] =
          other ? counts.cases : (counts.cases >> rarity) * random.between(60, 100) / 100;
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
  for (std::size_t i = 0; i < kCaseClasses; ++i) run.classes.emplace_back(name(static_cast<CaseClass>(i)));
  run.missing_classes = {std::string(name(kUnreached))};
  run.cases.known_defect = 61;
  run.cases.skipped = 212;
  run.reasons = {{"fbgemm_groupwise_remainder: known to be wrong", 61}, {"onednn has no weight zero points", 212}};
  run.strategies = {{"ties", 5200}, {"extremes", 4100}, {"paths", 3300}};
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
  const std::string bytes = std::string("\0\x1B[31m\xFF\xC0\xBC\xED\xA0\x80", 12) + "]]>--><!--%0A::error::";
  RunSummary run = night(0);
  run.command = run.subject = run.reference = markup + bytes;
  run.machine.cpu = run.machine.libtorch = markup;
  run.reasons = {{markup, 1}, {bytes, 2}, {"```\n# heading\n::warning::hello", 3}};
  run.accepted_deviations = {{markup, 4}, {bytes, 5}};
  run.departures = {{markup, {.cases = 6, .elements = 7}},
                    {"```\n# heading\n::warning::hello", {.cases = 1, .elements = 1}}};
  run.cells.clear();
  run.classes = {"tie", markup, bytes, "relu"};
  run.missing_classes = {bytes};
  run.cases.passed = 14;
  run.cells[{.engine = markup, .isa = bytes, .path = "<b>", .granularity = "\"", .bias = "&amp;"}] = {
      .cases = 3, .elements = 4, .differed = 1, .classes = {{markup, 2}}};
  run.cells[{.engine = "fbgemm", .isa = "avx2", .path = "unreached", .granularity = "", .bias = ""}] = {};
  run.cells[{.engine = "fbgemm", .isa = "avx2", .path = "im2col", .granularity = "per_tensor", .bias = "bias"}] = {
      .cases = 11, .elements = 1234567, .differed = 0, .classes = {{"tie", 11}, {"relu", 1}}};

  run.causes = {{.text = markup + bytes,
                 .condition = markup + bytes,
                 .diff = {"- " + markup, "+ " + bytes},
                 .picture = {markup, bytes},
                 .case_line = markup,
                 .replay = markup + "\n```\n" + bytes}};
  Finding finding = difference(1, markup.c_str(), markup.c_str(), "<isa>", "<path>");
  finding.expected_name = finding.actual_name = markup;
  finding.case_line = markup + "\n```\n" + bytes;
  finding.original_line = bytes + markup;
  finding.explanation = markup + bytes + "\n```\n</pre>";
  fill_tensors(finding, {1, 2, 2, 3}, 9, 2, 1);
  finding.elements.front().scaled = std::numeric_limits<float>::quiet_NaN();
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

// Returns a report with contents that must never be lost: values that are not finite, findings without tensors, and
// tensors of different shapes.
Report broken() {
  RunSummary run = night(3);
  Finding infinite = difference(1, "rounding", "rounded down", "avx2", "im2col");
  infinite.case_line = infinite.original_line = "conv2d out_channels=5 x=[1] w=[5*1]";
  fill_tensors(infinite, {1, 5, 1, 1}, 9, 100, 1);
  using Limits = std::numeric_limits<float>;
  const std::array kValues{Limits::infinity(), -Limits::infinity(), -Limits::quiet_NaN(), -0.0F, Limits::denorm_min()};
  infinite.elements.clear();
  for (std::size_t i = 0; i < kValues.size(); ++i) {
    infinite.expected.values[i] = 1;
    infinite.actual.values[i] = 0;
    infinite.elements.push_back({.offset = static_cast<std::int64_t>(i),
                                 .expected = 1,
                                 .actual = 0,
                                 .accumulator = std::numeric_limits<std::int64_t>::min() + 1,
                                 .scaled = kValues[i]});
  }
  infinite.explained = 5;
  add(run, infinite);
  Finding undescribed = difference(2, "", "", "avx2", "im2col");
  undescribed.case_line = undescribed.original_line = "conv2d x=[2] w=[2]";
  undescribed.drawn_kind = "tie";
  undescribed.undescribed = "shrinking it died: SIGKILL";
  add(run, undescribed);
  Finding unfit = undescribed;
  unfit.case_line = unfit.original_line = "conv2d x=[3] w=[3]";
  unfit.undescribed.clear();
  unfit.expected = {{1, 1, 1, 2}, {7}};
  unfit.actual = {{}, {7}};
  unfit.elements = {{.offset = 9}};
  add(run, unfit);
  return make_report({run});
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
    finding.explanation = sample_explanation() + fmt::format("{:.17g} {:.17g} {:.17g} {}\n", random.unit(),
                                                             random.unit(), random.unit(), random.next());
    fill_tensors(finding, {1, channels, side, side}, 2, 8, 1);
    run.findings.push_back(finding);
    ++run.differences[finding.mismatch_class];
  }
  run.cases.differed = 10'000;
  return make_report({run});
}

Report equal() {
  RunSummary run = night(2);
  run.missing_classes.clear();
  run.departures = {
      {"FBGEMM saturates pairs of products in 16 bits; that depends on the CPU", {.cases = 310, .elements = 4127}},
      {"FBGEMM's depthwise code adds the bias with two roundings", {.cases = 1, .elements = 1}}};
  run.accepted_deviations = {
      {"follows exact sums where FBGEMM's depthwise code saturates pairs of products in 16 bits", 95}};
  return make_report({run});
}

// Returns a report of `tieout model`, whose model has a layer, in which one column differs, and another operator.
Report model() {
  Report report = equal();
  LayerReport layer{.name = "features.<0>",
                    .op = "conv2d_relu",
                    .geometry = "k3x3",
                    .input = {1, 3, 6, 6},
                    .output = {1, 8, 4, 4},
                    .engine = "fbgemm",
                    .path = "im2col",
                    .elements = 128};
  layer.columns = {{}, {.differing = 17, .largest = 2, .by_class = {{"rounding", 17}}}};
  layer.forecasts = {{.isa = "avx2", .elements = 3, .largest = 1}};
  report.model = ReportedModel{
      {{Column::Kind::kernel, "kernel"}, {Column::Kind::hypothesis, "qnnpack"}},
      {layer},
      {{.name = "skip.<add>",
        .op = "quantized::add",
        .inputs = {{1, 8, 4, 4}, {4}},
        .output = {1, 8, 4, 4},
        .elements = 128,
        .specification = {.elements = 1, .largest = 1, .first_offset = 4, .first_expected = 7, .first_actual = 8},
        .with_threads = {{2, {.elements = 5, .largest = 1}}}}}};
  return report;
}

Report unverified() {
  RunSummary run{.command = "tieout fuzz --cases 1 --seed 1", .reference = "LibTorch 2.15.0, avx2", .seed = 1};
  run.cases.unavailable = 1;
  run.reasons = {{"onednn is not in this LibTorch", 1}};
  return make_report({run});
}

// Returns a finding of a subject, whose class is a guess.
Finding guessed(std::int64_t index, const std::string& line) {
  Finding finding = difference(index, "tie", "ties are rounded up", "avx512_vnni", "im2col");
  finding.actual_name = "libmine.so";
  finding.subject = "./libmine.so";
  finding.case_line = finding.original_line = line;
  fill_tensors(finding, {1, 2, 2, 3}, 9, 2, 1);
  return finding;
}

Report diagnosed() {
  RunSummary run = night(4);
  run.subject = "./libmine.so";
  run.missing_classes.clear();
  run.causes = {
      {.text = "check of the end of axis 2 is missing",
       .condition = "dilation of the width >= 2 and padding of the width >= 1",
       .diff = {"- if (iw >= 0 && iw < input_w) {", "+ if (iw >= 0) {"},
       .picture = {"window of output [0, 0, 0, 3], input channel 0: = right, + read though it lies in padding",
                   "        kw   0  1", "  kh 0       =  +", "tap [0, 1] reads x[0, 0, 1, 0] and not padding"},
       .case_line = "conv2d input=2x1 kernel=1x2 padding=0x2 dilation=1x2 x=[0,1] w=[0,1]",
       .replay = "tieout check --subject ./libmine.so 'conv2d input=2x1 kernel=1x2 padding=0x2 dilation=1x2 x=[0,1] "
                 "w=[0,1]'",
       .expected = 0,
       .actual = 1,
       .cases = 3,
       .fresh_differing = 157,
       .explains = 120,
       .fresh = 2000,
       .predicted = 1998},
      {.text = "rounding: floorf(s + 0.5F): ties up, and the addition rounds",
       .condition = "",
       .diff = {"- const float rounded = nearbyintf(scaled);", "+ const float rounded = floorf(scaled + 0.5F);"},
       .picture = {},
       .case_line = "conv2d bias=[0.5] x=[0] w=[0]",
       .replay = "tieout check --subject ./libmine.so 'conv2d bias=[0.5] x=[0] w=[0]'",
       .expected = 0,
       .actual = 1,
       .cases = 1,
       .fresh_differing = 157,
       .explains = 35,
       .fresh = 2000,
       .predicted = 1998}};
  for (std::int64_t i = 0; i < 5; ++i) {
    Finding finding = guessed(i, fmt::format("conv2d out_channels=2 input=2x3 x=uniform w=uniform seed={}", i));
    const std::size_t cause = i < 3 ? 0 : 1;
    if (i < 4) finding.cause = run.causes[cause].text;
    if (i < 4) finding.condition = run.causes[cause].condition;
    add(run, finding);
  }
  run.differences = {{"tie", 5}};
  run.cases_by_cause = {{name_of(run.causes[0]), 3}, {name_of(run.causes[1]), 1}, {std::string(kUnexplained), 1}};
  return make_report({run}, {{.cause = run.causes[1].text, .reason = "rounds as the accelerator does"}});
}

}  // namespace

tl::expected<Report, std::string> sample_report(std::string_view name) {
  if (name == "nights") return nights();
  if (name == "hostile") return hostile();
  if (name == "equal") return equal();
  if (name == "model") return model();
  if (name == "unverified") return unverified();
  if (name == "broken") return broken();
  if (name == "many") return many();
  if (name == "diagnosed") return diagnosed();
  return tl::unexpected(
      fmt::format("'{}' is no sample: nights, hostile, equal, model, unverified, broken, many or diagnosed", name));
}

}  // namespace tieout
